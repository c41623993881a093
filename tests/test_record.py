"""The recorded runs of chapters 07 and 08, at a size that takes seconds."""

import numpy as np
import pytest

from ttslib import policy
from ttslib.tools.records import guides as record_guides


@pytest.fixture(scope="module")
def model():
    return policy.load("tiny")


@pytest.fixture
def few(monkeypatch, tmp_path):
    monkeypatch.setenv("TTS_STORE", str(tmp_path))
    monkeypatch.setattr(record_guides, "TRAIN", {"story-hard": 4, "story-easy": 3})
    pool = {"story-hard": {4: 6, 16: 3}, "story-easy": {4: 4}}
    monkeypatch.setattr(record_guides, "POOL", pool)
    monkeypatch.setattr(record_guides, "WRITTEN", 5_000)


def test_one_chain_leaves_no_choice_and_no_choice_beats_coverage(model, few):
    found = record_guides.process(model, seeds=1)
    for name, pool in record_guides.POOL.items():
        fixed, (seed,) = found[name]["fixed"], found[name]["seeds"]
        for at in [*fixed.values(), *seed["at"].values()]:
            assert at[1] == fixed["coverage"][1]
            assert {k: len(column) for k, column in at.items()} == {
                k: max(c for n, c in pool.items() if n >= k) for k in at
            }
            for k, column in at.items():
                assert np.all(np.array(column) <= np.array(fixed["coverage"][k]) + 0.1)
        # the outcome model's labels cost as much, to the last block of chains
        assert seed["spent"]["outcomes"] >= seed["spent"]["roll-outs"]


def test_searches_are_charged_for_what_they_draw_and_read(model, few):
    found = record_guides.guided(model, {4: 5})
    for name, row in found.items():
        assert len(row["passed"]) == len(row["length"]) == 5
        for label, by_n in row["searches"].items():
            runs = np.array(by_n[4])
            vote, best, some, drawn, read, last = runs.T
            assert np.all(vote <= some) and np.all(best <= some) and np.all(drawn > 0)
            assert np.all(last <= some)
            free = "log p" in label or "interleaved" in label
            assert np.all(read == 0) == free, (name, label)
    plain = found["story-hard"]["plain"]
    assert plain["majority"][1] == plain["vote, PRM"][1] == plain["coverage"][1]
