"""Estimators, each with its interval. numpy only."""

from collections import Counter
from math import comb

import numpy as np


def pass_at_k(n, c, k):
    """Probability that k of n samples, c of them right, hold a right one.

    Unbiased: 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, eq. 1). Arrays broadcast.
    ValueError unless 0 <= c <= n and 1 <= k <= n.
    """
    n, c, k = np.broadcast_arrays(n, c, k)
    if (c < 0).any() or (c > n).any() or (k < 1).any() or (k > n).any():
        raise ValueError("pass@k needs 0 <= c <= n and 1 <= k <= n")
    miss = np.ones(n.shape)
    for i in range(int(k.max(initial=0))):
        # the i-th draw without replacement misses as well
        factor = np.clip(n - c - i, 0, None) / np.maximum(n - i, 1)
        miss = np.where(i < k, miss * factor, miss)
    return 1 - miss


def majority_at_k(answers, right, k):
    """Probability that the most frequent answer among k of n samples is right.

    ``answers`` and ``right`` describe the n <= 1000 samples of one problem: what each
    answers ("" abstains) and whether that is right; ``k`` [...] is 1 to n. The mean
    over all subsets of k, a tie decided by a fair draw: with c votes for the right
    answer nobody else may have more, and m rivals with as many leave it 1/(m + 1),
    the integral of t^m, which Gauss-Legendre nodes t give exactly.
    """
    n, k = len(answers), np.asarray(k)
    if len(right) != n or n > 1000 or (k < 1).any() or (k > n).any():
        raise ValueError("majority@k needs 1 <= k <= n <= 1000, and n of each")
    votes = Counter(a for a in answers if a)
    blank, top = n - sum(votes.values()), int(k.max())
    found = np.zeros(top + 1)
    for y in {a for a, good in zip(answers, right) if good and a}:
        rivals = [m for a, m in votes.items() if a != y]
        for c in range(1, min(votes[y], top) + 1):
            t, weight = np.polynomial.legendre.leggauss(n // c // 2 + 1)
            t, weight = (t[:, None] + 1) / 2, weight / 2
            # ways[., j]: subsets of j samples; whoever has fewer than c is no danger
            free = blank + sum(m for m in rivals if m < c)
            ways = np.zeros((len(t), top + 1))
            ways[:, c:] = [
                comb(votes[y], c) * comb(free, j) for j in range(top + 1 - c)
            ]
            for m in (m for m in rivals if m >= c):
                more = ways.copy()
                for i in range(1, min(c, top) + 1):
                    more[:, i:] += comb(m, i) * (t if i == c else 1) * ways[:, :-i]
                ways = more
            found += weight @ ways
    total = np.array([comb(n, int(i)) for i in k.flat], float).reshape(k.shape)
    return found[k] / total


def bootstrap(values, samples: int = 2000, seed: int = 0, level: float = 0.95):
    """(mean, low, high) over problems, the rows of ``values`` [problems, …].

    Problems are drawn with replacement; the interval is the percentile one. Of no
    problems at all, an empty group say, nothing is known: NaN.
    """
    values = np.asarray(values, float)
    if len(values) == 0:
        return (np.full(values.shape[1:], np.nan),) * 3
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(
        len(values), np.full(len(values), 1 / len(values)), samples
    )
    means = np.tensordot(weights / len(values), values, 1)
    tail = 50 * (1 - level)
    low, high = np.percentile(means, [tail, 100 - tail], axis=0)
    mean = values.mean(0)  # rounding may put it a hair outside
    return mean, np.minimum(low, mean), np.maximum(high, mean)


def shares(values, **kwargs):
    """:func:`bootstrap` of values from 0 to 1, never of no width.

    Where all n problems give 0, or all 1, drawing them anew teaches nothing; there the
    bound is Clopper and Pearson's (1934): 1 - (α/2)^(1/n) for none, or its mirror.
    """
    values = np.asarray(values, float)
    mean, low, high = bootstrap(values, **kwargs)
    if len(values):
        least = (50 * (1 - kwargs.get("level", 0.95)) / 100) ** (1 / len(values))
        high = np.where((values == 0).all(0), np.maximum(high, 1 - least), high)
        low = np.where((values == 1).all(0), np.minimum(low, least), low)
    return mean, low, high


def wilson(c, n, z: float = 1.96):
    """(share, low, high) of c successes in n independent trials (Wilson 1927)."""
    c, n = np.asarray(c, float), np.asarray(n, float)
    p, width = c / n, z**2 / n
    half = z * np.sqrt(p * (1 - p) / n + width / n / 4)
    middle = p + width / 2
    return p, (middle - half) / (1 + width), (middle + half) / (1 + width)


def paired(a, b, **kwargs):
    """:func:`bootstrap` of the difference a - b on the same problems."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        raise ValueError(f"not the same problems: shapes {a.shape} and {b.shape}")
    return bootstrap(a - b, **kwargs)


def fit_power_law(k, coverage):
    """(a, b) of coverage = exp(a k^b), Large Language Monkeys (Brown 2024, eq. 1).

    Least squares in coverage; a and b are negative where it rises towards 1.
    ValueError where coverage is not within (0, 1).
    """
    from scipy.optimize import curve_fit

    k, coverage = within(k, coverage)
    # the line that log(-log coverage) makes on log k is a good start
    b, log_a = np.polyfit(np.log(k), np.log(-np.log(coverage)), 1)
    (a, b), _ = curve_fit(
        lambda k, a, b: np.exp(a * k**b), k, coverage, p0=(-np.exp(log_a), b)
    )
    return float(a), float(b)


def fit_exponential(k, coverage):
    """(c, rate) of coverage = c (1 - exp(-rate k)): a share c of like problems.

    What coverage would be if every problem that can be solved had the same pass@1.
    Least squares in coverage, 0 < c <= 1; the errors of :func:`fit_power_law`.
    """
    from scipy.optimize import curve_fit

    k, coverage = within(k, coverage)
    (c, rate), _ = curve_fit(
        lambda k, c, rate: -c * np.expm1(-rate * k),
        k,
        coverage,
        p0=(coverage.max(), coverage[0] / coverage.max() / k[0]),
        bounds=([0, 0], [1, np.inf]),
    )
    return float(c), float(rate)


def within(k, coverage):
    """As arrays; ValueError where a fit of coverage makes no sense."""
    k, coverage = np.asarray(k, float), np.asarray(coverage, float)
    if (coverage <= 0).any() or (coverage >= 1).any():
        raise ValueError("the fit needs 0 < coverage < 1 at every k")
    return k, coverage
