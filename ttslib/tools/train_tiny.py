"""Train the embedded base policy from scratch: ``make model``.

A Llama-architecture model of about a million parameters with one KV head, on the four
embedded problem kinds. Like web text, the mixture has faulty chains, bare answers and
a few that outline, check themselves or turn back: the base policy knows more than it
says at first, which is what search and learning have to bring out. A few examples are
second attempts at a story. Loss is taken on the chain only.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

from ..problems import countdown, plans, program, science, splits, story
from ..problems.planted import AGAIN, BACK, FAULTY, MIXTURE, attempt, retold

HOME = Path(__file__).resolve().parents[2] / "data" / "models" / "tiny"
# A word, a digit or a sign, with the space before it: decoding is concatenation.
PATTERN = r"\n|    | ?[A-Za-z]+| ?\d| ?[^\sA-Za-z\d]"
CONTEXT = 2048
# The tokens in the order of their ids: what the generated problems hold, and the words
# in which later chapters write verdicts, values, second attempts and streams of search.
VOCABULARY = HOME.parent / "vocabulary.json"


def make_story(rng: random.Random, level: str) -> tuple[str, str, str]:
    key, p = story.make(rng, level)
    return key, p["prompt"], attempt(rng, p["data"]["plan"])


def make_second(rng: random.Random, level: str) -> tuple[str, str, str]:
    key, p = story.make(rng, level)
    first, second = retold(rng, p)
    return key, f"{p['prompt']}{first}\n{AGAIN}", second


def make_countdown(rng: random.Random) -> tuple[str, str, str]:
    key, p = countdown.make(rng)
    numbers, chain = p["data"]["numbers"], p["chain"]
    draw = rng.random()
    if draw < FAULTY:
        moves, expression, _ = countdown.play(rng, numbers)
        chain = countdown.write(moves, expression)
    elif draw < FAULTY + BACK:
        moves, expression, _ = countdown.play(rng, numbers)
        tried = countdown.write(moves, expression).splitlines()[: rng.randint(1, 2)]
        chain = "\n".join(tried) + "\nGo back.\n" + chain
    return key, p["prompt"], chain


def make_program(rng: random.Random, level: str) -> tuple[str, str, str]:
    key, p = program.make(rng, level)
    names, first = p["data"]["names"], p["data"]["tests"][0][0][0]
    chain = p["chain"]
    if rng.random() < FAULTY:
        other = list(program.SCALARS if names[-1] in program.SCALARS else program.LISTS)
        chain = program.write(names[:-1] + (rng.choice(other),), first)
    return key, p["prompt"], chain


def make_science(rng: random.Random) -> tuple[str, str, str]:
    key, p = science.make(rng)
    chain = p["chain"]
    if rng.random() < FAULTY:  # another operation or the other unit
        a, op, b = p["data"]["sum"]
        unit, other = p["data"]["units"]
        if rng.random() < 0.5:
            op = rng.choice([o for o in "+-*/" if o != op])
        else:
            unit = other
        answer = f"{plans.OPERATIONS[op](a, b)} {unit}"
        asked, formula = p["data"]["formula"]
        chain = science.write(asked, formula, f"{a} {op} {b} = {answer}", answer)
    return key, p["prompt"], chain


MAKE = {
    "story-easy": lambda rng: make_story(rng, "easy"),
    "story-hard": lambda rng: make_story(rng, "hard"),
    "countdown": make_countdown,
    "program-easy": lambda rng: make_program(rng, "easy"),
    "program-hard": lambda rng: make_program(rng, "hard"),
    "science": make_science,
    "second-easy": lambda rng: make_second(rng, "easy"),
    "second-hard": lambda rng: make_second(rng, "hard"),
}


def examples(n: int, seed: int) -> list[tuple[str, str]]:
    """``n`` (prompt, chain) pairs of the train split, with repetition."""
    rng = random.Random(seed)
    out = []
    while len(out) < n:
        name = rng.choices(list(MIXTURE), list(MIXTURE.values()))[0]
        key, prompt, chain = MAKE[name](rng)
        if splits.split_of(key) == "train":
            out.append((prompt, chain))
    return out


def make_tokenizer():
    """A word-level tokenizer over the fixed list of VOCABULARY."""
    from tokenizers import Regex, Tokenizer, decoders, models, processors
    from tokenizers import pre_tokenizers as pre
    from transformers import PreTrainedTokenizerFast

    tokens = sum(json.loads(VOCABULARY.read_text(encoding="utf-8")).values(), [])
    ids = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre.Split(Regex(PATTERN), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", ids["<bos>"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<eos>",
        unk_token="<unk>",
        clean_up_tokenization_spaces=False,
        model_max_length=CONTEXT,
    )


def make_model(tokenizer, seed: int):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=128,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=1,
            intermediate_size=512,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def make_optimizers(model, lr: float) -> list:
    """Muon for the layers' matrices, AdamW for embeddings and norms.

    In a trial of 30,000 examples Muon came to loss 1.01 where AdamW came to 1.27.
    """
    import torch

    named = list(model.named_parameters())
    inner = [p for name, p in named if p.ndim == 2 and ".layers." in name]
    other = [p for name, p in named if p.ndim != 2 or ".layers." not in name]
    return [
        torch.optim.Muon(
            inner,
            lr=lr,
            momentum=0.95,
            weight_decay=0.01,
            adjust_lr_fn="match_rms_adamw",
        ),
        torch.optim.AdamW(other, lr=lr, betas=(0.9, 0.95), weight_decay=0.01),
    ]


def batches(lengths: list[int], size: int, rng: random.Random) -> list[list[int]]:
    """Indices in batches of about ``size`` tokens, rows of like length together."""
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], rng.random()))
    out, batch = [], []
    for i in order:
        if batch and (len(batch) + 1) * lengths[i] > size:
            out.append(batch)
            batch = []
        batch.append(i)
    out.append(batch)
    rng.shuffle(out)
    return out


def train(n: int, seed: int, size: int, lr: float):
    """(model, tokenizer, provenance) after one pass over ``n`` examples."""
    import torch

    pairs = examples(n, seed)
    tokenizer = make_tokenizer()
    eos, bos = tokenizer.eos_token_id, tokenizer.bos_token_id
    prompts = tokenizer([p for p, _ in pairs], add_special_tokens=False)["input_ids"]
    chains = tokenizer([c for _, c in pairs], add_special_tokens=False)["input_ids"]
    rows = [[bos, *p, *c, eos] for p, c in zip(prompts, chains)]
    order = batches([len(r) for r in rows], size, random.Random(seed))
    model = make_model(tokenizer, seed).train()
    optimizers = make_optimizers(model, lr)
    started, mean = time.time(), 0.0
    for step, batch in enumerate(order):
        longest = max(len(rows[i]) for i in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        labels = torch.full_like(ids, -100)
        for row, i in enumerate(batch):
            ids[row, : len(rows[i])] = torch.tensor(rows[i])
            labels[row, 1 + len(prompts[i]) : len(rows[i])] = torch.tensor(
                rows[i][1 + len(prompts[i]) :]
            )
        done = step / len(order)
        rate = min(1, step / 100) * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = lr * rate
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        mean += (loss.item() - mean) * (1 if step == 0 else 0.02)
        if step % 100 == 0:
            minutes = (time.time() - started) / 60
            print(f"{step}/{len(order)} loss {mean:.3f}, {minutes:.1f} min", flush=True)
    about = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "examples": n,
        "tokens": sum(map(len, rows)),
        "seed": seed,
        "batch_tokens": size,
        "learning_rate": lr,
        "steps": len(order),
        "final_loss": round(mean, 4),
        "minutes": round((time.time() - started) / 60, 1),
        "threads": torch.get_num_threads(),
    }
    return model.eval(), tokenizer, about


def accuracies(folder: Path, n_problems: int = 200, n: int = 64) -> list[tuple]:
    """(set, pass@1 and pass@n with their 95 % intervals) on the test split."""
    from ttslib import policy, stats
    from ttslib.problems import EMBEDDED, load
    from ttslib.verify import judge

    model, out = policy.load(folder), []
    for name in EMBEDDED:
        problems = load(name, "test", n_problems)
        right = judge(problems, model.sample(problems, n, seed=1, fresh=True))
        solved = stats.pass_at_k(n, right.sum(1)[:, None], [1, n])
        out.append((name, *zip(*stats.shares(solved))))
    return out


CARD = """# The embedded base policy

