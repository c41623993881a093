"""A reward model that follows a search says what it says when it reads anew."""

import numpy as np
import pytest

from ttslib import guides, policy, problems
from ttslib.search import beam_search


@pytest.fixture(scope="module")
def model():
    return policy.load("tiny")


@pytest.fixture(scope="module")
def reward(model):
    return guides.RewardModel(model)


@pytest.fixture(scope="module")
def xs():
    return problems.load("story-easy", "test", 3)


class Both:
    """Asks two guides, and keeps what they say."""

    def __init__(self, one, other):
        self.guides, self.said = (one, other), []

    def __call__(self, problems, chains):
        answers = [guide(problems, chains) for guide in self.guides]
        self.said.append(answers)
        return answers[1]


@pytest.mark.parametrize("options", [{}, {"lookahead": 1}, {"resample": True}])
def test_it_says_the_same_and_reads_each_step_once(model, reward, xs, options):
    both = Both(reward, guides.CachedRewardModel(reward, rows=5))
    found = beam_search(model, xs, both, 8, branch=2, seed=1, **options)
    assert len(both.said) > 2
    for (values, read), (same, anew) in both.said:
        assert np.allclose(values, same, atol=1e-5)
        assert (anew <= read).all()
    if not options:  # merged nodes: every token of the tree, once
        for tree in found:
            begun = [tree.nodes[n.parent].chain.tokens for n in tree.drawn]
            whole = sum(len(n.chain.tokens) for n in tree.drawn)
            assert tree.guided == whole - sum(map(len, begun))


def test_what_was_read_is_forgotten_when_the_model_learns(model, xs):
    """Else a search would mix the values of two models."""
    reward = guides.RewardModel(model)
    following = guides.CachedRewardModel(reward)
    chains = [row[0] for row in model.sample(xs, 1)]
    before = following(xs, chains)[0]
    reward.fit(xs, chains, [np.ones(len(model.ends(c))) for c in chains], fresh=True)
    after, read = following(xs, chains)
    assert after == pytest.approx(reward(xs, chains)[0], abs=1e-5)
    assert (after > before).all() and read.all()


def test_all_steps_of_a_chain_at_once(model, reward, xs):
    rows = model.sample(xs, 3, seed=2)
    asked = [x for x, row in zip(xs, rows) for _ in row]
    chains = [chain for row in rows for chain in row]
    following = guides.CachedRewardModel(reward, rows=4)
    values, tokens = following.follow(asked, chains)
    for some, same in zip(reward.steps(asked, chains), values):
        assert np.allclose(some, same, atol=1e-5)
    different = {(x.id, c.tokens): len(c.tokens) for x, c in zip(asked, chains)}
    assert tokens.sum() == sum(different.values())
    assert following(asked, chains)[1].sum() == 0, "known since the last call"
