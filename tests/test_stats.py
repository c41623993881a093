"""Estimators against enumeration, and intervals against their promise."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttslib import stats


@given(st.integers(1, 9), st.data())
def test_pass_at_k_is_the_share_of_subsets_that_hold_a_right_one(n, data):
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    subsets = list(combinations([True] * c + [False] * (n - c), k))
    share = sum(map(any, subsets)) / len(subsets)
    assert stats.pass_at_k(n, c, k) == pytest.approx(share)


def test_pass_at_k_broadcasts_and_refuses_what_makes_no_sense():
    c, k = np.array([[0], [3]]), np.array([1, 2, 64])
    exact = [
        [1 - comb(64 - int(i), int(j)) / comb(64, int(j)) for j in k] for i in c[:, 0]
    ]
    assert np.allclose(stats.pass_at_k(64, c, k), exact)
    for bad in ((4, 5, 1), (4, 1, 5), (4, 1, 0), (4, -1, 1)):
        with pytest.raises(ValueError):
            stats.pass_at_k(*bad)


def test_the_interval_covers_the_mean():
    """300 trials at 95 %: fewer than 265 hits, with the percentile interval's own
    coverage of 0.94 at n = 60, has a probability below 1e-4; the seed is fixed."""
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(300):
        _, low, high = stats.bootstrap(rng.random(60) < 0.3, samples=500, seed=trial)
        hits += low <= 0.3 <= high
    assert hits >= 265


def test_a_paired_interval_is_narrower_where_problems_differ():
    rng = np.random.default_rng(1)
    level = rng.normal(size=100)
    a, b = level + 0.1 + 0.01 * rng.normal(size=100), level
    mean, low, high = stats.paired(a, b)
    assert 0 < low < mean < high < 0.2
    with pytest.raises(ValueError, match="same problems"):
        stats.paired(a, b[:50])


def test_the_power_law_is_found_again():
    k = 2.0 ** np.arange(10)
    assert stats.fit_power_law(k, np.exp(-2.5 * k**-0.4)) == pytest.approx((-2.5, -0.4))
    with pytest.raises(ValueError):
        stats.fit_power_law([1, 2], [0.0, 0.5])


def test_the_exponential_is_found_again_and_told_from_the_power_law():
    k = 2.0 ** np.arange(10)
    made = 0.8 * (1 - np.exp(-0.05 * k))
    assert stats.fit_exponential(k, made) == pytest.approx((0.8, 0.05), rel=1e-2)
    with pytest.raises(ValueError):
        stats.fit_exponential([1, 2], [0.5, 1.0])


def test_of_an_empty_group_nothing_is_known():
    from ttslib.claims import UNSURE, verdict

    mean, low, high = stats.bootstrap(np.zeros((0, 3)))
    assert np.isnan([mean, low, high]).all() and mean.shape == (3,)
    assert verdict(*stats.paired([], [])[1:], 0) == UNSURE


def test_shares_of_equal_values_have_a_width():
    """Of n that all fail the bound is Clopper and Pearson's, by scipy's beta."""
    from scipy.stats import beta

    values = np.column_stack([np.zeros(40), np.ones(40), np.arange(40) % 2])
    mean, low, high = stats.shares(values)
    assert np.allclose(mean, [0, 1, 0.5])
    assert low[0] == 0 and np.isclose(high[0], beta.ppf(0.975, 1, 40))
    assert high[1] == 1 and np.isclose(low[1], beta.ppf(0.025, 40, 1))
    assert np.allclose([low[2], high[2]], stats.bootstrap(values[:, 2])[1:])


def test_the_mean_lies_within_its_interval():
    """Also where all values are one and rounding moves their mean."""
    for n in range(1, 200):
        mean, low, high = stats.bootstrap(np.full(n, 0.1), samples=50)
        assert low <= mean <= high


@pytest.mark.parametrize("c, n", [(0, 40), (7, 40), (40, 40), (500, 1000)])
def test_wilson_is_scipys(c, n):
    from scipy.stats import binomtest

    found = binomtest(c, n).proportion_ci(method="wilson")
    assert np.allclose(stats.wilson(c, n, 1.959964)[1:], found, atol=1e-6)


POOLS = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 3)),
    min_size=1,
    max_size=8,
)


@given(POOLS, st.data())
def test_best_at_k_is_the_mean_over_subsets(pool, data):
    """A subset is right as often as one of its best, drawn fairly, is."""
    scores, right, _ = zip(*pool)
    k = data.draw(st.integers(1, len(pool)))
    each = []
    for subset in combinations(range(len(pool)), k):
        top = max(scores[i] for i in subset)
        each.append(np.mean([right[i] for i in subset if scores[i] == top]))
    assert stats.best_at_k(scores, right, k) == pytest.approx(np.mean(each))


def test_best_at_k_knows_its_limits():
    """By the verdict itself it is pass@k, by nothing pass@1; rows and ks broadcast."""
    rng = np.random.default_rng(0)
    right = rng.random((5, 256)) < 0.1
    ks = [1, 4, 16, 64, 256]
    passed = stats.pass_at_k(256, right.sum(1)[:, None], np.array(ks))
    assert np.allclose(stats.best_at_k(right, right, ks), passed)
    flat = stats.best_at_k(np.zeros(right.shape), right, ks)
    assert np.allclose(flat, right.mean(1)[:, None])
    ones = [stats.best_at_k(row, row, 16) for row in right]
    assert np.allclose(ones, passed[:, 2]) and np.ndim(ones[0]) == 0
    # no chance at all (a chain that is not finished) ranks last, as -inf
    assert stats.best_at_k([-np.inf, 0.0], [True, False], [1, 2]).tolist() == [0.5, 0]
    for scores, k in (([1, 2], 3), ([1, 2], 0), ([1, 2, 3], 1), ([np.nan, 1], 1)):
        with pytest.raises(ValueError):
            stats.best_at_k(scores, [True, False], k)


@given(POOLS, st.data())
def test_vote_at_k_is_the_mean_over_subsets(pool, data):
    """Within four standard errors of the enumeration; at k = 1 and n it is that."""
    weights, _, names = zip(*pool)
    ballots = ["" if i == 3 else "abc"[i] for i in names]
    right = [b == "a" for b in ballots]
    k = data.draw(st.integers(1, len(pool)))
    each = []
    for subset in combinations(range(len(pool)), k):
        sums = {}
        for i in subset:
            sums[ballots[i]] = sums.get(ballots[i], 0) + weights[i]
        sums.pop("", None)
        top = [b for b in sums if sums[b] == max(sums.values())]
        each.append(("a" in top) / max(len(top), 1))
    found = stats.vote_at_k(ballots, weights, right, k, subsets=400)
    slack = 0 if k in (1, len(pool)) else 4 * np.std(each) / 20
    assert found == pytest.approx(np.mean(each), abs=slack + 1e-9)


def test_equal_weights_are_the_majority_vote():
    rng = np.random.default_rng(1)
    ballots = [("", "7", "8", "9", "10")[i] for i in rng.integers(0, 5, 64)]
    right = [b == "7" for b in ballots]
    ks = np.array([1, 4, 16, 64])
    exact = stats.majority_at_k(ballots, right, ks)
    found = stats.vote_at_k(ballots, np.full(64, 0.1), right, ks, subsets=4000)
    assert np.allclose(found, exact, atol=0.03)
    assert np.allclose(found[[0, 3]], exact[[0, 3]])
    assert stats.vote_at_k(["", ""], [1, 1], [True, True], [1, 2]).tolist() == [0, 0]
    for bad in ([-1, 1], [np.nan, 1], [1]):
        with pytest.raises(ValueError):
            stats.vote_at_k(["7", "8"], bad, [True, False], 1)


@given(POOLS)
def test_auc_counts_pairs(pool):
    scores, right, _ = map(np.array, zip(*pool))
    pairs = [
        (a > b) + (a == b) / 2
        for a in scores[right]
        for b in scores[~right.astype(bool)]
    ]
    found = stats.auc(scores, right)
    assert found == pytest.approx(np.mean(pairs)) if pairs else np.isnan(found)


def test_auc_within_leaves_out_what_says_nothing():
    """Between problems the score is perfect, within them it is upside down."""
    scores = [[0.1, 0.2], [0.8, 0.9, 0.9], [0.5], []]
    right = [[True, False], [True, False, False], [True], []]
    mean, low, high = stats.auc_within(scores, right)
    assert mean == low == 0 and high < 1
    assert np.isnan(stats.auc_within([[1.0]], [[True]])).all()
    with pytest.raises(ValueError):
        stats.auc([np.nan, 1], [True, False])


def test_reliability_of_an_honest_and_of_a_boastful_guide():
    rng = np.random.default_rng(2)
    truth = rng.random(20_000)
    outcome = rng.random(20_000) < truth
    honest = stats.reliability(truth, outcome, bins=5)
    assert np.allclose(honest["value"], np.arange(0.1, 1, 0.2), atol=0.01)
    assert (honest["low"] < honest["high"]).all() and honest["count"].sum() == 20_000
    assert np.allclose(honest["outcome"], honest["value"], atol=0.03)
    assert honest["error"] < 0.02
    boast = stats.reliability(truth**0.2, outcome, bins=5)
    assert (boast["outcome"] < boast["value"])[1:-1].all() and boast["error"] > 0.2


def test_reliability_by_hand_and_its_limits():
    found = stats.reliability([0, 0.2, 1, 1], [0, 0.5, 1, 0], bins=2)
    assert found["value"].tolist() == [0.1, 1] and found["count"].tolist() == [2, 2]
    assert found["outcome"].tolist() == [0.25, 0.5]
    assert found["error"] == pytest.approx((2 * 0.15 + 2 * 0.5) / 4)
    # steps of one problem are no independent witnesses: two groups, a wide interval
    values, outcomes = np.full(40, 0.5), np.repeat([0, 1], 20)
    alone = stats.reliability(values, outcomes, bins=1)
    both = stats.reliability(values, outcomes, bins=1, groups=outcomes)
    assert both["high"] - both["low"] == 1 > (alone["high"] - alone["low"])[0]
    for values in ([1.2], [np.nan], [0.1, 0.2]):
        with pytest.raises(ValueError):
            stats.reliability(values, [1])


def test_accuracy_between_the_sizes_that_were_run():
    values = [[0.0, 1.0, 0.5], [1.0, 1.0, 0.0]]
    spent = [10, 100, 1000]
    assert np.allclose(stats.at_tokens(values, spent, 10), [0, 1])
    assert np.allclose(stats.at_tokens(values, spent, 10**1.5), [0.5, 1])
    assert np.allclose(stats.at_tokens(values, spent, [1, 10**5]), [[0, 0.5], [1, 0]])
