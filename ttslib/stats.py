"""Estimators, each with its interval. numpy only."""

from collections import Counter
from math import ceil, comb

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


def best_at_k(scores, right, k):
    """Probability that the highest-scored of k of n samples is right: best-of-N.

    ``scores`` and ``right`` [..., n], ``k`` an int or [k], 1 <= k <= n. Exact, the mean
    over all subsets of k; of equal scores a fair draw decides. With l samples below
    and m as high as a sample, one of those m is on top in C(l+m, k) - C(l, k) of the
    C(n, k) subsets, each of them equally often. Returns [...] or [..., k].
    """
    scores, right = np.asarray(scores, float), np.asarray(right, float)
    n, ks = scores.shape[-1], np.atleast_1d(k)
    if scores.shape != right.shape or (ks < 1).any() or (ks > n).any():
        raise ValueError("best-of-k needs 1 <= k <= n, and n scores and verdicts")
    if np.isnan(scores).any():
        raise ValueError("a score is NaN: it ranks nowhere")
    below, upto = ranks(scores)
    ways = np.array(
        [[comb(j, int(i)) / comb(n, int(i)) for i in ks] for j in range(n + 1)]
    )
    on_top = (ways[upto] - ways[below]) / (upto - below)[..., None]
    found = (on_top * right[..., None]).sum(-2)
    return found if np.ndim(k) else found[..., 0]


def ranks(scores):
    """Of each score [..., n]: how many of its row are below, and how many not above."""
    order = np.argsort(scores, -1)
    row = np.take_along_axis(scores, order, -1)
    place = np.broadcast_to(np.arange(row.shape[-1]), row.shape)
    new = np.ones(row.shape, bool)
    new[..., 1:] = row[..., 1:] != row[..., :-1]
    first = np.maximum.accumulate(np.where(new, place, 0), -1)
    last = np.where(np.roll(new, -1, -1), place + 1, row.shape[-1])
    last = np.minimum.accumulate(last[..., ::-1], -1)[..., ::-1]
    below, upto = np.empty_like(order), np.empty_like(order)
    np.put_along_axis(below, order, first, -1)
    np.put_along_axis(upto, order, last, -1)
    return below, upto


