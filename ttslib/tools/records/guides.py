"""Recorded runs of chapters 07 and 08: process, guided and guided_training."""

import time

import numpy as np

from ... import guides, stats
from ...learn import capped, e_step, m_step
from ...problems import load
from ...search import ballot, beam_search, weighted_vote
from ...verify import judge, verify

# problems of the test split that have so many draws each
POOL = {
    "story-hard": {16: 600, 64: 300, 256: 100},
    "story-easy": {16: 200, 64: 100, 256: 100},
}
TRAIN = {"story-hard": 300, "story-easy": 200}
SIZES = (1, 4, 16, 64, 256)
SPREAD = 0.0  # as the library was when process and guided were recorded


def flat(problems, rows):
    """(problem, chain) of every chain, as two lists."""
    return zip(*[(x, chain) for x, row in zip(problems, rows) for chain in row])


def labelled(model, seed: int, *, each: int = 4, rollouts: int = 8):
    """(problems, chains, counts of ``rollouts`` for each step, tokens they cost)."""
    xs = [x for name, n in TRAIN.items() for x in load(name, "train", n, seed)]
    problems, chains = flat(xs, model.sample(xs, each, seed=seed))
    counts, spent = guides.step_labels(model, problems, chains, rollouts, seed=seed + 1)
    return problems, chains, counts, spent + sum(len(c.tokens) for c in chains)


def outcomes(model, seed: int, budget: int, *, each: int = 4):
    """(problems, chains, labels of their last steps, tokens): at least ``budget``."""
    problems, chains, drawn, block = [], [], 0, 1000 * (seed + 1)
    while drawn < budget:
        xs = [x for name, n in TRAIN.items() for x in load(name, "train", n, block)]
        rows = model.sample(xs, each, seed=seed)
        drawn += sum(len(chain.tokens) for row in rows for chain in row)
        asked, told = flat(xs, rows)
        problems, chains, block = [*problems, *asked], [*chains, *told], block + 1
    verdicts = judge(problems, [[chain] for chain in chains])[:, 0]
    each_step = [
        np.full(len(model.ends(c)), float(v)) for c, v in zip(chains, verdicts)
    ]
    return problems, chains, guides.only_last(each_step), drawn


def train(model, seed: int, rollouts: int = 8) -> tuple[dict, dict]:
    """(reward models, tokens that each one's labels cost), on both levels of stories.

    The outcome model is given as many label tokens as the process models: chains of
    fresh problems in place of roll-outs.
    """
    problems, chains, counts, spent = labelled(model, seed)
    *more, drawn = outcomes(model, seed, spent)
    labels = {
        "PRM, soft": (problems, chains, [c / rollouts for c in counts], 2),
        "PRM, hard": (problems, chains, [1.0 * (c > 0) for c in counts], 2),
        "ORM": (*more, 1),
    }
    found = {}
    for name, (asked, told, values, epochs) in labels.items():
        found[name] = guides.RewardModel(model, spread=SPREAD, seed=seed)
        found[name].fit(asked, told, values, epochs=epochs, seed=seed)
        print(f"seed {seed}: {name} trained on {len(told)} chains", flush=True)
    return found, {"roll-outs": spent, "outcomes": drawn, "chains": len(more[1])}


def measure(ballots, right, scores: dict, sizes) -> dict:
    """Method -> how often it is right at each of ``sizes``, of one problem's draws.

    ``scores`` has one of each chain by name; those in [0, 1] also weigh votes.
    """
    out = {}
    for name, score in scores.items():
        out[name] = stats.best_at_k(score, right, sizes)
        out[f"vote, {name}"] = stats.vote_at_k(ballots, score, right, sizes)
    return out


def at_sizes(rows, verdicts, scores: dict, ks=SIZES) -> dict:
    """Method -> size -> percent right of each problem that has so many draws."""
    out: dict = {}
    for i, (chains, right) in enumerate(zip(rows, verdicts)):
        sizes = [k for k in ks if k <= len(chains)]
        ballots = [ballot(chain.answer) for chain in chains]
        found = measure(ballots, right, {n: s[i] for n, s in scores.items()}, sizes)
        if "log p" in scores:
            found["majority"] = stats.majority_at_k(ballots, right, sizes)
            found["coverage"] = stats.pass_at_k(len(chains), sum(right), sizes)
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


