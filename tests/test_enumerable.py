"""Estimators against a policy whose every probability is known.

A statistical test here uses a fixed seed and n draws; its tolerance is four standard
errors, a false alarm of 6e-5 had the seed been free.
"""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttslib import guides, search, stats
from ttslib.policy import Enumerable, baskets
from ttslib.verify import verify

N = 20_000


@pytest.fixture(scope="module")
def drawn():
    problem, policy = baskets()
    return problem, policy, policy.sample([problem], N)[0]


def near(estimate: float, exact: float, n: int = N) -> bool:
    return abs(estimate - exact) <= 4 * np.sqrt(exact * (1 - exact) / n)


def test_chances_are_a_distribution_over_the_talks_answer_and_others():
    problem, policy = baskets()
    answers = policy.answers(problem)
    assert sum(answers.values()) == pytest.approx(1)
    # 146 comes from the right chain, and from one in which two errors cancel
    right, lucky = 0.85 * 0.9 * 0.6 * 0.9, 0.15 * 0.9 * 0.4 * 0.9
    assert answers["146"] == pytest.approx(right + lucky)
    right = [c for c, _ in policy.chains(problem) if c.answer == "146"]
    assert ["= 38" in right[0].text, "= 114" in right[0].text] == [True, True]
    assert "= 32" in right[0].text
    # the less able pupil's likeliest answer is wrong
    assert next(iter(baskets(skill=0.3)[1].answers(problem))) == "150"


def test_pass_at_1_of_draws_is_the_exact_chance(drawn):
    problem, policy, chains = drawn
    exact = policy.answers(problem)
    for y in exact:
        assert near(np.mean([c.answer == y for c in chains]), exact[y])


@pytest.mark.parametrize("options", [{"temperature": 0.5}, {"top_p": 0.8}])
def test_temperature_and_nucleus_change_draws_and_chances_alike(options):
    problem, policy = baskets()
    chains = policy.sample([problem], N, **options)[0]
    exact = policy.answers(problem, **options)
    assert near(np.mean([c.answer == "146" for c in chains]), exact["146"])
    assert {c.answer for c in chains} <= set(exact)


def test_pass_at_k_is_unbiased(drawn):
    """Blocks of 8 samples, averaged: the estimator against 1 - (1 - p)^k."""
    problem, policy, chains = drawn
    right = np.array([c.answer == "146" for c in chains]).reshape(-1, 8)
    for k in (1, 2, 4, 8):
        values = stats.pass_at_k(8, right.sum(1), k)
        error = values.std() / np.sqrt(len(values))
        exact = policy.pass_at_k(problem, verify, k)
        assert abs(values.mean() - exact) < 4 * error


def test_the_value_of_a_prefix_is_what_roll_outs_find():
    problem, policy = baskets()
    prefixes = ["", "One basket: 9 + 15 + 14 = 38\n", "One basket: 9 + 15 + 14 = 37\n"]
    value, interval, cost = guides.rollout_value(
        policy, [problem] * 3, prefixes, 4000, verify
    )
    for v, (low, high), prefix in zip(value, interval, prefixes):
        assert low < v < high
        # the interval has 1.96 standard errors on a side; four are allowed
        exact = policy.value(problem, verify, prefix)
        assert abs(v - exact) <= 4 * (high - low) / 2 / 1.96
    # the empty prefix has four steps to go, the others three
    assert cost.tolist() == [16000, 12000, 12000]


def test_roll_outs_that_agree_leave_a_doubt():
    problem, policy = baskets()
    lost = "One basket: 9 + 15 + 14 = 38\nThree baskets: 38 * 3 = 114\n"
    lost += "Last basket: 38 - 2 = 36\n"
    (value,), ((low, high),), _ = guides.rollout_value(
        policy, [problem], [lost], 8, verify
    )
    assert value == 0 and abs(low) < 1e-9 and high == pytest.approx(0.3244, 1e-3)


def test_the_interval_of_eight_roll_outs_covers_the_value():
    problem, policy = baskets()
    exact = policy.value(problem, verify)
    hits = []
    for seed in range(100):
        _, ((low, high),), _ = guides.rollout_value(
            policy, [problem], [""], 8, verify, seed=seed
        )
        hits.append(low <= exact <= high)
    assert np.mean(hits) > 0.85


