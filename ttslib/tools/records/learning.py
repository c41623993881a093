"""Recorded runs of chapters 03, 05 and 06: coverage, variants, policy gradients.

Chapter 03 at scale small (samples of SmolLM2-135M-Instruct on stories and on GSM8K's
test questions, by hub id or from TTS_DATA); chapter 05 at scale small; chapter 05's
table and chapter 06's runs over several seeds.
"""

import time
from dataclasses import replace

from ...problems import load
from ...verify import judge, named_answer
from ..chapters import ROOT

RUNS = ROOT / "data" / "runs"
SETS = {"story-easy": 60, "gsm8k": 48}  # the first problems of each test split


def shown(problem, worked):
    """``problem`` behind worked examples, so that most chains name their answer."""
    text = "".join(
        f"Problem: {w.prompt.strip()}\nSolution:\n{w.chain}\n\n" for w in worked
    )
    text += f"Problem: {problem.prompt.strip()}\nSolution:\n"
    return replace(problem, prompt=text)


def coverage(model, sets: dict[str, int], n: int, **sampling) -> dict:
    """Which of ``n`` samples of each problem are right, and which name their answer.

    The problems stand behind four worked stories, as plain text: in its chat template
    the model took up the examples in half of its chains only.
    """
    model.tokenizer.chat_template = None
    worked, out = load("story-easy", "train", 4), {}
    for name, count in sets.items():
        problems = [shown(x, worked) for x in load(name, "test", count)]
        rows, began = [], time.perf_counter()
        for problem in problems:  # one at a time: a killed run loses one at most
            rows += model.sample([problem], n, **sampling)
            print(f"{name}: {len(rows)} of {count}", flush=True)
        named = [
            [int(bool(named_answer(chain.text, x.verifier))) for chain in row]
            for x, row in zip(problems, rows)
        ]
        out[name] = {
            "problems": [problem.id for problem in problems],
            "right": judge(problems, rows).astype(int).tolist(),
            "named": named,
            "tokens": sum(len(c.tokens) for row in rows for c in row),
            "finished": sum(c.finished for row in rows for c in row),
            "seconds": round(time.perf_counter() - began),
        }
    return out


def small_em(model, count: int = 60, n: int = 16, seed: int = 0) -> dict:
    """Supervised tuning on a few worked stories, then one iteration of ReST-EM."""
    from ttslib import learn

    sampling = {"temperature": 0.6, "max_tokens": 100}
    test = load("story-easy", "test", count)
    worked, asked = (
        load("story-easy", "train", 64),
        load("story-easy", "train", 160)[64:],
    )
    began, out = time.perf_counter(), {}

    def measure(name, policy, **more):
        rows = policy.sample(test, n, seed=seed, **sampling)
        right = judge(test, rows).astype(int).tolist()
        tokens = sum(len(c.tokens) for row in rows for c in row)
        seconds = round(time.perf_counter() - began)
        out[name] = {"right": right, "tokens": tokens, "seconds": seconds} | more
        print(name, sum(map(sum, right)) / n / count, out[name]["seconds"], flush=True)

    model.attach(r=8)
    training = dict(epochs=3, lr=5e-4, batch_tokens=1024, seed=seed)
    model.fit([(x, x.chain) for x in worked], **training)
    tuned = model.merge()  # the base of what follows
    measure("SFT", tuned, examples=len(worked))
    training = dict(epochs=2, lr=5e-4, batch_tokens=1024)
    (spent,) = learn.guess_and_check(
        tuned,
        asked,
        8,
        keep=learn.capped(4),
        iterations=1,
        sampling=sampling,
        seed=seed + 1,
        **training,
    )
    measure("ReST-EM, iteration 1", tuned, ledger=spent)
    return out


def passed(model, test, drawn: int, **sampling) -> list[int]:
    """How many of ``drawn`` draws of each test problem are right."""
    return judge(test, model.sample(test, drawn, seed=99, **sampling)).sum(1).tolist()


def table(
    model,
    name: str,
    seeds: int,
    *,
    count=160,
    n=8,
    budget=48_000,
    tests=120,
    drawn=32,
    hinted=500,
) -> dict:
    """Every variant of chapter 05 on ``name``: for each seed how many of ``drawn``
    draws of each test problem are right.

    A variant learns from ``count`` training problems of its seed, 2 ``n`` draws each,
    and trains on ``budget`` tokens; how to use a hint is learned once for all seeds, on
    ``hinted`` other problems.
    """
    from ttslib import learn

    test, corpus = load(name, "test", tests), load(name, "train", hinted, seed=77)

    def measure():
        return passed(model, test, drawn, top_p=0.95)

    model.switch(None)
    out: dict = {"base": [{"right": measure()}]}
    for seed in range(seeds):
        asked = load(name, "train", count, seed=seed)
        for variant, options in learn.variants(n, corpus).items():
            began = time.perf_counter()
            spent = list(
                learn.guess_and_check(
                    model, asked, seed=seed, budget=budget, lr=2e-3, **options
                )
            )
            row = {"seed": seed, "right": measure(), "ledgers": spent}
            out.setdefault(variant, []).append(row)
            took = f"{sum(row['right'])} right, {time.perf_counter() - began:.0f} s"
            print(name, seed, variant, took, flush=True)
    sizes = {"drawn": drawn, "problems": count, "tests": tests, "n": n}
    return sizes | {"budget": budget, "hinted": hinted, "variants": out}


def reinforce(model, name: str, seeds: int, *, count=100, drawn=16) -> dict:
    """Chapter 06's online methods, and its tuning on worked chains, on ``name``: for
    each seed how many of ``drawn`` draws of each test problem are right.
    """
    from ttslib import learn

    settings = dict(steps=12, n=8, batch=12, lr=2e-3)
    test = load(name, "test", count)

    def measure():
        return passed(model, test, drawn)

    model.switch(None)
    out: dict = {"base": [{"right": measure()}]}
    for seed in range(seeds):
        asked = load(name, "train", 2000, seed=seed)
        for method in learn.METHODS:
            options = settings | dict(epochs=2 if method == "PPO" else 1, seed=seed)
            steps = learn.policy_gradient(model, asked, method, **options)
            rewards = [step["rewards"] for step in steps if step["asked"]]
            row = {"seed": seed, "right": measure(), "rewards": rewards}
            row["tokens"] = sum(step["tokens"] for step in steps)
            out.setdefault(method, []).append(row)
            print(name, seed, method, sum(row["right"]), "right", flush=True)
        worked = asked[: settings["steps"] * settings["batch"]]
        model.attach(seed=seed)
        model.fit([(x, x.chain) for x in worked], epochs=4, lr=2e-3, seed=seed)
        row = {"seed": seed, "right": measure()}
        out.setdefault("worked chains", []).append(row)
        print(name, seed, "worked chains", sum(row["right"]), "right", flush=True)
    return {"drawn": drawn, "settings": settings, "methods": out}
