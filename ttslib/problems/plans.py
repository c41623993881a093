"""Arithmetic chains: written step by step, with or without the faults of web text.

A plan is a list of (label, parts); a part is a number, an operator, or ``"#i"`` for
the result of step i. Writing a plan computes it, so a slip is carried to the end, as
in a pupil's work.
"""

import operator
import random

OPERATIONS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,
}
STYLES = ("plain", "direct", "short", "plan", "check", "back", "slip", "swap")


def compute(parts: list) -> int:
    """Left to right, as the stories are written; no mixed precedence is used."""
    value = parts[0]
    for op, term in zip(parts[1::2], parts[2::2]):
        value = OPERATIONS[op](value, term)
    return value


def solve(plan: list) -> list[int]:
    """The right result of every step."""
    results: list[int] = []
    for _, parts in plan:
        results.append(compute(fill(parts, results)))
    return results


def fill(parts: list, results: list[int]) -> list:
    """``#i`` replaced by the result of step i."""
    return [
        results[int(p[1:])] if isinstance(p, str) and p[0] == "#" else p for p in parts
    ]


def line(label: str, parts: list, result: int) -> str:
    return f"{label}: {' '.join(map(str, parts))} = {result}\n"


def write(plan: list, style: str = "plain", rng: random.Random | None = None) -> str:
    """The chain of ``plan`` with its ``Answer`` line, in one of STYLES.

    *direct* gives no step and *short* only some; *plan*, *check* and *back* show
    outlining, self-evaluation and backtracking; *slip* has one wrong result and
    *swap* one wrong operator, both carried on.
    """
    if style == "direct":
        return f"Answer: {solve(plan)[-1]}"
    at = rng.randrange(len(plan)) if rng else -1
    out, results = [], []
    if style == "plan":
        out.append(
            "Plan: " + ", then ".join(label.lower() for label, _ in plan) + ".\n"
        )
    for i, (label, parts) in enumerate(plan):
        parts = fill(parts, results)
        if style == "swap" and i == at and "/" not in parts:
            parts[1] = rng.choice([o for o in "+-*" if o != parts[1]])
        result = compute(parts)
        wrong = max(0, result + rng.choice((-10, -2, -1, 1, 2, 10))) if rng else result
        if style == "slip" and i == at:
            result = wrong
        if style == "back" and i == at:
            out.append(line(label, parts, wrong) + "Go back.\n")
        out.append(line(label, parts, result))
        if style == "check" and i == at:
            out.append(f"Check: {' '.join(map(str, parts))} = {result}, right.\n")
        results.append(result)
        if style == "short" and i == at:
            return "".join(out) + f"Answer: {solve(plan)[-1]}"
    return "".join(out) + f"Answer: {results[-1]}"
