"""Problems: splits, reference chains, and files that a user may get wrong."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib import problems
from ttslib.problems import EMBEDDED, plans, public, splits, story
from ttslib.verify import read_answer, verify


@pytest.mark.parametrize("name", EMBEDDED)
def test_every_reference_chain_is_read_and_verified(name):
    for p in problems.load(name, "test", 100, seed=3):
        assert verify(p, read_answer(p.chain, p.verifier)), p
        assert verify(p, p.gold), p


@pytest.mark.parametrize("name", EMBEDDED)
def test_splits_share_no_prompt_and_a_seed_repeats(name):
    sets = {s: problems.load(name, s, 150, seed=1) for s in splits.SPLITS}
    prompts = [p.prompt for s in sets.values() for p in s]
    assert len(set(prompts)) == len(prompts)
    again = problems.load(name, "test", 150, seed=1)
    assert again == sets["test"]
    other = {p.prompt for p in problems.load(name, "train", 150, seed=2)}
    assert not other & {p.prompt for p in sets["test"]}


def test_hard_stories_are_longer_than_easy_ones():
    lengths = {
        level: {p.data["steps"] for p in story.load("test", 200, level=level)}
        for level in ("easy", "hard")
    }
    assert lengths["easy"] <= {3, 4} and lengths["hard"] <= {5, 6}


@given(st.integers(0, 10**6), st.sampled_from(plans.STYLES))
@settings(max_examples=60, deadline=None)
def test_honest_styles_end_in_the_gold_answer(seed, style):
    import random

    rng = random.Random(seed)
    _, fields = story.make(rng, "easy")
    answer = read_answer(plans.write(fields["data"]["plan"], style, rng))
    if style not in ("slip", "swap"):
        assert answer == fields["gold"]
    assert answer.lstrip("-").isdigit()


def test_unknown_names_say_what_exists():
    with pytest.raises(ValueError, match="countdown"):
        problems.load("sudoku")
    with pytest.raises(ValueError, match="validation"):
        problems.load("countdown", "dev")


def test_a_split_that_is_too_small_says_so():
    fields = dict(kind="", prompt="", gold="", verifier="")
    with pytest.raises(ValueError, match="only .* of the 9"):
        splits.sample_split(
            "two", lambda rng: (str(rng.randint(0, 3)), fields), "train", 9, 0
        )


def write_set(folder, name, text, ending=".jsonl"):
    hub_id, config, _, _ = public.SETS[name]
    path = folder.joinpath(*hub_id.split("/"), config, "test" + ending)
    path.parent.mkdir(parents=True)
    if ending.endswith("gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz"])
@pytest.mark.parametrize("start, end", [("", "\n\n"), ("\ufeff", "\r\n")])
def test_a_local_file_is_read(tmp_path, monkeypatch, ending, start, end):
    row = {"question": "How many?", "answer": "Many.\n#### 1,234"}
    write_set(tmp_path, "gsm8k", start + json.dumps(row) + end, ending)
    monkeypatch.setenv("TTS_DATA", str(tmp_path))
    (problem,) = problems.load("gsm8k")
    assert problem.gold == "1234" and verify(problem, "1,234")


def test_a_malformed_line_names_file_line_and_column(tmp_path, monkeypatch):
    path = write_set(
        tmp_path, "gsm8k", '{"question": "a", "answer": "#### 1"}\n{"q" 1}'
    )
    monkeypatch.setenv("TTS_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="line 2, column 6") as error:
        problems.load("gsm8k")
    assert str(path) in str(error.value)


def test_a_missing_column_or_file_is_named(tmp_path, monkeypatch):
    write_set(tmp_path, "gsm8k", '{"question": "a"}\n')
    monkeypatch.setenv("TTS_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="line 1: column 'answer'"):
        problems.load("gsm8k")
    with pytest.raises(FileNotFoundError, match="MATH-500"):
        problems.load("math-500")


def test_humaneval_comes_with_its_package(tmp_path, monkeypatch):
    for folder in ("", str(tmp_path)):
        monkeypatch.setenv("TTS_DATA", folder)
        found = problems.load("humaneval", "test", 164)
        assert len(found) == 164 and found[0].id == "humaneval/test/HumanEval/0"
