"""Step-labelled chains: the formats, the first error, ProcessBench's F1."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from ttslib.problems.steplabels import (
    LABEL_SETS,
    first_error,
    load_steps,
    processbench_f1,
)

REAL = Path(os.environ.get("TTS_DATA") or Path(__file__).parents[2] / "shared" / "data")
nan = np.nan


def write(folder, name, *rows, split="train"):
    hub_id, config, _ = LABEL_SETS[name]
    path = Path(folder, *hub_id.split("/"), config, f"{split}.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_DATA", str(tmp_path))
    return tmp_path


def rated(*ratings, chosen=None, human=None):
    return {
        "completions": [{"text": f"{r}?", "rating": r} for r in ratings],
        "chosen_completion": chosen,
        "human_completion": human and {"text": human, "rating": None},
    }


TRL = {"prompt": "1 + 1?", "completions": ["a", "b"], "labels": [True, False]}
RAW = {
    "question": {"problem": "1 + 1?", "ground_truth_answer": "2"},
    "label": {
        "steps": [
            rated(-1, 1, chosen=1),
            rated(-1, -1, human="own"),
            rated(0, chosen=0),
            rated(-1, 1),
            rated(1, chosen=0),
        ]
    },
}
SHEPHERD = {
    "input": "1 + 1? Step 1: a ки\nStep 2: b ки",
    "label": "1 + 1? Step 1: a +\nStep 2: b -",
}
BENCH = {
    "id": "x-0",
    "problem": "1 + 1?",
    "steps": ["a", "b", "c"],
    "label": 1,
    "final_answer_correct": False,
}


@pytest.mark.parametrize(
    "name, row, steps, labels",
    [
        ("prm800k", TRL, ["a", "b"], [1, 0]),
        ("math-shepherd", TRL, ["a", "b"], [1, 0]),
        ("prm800k-raw", RAW, ["1?", "own", "0?", "-1?"], [1, 1, 1, 0]),
        ("math-shepherd-raw", SHEPHERD, ["Step 1: a", "Step 2: b"], [1, 0]),
        ("processbench", BENCH, ["a", "b", "c"], [1, 0, nan]),
        ("processbench", BENCH | {"label": -1}, ["a", "b", "c"], [1, 1, 1]),
    ],
)
def test_each_format_is_read(folder, name, row, steps, labels):
    write(folder, name, row)
    ((problem, found, given),) = load_steps(name)
    assert problem.prompt == "1 + 1?" and found == steps
    assert given.dtype == float and np.array_equal(given, labels, equal_nan=True)


@pytest.mark.parametrize(
    "name, bad, column",
    [
        ("prm800k", TRL | {"labels": [True]}, "'labels': 1 for 2"),
        ("prm800k", TRL | {"labels": [True, None]}, "'labels'"),
        ("prm800k", TRL | {"completions": ["a", 3]}, "steps"),
        ("prm800k", {"prompt": "1"}, "'labels' is missing"),
        ("math-shepherd-raw", SHEPHERD | {"label": "1 + 1? Step 1: a +"}, "'label'"),
        ("math-shepherd-raw", {"input": "a ки", "label": "a +"}, "'input'"),
        ("processbench", BENCH | {"label": 3}, "'label'"),
        ("processbench", BENCH | {"label": "1"}, "'label'"),
        ("prm800k-raw", RAW | {"label": {"steps": [{}]}}, "'completions' is missing"),
    ],
)
def test_a_malformed_row_names_file_line_and_column(folder, name, bad, column):
    good = {"prm800k": TRL, "prm800k-raw": RAW, "processbench": BENCH}
    path = write(folder, name, good.get(name, SHEPHERD), bad)
    assert len(load_steps(name, n=1)) == 1  # what is not asked for is not read
    with pytest.raises(ValueError, match=f"line 3: column .*{column}") as error:
        load_steps(name)
    assert str(path) in str(error.value)


def test_an_unknown_set_or_a_missing_file_is_named(folder):
    with pytest.raises(ValueError, match="processbench"):
        load_steps("prm")
    with pytest.raises(FileNotFoundError, match="ProcessBench.*gsm8k"):
        load_steps("processbench", "gsm8k")


def test_the_first_error_is_the_first_score_below_the_threshold():
    assert first_error([0.9, 0.4, 0.1]) == 1
    assert first_error([0.9, 0.5]) == -1  # at the threshold is not below it
    assert first_error([0.9, 0.6], threshold=0.8) == 1
    assert first_error([1, nan, 0, nan]) == 2 and first_error([]) == -1


def test_f1_is_the_harmonic_mean_of_two_accuracies():
    true = [0, 2, 1, 3, -1, -1]
    f1, wrong, right = processbench_f1([0, 2, 0, -1, -1, 1], true)
    assert (wrong, right) == (0.5, 0.5) and f1 == 0.5
    assert processbench_f1(true, true) == (1, 1, 1)
    # a critic that finds no error, or one everywhere, has no F1 however it scores
    assert processbench_f1([-1] * 6, true) == (0, 0, 1)
    assert processbench_f1([0, 0, 0, 0, 0, 0], true) == (0, 0.25, 0)
    assert processbench_f1([0, 2, 1, 3, 0, -1], true)[0] == pytest.approx(2 / 3)
    assert np.isnan(processbench_f1([-1], [-1])[0])


def here(name, split):
    """The real rows, if this machine has them."""
    hub_id, config, _ = LABEL_SETS[name]
    stem = Path(REAL, *hub_id.split("/"), config)
    if not list(stem.glob(f"{split}.jsonl*")):
        pytest.skip(f"{hub_id} is not here")
    return load_steps(name, split)


@pytest.fixture
def real(monkeypatch):
    monkeypatch.setenv("TTS_DATA", str(REAL))


@pytest.mark.parametrize("split", ["gsm8k", "math", "olympiadbench", "omnimath"])
def test_processbench_has_the_paper_s_counts(real, split):
    rows = here("processbench", split)
    errors = {"gsm8k": 207, "math": 594, "olympiadbench": 661, "omnimath": 759}
    true = [first_error(labels) for _, _, labels in rows]
    assert sum(at >= 0 for at in true) == errors[split]  # Zheng 2024, Table 1
    assert processbench_f1(true, true)[0] == 1
    # a right answer does not make a chain right, a wrong one makes it wrong
    answered = [problem.data["final_answer_correct"] for problem, _, _ in rows]
    assert all(at >= 0 for at, right in zip(true, answered) if not right)


def test_both_formats_of_math_shepherd_agree(real):
    raw, trl = here("math-shepherd-raw", "train"), here("math-shepherd", "train")
    for (x, steps, labels), (y, steps_, labels_) in zip(raw, trl, strict=True):
        assert (x.prompt, steps) == (y.prompt, steps_)
        assert np.array_equal(labels, labels_)


def test_both_formats_of_prm800k_agree_but_for_neutral_steps(real):
    """TRL counts a neutral step (0) as wrong; what the labellers said is: not wrong."""
    raw, trl = here("prm800k-raw", "sample"), here("prm800k", "train")
    known = {(x.prompt, *steps): labels for x, steps, labels in trl}
    pairs = [(labels, known[x.prompt, *steps]) for x, steps, labels in raw]
    assert all((ours >= theirs).all() for ours, theirs in pairs)
    same = [np.array_equal(ours, theirs) for ours, theirs in pairs]
    assert (sum(same), len(same)) == (11, 16)
