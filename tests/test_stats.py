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
