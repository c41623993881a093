"""countdown: reach a target from four numbers, each used once, with + - * /.

The game of Stream of Search (Gandhi et al. 2024). A step takes two numbers and leaves
the rest: ``6 - 2 = 4, left 4 5 9``. The answer is the whole expression. Results stay
whole and not negative, as in the game. Many solutions exist, so search makes sense.
"""

import random
import re
from functools import lru_cache
from itertools import combinations

from .splits import sample_split

NUMBERS, TARGETS, LARGEST = (1, 15), (10, 99), 200
BACK = "Go back."  # a line that takes all moves back
MOVE = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)(?:, left((?: \d+)+))?")


def moves(a: int, b: int) -> list[tuple[str, int, int, int]]:
    """(operator, left, right, result) for two numbers, larger one first."""
    a, b = max(a, b), min(a, b)
    out = [("+", a, b, a + b), ("-", a, b, a - b), ("*", a, b, a * b)]
    if b and a % b == 0:
        out.append(("/", a, b, a // b))
    return [m for m in out if m[3] <= LARGEST]


def number_pairs(numbers: tuple[int, ...]):
    """(a, b, the rest) for each two of ``numbers``."""
    for i, j in combinations(range(len(numbers)), 2):
        rest = numbers[:i] + numbers[i + 1 : j] + numbers[j + 1 :]
        yield numbers[i], numbers[j], rest


def chance(numbers, target: int) -> float:
    """Exact chance that random play (:func:`play`) from ``numbers`` ends at ``target``.

    A pair at random, a move of it at random, down to one number. It is above 0 exactly
    if the target can still be reached.
    """
    return expected(tuple(sorted(numbers)), target)


@lru_cache(maxsize=2**17)  # 300 states a problem
def expected(numbers: tuple[int, ...], target: int) -> float:
    if len(numbers) == 1:
        return float(numbers[0] == target)
    found = []
    for a, b, rest in number_pairs(numbers):
        after = [r for *_, r in moves(a, b)]
        if rest:
            hits = sum(chance((r, *rest), target) for r in after)
        else:
            hits = after.count(target)
        found.append(hits / len(after))
    return sum(found) / len(found)


@lru_cache(maxsize=2**16)
def left(numbers: tuple[int, ...], step: str) -> tuple[int, ...] | None:
    """What a written step leaves of ``numbers``, sorted; None if it is no right move.

    Wrong are a result that is not the move's, a number that is not there, and a list of
    what is left that is not what is left; their order, and of a sum's or product's two
    numbers, is free.
    """
    found = MOVE.fullmatch(step)
    if not found:
        return None
    a, b, result = (int(found[i]) for i in (1, 3, 4))
    rest = list(numbers)
    for n in (a, b):
        if n not in rest:
            return None
        rest.remove(n)
    legal = {(op, r) for op, x, y, r in moves(a, b) if op in "+*" or (x, y) == (a, b)}
    rest = tuple(sorted([result, *rest]))
    said = tuple(sorted(map(int, (found[5] or "").split())))
    told = said == rest or (not said and len(rest) == 1)
    return rest if told and (found[2], result) in legal else None


def replay(numbers: tuple[int, ...], text: str) -> tuple[int, ...] | None:
    """What the lines of ``text`` leave of ``numbers``; None if one is wrong.

    After :data:`BACK` all are there again.
    """
    rest = numbers
    for step in text.removesuffix("\n").split("\n") if text else ():
        rest = numbers if step == BACK else rest and left(rest, step)
    return rest


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


def prompt_for(numbers: list[int], target: int) -> str:
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
        prompt=prompt_for(numbers, target),
        gold=expression,
        verifier="countdown",
        data={"numbers": numbers, "target": target},
        chain=write(steps, expression),
    )


def load(split: str, n: int, seed: int = 0):
    return sample_split("countdown", make, split, n, seed)
