"""Estimators, each with its interval. numpy only."""

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


def bootstrap(values, samples: int = 2000, seed: int = 0, level: float = 0.95):
    """(mean, low, high) over problems, the rows of ``values`` [problems, …].

    Problems are drawn with replacement; the interval is the percentile one.
    """
    values = np.asarray(values, float)
    if len(values) == 0:
        raise ValueError("no problem to average over")
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(
        len(values), np.full(len(values), 1 / len(values)), samples
    )
    means = np.tensordot(weights / len(values), values, 1)
    tail = 50 * (1 - level)
    low, high = np.percentile(means, [tail, 100 - tail], axis=0)
    return values.mean(0), low, high


def paired(a, b, **kwargs):
    """:func:`bootstrap` of the difference a - b on the same problems."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        raise ValueError(f"not the same problems: shapes {a.shape} and {b.shape}")
    return bootstrap(a - b, **kwargs)


def fit_power_law(k, coverage):
    """(a, b) of coverage = exp(a k^b), Large Language Monkeys (Brown 2024, eq. 1).

    Least squares of log(-log coverage) on log k. ``a`` and ``b`` are negative for
    coverage that rises towards 1. ValueError where coverage is not within (0, 1).
    """
    k, coverage = np.asarray(k, float), np.asarray(coverage, float)
    if (coverage <= 0).any() or (coverage >= 1).any():
        raise ValueError("the fit needs 0 < coverage < 1 at every k")
    b, log_a = np.polyfit(np.log(k), np.log(-np.log(coverage)), 1)
    return float(-np.exp(log_a)), float(b)
