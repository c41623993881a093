"""Colours, line styles, axes, curves: what every chart of the course shares.

Colours mean the same thing in every figure; lines also differ in dash and marker, so
that a figure reads in greyscale. matplotlib is loaded when drawn.
"""

import numpy as np

from ..stats import bootstrap, shares

# x the problem, z the chain, y the answer, guide the verifier or guide (the talk's)
COLOURS = {"x": "#CB6040", "z": "#257180", "y": "#FD8B51", "guide": "#A66E38"}
GREY = "#777777"
# what a line stands for -> (colour, dash, marker): told apart in greyscale as well
ROLES = {
    "base": (GREY, "--", "s"),
    "ours": (COLOURS["z"], "-", "o"),
    "second": (COLOURS["y"], "-.", "^"),
    "third": (COLOURS["x"], (0, (1, 1)), "v"),
    "verifier": (COLOURS["guide"], (0, (6, 2)), "D"),
}


def axes(columns: int = 1, *, width: float = 5.2, height: float = 3.6, **kwargs):
    """(figure, axes) in the house style; with ``columns`` > 1 an array of axes."""
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {
            "figure.dpi": 90,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "font.size": 10,
            "legend.frameon": False,
            "legend.fontsize": 8.5,
            "lines.markersize": 5,
        }
    )
    return plt.subplots(1, columns, figsize=(width * columns, height), **kwargs)


def log2_axis(ax, ticks):
    """A log axis with a tick at each of ``ticks``, written as numbers."""
    ax.set_xscale("log", base=2)
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])


def curve(ax, x, values, label, role="ours", **kwargs):
    """Mean over problems of ``values`` [problems, x] with its 95 % bootstrap band.

    ``role`` is one of ROLES. Returns (mean, low, high), each [x].
    """
    values = np.asarray(values, float)
    inside = values.size and 0 <= values.min() and values.max() <= 1
    mean, low, high = (shares if inside else bootstrap)(values, **kwargs)
    colour, dash, marker = ROLES[role]
    ax.plot(x, mean, linestyle=dash, marker=marker, color=colour, label=label)
    ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    return mean, low, high


def published(ax, x, y, label, role="base", line=":"):
    """A paper's points: hollow, dotted, named with the paper."""
    colour, _, marker = ROLES[role]
    style = dict(markerfacecolor="white", color=colour, linewidth=1.2)
    ax.plot(x, y, linestyle=line, marker=marker, label=label, **style)


def passk_panel(ax, k, lines: dict, title: str, *, ylabel="pass@k", loc="lower right"):
    """A panel of pass@k: ``lines`` is label -> (values [problems, k], role).

    Returns label -> (mean, low, high), each [k].
    """
    drawn = {
        label: curve(ax, k, values, label, role)
        for label, (values, role) in lines.items()
    }
    log2_axis(ax, k)
    ax.set(title=title, xlabel="samples k", ylabel=ylabel, ylim=(0, 1.02))
    percent(ax)
    ax.legend(loc=loc)
    return drawn


def percent(ax, axis: str = "y"):
    """Ticks of a fraction as percentages."""
    from matplotlib.ticker import PercentFormatter

    getattr(ax, f"{axis}axis").set_major_formatter(PercentFormatter(1, decimals=0))
