"""Recorded runs of chapter 09: tree (searches, the value's quality) and expert."""

import time

import numpy as np

from ... import guides
from ...learn import capped, expert_iteration, guess_and_check
from ...problems import load
from ...search import mcts, puct, ucb, weighted_vote
from ...verify import judge, verify
from .guides import flat, labelled, ranked

DRAWS, BUDGET = 64, 1600
WIDE = dict(score=puct, widen=3.0)
NOISE = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
ALPHAS = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)


def searched(model, xs, guide, *, tokens=BUDGET, part=100, **settings) -> dict:
    """Of each problem [tokens drawn, tokens of the guide, simulations] when its first
    chain passed (None: none did), its nodes, and what was spent in all."""
    settings = dict(simulations=3000, stop=True) | settings
    first, nodes, drawn, guided = [], [], 0, 0
    for i in range(0, len(xs), part):
        trees = mcts(model, xs[i : i + part], guide, tokens=tokens, **settings)
        first += [tree.first for tree in trees]
        nodes += [len(tree.drawn) for tree in trees]
        drawn += sum(tree.tokens for tree in trees)
        guided += sum(tree.guided for tree in trees)
    return {"first": first, "nodes": nodes, "drawn": drawn, "guided": guided}


def quality(model, xs, rows, right, guide, steps=(1, 2, 3)) -> dict:
    """t -> AUC within a problem of the value after step t, with its interval.

    Against how plain draws ended; "all": the values of all steps in one.
    """
    out, said, ended = {}, [[] for _ in xs], [[] for _ in xs]
    for t in steps:
        values, verdicts = [], []
        for i, (x, row, good) in enumerate(zip(xs, rows, right)):
            longer = [j for j, c in enumerate(row) if len(model.ends(c)) > t]
            begun = [model.head(row[j], t) for j in longer]
            found, _ = guide([x] * len(begun), begun) if begun else ([], [])
            values.append(np.asarray(found, float))
            verdicts.append(np.asarray(good, bool)[longer])
            said[i] += list(found)
            ended[i] += list(verdicts[-1])
        out[t] = ranked(values, verdicts)
    out["all"] = ranked([np.array(v) for v in said], [np.array(e) for e in ended])
    return out


def values(model, seeds: int = 3, count: int = 600) -> dict:
    """Name -> guide: learned from roll-outs, from outcomes alone, from exact labels."""
    out = {}
    for seed in range(seeds):
        xs = load("countdown", "train", count, 500 + seed)
        problems, chains = flat(xs, model.sample(xs, 4, seed=seed))
        counts, _ = guides.step_labels(model, problems, chains, 8, seed=seed + 1)
        taught = {"roll-outs": [c / 8 for c in counts]}
        if seed == 0:
            exact = guides.reachable()
            taught["exact labels"] = [
                exact([x] * t, [model.head(c, j + 1) for j in range(t)])[0]
                for x, c in zip(problems, chains)
                for t in [len(model.ends(c))]
            ]
        for name, labels in taught.items():
            value = guides.RewardModel(model, seed=seed)
            value.fit(problems, chains, labels, seed=seed)
            out[f"learned, {name}, {seed}"] = guides.CachedRewardModel(value)
            print("learned", name, seed, flush=True)
    return out