A Llama-architecture model of {parameters:,} parameters (hidden {hidden_size},
{num_hidden_layers} layers, {num_attention_heads} heads, one KV head, a context of
{max_position_embeddings:,} tokens), with a tokenizer of words and single digits
(`../vocabulary.json`: also the words that later chapters need and that no example has),
trained from scratch on the generated problems of `ttslib.problems` (train split). It
serves this course and knows nothing else.

**Data.** {examples:,} examples, {tokens:,} tokens, one pass; loss on the chain only.
The mixture has faults, as web text has: slips and wrong operators that are carried on,
bare and abridged answers, shared misreadings; a few percent of its stories outline,
check or turn back. Some examples are second attempts: a story, a first attempt, the
line `Check the work.`, another attempt. `MIXTURE`, `STORY`, `MISREAD`, `FAULTY`,
`BACK`, `KEPT` and `MENDED` in ttslib/tools/train_tiny.py give the shares; chapter 00
shows them.

**Command.** `make model`: seed {seed}, {steps:,} steps of {batch_tokens:,} tokens,
learning rate {learning_rate:g}, Muon and AdamW; {minutes:g} minutes, torch threads:
{threads}; final loss {final_loss:g}.

**Accuracy** on held-out problems at temperature 1, {n_problems} problems × 64 samples,
with 95 % intervals over problems:

| set | pass@1 | pass@64 |
| --- | --- | --- |
{rows}

MIT licence, as the code.
"""


def write_card(folder: Path, about: dict, n_problems: int = 200):
    """README.md of the model: how it was made and what it can do."""

    def percent(found) -> str:
        return "{:.1f} % ({:.1f} to {:.1f})".format(*(100 * float(x) for x in found))

    found = accuracies(folder, n_problems)
    rows = [f"| {name} | {percent(a)} | {percent(b)} |" for name, a, b in found]
    config = json.loads((folder / "config.json").read_text())
    fields = config | about | {"n_problems": n_problems, "rows": "\n".join(rows)}
    (folder / "README.md").write_text(CARD.format(**fields))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch-tokens", type=int, default=2_500)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--out", type=Path, default=HOME)
    args = parser.parse_args()
    model, tokenizer, about = train(
        args.examples, args.seed, args.batch_tokens, args.lr
    )
    model.save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)
    write_card(args.out, about)
    print(about)


if __name__ == "__main__":
    main()
