#!/usr/bin/env bash
# mathruler 0.1.0 (grade_answer, largely PRM800K's grader) strips what it takes for
# dress before it compares. Seen 2026-12-01 with sympy 1.14.0 and
# pylatexenc 2.11.
#
#   - a unit of time or length counts for nothing: 3 hours is 3 minutes, "second" is
#     "minute" (both are then empty), Sunday is sun;
#   - the base of a numeral is glued on: 110_2 is 1102;
#   - 1 1/2 is equal to 3/2 and to 11/2;
#   - short words are products of letters: "no" is "on";
#   - 0.5 is equal to 1/2 and to 2/4, but 2/4 is not equal to 1/2;
#   - a power is not worked out: 2^3 is not 8, though (x+1)^2 is x^2+2x+1.
# Fails if any of these changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet mathruler==0.1.0 sympy==1.14.0 \
  pylatexenc==2.11 tqdm
"$folder/venv/bin/python" - <<'PY'
from mathruler.grader import grade_answer

wanted = {
    ("3 hours", "3 minutes"): True,
    ("second", "minute"): True,
    ("Sunday", "sun"): True,
    ("110_2", "1102"): True,
    ("3/2", "1 1/2"): True,
    ("11/2", "1 1/2"): True,
    ("no", "on"): True,
    ("0.5", r"\frac{1}{2}"): True,
    ("0.5", r"\frac{2}{4}"): True,
    (r"\frac{2}{4}", r"\frac{1}{2}"): False,
    ("2^3", "8"): False,
    ("(x+1)^2", "x^2+2x+1"): True,
}
seen = {pair: grade_answer(*pair) for pair in wanted}
print(*seen.items(), sep="\n")
raise SystemExit(seen != wanted)
PY
