"""Recorded run of chapter 10 at scale small: V-STaR with SmolLM2-135M on stories.

``python -m ttslib.tools.records.vstar_small`` writes data/runs/vstar_small.json. What
the store has is not drawn or trained again: a run that was killed goes on.
"""

import time

import numpy as np

from ... import learn
from ...problems import load
from ...search import ballot
from ...verify import judge

SIZES = dict(worked=64, train=80, tests=48, n=8, draws=8)
SAMPLING = dict(temperature=0.6, max_tokens=100)
TUNING = dict(epochs=3, lr=5e-4, batch_tokens=1024)
GENERATOR = dict(epochs=2, lr=5e-4, batch_tokens=1024)
VERIFIER = dict(epochs=2, lr=2e-4, batch_tokens=1024, beta=0.1)


def small(model, sizes=SIZES, seed: int = 0) -> dict:
    """SFT on a few worked stories, one iteration of V-STaR; for each generator its
    draws of the test problems, their verdicts, votes and scores.

    Verification is best of SFT's draws by the verifier, V-STaR of STaR's, Hosseini
    2024's bars. A row of ``answers`` holds the number of each draw's answer among its
    problem's, -1 for none; ``own`` and ``verifier`` are log p of whole chains.
    """
    test = load("story-easy", "test", sizes["tests"])
    stories = load("story-easy", "train", sizes["worked"] + sizes["train"])
    worked, asked = stories[: sizes["worked"]], stories[sizes["worked"] :]
    began, out = time.perf_counter(), {"settings": sizes | SAMPLING}
    out["settings"] |= dict(SFT=TUNING, STaR=GENERATOR, verifier=VERIFIER)
    sampling = SAMPLING | dict(seed=seed)

    def say(*what):
        print(f"{time.perf_counter() - began:6.0f} s", *what, flush=True)

    def draws(policy):
        rows = []
        for i in range(0, len(test), 10):  # a log's worth
            rows += policy.sample(test[i : i + 10], sizes["draws"], **sampling)
            say(len(rows), "of", len(test), "test problems")
        right = judge(test, rows)
        say(f"{right.mean():.1%} right")
        return rows, right

    model.attach(r=8)
    model.fit([(x, x.chain) for x in worked], seed=seed, **TUNING)
    base = model.merge()  # SFT: where generator and verifier begin
    say("SFT")
    rows = {"SFT": draws(base)}
    told = learn.draw_and_verify(base, asked, sizes["n"], seed=seed + 1, **SAMPLING)
    say("training draws", told[2])
    base.attach(r=8, seed=seed)
    q = learn.e_step(asked, *told[:2], learn.capped(4))
    ledger = told[2] | learn.m_step(base, q, seed=seed, **GENERATOR)
    say("STaR", ledger)
    rows["STaR"] = draws(base)
    pairs = learn.pairs(asked, *told[:2])
    base.attach(name="verifier", r=8, seed=seed)
    losses = learn.dpo(base, pairs, seed=seed, **VERIFIER)
    out["verifier"] = {"pairs": len(pairs), "losses": np.round(losses, 4).tolist()}
    out["verifier"]["problems"] = len({x.id for x, *_ in pairs})
    say("verifier", out["verifier"])
    verifier = base.merge()
    base.switch(None)
    out["generator"], out["problems"] = ledger, [x.id for x in test]
    for name, (drawn, right) in rows.items():
        flat = [(x, c) for x, row in zip(test, drawn) for c in row]
        scores = {"verifier": learn.loglikelihood(verifier, *zip(*flat))}
        if name != "SFT":
            scores["reference"] = learn.loglikelihood(base, *zip(*flat))
        scores["own"] = np.array([c.logprob for _, c in flat])
        out[name] = {k: grid(v, right).tolist() for k, v in scores.items()}
        out[name]["right"] = right.astype(int).tolist()
        out[name]["answers"] = [numbered(row) for row in drawn]
        out[name]["tokens"] = sum(len(c.tokens) for _, c in flat)
        say(name, summary(out[name]))
    return out


def grid(values, like) -> np.ndarray:
    """``values`` [chains] as [problems, draws], three decimals."""
    return np.round(np.asarray(values, float).reshape(np.shape(like)), 3)


def numbered(row) -> list[int]:
    """Which of the row's answers each chain has; -1 where it has none."""
    names: dict = {"": -1}
    return [names.setdefault(ballot(c.answer) or "", len(names) - 1) for c in row]


def summary(found) -> dict[str, float]:
    """pass@1, coverage, best of all by each score, %."""
    right = np.array(found["right"], bool)
    out = {"pass@1": right.mean(), "any": right.any(1).mean()}
    for name in ("own", "verifier"):
        best = np.argmax(found[name], 1)[:, None]
        out[name] = np.take_along_axis(right, best, 1).mean()
    return {name: round(100 * float(value), 1) for name, value in out.items()}
