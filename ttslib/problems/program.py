"""program: write a small Python function from examples; hidden unit tests decide.

``easy`` is one operation on a list, ``hard`` two in a row. The chain names each
operation and what it makes of the first example; the answer is the function.
"""

import random

from .splits import sample_split

# name -> (expression in xs, what it does); those of SCALARS return one number
LISTS = {
    "sort": ("sorted(xs)", sorted),
    "reverse": ("xs[::-1]", lambda xs: xs[::-1]),
    "even": ("[x for x in xs if x % 2 == 0]", lambda xs: [x for x in xs if x % 2 == 0]),
    "odd": ("[x for x in xs if x % 2 == 1]", lambda xs: [x for x in xs if x % 2 == 1]),
}
for _k in range(1, 10):
    LISTS[f"add {_k}"] = (
        f"[x + {_k} for x in xs]",
        lambda xs, k=_k: [x + k for x in xs],
    )
for _k in range(2, 6):
    LISTS[f"times {_k}"] = (
        f"[x * {_k} for x in xs]",
        lambda xs, k=_k: [x * k for x in xs],
    )
for _k in range(2, 8):
    LISTS[f"over {_k}"] = (
        f"[x for x in xs if x > {_k}]",
        lambda xs, k=_k: [x for x in xs if x > k],
    )
for _k in range(1, 4):
    LISTS[f"first {_k}"] = (f"xs[:{_k}]", lambda xs, k=_k: xs[:k])
    LISTS[f"drop {_k}"] = (f"xs[{_k}:]", lambda xs, k=_k: xs[k:])
SCALARS = {
    "sum": ("sum(xs)", sum),
    "max": ("max(xs, default=0)", lambda xs: max(xs, default=0)),
    "min": ("min(xs, default=0)", lambda xs: min(xs, default=0)),
    "count": ("len(xs)", len),
}
ALL = LISTS | SCALARS


def values_of(names: tuple, xs: list):
    """Every intermediate value of the operations in turn."""
    out = []
    for name in names:
        xs = ALL[name][1](xs)
        out.append(xs)
    return out


def written(names: tuple) -> str:
    body = [f"    xs = {ALL[name][0]}\n" for name in names[:-1]]
    return "def f(xs):\n" + "".join(body) + f"    return {ALL[names[-1]][0]}"


def write(names: tuple, first: list) -> str:
    """The chain: each operation with its value on the first example, then the code."""
    values = values_of(names, first)
    lines = "".join(f"{name}: {value}\n" for name, value in zip(names, values))
    return lines + "Answer:\n" + written(names)


def make(rng: random.Random, level: str) -> tuple[str, dict]:
    """Its key is the examples shown: the same function may return with other ones."""
    while True:
        names = (rng.choice(list(ALL)),)
        if level == "hard":
            names = (rng.choice(list(LISTS)),) + names
        inputs = [
            [rng.randint(0, 9) for _ in range(rng.randint(3, 5))] for _ in range(9)
        ]
        cases = [[xs, values_of(names, xs)[-1]] for xs in inputs]
        # an example in which nothing happens teaches nothing
        if sum(out not in (xs, []) for xs, out in cases[:3]) >= 2:
            break
    shown = "".join(f"f({xs}) = {out}\n" for xs, out in cases[:3])
    return shown, dict(
        kind="program",
        prompt=shown + "Write f.\n",
        gold=written(names),
        verifier="program",
        data={
            "entry_point": "f",
            "tests": [[[xs], out] for xs, out in cases],
            "names": names,
            "level": level,
        },
        chain=write(names, cases[0][0]),
    )


def load(split: str, n: int, seed: int = 0, level: str = "easy"):
    return sample_split(
        f"program-{level}", lambda rng: make(rng, level), split, n, seed
    )
