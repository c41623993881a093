"""The process behind :mod:`ttslib.verify.sandbox.math_host`: JSON lines in and out."""

import json
import re
import sys

FUNCTION = re.compile(
    r"(?<![\\A-Za-z])((?:arc)?(?:sin|cos|tan)|sec|csc|cot|log|ln)"
    r"(?=\^\d|_\d| ?\(| \w\b| \d)"
)
PINS = "; install the versions of requirements.lock"
DEGREES = re.compile(  # of an angle: math-verify takes 30^\circ for 30 radians
    r"(\\(?:sin|cos|tan|sec|csc|cot)(?:\^\{?\d\}?)?) *\(? *(\d+(?:\.\d+)?)"
    r" *(?:\^ *\{? *\\circ *\}?|°) *\)?"
)
RELATION = re.compile(r"[=<>]|\\[lg]eq?\b")
POWER = re.compile(r"\^\s*[{(]?\s*-?\s*\d{2,}")


def wrap(text: str) -> str:
    """A bare answer as math-verify reads it best: in a box."""
    text = FUNCTION.sub(r"\\\1", text.strip())
    text = DEGREES.sub(r"\1(\\frac{\2 \\pi}{180})", text)
    if "\\boxed" in text or text.startswith(("$", "\\(", "\\[")):
        return text
    return f"\\boxed{{{text}}}"


def variables(text: str) -> set[str]:
    """Single letters, which are variables: math-verify lowers X to x, we do not."""
    text = re.sub(r"\\[A-Za-z]+|[A-Za-z]{2,}", " ", text)
    return set(re.findall(r"[A-Za-z]", text))


def same_letters(gold: str, answer: str) -> bool:
    """No letter that both use is a capital on one side only."""
    a, b = variables(gold), variables(answer)
    both = {c.lower() for c in a} & {c.lower() for c in b}
    return all({c, c.upper()} & a == {c, c.upper()} & b for c in both)


def equivalent(gold: str, answer: str) -> bool:
    """Are the two the same, as math-verify has it?"""
    from math_verify import parse, verify

    a, b = (
        parse(wrap(text), parsing_timeout=None, extraction_mode="first_match")
        for text in (gold, answer)
    )
    if not a or not b or not same_letters(gold, answer):
        return False
    # math-verify rounds to six decimals, by which two powers are equal as both are ~ 0
    if POWER.search(gold + answer) or tiny(a[0]) or tiny(b[0]):
        return exactly(a[0], b[0])
    pairs = [(a, b), (b, a)]  # it takes the pair (-1, 7) for the set {7, -1}
    if RELATION.search(gold + answer):  # "log 8 = 3" is 3, but 3 is no equation
        pairs.pop()
    return all(verify(*pair, timeout_seconds=None) for pair in pairs)


def tiny(value) -> bool:
    """A number of which six decimals say little."""
    if not getattr(value, "is_number", False):
        return False
    number = value.evalf()  # no Float if it is a percentage or complex
    return bool(number.is_Float and 0 < abs(number) < 1e-4)


def exactly(a, b) -> bool:
    """Equality of what is too large or small for math-verify's six decimals."""
    import sympy

    if not (isinstance(a, sympy.Expr) and isinstance(b, sympy.Expr)):
        return bool(a == b)
    difference = sympy.simplify(a - b)
    if difference.has(sympy.Float):  # nine digits of a decimal are enough
        return bool(abs(difference) <= 1e-9 * abs(a.evalf()))
    return bool(difference == 0)


def main():
    try:
        import math_verify  # noqa: F401  the slow import, before saying we are ready
    except BaseException as error:  # whatever an incompatible package raises
        print(json.dumps(f"{type(error).__name__}: {error}{PINS}"), flush=True)
        return
    print("true", flush=True)
    for line in sys.stdin:
        number, pair = json.loads(line)
        try:
            said = equivalent(**pair)
        except Exception:  # whatever sympy raises on a malformed answer
            said = False
        print(json.dumps([number, said]), flush=True)


if __name__ == "__main__":
    main()
