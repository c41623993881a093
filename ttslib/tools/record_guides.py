"""Recorded runs of chapters 07 and 08: ``python -m ttslib.tools.record process``."""

import time

import numpy as np

from .. import guides, stats
from ..problems import load
from ..search import ballot
from ..verify import judge

# problems of the test split that have so many draws each
POOL = {
    "story-hard": {16: 600, 64: 300, 256: 100},
    "story-easy": {16: 200, 64: 100, 256: 100},
}
TRAIN = {"story-hard": 300, "story-easy": 200}
SIZES = (1, 4, 16, 64, 256)


def flat(problems, rows):
    """(problem, chain) of every chain, as two lists."""
    return zip(*[(x, chain) for x, row in zip(problems, rows) for chain in row])


def train(model, seed: int, *, each: int = 4, rollouts: int = 8) -> tuple[dict, dict]:
    """(reward models, tokens that each one's labels cost), on both levels of stories.

    The outcome model is given as many label tokens as the process models: fresh
    problems, chains without roll-outs.
    """
    xs = [x for name, n in TRAIN.items() for x in load(name, "train", n, seed)]
    problems, chains = flat(xs, model.sample(xs, each, seed=seed))
    counts, spent = guides.step_labels(model, problems, chains, rollouts, seed=seed + 1)
    spent += sum(len(chain.tokens) for chain in chains)
    more, drawn, block = ([], []), 0, 0
    while drawn < spent:
        new = [
            x
            for name, n in TRAIN.items()
            for x in load(name, "train", n, 1000 * (seed + 1) + block)
        ]
        rows = model.sample(new, each, seed=seed)
        drawn += sum(len(chain.tokens) for row in rows for chain in row)
        for part, values in zip(more, flat(new, rows)):
            part.extend(values)
        block += 1
    verdicts = judge(more[0], [[chain] for chain in more[1]])[:, 0]
    outcome = [
        np.append(np.full(len(model.ends(chain)) - 1, np.nan), good)
        for chain, good in zip(more[1], verdicts)
    ]
    labels = {
        "PRM, soft": (problems, chains, [c / rollouts for c in counts], 2),
        "PRM, hard": (problems, chains, [1.0 * (c > 0) for c in counts], 2),
        "ORM": (*more, outcome, 1),
    }
    found = {}
    for name, (asked, told, values, epochs) in labels.items():
        found[name] = guides.RewardModel(model, seed=seed)
        found[name].fit(asked, told, values, epochs=epochs, seed=seed)
        print(f"seed {seed}: {name} trained on {len(told)} chains", flush=True)
    return found, {"roll-outs": spent, "outcomes": drawn, "chains": len(more[1])}


def measure(chains, right, scores: dict, sizes) -> dict:
    """Method -> how often it is right at each of ``sizes``, of one problem's draws.

    ``scores`` has one of each chain by name; those in [0, 1] also weigh votes.
    """
    ballots = [ballot(chain.answer) for chain in chains]
    out = {}
    for name, score in scores.items():
        out[name] = stats.best_at_k(score, right, sizes)
        out[f"vote, {name}"] = stats.vote_at_k(ballots, score, right, sizes)
    return out


def at_sizes(rows, verdicts, scores: dict) -> dict:
    """Method -> size -> percent right of each problem that has so many draws."""
    out: dict = {}
    for i, (chains, right) in enumerate(zip(rows, verdicts)):
        sizes = [k for k in SIZES if k <= len(chains)]
        found = measure(chains, right, {n: s[i] for n, s in scores.items()}, sizes)
        n, answers = len(chains), [ballot(chain.answer) for chain in chains]
        if "log p" in scores:
            found["majority"] = stats.majority_at_k(answers, right, sizes)
            found["coverage"] = stats.pass_at_k(n, sum(right), sizes)
        for name, values in found.items():
            for k, value in zip(sizes, values):
                column = out.setdefault(name, {}).setdefault(k, [])
                column.append(round(100 * float(value), 1))
    return out


def ranked(scores, verdicts) -> list[float]:
    """AUC within a problem, with its interval."""
    return [round(float(v), 4) for v in stats.auc_within(scores, verdicts)]


def process(model, seeds: int = 3) -> dict:
    """Chapter 07's Figure 3: each way to choose, at each N, on both levels."""
    began, out, pools = time.perf_counter(), {}, {}
    for name, pool in POOL.items():
        xs = load(name, "test", max(pool.values()))
        rows: list = [()] * len(xs)
        for n, count in sorted(pool.items()):
            rows[:count] = model.sample(xs[:count], n, seed=99)
        verdicts = [judge([x], [row])[0] for x, row in zip(xs, rows)]
        least = [np.exp([min(chain.logprobs) for chain in row]) for row in rows]
        pools[name] = xs, rows, verdicts
        fixed = at_sizes(rows, verdicts, {"log p": least})
        auc = {"log p": ranked(least, verdicts)}
        drawn = sum(len(chain.tokens) for row in rows for chain in row)
        out[name] = {"problems": [x.id for x in xs], "fixed": fixed, "auc": auc}
        out[name] |= {"drawn": drawn, "seeds": []}
        print(
            f"{name}: {drawn:,} tokens, {time.perf_counter() - began:.0f} s", flush=True
        )
    for seed in range(seeds):
        models, spent = train(model, seed)
        for name, (xs, rows, verdicts) in pools.items():
            scores, auc = {}, {}
            for label, reward in models.items():
                values = iter(reward.steps(*flat(xs, rows)))
                steps = [[next(values) for _ in row] for row in rows]
                ways = ("last",) if label == "ORM" else guides.AGGREGATE
                for way in ways:
                    how = guides.AGGREGATE[way]
                    key = label if label == "ORM" else f"{label}, {way}"
                    scores[key] = [np.array([how(v) for v in row]) for row in steps]
                    auc[key] = ranked(scores[key], verdicts)
            at = at_sizes(rows, verdicts, scores)
            row = {"seed": seed, "auc": auc, "spent": spent, "at": at}
            out[name]["seeds"].append(row)
            took = time.perf_counter() - began
            print(name, seed, {k: round(v[0], 3) for k, v in auc.items()}, flush=True)
            print(f"{took:.0f} s", flush=True)
    return out
