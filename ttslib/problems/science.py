"""science: multiple-choice questions made from formulas and units.

Four options: the right one, the right number with a wrong unit, and two numbers that
come from the wrong operation. The answer is the option's text.
"""

import random

from .plans import OPERATIONS
from .splits import sample_split

# (question, what is asked, formula in words, operator, unit, wrong units)
FORMULAS = [
    ("A car goes {a} m in {b} s.", "speed", "distance / time", "/", "m/s", "m s"),
    ("A train goes at {a} m/s for {b} s.", "distance", "speed * time", "*", "m", "m/s"),
    (
        "A force of {a} N moves a box by {b} m.",
        "work",
        "force * distance",
        "*",
        "J",
        "W",
    ),
    ("A lamp uses {a} J in {b} s.", "power", "energy / time", "/", "W", "J"),
    ("A motor of {a} W runs for {b} s.", "energy", "power * time", "*", "J", "W"),
    ("A mass of {a} kg speeds up at {b} m/s2.", "force", "mass * rate", "*", "N", "J"),
    ("A force of {a} N acts on {b} m2.", "pressure", "force / area", "/", "Pa", "N"),
    ("A block of {a} kg fills {b} m3.", "density", "mass / volume", "/", "kg/m3", "kg"),
    (
        "A current of {a} A flows in {b} ohm.",
        "voltage",
        "current * drag",
        "*",
        "V",
        "A",
    ),
    ("A voltage of {a} V drives {b} A.", "power", "voltage * current", "*", "W", "V"),
    (
        "A ball of {a} kg flies at {b} m/s.",
        "momentum",
        "mass * speed",
        "*",
        "kg m/s",
        "N",
    ),
    ("A charge of {a} C flows in {b} s.", "current", "charge / time", "/", "A", "C"),
]


def write(asked: str, formula: str, sum_: str, answer: str) -> str:
    return f"{asked} = {formula}\n{sum_}\nAnswer: {answer}"


def make(rng: random.Random) -> tuple[str, dict]:
    which = rng.randrange(len(FORMULAS))
    text, asked, formula, op, unit, other = FORMULAS[which]
    b = rng.randint(2, 12)
    a = b * rng.randint(2, 15) if op == "/" else rng.randint(3, 30)
    value = OPERATIONS[op](a, b)
    wrong = {OPERATIONS[o](a, b) for o in "+-*/"} | {value + 1, value + 10}
    wrong = rng.sample(sorted(w for w in wrong if w > 0 and w != value), 2)
    texts = [f"{value} {unit}", f"{value} {other}"] + [f"{w} {unit}" for w in wrong]
    order = rng.sample(range(4), 4)
    options = {"ABCD"[i]: texts[j] for i, j in enumerate(order)}
    letter = "ABCD"[order.index(0)]
    lines = "".join(f"{v} ({k})\n" for k, v in options.items())
    return f"{which}/{a}/{b}", dict(
        kind="science",
        prompt=f"{text.format(a=a, b=b)} What is the {asked}?\n{lines}",
        gold=letter,
        verifier="choice",
        data={
            "options": options,
            "formula": (asked, formula),
            "sum": (a, op, b),
            "units": (unit, other),
        },
        chain=write(asked, formula, f"{a} {op} {b} = {texts[0]}", texts[0]),
    )


def load(split: str, n: int, seed: int = 0):
    return sample_split("science", make, split, n, seed)
