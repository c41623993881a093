"""Numbers that no cell computes: of the papers, and of runs too big for CI."""

import csv
import json
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def paper(name: str, **where) -> dict[str, np.ndarray]:
    """Columns of data/papers/``name``.csv, of the rows whose columns equal ``where``.

    Columns of numbers are floats. ValueError where no row is left.
    """
    with open(ROOT / "data" / "papers" / f"{name}.csv", encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if all(row[key] == str(value) for key, value in where.items())
        ]
    if not rows:
        raise ValueError(f"data/papers/{name}.csv has no row with {where}")
    out = {}
    for key in rows[0]:
        column = np.array([row[key] for row in rows])
        try:
            column = column.astype(float)
        except ValueError:
            pass  # text
        out[key] = column
    return out


def recorded(name: str) -> dict:
    """A run too big for CI, from data/runs/``name``.json, with its provenance."""
    path = ROOT / "data" / "runs" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))
