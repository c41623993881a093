"""The process behind :mod:`ttslib.verify.mathematics`: JSON lines in, verdicts out."""

import json
import re
import sys


def wrap(text: str) -> str:
    """A bare answer as math-verify reads it best: in a box."""
    text = text.strip()
    if "\\boxed" in text or text.startswith(("$", "\\(", "\\[")):
        return text
    return f"\\boxed{{{text}}}"


def letters(text: str) -> set[str]:
    """Single letters, which are variables: math-verify lowers X to x, we do not."""
    text = re.sub(r"\\[A-Za-z]+|[A-Za-z]{2,}", " ", text)
    return set(re.findall(r"[A-Za-z]", text))


def decide(gold: str, answer: str) -> bool:
    from math_verify import parse, verify

    case = {c.lower() for c in letters(gold)} & {c.lower() for c in letters(answer)}
    if any(
        ({c, c.upper()} & letters(gold)) != ({c, c.upper()} & letters(answer))
        for c in case
    ):
        return False
    # a tiny difference is rounded away: two powers are not equal because both are ~ 0
    if re.search(r"\^\s*\{?\s*\d{2,}", gold + answer):
        return exactly(gold, answer)
    parsed = [
        parse(wrap(t), parsing_timeout=None, extraction_mode="first_match")
        for t in (gold, answer)
    ]
    return bool(all(parsed) and verify(*parsed, timeout_seconds=None))


def exactly(gold: str, answer: str) -> bool:
    """Equality of powers too large or small for math-verify's six decimals."""
    import sympy
    from math_verify import parse

    a, b = (parse(wrap(t), parsing_timeout=None)[:1] for t in (gold, answer))
    if not a or not b or isinstance(a[0], str) or isinstance(b[0], str):
        return False
    try:
        return bool(sympy.simplify(a[0] - b[0]) == 0)
    except TypeError:
        return bool(a[0] == b[0])


def main():
    import math_verify  # noqa: F401  the slow import, before saying that we are ready

    print("true", flush=True)
    for line in sys.stdin:
        pair = json.loads(line)
        try:
            said = decide(pair["gold"], pair["answer"])
        except Exception:  # whatever sympy raises on a malformed answer
            said = False
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
