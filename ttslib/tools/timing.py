"""Seconds of ours and of a reference, and the row of a table that they make."""

import time

import torch

CUDA = torch.cuda.is_available()
COLUMNS = ("what", "ours", "reference", "ratio", "target", "met")


def row(what, ours: float, reference, unit: str, target: str = "") -> dict:
    """A line of the table; ``target`` bounds the ratio from below or from above."""
    ratio = ours / reference if isinstance(reference, float) else None
    met = None
    if target and ratio:
        bound = float(target[1:])
        met = ratio >= bound if target[0] == "≥" else ratio <= bound
    values = (what, ours, reference, ratio, target, met)
    return dict(zip(COLUMNS, values)) | dict(unit=unit)


def line(row: dict) -> str:
    """A row as the table shows it."""
    words = {None: "–", "": "–", True: "yes", False: "no"}

    def shown(key) -> str:
        x, unit = row[key], "" if key == "ratio" else f" {row['unit']}"
        if isinstance(x, float):
            return (f"{x:,.0f}" if x >= 100 else f"{x:.3g}") + unit
        return words.get(x, x)

    return f"| {' | '.join(map(shown, COLUMNS))} |"


def timed(work) -> float:
    """Seconds of one call."""
    if CUDA:
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if CUDA:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def best(works: list, repeats: int) -> list[float]:
    """Least seconds of each; they take turns, after a round that does not count."""
    rounds = [[timed(work) for work in works] for _ in range(repeats + 1)]
    return [min(seconds) for seconds in zip(*rounds[1:])]
