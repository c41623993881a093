"""Expert iteration: what the search finds is what policy and value learn from."""

import numpy as np
import pytest

from ttslib import guides, learn
from ttslib.policy import classroom
from ttslib.policy import load as load_policy
from ttslib.problems import load
from ttslib.verify import verify


def values(policy, problems):
    return np.array([policy.value(x, verify) for x in problems])


def test_an_enumerable_pupil_learns_what_its_search_found():
    """Chances are exact: each iteration fits the chains that passed, by counting."""
    problems, policy = classroom(0.5)
    search = dict(simulations=200, branch=8)
    before, seen = values(policy, problems), []
    for ledger in learn.expert_iteration(
        policy, problems, guides.rollouts(policy, 1), search=search, iterations=2
    ):
        seen.append(values(policy, problems).mean())
        assert ledger["solved"] == 1  # 200 simulations see every chain of these trees
        assert ledger["drawn"] > 0 and ledger["taught"] == len(problems)
    assert len(seen) == 2
    # Two stories want the lesser basket's difference thrice, one wants it once: kept
    # chains are one a story, so the choice is learned as 2/3, all arithmetic as 1.
    assert seen == pytest.approx([5 / 9, 5 / 9])
    assert before.mean() < 0.4


def test_every_kept_chain_passes_and_is_whole():
    problems, policy = classroom(0.5)
    kept = []

    def keep(chains, right):
        passed = learn.verified(chains, right)
        kept.extend(passed)
        return passed

    some = dict(search=dict(simulations=20, branch=4), iterations=1, keep=keep)
    (ledger,) = learn.expert_iteration(
        policy,
        problems,
        **some,
        guide=lambda xs, cs: (np.ones(len(cs)), np.zeros(len(cs), int)),
    )
    assert ledger["kept"] == len(kept) > 0
    for chain in kept:
        assert chain.finished and not chain.prefix and chain.answer
        assert len(chain.tokens) == len(chain.logprobs) == len(chain.steps)


def test_roll_outs_come_first_and_then_the_value_that_was_learned():
    tiny = load_policy("tiny")
    problems = load("story-easy", "train", 8, 3)
    some = dict(search=dict(tokens=600, simulations=60, branch=2), iterations=2)
    teach = dict(epochs=1)
    ledgers = list(
        learn.expert_iteration(tiny, problems, **some, teach=teach, tokens=2000)
    )
    first, second = ledgers
    assert first["guided"] == 0 and second["guided"] > 0
    assert isinstance(first["guide"], guides.CachedRewardModel)
    assert first["guide"] is not second["guide"]
    assert second["trained"] > first["trained"] > 2000  # the value reads all so far


def test_each_step_is_worth_how_its_chain_ended():
    problems, policy = classroom()
    rows = policy.sample(problems, 3)
    right = [[True, False, True]] * 3
    found = learn.outcomes(policy, problems, rows, right)
    assert [x.id for x, *_ in found] == [x.id for x in problems for _ in range(3)]
    for (_, chain, labels), good in zip(found, [True, False, True] * 3):
        assert labels.tolist() == [float(good)] * len(chain.steps)


def test_it_ends_where_nothing_passed():
    problems, policy = classroom()
    never = [x.__class__(**(x.__dict__ | {"gold": "1"})) for x in problems]
    with pytest.warns(UserWarning, match="none is kept"):
        assert list(learn.expert_iteration(policy, never, search={})) == []
