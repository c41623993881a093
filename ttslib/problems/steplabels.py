"""Chains whose steps were judged: PRM800K, Math-Shepherd, ProcessBench. No torch.

By hub id or from the folder that ``TTS_DATA`` names, as :mod:`.public` reads its sets.
"""

from collections.abc import Sequence

import numpy as np

from . import Problem
from .public import read_set

NAN = float("nan")


def trl(row):
    """TRL's format: a list of steps and one of true or false."""
    labels = row["labels"]
    if any(label not in (0, 1) for label in labels):
        raise ValueError(f"'labels': must be true or false each, are {labels}")
    return row["prompt"], "", row["completions"], [float(label) for label in labels]


def prm800k(row):
    """OpenAI's own format (Lightman 2023): the path that the labeller took.

    A step of his own is right; a neutral one (rated 0: not wrong, but no help) counts
    as right, where TRL's files count it as wrong. Where no step was chosen, the first
    one rated ends the path.
    """
    steps, labels = [], []
    for step in row["label"]["steps"]:
        rated = [c for c in step["completions"] or () if c["rating"] is not None]
        chosen, own = step["chosen_completion"], step["human_completion"]
        if chosen is not None:
            taken = step["completions"][chosen]
        elif own or rated:
            taken = own or rated[0]
        else:
            break
        steps.append(taken["text"])
        known = taken["rating"] in (-1, 0, 1)
        labels.append(1.0 if taken is own else taken["rating"] >= 0 if known else NAN)
        if chosen is None and not own:
            break
    question = row["question"]
    return question["problem"], question["ground_truth_answer"] or "", steps, labels


def math_shepherd(row):
    """The authors' own format: ``ки`` behind each step, and + or - in its place."""
    *pieces, rest = row["input"].split("ки")
    labels, left = [], row["label"]
    for piece in pieces:
        sign = left[len(piece) : len(piece) + 1]
        if left[: len(piece)] != piece or sign not in ("+", "-"):
            raise ValueError(f"'label': no + or - behind {piece.strip()[-40:]!r}")
        labels.append(float(sign == "+"))
        left = left[len(piece) + 1 :]
    prompt, mark, first = "".join(pieces[:1]).partition("Step 1:")
    if not mark or rest.strip():
        raise ValueError(
            "'input': must be a problem, 'Step 1:' and ки behind each step"
        )
    steps = [piece.strip() for piece in [mark + first, *pieces[1:]]]
    return prompt.strip(), "", steps, labels


def processbench(row):
    """Zheng 2024: the first wrong step is known, or -1; not what follows it."""
    steps, at = row["steps"], row["label"]
    if not (isinstance(at, int) and -1 <= at < len(steps)):
        raise ValueError(f"'label': must be a step of {len(steps)} or -1, is {at!r}")
    labels = [1.0] * len(steps)
    if at >= 0:
        labels[at:] = [0.0] + [NAN] * (len(steps) - at - 1)
    return row["problem"], "", steps, labels


# name -> (hub id, config, how a row is read)
LABEL_SETS = {
    "prm800k": ("trl-lib/prm800k", "default", trl),
    "math-shepherd": ("trl-lib/math_shepherd", "default", trl),
    "prm800k-raw": ("openai/prm800k", "", prm800k),
    "math-shepherd-raw": ("peiyi9979/Math-Shepherd", "default", math_shepherd),
    "processbench": ("Qwen/ProcessBench", "default", processbench),
}


def load_steps(
    name: str, split: str = "train", n: int | None = None
) -> list[tuple[Problem, list[str], np.ndarray]]:
    """(problem, steps, labels [steps]) of the first ``n`` rows (all, if None).

    A label is 1 (right), 0 (wrong) or NaN (not known). ProcessBench's splits are gsm8k,
    math, olympiadbench and omnimath; PRM800K's own are the files of OpenAI's GitHub
    repository, which is no hub set: ``TTS_DATA/openai/prm800k/phase2_train.jsonl``.
    ValueError with file, line and column where a row is malformed.
    """
    if name not in LABEL_SETS:
        known = sorted(LABEL_SETS)
        raise ValueError(f"step labels {name!r} are unknown: must be in {known}")
    hub_id, config, fields = LABEL_SETS[name]

    def read(row, i):
        prompt, gold, steps, labels = fields(row)
        if not all(isinstance(text, str) for text in [prompt, *steps]) or not steps:
            raise ValueError(
                "of the prompt or the steps: must be text, one step at least"
            )
        if len(labels) != len(steps):
            raise ValueError(f"'labels': {len(labels)} for {len(steps)} steps")
        about = {k: row[k] for k in ("generator", "final_answer_correct") if k in row}
        label = row.get("id", i)
        problem = Problem(
            id=f"{name}/{split}/{label}",
            kind="mathematics",
            prompt=prompt,
            gold=gold,
            verifier="mathematics",
            data=about,
        )
        return problem, list(steps), np.array(labels, float)

    return read_set(hub_id, config, split, n, read)


def first_error(scores: Sequence[float], threshold: float = 0.5) -> int:
    """The first step whose score is below ``threshold``, -1 if none; NaN is not."""
    below = np.flatnonzero(np.asarray(scores, float) < threshold)
    return int(below[0]) if len(below) else -1


def processbench_f1(found: Sequence[int], true: Sequence[int]) -> tuple:
    """(F1, accuracy on chains with an error, accuracy on those without), Zheng 2024.

    ``found`` and ``true`` are first wrong steps, -1 for none; a chain counts where both
    are the same. F1 is the harmonic mean of the accuracies; NaN if a kind is missing.
    """
    found, true = np.asarray(found), np.asarray(true)
    same = found == true
    wrong, right = (same[k].mean() if k.any() else NAN for k in (true >= 0, true < 0))
    both = wrong + right
    return (2 * wrong * right / both if both else 0.0), wrong, right
