"""The embedded policy: its draws follow its own probabilities, whatever the batch."""

import numpy as np
import pytest
import torch

from ttslib import policy as policies
from ttslib.problems import load


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_STORE", str(tmp_path))


@pytest.fixture(scope="module")
def policy():
    return policies.load("tiny")


@pytest.fixture(scope="module")
def problems():
    return load("story-easy", "test", 6) + load("countdown", "test", 6)


def test_first_token_follows_the_softmax(policy, problems):
    """Chi-square over 4,096 draws; false alarm 1e-4, and the seed is fixed."""
    from scipy.stats import chisquare

    n, problem = 4096, problems[0]
    (chains,) = policy.sample([problem], n, max_tokens=1, seed=5)
    ids = torch.tensor([policy.encode(problem)[0]])
    with torch.inference_mode():
        p = policy.base(ids).logits[0, -1].double().softmax(-1).numpy()
    seen = np.bincount([c.tokens[0] for c in chains], minlength=len(p))
    big = p * n >= 5
    observed = np.append(seen[big], seen[~big].sum())
    expected = np.append(p[big], p[~big].sum()) * n
    expected *= observed.sum() / expected.sum()
    assert chisquare(observed, expected).pvalue > 1e-4


def test_log_probabilities_are_those_of_a_full_forward(policy, problems):
    rows = policy.sample(problems, 2)
    flat = [(p, c) for p, row in zip(problems, rows) for c in row]
    again = policy.logprob([p for p, _ in flat], [c for _, c in flat])
    for (_, chain), logp in zip(flat, again):
        assert np.allclose(chain.logprobs, logp, atol=1e-4)


def test_a_sample_is_the_same_alone_and_in_a_batch(policy, problems):
    together = policy.sample(problems, 8, fresh=True)
    for problem, row in zip(problems[::4], together[::4]):
        (alone,) = policy.sample([problem], 3, fresh=True)
        assert [c.tokens for c in alone] == [c.tokens for c in row[:3]]


def test_extended_step_by_step_it_is_the_same_chain(policy, problems):
    whole = [row[0] for row in policy.sample(problems, 1)]
    chains = [policy.start(p) for p in problems]
    for _ in range(40):
        chains = policy.extend(chains)
    assert [c.tokens for c in chains] == [c.tokens for c in whole]


def test_the_store_draws_only_what_is_missing(policy, problems, monkeypatch):
    first = policy.sample(problems, 4)
    asked = []
    run = type(policy.engine).run
    monkeypatch.setattr(
        type(policy.engine),
        "run",
        lambda self, jobs, **kw: asked.append(len(jobs)) or run(self, jobs, **kw),
    )
    more = policy.sample(problems, 6)
    assert asked == [2 * len(problems)]
    assert [r[:4] for r in more] == first


def test_a_damaged_store_file_is_drawn_again(policy, problems, tmp_path):
    first = policy.sample(problems[:1], 2)
    (file,) = [p for p in tmp_path.rglob("*.json")]
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.warns(UserWarning, match="damaged"):
        assert policy.sample(problems[:1], 2) == first


def test_lora_learns_and_leaves_the_base_alone(problems, tmp_path):
    policy = policies.load("tiny")
    before = policy.weights_hash()
    texts = [p.chain for p in problems]
    start = sum(map(sum, policy.logprob(problems, texts)))
    policy.attach(r=8, name="one")
    losses = policy.fit([(p, p.chain) for p in problems], epochs=15, lr=5e-3)
    tuned = sum(map(sum, policy.logprob(problems, texts)))
    assert losses[-1] < losses[0] and tuned > start
    policy._weights = None
    assert policy.weights_hash() == before
    policy.save_adapter(tmp_path / "adapter")
    policy.switch(None)
    assert sum(map(sum, policy.logprob(problems, texts))) == pytest.approx(start)
    policy.load_adapter(tmp_path / "adapter", "two")
    assert sum(map(sum, policy.logprob(problems, texts))) == pytest.approx(tuned)


def test_errors_say_what_to_do(policy, tmp_path):
    with pytest.raises(ValueError, match="tiny, small, gpu"):
        policies.load("medium")
    with pytest.raises(OSError, match="missing or corrupt"):
        policies.load(tmp_path)
    with pytest.raises(ValueError, match="empty"):
        policy.sample([" \n"], 1)
    with pytest.raises(ValueError, match="shorten"):
        policy.sample(["Ann has 3 apples. " * 200], 1)


def test_logits_that_are_not_numbers_are_named(problems):
    broken = policies.load("tiny")
    with torch.no_grad():
        broken.base.lm_head.weight[:] = float("nan")
    with pytest.raises(FloatingPointError, match="weights"):
        broken.sample(problems[:1], 1, fresh=True)
