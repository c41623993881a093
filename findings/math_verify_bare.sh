#!/usr/bin/env bash
# math-verify 0.9.0 on LaTeX without dollars around it, as the column `answer` of MATH
# has it: it does not refuse, it takes a plain number or fraction out of it and drops the
# rest, or finds nothing. Which of them depends on the notation. Seen
# 2026-12-01 with latex2sympy2_extended 1.11.0. In dollars every one is read rightly.
#
#   - 2\pi is 2, 4 + 2i is 2, 7! is 7, 3^{5} is 3 (but 2^8 is 2^8), 1\frac{1}{2} is 1/2;
#   - the list 1,2 is the number 1.2;
#   - \frac{3}{4} is 3/4, but \dfrac{9}{7} is nothing; nor are p - q and \sqrt{51}
#     anything, so that each differs from itself.
# Fails if any of these changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet math-verify==0.9.0 \
  latex2sympy2_extended==1.11.0 antlr4-python3-runtime==4.13.2 sympy==1.14.0
"$folder/venv/bin/python" - <<'PY'
from math_verify import parse, verify

wanted = {r"2\pi": "2", "4 + 2i": "2", "7!": "7", "3^{5}": "3", "2^8": "2^8"}
wanted |= {r"1\frac{1}{2}": r"\frac{1}{2}", "1,2": "1.2", r"\frac{3}{4}": r"\frac{3}{4}"}
wanted |= {r"\dfrac{9}{7}": None, "p - q": None, r"\sqrt{51}": None}
seen, failed = {}, False
for text in wanted:
    read = parse(text)
    seen[text] = read[1] if read else None
    itself = verify(read, read)
    dressed = parse(f"${text}$")
    print(text, "->", seen[text], "| equals itself:", itself, "| in dollars:", dressed)
    failed |= itself != bool(read) or not verify(dressed, dressed)
raise SystemExit(failed or seen != wanted)
PY
