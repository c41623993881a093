"""The house style: charts, tables, chains in colour, pictures, recorded numbers.

Colours mean the same thing in every figure. No torch; matplotlib is loaded when drawn.
"""

from .data import ROOT, paper, recorded
from .diagram import diagram
from .strip import frames
from .style import (
    COLOURS,
    GREY,
    ROLES,
    axes,
    curve,
    log2_axis,
    passk_panel,
    percent,
    published,
)
from .tables import FOUND, Said, Shown, say, show, table
from .tree import tree

__all__ = [
    "COLOURS",
    "FOUND",
    "GREY",
    "ROLES",
    "ROOT",
    "Said",
    "Shown",
    "axes",
    "curve",
    "diagram",
    "frames",
    "log2_axis",
    "paper",
    "passk_panel",
    "percent",
    "published",
    "recorded",
    "say",
    "show",
    "table",
    "tree",
]