def countdown(model, seeds: int = 3, count: int = 300) -> dict:
    """Chapter 09: searches of countdown by what they spend, and how good a value is."""
    began, xs = time.perf_counter(), load("countdown", "test", count)
    rows = model.sample(xs, DRAWS, seed=99)
    right = judge(xs, rows)
    greedy = model.sample(xs, 1, temperature=0)
    out: dict = {"problems": [x.id for x in xs], "draws": DRAWS}
    out["passed"] = right.sum(1).tolist()
    out["length"] = [round(np.mean([len(c.tokens) for c in row]), 1) for row in rows]
    out["greedy"] = judge(xs, greedy)[:, 0].astype(int).tolist()
    out["greedy tokens"] = [len(row[0].tokens) for row in greedy]
    out["searches"], out["quality"] = {}, {}

    def run(label, guide, **settings):
        out["searches"][label] = found = searched(model, xs, guide, **settings)
        solved = np.mean([f is not None for f in found["first"]])
        took = time.perf_counter() - began
        print(f"{took:.0f} s, {label}: {solved:.3f}", flush=True)

    exact, learned = guides.reachable(), values(model, seeds)
    guided = {"exact": exact, "exact, graded": guides.reachable(graded=True)}
    guided |= {f"exact, noise {q}": guides.reachable(q) for q in NOISE}
    guided |= learned
    guided["four roll-outs"] = guides.rollouts(model, 4, seed=5)
    for label, guide in guided.items():
        if label == "four roll-outs":  # they cost too much for all
            some = xs[:80], [row[:16] for row in rows[:80]], right[:80, :16]
        else:
            some = xs, [row[:32] for row in rows], right[:, :32]
        found = quality(model, *some, guide)
        out["quality"][label] = found
        run(f"PUCT, {label}", guide, **WIDE)
    run("UCT, roll-outs, fixed", None)
    run("UCT, roll-outs", None, widen=3.0)
    run("PUCT, roll-outs", None, **WIDE)
    run("UCT, exact", exact, widen=3.0)
    for wide in (0.0, 0.7, 1.4, 6.0):
        run(f"widen {wide}, exact", exact, score=puct, widen=wide)
        run(f"widen {wide}, roll-outs", None, score=puct, widen=wide)
    for branch in (2, 8):
        run(f"branch {branch}, exact", exact, score=puct, branch=branch)
    for parallel in (4, 16):
        run(f"flight {parallel}, exact", exact, parallel=parallel, **WIDE)
    graded = guided["exact, graded"]
    for alpha in ALPHAS:
        for label, guide in {
            "graded": graded,
            "learned": learned["learned, roll-outs, 0"],
            "roll-outs": None,
        }.items():
            run(f"alpha {alpha}, {label}", guide, alpha=alpha, **WIDE)
    return out


# a story has six steps: what draws too many at each comes to no end
STORIES = {
    "PUCT, alpha 1, branch 4": WIDE,
    "PUCT, alpha 0.1, branch 2": dict(score=puct, alpha=0.1, branch=2, widen=1.0),
    "UCT, alpha 0.1, branch 2": dict(score=ucb, alpha=0.1, branch=2, widen=1.0),
}


def stories(model, count: int = 160, chains=(4, 16)) -> dict:
    """Chapter 09: MCTS on hard stories under a process model and no verifier.

    As many tokens as ``chains`` draws of a problem take; of each problem [vote of the
    finished chains weighted by the value right, best right, any right, tokens drawn,
    tokens of the guide].
    """
    began, xs = time.perf_counter(), load("story-hard", "test", count)
    problems, told, counts, _ = labelled(model, 0)
    value = guides.RewardModel(model)
    value.fit(problems, told, [c / 8 for c in counts])
    length = np.mean(
        [len(c.tokens) for row in model.sample(xs, 16, seed=99) for c in row]
    )
    out: dict = {"length": float(length), "searches": {}}
    for n in chains:
        for label, settings in STORIES.items():
            rows = []
            for i in range(0, count, 80):
                trees = mcts(
                    model,
                    xs[i : i + 80],
                    guides.CachedRewardModel(value),
                    verify=None,
                    tokens=n * length,
                    simulations=20 * n,
                    seed=11,
                    **settings,
                )
                rows += [outcome(tree) for tree in trees]
            out["searches"].setdefault(label, {})[n] = rows
            took = time.perf_counter() - began
            print(
                f"{took:.0f} s, {label}, {n}: {np.mean(rows, 0).round(3)}", flush=True
            )
    return out


