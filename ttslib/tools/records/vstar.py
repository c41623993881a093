"""Recorded run of chapter 10: V-STaR's Figure 8, on stories and on programs.

``python -m ttslib.tools.records.vstar`` writes data/runs/vstar.json, after each seed
what there is by then.
"""

import time

import numpy as np

from ... import guides, learn, stats
from ...problems import load
from ...search import ballot
from ...verify import judge
from ..chapters import ROOT

RUNS = ROOT / "data" / "runs"
TASKS = ("story", "program")
LEVELS = ("easy", "hard")  # trained on, transfer
KS = (1, 2, 4, 8, 16, 32, 64)
BETAS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
LAMBDAS = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
SIZES = dict(train=200, validation=100, tests=400, n=16, iterations=3, draws=64)
GENERATOR = dict(epochs=2, lr=2e-3)
VERIFIER = dict(epochs=2, lr=5e-4)
OUTCOME = dict(epochs=2, lr=1e-3)
OWN = {
    "log p": lambda c: c.logprob,
    "log p a token": learn.confidence,
    "smallest log p": lambda c: min(c.logprobs),
}


class Pool:
    """Draws of some problems by one generator, what is right, and scores of each."""

    def __init__(self, model, xs, draws: int, seed: int = 99):
        self.xs, self.rows = xs, model.sample(xs, draws, seed=seed)
        self.right = judge(xs, self.rows)
        self.own = {
            name: np.array([[of(c) for c in row] for row in self.rows])
            for name, of in OWN.items()
        }
        self.tokens = sum(len(c.tokens) for row in self.rows for c in row)

    def each(self, value) -> np.ndarray:
        """``value(problems, chains)`` [chains] as [problems, draws]; equal chains of a
        problem are asked once."""
        found: dict = {}
        for i, row in enumerate(self.rows):
            found |= {(i, c.tokens): (self.xs[i], c) for c in row}
        known = dict(zip(found, value(*zip(*found.values()))))
        rows = enumerate(self.rows)
        return np.array([[known[i, c.tokens] for c in row] for i, row in rows])

    def scores(self, verifier, outcome, base=None) -> dict[str, np.ndarray]:
        """What the two verifiers say of each chain. ``base`` is DPO's reference; None:
        the draws are its own."""
        score = {"likelihood": self.each(likelihood(verifier))}
        reference = self.each(likelihood(base)) if base else self.own["log p"]
        score["ratio"] = score["likelihood"] - reference
        return score | {"ORM": self.each(lambda *of: logits(outcome, *of))}


def likelihood(policy):
    return lambda problems, chains: learn.loglikelihood(policy, problems, chains)


def logits(outcome, problems, chains) -> np.ndarray:
    """An outcome model's logit of each whole chain."""
    p = np.array([v[-1] if len(v) else 0.5 for v in outcome.steps(problems, chains)])
    p = p.astype(float).clip(1e-7, 1 - 1e-7)
    return np.log(p / (1 - p))


def best_lambda(own, score, right) -> tuple[float, list[float]]:
    """(λ that made own log p + λ · score best, the least of equals; best-of-n of each)
    on validation problems."""
    n = right.shape[1]
    row = [stats.best_at_k(own + x * score, right, n).mean() for x in LAMBDAS]
    return LAMBDAS[int(np.argmax(row))], np.round(row, 4).tolist()


def packed(scores, right) -> str:
    """Verdicts of each problem's draws, best score first, as hex: 64 draws a word."""
    order = np.argsort(-scores, axis=1, kind="stable")
    bits = np.take_along_axis(np.asarray(right, bool), order, 1)
    return np.packbits(bits, axis=1).tobytes().hex()


def percent(values) -> list[float]:
    return np.round(100 * np.asarray(values, float), 1).tolist()


def fixed(model, pool: Pool) -> dict:
    """What needs no verifier: pass@1, coverage, the vote, one greedy chain, log p."""
    n = pool.right.shape[1]
    votes = [
        stats.majority_at_k([ballot(c.answer) for c in row], right, KS)
        for row, right in zip(pool.rows, pool.right)
    ]
    greedy = judge(pool.xs, model.sample(pool.xs, 1, temperature=0))[:, 0]
    return {
        "passed": pool.right.sum(1).astype(int).tolist(),
        "greedy": greedy.astype(int).tolist(),
        "vote": percent(votes),
        "ranked": {k: packed(v, pool.right) for k, v in pool.own.items()},
        "tokens": int(pool.tokens),
        "draws": n,
    }


def outcome_model(base, problems, rows, right, seed: int):
    """An ORM on the chains that the DPO verifier's pairs are made of."""
    seen = {}
    for x, better, worse in learn.pairs(problems, rows, right):
        seen |= {
            (x.id, better.text): (x, better, 1.0),
            (x.id, worse.text): (x, worse, 0.0),
        }
    asked, told, labels = zip(*[e for e in seen.values() if base.ends(e[1])])
    steps = [np.full(len(base.ends(c)), y) for c, y in zip(told, labels)]
    model = guides.RewardModel(base, seed=seed)
    return model.fit(asked, told, guides.only_last(steps), seed=seed, **OUTCOME)