# n of a search -> how many problems it is measured on
SEARCHES = {4: 480, 16: 480, 64: 160}
BINS = 32  # draws that say how hard a problem is
WRITTEN = 600_000  # tokens of chains that teach a policy to write its values


def searches(model, name: str) -> dict:
    """Label -> (policy's adapter, guide, settings of beam_search, largest n)."""
    rolled = guides.rollouts(model, 4, seed=5)
    out = {
        "beam, log p": (None, guides.min_token_prob(model), dict(aggregate="min"), 64),
        "beam, roll-outs": (None, rolled, {}, 16),
    }
    if name != "story-hard":
        return out
    problems, chains, counts, _ = labelled(model, 0)
    soft = [c / 8 for c in counts]
    stronger = guides.prover_labels(counts, 8, 4)
    value, prover = (
        guides.CachedRewardModel(
            guides.RewardModel(model, spread=SPREAD).fit(problems, chains, labels)
        )
        for labels in (soft, stronger)
    )
    # 2,000 chains left a policy that hardly solved a story; the model labels more
    *more, _, _ = outcomes(model, 0, WRITTEN)
    model.attach(r=64, alpha=64, name="stream")
    taught = dict(epochs=1, lr=3e-3, weight=3.0, batch_tokens=2048)
    guides.learn_values(model, *more, value.model.steps(*more), **taught)
    model.switch(None)
    progress = guides.process_advantage(value, prover)
    return out | {
        "beam, PRM": (None, value, dict(aggregate="min"), 64),
        "beam, PAV": (None, progress, {}, 16),
        "beam, PRM, lookahead": (None, value, dict(lookahead=1), 16),
        "subtrees, PRM": (None, value, dict(aggregate="min", groups=0), 64),
        "particles, PRM": (None, value, dict(resample=True), 64),
        "beam, interleaved": ("stream", guides.interleaved, dict(aggregate="min"), 64),
    }


def stream(model, xs, draws: int = 8) -> dict:
    """How the policy that writes its values fares without a search."""
    model.switch("stream")
    rows = model.sample(xs, draws, seed=99)
    right = judge(xs, rows)
    values = guides.interleaved(*flat(xs, rows))[0].reshape(right.shape)
    length = np.mean([len(chain.tokens) for row in rows for chain in row])
    model.switch(None)
    out = {"draws": draws, "passed": right.sum(1).tolist(), "length": float(length)}
    return out | {"auc": ranked(values, right)}


def outcome(found, resampled: bool) -> list[int]:
    """[vote right, best right, any right, tokens drawn, tokens of the guide, vote of
    the survivors right]; but for the last every finished chain is asked.

    Of particles those that are in, each as often as it is.
    """

    def judged(nodes) -> list[int]:
        right = [bool(verify(found.problem, node.chain.answer)) for node in nodes]
        scores = [node.score for node in nodes]
        chosen = weighted_vote([n.chain for n in nodes], np.clip(scores, 0, None))
        vote = chosen is not None and bool(verify(found.problem, chosen.answer))
        best = bool(right) and right[int(np.argmax(scores))]
        return [int(vote), int(best), int(any(right))]

    every = judged(found.leaves if resampled else found.ends)
    return [*every, found.tokens, found.guided, judged(found.leaves)[0]]


