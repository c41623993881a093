"""Splits that cannot overlap: a problem's content decides its split, not its draw."""

import hashlib
import random
from typing import Callable

from . import Problem

SPLITS = ("train", "validation", "test")


def split_of(key: str) -> str:
    """The split that owns ``key``: eight tenths train, one each of the others."""
    tenth = hashlib.blake2b(key.encode(), digest_size=8).digest()[0] * 10 // 256
    return {0: "test", 1: "validation"}.get(tenth, "train")


def sample_split(
    name: str, make: Callable, split: str, n: int, seed: int, tries: int = 2000
) -> list[Problem]:
    """``n`` different problems of ``split``.

    ``make(rng)`` returns (key, fields of a Problem); two problems with one key are the
    same problem (names and order of numbers aside), so they share a split.
    """
    if split not in SPLITS:
        raise ValueError(f"split {split!r} of {name}: must be one of {SPLITS}")
    rng = random.Random(f"{name}/{split}/{seed}")
    found: dict[str, Problem] = {}
    since = 0
    while len(found) < n:
        key, fields = make(rng)
        since += 1
        if split_of(key) == split and key not in found:
            found[key] = Problem(id=f"{name}/{split}/{seed}/{len(found)}", **fields)
            since = 0
        if since > tries:
            raise ValueError(
                f"{name}, split {split!r}: only {len(found)} of the {n} problems asked "
                "for exist (or are found in reasonable time); ask for fewer"
            )
    return list(found.values())
