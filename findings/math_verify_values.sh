#!/usr/bin/env bash
# math-verify 0.9.0 reads four ordinary notations as another value, and compares a pair
# with a set in one direction only. Seen 2026-12-01 with latex2sympy2_extended 1.11.0.
#
#   - a base: 4210_5 and 4210_7 are "equal" (the subscript is dropped);
#   - an angle: \sin 30^\circ is the sine of 30 radians, so not equal to 1/2;
#   - thousands with a thin space: 5\,000\pi is 0, so "equal" to 0;
#   - a repeating decimal: 0.\overline{3} is not equal to 1/3;
#   - verify({7, -1}, (-1, 7)) is True, verify((-1, 7), {7, -1}) is False.
# Fails if any of these changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet math-verify==0.9.0 \
  latex2sympy2_extended==1.11.0 antlr4-python3-runtime==4.13.2 sympy==1.14.0
"$folder/venv/bin/python" - <<'PY'
from math_verify import parse, verify


def equal(gold, answer):
    return verify(parse(f"${gold}$"), parse(f"${answer}$"))


seen = {
    "another base": equal("4210_5", "4210_7"),
    "degrees": equal(r"\frac{1}{2}", r"\sin 30^\circ"),
    "thin space": equal("0", r"5\,000\pi"),
    "repeating": equal(r"\frac{1}{3}", r"0.\overline{3}"),
    "a pair for a set": equal(r"\{7, -1\}", "(-1, 7)"),
    "a set for a pair": equal("(-1, 7)", r"\{7, -1\}"),
}
print(*seen.items(), sep="\n")
wanted = {"another base": True, "degrees": False, "thin space": True}
wanted |= {"repeating": False, "a pair for a set": True, "a set for a pair": False}
raise SystemExit(seen != wanted)
PY
