"""Graders of mathematics on the same pairs: ours, and those that others use.

Every grader is given the gold answer and the same final answer, as our reader finds it;
then, for sets of solutions, the whole solution, which it reads in its own way. The sets
are read from the folder that TTS_DATA names; the other graders are optional:
``pip install --no-deps mathruler==0.1.0 lm_eval==0.4.13 pylatexenc==2.11``.
"""

import gzip
import importlib.util
import json
import logging
import os
import re
import signal
from collections import Counter
from functools import cache
from importlib.metadata import version
from pathlib import Path

from ...problems import Problem
from ...verify import read_answer, verify

SECONDS = 10  # for a pair, where a grader has no limit of its own


def rows(name: str):
    """The objects of a JSON Lines file below TTS_DATA, packed or not."""
    path = Path(os.environ["TTS_DATA"], name)
    opened = gzip.open if name.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


# --- sets: (gold, answer or solution, is it right) ------------------------------------
def equivalence():
    """Labelled pairs of public test suites: answers, no solutions."""
    for row in rows("answer-equivalence/pairs.jsonl"):
        yield row["gold"], row["answer"], row["equal"]


def math_500():
    """MATH-500's golds and their own solutions: all are right."""
    for row in rows("HuggingFaceH4/MATH-500/default/test.jsonl"):
        yield row["answer"], row["solution"], True


def golds() -> dict[str, str]:
    """Question → answer of GSM8K's test split, MATH-500 and MATH's training set."""
    gsm8k = rows("openai/gsm8k/main/test.jsonl.gz")
    out = {r["question"]: r["answer"].rpartition("####")[2].strip() for r in gsm8k}
    for name in ("HuggingFaceH4/MATH-500/default/test.jsonl", MATH_TRAIN):
        out |= {row["problem"]: row["answer"] for row in rows(name)}
    return out


def gsm8k():
    """Four solvers' solutions with the authors' verdicts, without calculator notes."""
    known = golds()
    for row in rows("openai/grade-school-math-model-solutions/test.jsonl.gz"):
        for said in filter(lambda value: isinstance(value, dict), row.values()):
            if row["question"] in known:
                text = re.sub(r"<<[^<>]*>>", "", said["solution"])
                yield known[row["question"]], text, said["is_correct"]


def processbench(name: str):
    """Solutions with ``final_answer_correct``, of the problems whose gold we have."""
    known = golds()
    for row in rows(f"Qwen/ProcessBench/default/{name}"):
        if row["problem"] in known:
            text = "\n\n".join(row["steps"])
            yield known[row["problem"]], text, row["final_answer_correct"]


MATH_TRAIN = "math-train-answers/train.jsonl.gz"
SETS = {
    "answer-equivalence": equivalence,
    "MATH-500, own solutions": math_500,
    "GSM8K, GPT-3's solutions": gsm8k,
    "ProcessBench, GSM8K": lambda: processbench("gsm8k.jsonl"),
    "ProcessBench, MATH": lambda: processbench("math.jsonl.gz"),
}


def read(solutions) -> list:
    """Solutions as the answers that our reader finds in them."""
    return [(gold, read_answer(text, "mathematics"), y) for gold, text, y in solutions]


# --- graders: of (gold, answer), and of (gold, solution) ------------------------------
def ours():
    def grade(gold, answer):
        verdict = verify(Problem("g", "", "", gold, "mathematics"), answer)
        if verdict.status == "timed out":
            raise TimeoutError
        return bool(verdict)

    return grade, lambda gold, text: grade(gold, read_answer(text, "mathematics"))


def math_verify(mark: str = "{}"):
    """math-verify, on strings as they are, or ``mark``ed as mathematics.

    It finds an answer in a solution by itself, so that no solution is marked.
    """
    from math_verify import parse
    from math_verify import verify as equal

    def whole(gold, text):
        return equal(parse(mark.format(gold)), parse(text))

    return lambda gold, answer: whole(gold, mark.format(answer)), whole