def outcome(tree) -> list[int]:
    """What stands behind a problem in :func:`stories`."""
    nodes = [node for node in tree.nodes if node.chain.finished and node.visits]
    right = [bool(verify(tree.problem, node.chain.answer)) for node in nodes]
    worth = [node.evaluation for node in nodes]
    chosen = weighted_vote([node.chain for node in nodes], worth)
    vote = chosen is not None and bool(verify(tree.problem, chosen.answer))
    best = bool(right) and right[int(np.argmax(worth))]
    return [int(vote), int(best), int(any(right)), tree.tokens, tree.guided]


def tree(model, seeds: int = 3) -> dict:
    return {"countdown": countdown(model, seeds), "story-hard": stories(model)}


# --- expert iteration ----------------------------------------------------------------
TRAINED = 60_000  # tokens of chains that an iteration trains on


def measured(model, test, guide, draws: int = 32) -> dict:
    """A policy alone: how many of ``draws`` are right, and its greedy chain; and with
    a search under ``guide``: what :func:`searched` tells."""
    rows = model.sample(test, draws, seed=99)
    greedy = judge(test, model.sample(test, 1, temperature=0))[:, 0]
    out = {"passed": judge(test, rows).sum(1).tolist()}
    out["length"] = round(np.mean([len(c.tokens) for row in rows for c in row]), 1)
    out["greedy"] = greedy.astype(int).tolist()
    if guide is not None:
        some = [row[:16] for row in rows]
        out["quality"] = quality(model, test, some, judge(test, some), guide)["all"]
    return out | {"search": searched(model, test, guide, **WIDE)}


def arms(model, xs, tokens: int, iterations: int, seed: int) -> dict:
    """Who finds the chains that the policy learns from; each spends as much."""
    search = WIDE | dict(tokens=tokens, simulations=1000)
    taught = dict(keep=capped(4), iterations=iterations, seed=seed, lr=2e-3)
    trained = TRAINED * len(xs) / 300
    each = np.mean([len(row[0].tokens) for row in model.sample(xs, 1, seed=seed)])
    exact = guides.reachable()
    return {
        "own value": lambda: expert_iteration(
            model, xs, search=search, tokens=trained, **taught
        ),
        "exact value": lambda: expert_iteration(
            model, xs, exact, search=search, tokens=trained, **taught
        ),
        "plain draws": lambda: guess_and_check(
            model, xs, round(tokens / each), budget=trained * iterations, **taught
        ),
    }


def expert(
    model, seeds: int = 3, tests: int = 240, tokens: int = 800, iterations: int = 3
) -> dict:
    """Chapter 09: policies after each iteration, alone and with their search.

    Arm -> problems -> seed -> iteration. With few problems too, for two arms, as the
    price of training is an axis.
    """
    began, test = time.perf_counter(), load("countdown", "test", tests)
    model.switch(None)
    out: dict = {"problems": [x.id for x in test], "draws": 32, "tokens": tokens}
    out["base"] = measured(model, test, None)
    out["base, exact"] = searched(model, test, guides.reachable(), **WIDE)
    out["arms"] = {}
    for seed in range(seeds):
        for count in (300, 60):
            xs = load("countdown", "train", count, 900 + seed)
            model.switch(None)
            for arm, loop in arms(model, xs, tokens, iterations, seed).items():
                if count < 300 and arm == "exact value":
                    continue
                done = []
                for ledger in loop():
                    guide = ledger.pop("guide", None)
                    done.append(ledger | measured(model, test, guide))
                    took = time.perf_counter() - began
                    now = np.mean(done[-1]["passed"]) / 32
                    solved = np.mean(
                        [f is not None for f in done[-1]["search"]["first"]]
                    )
                    about = f"{seed}, {arm}, {count}: {now:.3f}, {solved:.3f}"
                    print(f"{took:.0f} s, {about}", flush=True)
                out["arms"].setdefault(arm, {}).setdefault(count, []).append(done)
    return out