def preferring(base, pairs, seed: int, beta: float):
    """A verifier: the base after DPO on ``pairs``."""
    base.attach(name="verifier", seed=seed)
    learn.dpo(base, pairs, beta=beta, seed=seed, **VERIFIER)
    verifier = base.merge()
    base.switch(None)
    return verifier


def tuned_beta(base, data, pool: Pool) -> tuple[float, dict]:
    """β of the best best-of-n by likelihood on validation problems, and all of them."""
    found = {}
    for beta in BETAS:
        verifier = preferring(base, learn.pairs(*data), 0, beta)
        score = pool.each(likelihood(verifier))
        n = pool.right.shape[1]
        found[beta] = round(stats.best_at_k(score, pool.right, n).mean(), 4)
    return max(found, key=found.get), found


def one_seed(
    model, base, task: str, seed: int, beta: float, pools: dict, sizes
) -> dict:
    """Both generators with both verifiers, trained on problems of this seed."""
    began, out = time.perf_counter(), {"seed": seed}
    xs = load(f"{task}-easy", "train", sizes["train"], seed)
    n, iterations = sizes["n"], sizes["iterations"]
    made = dict(generator=GENERATOR, verifier=VERIFIER | dict(beta=beta))

    def say(what):
        print(f"{task} {seed}: {what}, {time.perf_counter() - began:.0f} s", flush=True)

    rows, right, ledger = learn.draw_and_verify(base, xs, n * iterations, seed=seed)
    verifier = preferring(base, learn.pairs(xs, rows, right), seed, beta)
    outcome = outcome_model(base, xs, rows, right, seed)
    out["SFT"] = {"ledgers": [ledger]}
    say("Verification trained")
    judged(out["SFT"], pools, verifier, outcome)
    say("Verification")
    verifier, rows, right, ledgers = learn.v_star(
        model, xs, n, iterations=iterations, seed=seed, **made
    )
    outcome = outcome_model(base, xs, rows, right, seed)
    say("V-STaR trained")
    pools = pools_of(model, task, sizes)
    out["STaR"] = {"ledgers": ledgers}
    out["STaR"] |= {name: fixed(model, pools[name]) for name in LEVELS}
    judged(out["STaR"], pools, verifier, outcome, base)
    say("V-STaR")
    return out


def judged(out: dict, pools: dict, verifier, outcome, base=None):
    """Adds λ, chosen on validation problems, and each score's ranking of test draws."""
    tuning = pools["validation"]
    score = tuning.scores(verifier, outcome, base)
    own, out["lambda"], out["validation"] = tuning.own["log p"], {}, {}
    for name in ("ratio", "ORM"):
        found = best_lambda(own, score[name], tuning.right)
        out["lambda"][name], out["validation"][name] = found
    for level in LEVELS:
        pool = pools[level]
        score = pool.scores(verifier, outcome, base)
        for name, value in out["lambda"].items():
            score[f"log p + {name}"] = pool.own["log p"] + value * score[name]
        ranked = {name: packed(s, pool.right) for name, s in score.items()}
        best = {
            k: stats.best_at_k(s, pool.right, KS[-1]).mean() for k, s in score.items()
        }
        print(level, {k: round(float(v), 3) for k, v in best.items()}, flush=True)
        out.setdefault(level, {}).setdefault("ranked", {}).update(ranked)


def pools_of(model, task: str, sizes) -> dict[str, Pool]:
    """Draws of the validation problems and of both levels' test problems."""
    draws = sizes["draws"]
    tuning = load(f"{task}-easy", "validation", sizes["validation"])
    pools = {"validation": Pool(model, tuning, draws)}
    for level in LEVELS:
        pools[level] = Pool(
            model, load(f"{task}-{level}", "test", sizes["tests"]), draws
        )
    return pools


def record(model, base, seeds: int = 3, sizes=SIZES, keep=lambda found: None) -> dict:
    """Figure 8: for each task and seed, the draws' verdicts under each ranking.

    ``model`` and ``base`` are the same policy twice: one is trained. ``keep`` is called
    with what there is after each seed.
    """
    bases, out = {}, {"settings": sizes, "tasks": {}}
    for task in TASKS:
        pools = bases[task] = pools_of(base, task, sizes)
        xs = load(f"{task}-easy", "train", sizes["train"], 0)
        data = learn.draw_and_verify(base, xs, sizes["n"] * sizes["iterations"])[:2]
        beta, found = tuned_beta(base, (xs, *data), pools["validation"])
        out["tasks"][task] = {"beta": beta, "betas": found, "seeds": []}
        for level in LEVELS:
            out["tasks"][task][level] = fixed(base, pools[level]) | {
                "problems": [x.id for x in pools[level].xs]
            }
        print(task, "beta", found, flush=True)
    for seed in range(seeds):
        for task in TASKS:
            about = out["tasks"][task]
            row = one_seed(model, base, task, seed, about["beta"], bases[task], sizes)
            about["seeds"].append(row)
        keep(out)
    return out