def mathruler():
    """``grade_answer``; of a solution, what its last box holds."""
    from mathruler.grader import extract_boxed_content, grade_answer

    def whole(gold, text):
        return grade_answer(extract_boxed_content(text), gold)

    return lambda gold, answer: grade_answer(answer, gold), whole


def lm_eval():
    """Its file alone: the package imports far more than this needs."""
    found = importlib.util.find_spec("lm_eval")
    path = Path(found.origin).parent / "tasks" / "hendrycks_math" / "utils.py"
    spec = importlib.util.spec_from_file_location("hendrycks_math", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def whole(gold, text):
        doc = {"solution": f"\\boxed{{{gold}}}"}
        return module.process_results(doc, [text])["exact_match"]

    return lambda gold, answer: module.is_equiv(answer, gold), whole


GRADERS = {
    "ttslib": ours,
    "math-verify, as it comes": math_verify,
    "math-verify, between dollars": lambda: math_verify("${}$"),
    "mathruler": mathruler,
    "lm-eval, hendrycks_math": lm_eval,
}


class LateLog(logging.Handler):
    """Counts the time-outs that math-verify logs and does not raise."""

    late = 0

    def emit(self, record):
        self.late += record.getMessage().startswith("Timeout during")


def table(grade, pairs) -> dict:
    """How often a grader agrees with the labels of ``pairs``, and how it errs.

    Who raises or is late has not accepted. Equal pairs are graded once.
    """
    count: Counter = Counter(pairs=len(pairs))
    log = LateLog()
    logging.getLogger("math_verify").addHandler(log)

    @cache
    def graded(gold, answer) -> tuple[bool, str]:
        before, found, trouble = log.late, False, ""
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            found = bool(grade(gold, answer))
        except TimeoutError:
            trouble = "late"
        except Exception:  # whatever it raises on this pair
            trouble = "raised"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return found, "late" if log.late > before else trouble

    for gold, answer, equal in pairs:
        found, trouble = graded(gold, answer)
        if trouble:
            count[trouble] += 1
        count["agree"] += found == equal
        count["false accepts"] += found and not equal
        count["false rejects"] += equal and not found
    count["unequal"] = sum(not equal for *_, equal in pairs)
    logging.getLogger("math_verify").removeHandler(log)
    return dict(count)


def stop(*_):
    raise TimeoutError


def record() -> dict:
    """Every grader on every set; the counts and versions, none of the pairs.

    ``sets`` are of answers, ``solutions`` of whole ones. PackageNotFoundError names a
    grader that is not installed.
    """
    packages = ("math-verify", "mathruler", "lm_eval", "sympy", "pylatexenc")
    versions = {p: version(p) for p in packages}
    signal.signal(signal.SIGALRM, stop)
    solutions = {name: list(made()) for name, made in SETS.items()}
    answers = {"answer-equivalence": solutions.pop("answer-equivalence")}
    answers |= {name: read(some) for name, some in solutions.items()}
    out: dict = {"graders": versions, "sets": {}, "solutions": {}}
    for who, make in GRADERS.items():
        grade, whole = make()
        for key, by, found in ("sets", grade, answers), ("solutions", whole, solutions):
            out[key][who] = {name: table(by, some) for name, some in found.items()}
            print(key, who, out[key][who], flush=True)
    return out


def markdown(found: dict, key: str = "sets") -> str:
    """The record as a table: false accepts / false rejects of each grader and set.

    ``key`` is "sets" (answers) or "solutions".
    """
    sets = list(next(iter(found[key].values())))
    lines = ["| grader | " + " | ".join(sets) + " |", "| --- " * (len(sets) + 1) + "|"]
    for who, row in found[key].items():
        cells = [
            f"{row[s].get('false accepts', 0)} / {row[s].get('false rejects', 0)}"
            for s in sets
        ]
        lines.append(f"| {re.sub('[|]', '', who)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
