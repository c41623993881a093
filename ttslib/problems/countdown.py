"""countdown: reach a target from four numbers, each used once, with + - * /.

The game of Stream of Search (Gandhi et al. 2024). A step takes two numbers and leaves
the rest: ``6 - 2 = 4, left 4 5 9``. The answer is the whole expression. Results stay
whole and not negative, as in the game. Many solutions exist, so search makes sense.
"""

import random

from .splits import draw

NUMBERS, TARGETS, LARGEST = (1, 15), (10, 99), 200


def moves(a: int, b: int) -> list[tuple[str, int, int, int]]:
    """(operator, left, right, result) for two numbers, larger one first."""
    a, b = max(a, b), min(a, b)
    out = [("+", a, b, a + b), ("-", a, b, a - b), ("*", a, b, a * b)]
    if b and a % b == 0:
        out.append(("/", a, b, a // b))
    return [m for m in out if m[3] <= LARGEST]


def play(rng: random.Random, numbers: list[int]) -> tuple[list, str, int]:
    """Random moves down to one number: (steps, expression, what it reaches)."""
    pool, steps = [(n, str(n)) for n in numbers], []
    while len(pool) > 1:
        i, j = rng.sample(range(len(pool)), 2)
        (a, x), (b, y) = sorted((pool[i], pool[j]), key=lambda p: -p[0])
        options = moves(a, b)
        if not options:
            return play(rng, numbers)
        op, _, _, r = rng.choice(options)
        rest = [p for k, p in enumerate(pool) if k not in (i, j)]
        left = [r] + [n for n, _ in rest]
        steps.append((a, op, b, r, left))
        pool = [(r, f"({x} {op} {y})")] + rest
    return steps, pool[0][1][1:-1], pool[0][0]


def write(steps: list, expression: str) -> str:
    """The chain: a move a line with what is left, then the answer."""
    lines = [
        f"{a} {op} {b} = {r}"
        + (f", left {' '.join(map(str, left))}" if len(left) > 1 else "")
        for a, op, b, r, left in steps
    ]
    return "\n".join(lines) + f"\nAnswer: {expression}"


def ask(numbers: list[int], target: int) -> str:
    return f"Make {target} from {' '.join(map(str, numbers))}.\n"


def make(rng: random.Random) -> tuple[str, dict]:
    """Its key is the sorted numbers and the target: their order does not matter."""
    while True:
        numbers = [rng.randint(*NUMBERS) for _ in range(4)]
        steps, expression, target = play(rng, numbers)
        if TARGETS[0] <= target <= TARGETS[1]:
            break
    return f"{sorted(numbers)}/{target}", dict(
        kind="countdown",
        prompt=ask(numbers, target),
        gold=expression,
        verifier="countdown",
        data={"numbers": numbers, "target": target},
        chain=write(steps, expression),
    )


def load(split: str, n: int, seed: int = 0):
    return draw("countdown", make, split, n, seed)