def vote_at_k(ballots, weights, right, k, subsets: int = 256, seed: int = 0):
    """Probability that the weighted vote of k of n samples is right, one problem.

    ``ballots`` [n] is what each sample answers ("" abstains), ``weights`` [n] >= 0 what
    it counts for, ``right`` [n] its verdict; ``k`` an int or [k]. The ballot with the
    largest sum wins, of equal ones by a fair draw. The mean over at least ``subsets``
    random subsets: shuffled samples dealt into n // k hands, so k = 1 and k = n are
    exact. With equal weights it estimates :func:`majority_at_k`.
    """
    weights, right = np.asarray(weights, float), np.asarray(right, bool)
    n, ks = len(ballots), np.atleast_1d(k)
    if not len(weights) == len(right) == n or (ks < 1).any() or (ks > n).any():
        raise ValueError("vote@k needs 1 <= k <= n, and n of each")
    if not (weights >= 0).all():
        raise ValueError("a weight is negative or NaN")
    names = sorted(set(ballots) - {""})
    if not names:
        return np.zeros(np.shape(k))
    number = {name: i for i, name in enumerate(names)} | {"": len(names)}
    code = np.array([number[b] for b in ballots])
    good = np.isin(np.arange(len(names)), code[right])
    rng, found = np.random.default_rng(seed), []
    for size in map(int, ks):
        deals = 1 if size in (1, n) else ceil(subsets / (n // size))
        shuffled = rng.permuted(np.tile(np.arange(n), (deals, 1)), axis=1)
        hands = shuffled[:, : n // size * size].reshape(-1, size)
        # one long row of sums: hand by hand, ballot by ballot, blank last
        slot = code[hands] + np.arange(len(hands))[:, None] * (len(names) + 1)
        shape, width = (len(hands), len(names) + 1), len(hands) * (len(names) + 1)
        held = np.bincount(slot.ravel(), minlength=width).reshape(shape)[:, :-1]
        total = np.bincount(slot.ravel(), weights[hands].ravel(), width)
        total = np.where(held > 0, total.reshape(shape)[:, :-1], -1)
        # a hair of slack: equal sums, added in another order, are still equal
        wins = (held > 0) & (total >= total.max(1, keepdims=True) * (1 - 1e-12))
        found.append(((wins & good).sum(1) / np.maximum(wins.sum(1), 1)).mean())
    return np.array(found) if np.ndim(k) else found[0]


def auc(scores, right):
    """Probability that a right sample has a higher score than a wrong one, ties half.

    ``scores`` and ``right`` [..., n]; returns [...]: 0.5 says that the score knows
    nothing, NaN that all are right or all wrong (Mann and Whitney's U, scaled).
    """
    scores, right = np.asarray(scores, float), np.asarray(right, bool)
    if scores.shape != right.shape or np.isnan(scores).any():
        raise ValueError("AUC needs a verdict for each score, and no score NaN")
    below, upto = ranks(scores)
    many, n = right.sum(-1), right.shape[-1]
    # mid-ranks count each pair of right ones once: many (many - 1) / 2 + many / 2
    wins = (right * (below + upto) / 2).sum(-1) - many**2 / 2
    pairs = many * (n - many)
    return np.where(pairs > 0, wins / np.maximum(pairs, 1), np.nan)[()]


def auc_within(scores, right, **kwargs):
    """:func:`auc` of each problem, then (mean, low, high) over problems.

    ``scores`` and ``right`` are lists [problems] of arrays [samples]; lengths may
    differ. Problems whose samples are all right or all wrong say nothing and are left
    out. Across problems a score is high where the problem is easy, which helps no
    choice between samples of one problem: so only pairs within one are compared.
    """
    each = np.array([auc(s, r) for s, r in zip(scores, right, strict=True)], float)
    return shares(each[~np.isnan(each)], **kwargs)


def reliability(values, outcomes, bins=10, groups=None, samples=1000, seed=0) -> dict:
    """Is what is worth 0.7 right in 70 %? Mean outcome by bins of predicted value.

    ``values`` and ``outcomes`` [n] in 0 to 1 (a verdict, or a share of roll-outs).
    Returns arrays over the bins of equal width that are not empty: ``value`` and
    ``outcome`` (means), ``low`` and ``high`` (95 % bootstrap of the outcome over
    ``groups`` [n], the problem of each, by default each its own), ``count``; and
    ``error``, the mean distance of value and outcome, each bin by its count (the
    expected calibration error).
    """
    values, outcomes = np.asarray(values, float), np.asarray(outcomes, float)
    if values.shape != outcomes.shape or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("reliability needs values in 0 to 1 and an outcome for each")
    groups = np.arange(len(values)) if groups is None else np.asarray(groups)
    names, group = np.unique(groups, return_inverse=True)
    bin_of = np.minimum((values * bins).astype(int), bins - 1)
    cell, shape = group * bins + bin_of, (len(names), bins)
    count, value, outcome = (
        np.bincount(cell, weight, len(names) * bins).reshape(shape)
        for weight in (np.ones(len(values)), values, outcomes)
    )
    kept = count.sum(0) > 0
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), samples)
    with np.errstate(invalid="ignore"):  # a bin may stay empty in a draw
        means = (drawn @ outcome)[:, kept] / (drawn @ count)[:, kept]
    low, high = np.nanpercentile(means, [2.5, 97.5], axis=0)
    count = count.sum(0)[kept]
    value, outcome = value.sum(0)[kept] / count, outcome.sum(0)[kept] / count
    found = dict(value=value, outcome=outcome, count=count.astype(int))
    found |= dict(low=np.minimum(low, outcome), high=np.maximum(high, outcome))
    return found | dict(error=float((count * abs(value - outcome)).sum() / len(values)))


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


def at_tokens(values, spent, tokens) -> np.ndarray:
    """Accuracy at ``tokens``, between the sizes that were run: [problems] or, for
    several, [problems, tokens].

    ``values`` [problems, sizes] were measured at ``spent`` tokens [sizes], ascending;
    between two sizes they are linear in log tokens, beyond them constant.
    """
    at = np.log(np.clip(tokens, spent[0], spent[-1]))
    rows = np.atleast_2d(np.asarray(values, float))
    return np.array([np.interp(at, np.log(spent), row) for row in rows])


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