def test_extended_step_by_step_it_is_the_same_chain():
    problem, policy = baskets()
    chains = [policy.start(problem, index=i) for i in range(20)]
    for _ in range(4):
        chains = policy.extend(chains)
    whole = policy.sample([problem], 20)[0]
    assert [c.text for c in chains] == [c.text for c in whole]
    assert [c.logprob for c in chains] == pytest.approx([c.logprob for c in whole])
    assert [c.cost for c in policy.extend(chains)] == [0] * 20


def test_children_differ_and_logprob_scores_them():
    problem, policy = baskets()
    (children,) = policy.extend([policy.start(problem)], 200)
    assert near(np.mean(["= 38" in c.text for c in children]), 0.85, 200)
    whole = policy.sample([problem], 5)[0]
    for chain, logp in zip(whole, policy.logprob([problem] * 5, whole)):
        assert logp == pytest.approx(chain.logprobs)
    assert policy.logprob([problem], ["Answer: 7"])[0] == (-np.inf,)


def test_errors_name_the_place():
    with pytest.raises(ValueError, match="'xa.n': the probabilities sum to 0.9"):
        Enumerable({"x": {"a\n": (1, {"b": (0.9, {})})}})
    problem, policy = baskets()
    with pytest.raises(ValueError, match="probability 0"):
        policy.sample([problem], 1, prefix="nonsense\n")
    with pytest.raises(ValueError, match="no tree"):
        policy.sample(["other"], 1)


def brute_majority(answers, right, k):
    """Every subset of k; every tied answer wins an equal share."""
    total, subsets = 0.0, list(itertools.combinations(range(len(answers)), k))
    for subset in subsets:
        votes = [answers[i] for i in subset if answers[i]]
        if not votes:
            continue
        most = max(map(votes.count, votes))
        tied = {a for a in votes if votes.count(a) == most}
        good = {answers[i] for i in subset if right[i]}
        total += len(tied & good) / len(tied)
    return total / len(subsets)


@given(st.lists(st.sampled_from(["", "a", "b", "c", "d"]), min_size=1, max_size=9))
def test_majority_at_k_is_the_mean_over_subsets(answers):
    for good in ({"a"}, {"a", "b"}):
        right = [a in good for a in answers]
        k = np.arange(1, len(answers) + 1)
        exact = [brute_majority(answers, right, i) for i in k]
        assert stats.majority_at_k(answers, right, k) == pytest.approx(exact)


def test_majority_at_k_agrees_with_the_enumerable_policy(drawn):
    """majority@3 on blocks of 16 samples against the sum over all triples of draws."""
    problem, policy, chains = drawn
    p = policy.answers(problem)
    exact = 0.0
    for triple in itertools.product(p, repeat=3):
        most = max(map(triple.count, triple))
        tied = {a for a in triple if triple.count(a) == most}
        weight = p[triple[0]] * p[triple[1]] * p[triple[2]]
        exact += weight * ("146" in tied) / len(tied)
    blocks = [chains[i : i + 16] for i in range(0, N, 16)]
    values = [
        stats.majority_at_k(
            [c.answer for c in b], [c.answer == "146" for c in b], np.array([3])
        )[0]
        for b in blocks
    ]
    assert abs(np.mean(values) - exact) < 4 * np.std(values) / np.sqrt(len(values))


def test_majority_vote_and_best_of_n(drawn):
    problem, _, chains = drawn
    assert search.majority_vote(chains[:200]).answer == "146"
    assert search.majority_vote([chains[0].__class__("x")]) is None
    kept = search.rejection_sample(problem, chains[:8], verify)
    assert {c.answer for c in kept} == {"146"}
    for i in range(0, 400, 8):
        block = chains[i : i + 8]
        best = search.best_of_n(block, lambda c: float(bool(verify(problem, c.answer))))
        assert (best.answer == "146") == any(c.answer == "146" for c in block)


@pytest.mark.parametrize("a, b", [("1,234", "1234.0"), ("0.5", "1/2"), ("a  b", "a b")])
def test_equal_numbers_are_one_vote(a, b):
    assert search.ballot(a) == search.ballot(b)
