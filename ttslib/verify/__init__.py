"""Ver_x: Y → {0, 1}, as functions of (problem, answer) that return a Verdict."""

from .verdict import Verdict

__all__ = ["Verdict"]
