"""story: short grade-school stories, 3 to 6 arithmetic steps, one step a line.

``easy`` takes 3 or 4 steps with small numbers, ``hard`` 5 or 6 with larger ones. The
answer is one whole number, so votes make sense.
"""

import random

from .plans import solve, write
from .splits import sample_split

NAMES = "Ann Ben Cora Dan Eva Finn Gina Hugo Ida Jon Kim Leo Mia Ned Olga Pat".split()
THINGS = "apples pears coins shells cards stamps books pens marbles stickers".split()
WARES = "pen book cap ball lamp cup".split()


def events(rng, size):
    """One number that changes, sentence by sentence."""
    who, things = rng.choice(NAMES), rng.choice(THINGS)
    top, count = ((30, rng.choice((3, 4))), (90, rng.choice((5, 6))))[size]
    value = rng.randint(5, top)
    text, plan, last = [f"{who} has {value} {things}."], [], value
    for i in range(count):
        kinds = ["buys", "finds"] + ["loses", "gives away"] * (value > 4)
        kinds += ["wins"] * (2 <= value <= (60, 150)[size])
        kind, start = rng.choice(kinds), "#" + str(i - 1) if i else last
        if kind == "wins":
            k = rng.randint(2, 4)
            text.append(f"Then {who} wins and has {k} times as many.")
            plan.append(("Times", [start, "*", k]))
            value *= k
            continue
        more = kind in ("buys", "finds")
        b = rng.randint(2, top if more else min(value - 1, top))
        text.append(f"{who} {kind} {b}{' more' if more else ''}.")
        plan.append(("More" if more else "Fewer", [start, "+" if more else "-", b]))
        value += b if more else -b
    text.append(f"How many {things} does {who} have now?")
    return text, plan


def baskets(rng, size):
    """The talk's worked example (slide 22) is one of these."""
    b = rng.randint(2, (4, 8)[size])
    a, o, c = (rng.randint(3, (15, 30)[size]) for _ in range(3))
    d = rng.randint(1, 3)
    text = [
        f"There are {b + 1} baskets.",
        f"Each of the first {b} holds {a} apples, {o} oranges and {c} bananas.",
        f"The last one holds {d} less of each fruit.",
    ]
    plan = [
        ("One basket", [a, "+", o, "+", c]),
        ("First baskets", ["#0", "*", b]),
        ("Less", [3, "*", d]),
        ("Last basket", ["#0", "-", "#2"]),
        ("All", ["#1", "+", "#3"]),
    ]
    if size == 0:
        # the easy level stops at four steps
        text.append("How many fruits does the last one hold, if one more is added?")
        return text, [plan[0], plan[2], ("Last basket", ["#0", "-", "#1"])] + [
            ("More", ["#2", "+", 1])
        ]
    text.append("How many fruits are there?")
    return text, plan


def shop(rng, size):
    who, (p, q) = rng.choice(NAMES), rng.sample(WARES, 2)
    m, k = rng.randint(2, 6), rng.randint(2, 6)
    a, b = rng.randint(2, (12, 30)[size]), rng.randint(2, (12, 30)[size])
    cost = m * a + k * b
    pays = cost + rng.randint(1, 40)
    text = [
        f"A {p} costs {a} dollars and a {q} costs {b} dollars.",
        f"{who} buys {m} of the first and {k} of the second.",
    ]
    plan = [
        ("First", [m, "*", a]),
        ("Second", [k, "*", b]),
        ("Cost", ["#0", "+", "#1"]),
    ]
    if size == 0:
        if rng.random() < 0.5:
            text.append("How many dollars is that?")
            return text, plan
        text.append(f"{who} pays with {pays} dollars. How many dollars are left?")
        return text, plan + [("Left", [pays, "-", "#2"])]
    off, tip = rng.randint(1, 9), rng.randint(1, 20)
    text.append(
        f"The shop takes {off} dollars off. {who} pays with {pays} dollars and then "
        f"finds {tip} dollars. How many dollars does {who} have?"
    )
    return text, plan + [
        ("Price", ["#2", "-", off]),
        ("Left", [pays, "-", "#3"]),
        ("More", ["#4", "+", tip]),
    ]


def compare(rng, size):
    (x, y, z, w), things = rng.sample(NAMES, 4), rng.choice(THINGS)
    a, k, d = rng.randint(3, (20, 50)[size]), rng.randint(2, 4), rng.randint(2, 9)
    more = rng.random() < 0.5 or k * a <= d
    text = [
        f"{x} has {a} {things}.",
        f"{y} has {k} times as many as {x}.",
        f"{z} has {d} {'more' if more else 'less'} than {y}.",
    ]
    plan = [(y, [a, "*", k]), (z, ["#0", "+" if more else "-", d])]
    if size == 0:
        text.append(f"How many {things} do they have in all?")
        return text, plan + [("All", [a, "+", "#0", "+", "#1"])]
    e = rng.randint(2, 20)
    text.append(
        f"{w} has as many as {x} and {z} have in all. "
        f"{y} and {w} put theirs in a box and lose {e}. How many are in the box?"
    )
    return text, plan + [
        (w, [a, "+", "#1"]),
        ("Box", ["#0", "+", "#2"]),
        ("Left", ["#3", "-", e]),
    ]


def work(rng, size):
    r, h, g = rng.randint(3, (12, 25)[size]), rng.randint(2, 6), rng.randint(2, 6)
    made = r * (h + g)
    bad = rng.randint(1, min(9, made - 1))
    text = [
        f"A machine makes {r} lamps in an hour.",
        f"It runs for {h} hours and then for {g} hours. {bad} lamps are bad.",
    ]
    plan = [
        ("Hours", [h, "+", g]),
        ("Made", ["#0", "*", r]),
        ("Good", ["#1", "-", bad]),
    ]
    if size == 0:
        text.append("How many lamps are good?")
        return text, plan
    price, cost = rng.randint(2, 4), rng.randint(5, 60)
    text.append(
        f"Each good lamp is sold for {price} dollars. The work costs {cost} dollars. "
        "How many dollars are left?"
    )
    return text, plan + [("Sold", ["#2", "*", price]), ("Left", ["#3", "-", cost])]


FAMILIES = (events, baskets, shop, compare, work)


def make(rng: random.Random, level: str) -> tuple[str, dict]:
    """A story's key is its family and numbers: another name is not another problem."""
    size = ("easy", "hard").index(level)
    while True:
        family = rng.choice(FAMILIES)
        text, plan = family(rng, size)
        results = solve(plan)
        if 0 <= min(results) and max(results) < (300, 1000)[size]:
            break
    numbers = "/".join(str(p) for _, parts in plan for p in parts)
    return f"{family.__name__}/{numbers}", dict(
        kind="story",
        prompt=" ".join(text) + "\n",
        gold=str(results[-1]),
        verifier="mathematics",
        data={"plan": plan, "steps": len(plan), "level": level},
        chain=write(plan),
    )


def load(split: str, n: int, seed: int = 0, level: str = "easy"):
    return sample_split(f"story-{level}", lambda rng: make(rng, level), split, n, seed)
