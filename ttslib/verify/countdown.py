"""Countdown: does the expression reach the target with each number once?"""

import ast
from collections import Counter
from fractions import Fraction

from .verdict import Verdict

LONGEST = 200
OPERATORS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


def countdown(problem, answer: str) -> Verdict:
    """Exact, in fractions. data: ``numbers`` and ``target``; nothing is executed."""
    if len(answer) > LONGEST:
        return Verdict("failed", f"longer than {LONGEST} characters")
    used: Counter = Counter()

    def value(node) -> Fraction:
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.Constant) and type(node.value) is int:
            used[node.value] += 1
            return Fraction(node.value)
        raise ValueError("only whole numbers, + - * / and brackets count")

    try:
        result = value(ast.parse(answer, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Verdict("failed", f"not an expression: {error}")
    except ZeroDivisionError:
        return Verdict("failed", "divides by zero")
    if used != Counter(problem.data["numbers"]):
        return Verdict("failed", "must use each number exactly once")
    if result != problem.data["target"]:
        return Verdict("failed", f"makes {result}, not {problem.data['target']}")
    return Verdict("passed")