def guided(model, sizes=SEARCHES) -> dict:
    """Chapter 08: every search at every n, beside plain draws, problem by problem."""
    began, out = time.perf_counter(), {}
    for name in ("story-hard", "countdown"):
        xs = load(name, "test", max(sizes.values()))
        bins = judge(xs, model.sample(xs, BINS, seed=7)).sum(1).tolist()
        rows = model.sample(xs, 64, seed=99)
        verdicts = judge(xs, rows)
        scores = {"log p": [np.exp([min(c.logprobs) for c in row]) for row in rows]}
        every = searches(model, name)
        if value := every.get("beam, PRM", (None, None))[1]:
            steps = iter(value.steps(*flat(xs, rows)))
            scores["PRM"] = [np.array([min(next(steps)) for _ in row]) for row in rows]
        plain = at_sizes(rows, verdicts, scores, (1, 2, 4, 8, 16, 32, 64))
        length = [round(sum(len(c.tokens) for c in row) / 64, 1) for row in rows]
        out[name] = {"passed": bins, "plain": plain, "length": length, "searches": {}}
        for label, (adapter, guide, settings, most) in every.items():
            model.switch(adapter)
            for n, count in sizes.items():
                if n > most:
                    continue
                if "groups" in settings:
                    settings["groups"] = n // 4
                results = []
                for start in range(0, count, 80):
                    part = xs[start : min(start + 80, count)]
                    found = beam_search(model, part, guide, n, seed=11, **settings)
                    results += [outcome(f, "resample" in settings) for f in found]
                out[name]["searches"].setdefault(label, {})[n] = results
                mean = np.mean(results, 0).round(3).tolist()
                print(
                    name,
                    label,
                    n,
                    mean,
                    f"{time.perf_counter() - began:.0f} s",
                    flush=True,
                )
            model.switch(None)
        if "beam, interleaved" in every:
            out[name]["stream"] = stream(model, xs[: min(160, len(xs))])
    return out


def searched(model, xs, guide, seed: int, n: int = 16):
    """(finished chains in each problem's tree, tokens that were drawn and read)."""
    found = []
    for i in range(0, len(xs), 80):
        part = xs[i : i + 80]
        found += beam_search(model, part, guide, n, aggregate="min", seed=seed)
    rows = [tree.finished for tree in found]
    return rows, sum(tree.tokens + tree.guided for tree in found)


def drawn(model, xs, budget: float, seed: int):
    """As many plain draws of each problem as ``budget`` tokens pay for."""
    some = model.sample(xs, 16, seed=seed)
    each = np.mean([len(chain.tokens) for row in some for chain in row])
    rows = model.sample(xs, max(1, round(budget / len(xs) / each)), seed=seed)
    return rows, sum(len(chain.tokens) for row in rows for chain in row)


def training(model, seeds: int = 3, count: int = 160, tokens: int = 80_000) -> dict:
    """Chapter 08: a policy trained on what guided search finds, or on plain draws.

    Both spend the same on ``count`` problems of the seed, and are trained on ``tokens``
    tokens of chains that pass: how many of 16 draws of each test problem are right.
    """
    began, test = time.perf_counter(), load("story-hard", "test", 200)

    def measure():
        return judge(test, model.sample(test, 16, seed=99)).sum(1).tolist()

    xs = load("story-hard", "train", 150)
    problems, chains = flat(xs, model.sample(xs, 4))
    counts, _ = guides.step_labels(model, problems, chains, 8, seed=1)
    value = guides.RewardModel(model).fit(problems, chains, [c / 8 for c in counts])
    out = {"problems": [x.id for x in test], "n": 16, "plain": [], "guided": []}
    out["base"] = measure()
    for seed in range(seeds):
        model.switch(None)
        xs = load("story-hard", "train", count, 100 + seed)
        rows, spent = searched(model, xs, guides.CachedRewardModel(value), seed)
        both = {"guided": (rows, spent), "plain": drawn(model, xs, spent, seed)}
        for name, (rows, spent) in both.items():
            right = [judge([x], [row])[0] if row else [] for x, row in zip(xs, rows)]
            model.attach(seed=seed)
            q = e_step(xs, rows, right, capped(4))
            done = m_step(model, q, tokens=tokens, lr=2e-3, seed=seed)
            out[name].append(done | {"tokens": int(spent), "right": measure()})
            model.switch(None)
            took = f"{time.perf_counter() - began:.0f} s"
            print(name, seed, np.mean(out[name][-1]["right"]) / 16, took, flush=True)
    return out
