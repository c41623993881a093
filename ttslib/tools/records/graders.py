"""Graders of mathematics on the same pairs: ours, and those that others use.

Every grader is given the gold answer and the same final answer, as our reader finds it.
The sets are read from the folder that TTS_DATA names; the other graders are optional:
``pip install --no-deps mathruler==0.1.0 lm_eval==0.4.13 pylatexenc==2.11``.
"""

import gzip
import importlib.util
import json
import os
import re
import signal
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from ...problems import Problem
from ...verify import read_answer, verify

MOST = 1000  # pairs of a set
SECONDS = 10  # for a pair


def rows(name: str):
    """The objects of a JSON Lines file below TTS_DATA, packed or not."""
    path = Path(os.environ["TTS_DATA"], name)
    opened = gzip.open if name.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


# --- pairs: (gold, answer, are they equal) --------------------------------------------
def equivalence():
    """Labelled pairs of public test suites."""
    for row in rows("answer-equivalence/pairs.jsonl"):
        yield row["gold"], row["answer"], row["equal"]


def math_500():
    """MATH-500's golds against the final answer of their own solutions: all equal."""
    for row in rows("HuggingFaceH4/MATH-500/default/test.jsonl"):
        yield row["answer"], read_answer(row["solution"], "mathematics"), True


def golds() -> dict[str, str]:
    """Question → answer of GSM8K's test split."""
    return {
        row["question"]: row["answer"].rpartition("####")[2].strip()
        for row in rows("openai/gsm8k/main/test.jsonl.gz")
    }


def gsm8k():
    """Solutions of GPT-3 with the authors' verdicts."""
    known = golds()
    for row in rows("openai/grade-school-math-model-solutions/test.jsonl.gz"):
        for who in ("6b_finetuning", "175b_verification"):
            if row["question"] in known:
                answer = read_answer(row[who]["solution"], "mathematics")
                yield known[row["question"]], answer, row[who]["is_correct"]


def processbench():
    """Solutions of GSM8K's problems with ProcessBench's ``final_answer_correct``."""
    known = golds()
    for row in rows("Qwen/ProcessBench/default/gsm8k.jsonl"):
        if row["problem"] in known:
            answer = read_answer("\n\n".join(row["steps"]), "mathematics")
            yield known[row["problem"]], answer, row["final_answer_correct"]


SETS = {
    "answer-equivalence": equivalence,
    "MATH-500, own solutions": math_500,
    "GSM8K, GPT-3's solutions": gsm8k,
    "ProcessBench, GSM8K": processbench,
}


# --- graders --------------------------------------------------------------------------
def ours():
    def grade(gold, answer):
        return bool(verify(Problem("g", "", "", gold, "mathematics"), answer))

    return grade


def math_verify(mark: str = "{}"):
    """math-verify, on strings as they are, or ``mark``ed as mathematics."""
    from math_verify import parse
    from math_verify import verify as equal

    return lambda gold, answer: equal(*(parse(mark.format(s)) for s in (gold, answer)))


def mathruler():
    from mathruler.grader import grade_answer

    return lambda gold, answer: grade_answer(answer, gold)


def lm_eval():
    """Its file alone: the package imports far more than this needs."""
    found = importlib.util.find_spec("lm_eval")
    path = Path(found.origin).parent / "tasks" / "hendrycks_math" / "utils.py"
    spec = importlib.util.spec_from_file_location("hendrycks_math", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda gold, answer: module.is_equiv(answer, gold)


GRADERS = {
    "ttslib": ours,
    "math-verify, as it comes": math_verify,
    "math-verify, between dollars": lambda: math_verify("${}$"),
    "mathruler": mathruler,
    "lm-eval, hendrycks_math": lm_eval,
}


def table(grade, pairs) -> dict:
    """How often a grader agrees with the labels of ``pairs``, and how it errs."""
    count: Counter = Counter(pairs=len(pairs))
    began = time.process_time()
    for gold, answer, equal in pairs:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            found = bool(grade(gold, answer))
        except Exception:  # whatever it raises on this pair, or no verdict in time
            count["raised"] += 1
            found = False
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        count["agree"] += found == equal
        count["false accepts"] += found and not equal
        count["false rejects"] += equal and not found
    count["unequal"] = sum(not equal for *_, equal in pairs)
    return dict(count) | {"CPU s": round(time.process_time() - began, 1)}


def stop(*_):
    raise TimeoutError


def record() -> dict:
    """Every grader on every set; the counts and versions, none of the pairs."""
    signal.signal(signal.SIGALRM, stop)
    pairs = {name: list(read())[:MOST] for name, read in SETS.items()}
    out = {}
    for who, make in GRADERS.items():
        grade = make()
        out[who] = {name: table(grade, some) for name, some in pairs.items()}
        print(who, out[who], flush=True)
    packages = ("math-verify", "mathruler", "lm_eval")
    return {"graders": {p: version(p) for p in packages}, "sets": out}


def markdown(found: dict) -> str:
    """The record as a table: false accepts / false rejects of each grader and set."""
    sets = list(next(iter(found["sets"].values())))
    lines = ["| grader | " + " | ".join(sets) + " |", "| --- " * (len(sets) + 1) + "|"]
    for who, row in found["sets"].items():
        cells = [
            f"{row[s].get('false accepts', 0)} / {row[s].get('false rejects', 0)}"
            for s in sets
        ]
        lines.append(f"| {re.sub('[|]', '', who)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
