#!/usr/bin/env bash
# lm-eval 0.4.13, task hendrycks_math (and hendrycks_math500): a problem's own reference
# solution, given as the reply, scores 0. The gold is read from the last \boxed{…}, a
# reply never: what counts there is all between its first and its last dollar sign, or
# the whole reply if it has fewer than two. Seen 2026-12-01; issues 2552 and 3643 of
# lm-evaluation-harness, both open then, tell of it.
#
#   - the reference solution: 0;  \boxed{6}: 0;  $\boxed{6}$: 0;  "The answer is 6.": 0;
#   - "6", "$6$" and "The answer is $6$.": 1;
#   - a second formula anywhere: 0.
# Fails if any of these changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet lm-eval==0.4.13
"$folder/venv/bin/python" - <<'PY'
from lm_eval.tasks.hendrycks_math.utils import process_results

solution = r"There are $2$ rows of $3$ tiles, so $2 \cdot 3 = \boxed{6}$ tiles."
wanted = {
    solution: 0,
    r"\boxed{6}": 0,
    r"$\boxed{6}$": 0,
    "The answer is 6.": 0,
    "6": 1,
    "$6$": 1,
    "The answer is $6$.": 1,
    "There are $2$ rows. The answer is $6$.": 0,
}
doc = {"solution": solution}
seen = {reply: process_results(doc, [reply])["exact_match"] for reply in wanted}
print(*seen.items(), sep="\n")
raise SystemExit(seen != wanted)
PY
