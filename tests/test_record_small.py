"""The recorded run of chapter 10 at scale small, on the tiny policy in seconds."""

import numpy as np

from ttslib import policy
from ttslib.chain import Chain
from ttslib.tools.records import vstar_small as recorder


def test_answers_are_numbered_as_they_vote():
    texts = ["Answer: 7\n", "Answer: 7.0\n", "no end\n", "Answer: 8\n", "Answer: 7\n"]
    assert recorder.numbered([Chain("", text) for text in texts]) == [0, 0, -1, 1, 0]


def test_the_best_by_a_score():
    found = {"right": [[0, 1, 0], [0, 0, 0], [1, 1, 0]]}
    found |= {"own": [[-1, -2, -3], [-1, -2, -3], [-3, -2, -1]]}
    found |= {"verifier": [[-2, -1, -3], [-1, -2, -3], [-1, -2, -3]]}
    told = {"pass@1": 33.3, "any": 66.7, "own": 0.0, "verifier": 66.7}
    assert recorder.summary(found) == told


def test_a_run_that_is_done_again_is_the_same(tmp_path, monkeypatch):
    """Draws and both trainings come from the store; scores are made again."""
    monkeypatch.setenv("TTS_STORE", str(tmp_path))
    sizes = dict(worked=6, train=8, tests=4, n=4, draws=3)
    first, again = (recorder.small(policy.load("tiny"), sizes) for _ in range(2))
    for name in ("SFT", "STaR"):
        for what in ("own", "verifier"):
            a, b = (run[name].pop(what) for run in (first, again))
            assert np.shape(a) == (4, 3)
            assert np.allclose(a, b, atol=2e-3)
    first["STaR"].pop("reference"), again["STaR"].pop("reference")
    assert first == again
