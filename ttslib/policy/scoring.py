"""log p of many completions, a prompt that several share being read once."""

import torch
from transformers.cache_utils import DynamicCache

from .engine.decode import UNFIT, is_oom, quantized


def shared(model, rows, size: int):
    """Yield (indices, log p of each tail) of ``rows`` of (ids, tail).

    As ``model`` says of ids + tail. Prompts of one length are read together, then all
    that follows them, whatever its length: at most ``size`` tokens a batch, which count
    those that are looked back at too.
    """
    lengths: dict = {}
    for i, (ids, _) in enumerate(rows):
        lengths.setdefault(len(ids), {}).setdefault(ids, []).append(i)
    for length, groups in lengths.items():
        prompts, many = list(groups), max(1, size // length)
        for part in (prompts[at : at + many] for at in range(0, len(prompts), many)):
            kv = read(model, part)
            of = [(p, i) for p, ids in enumerate(part) for i in groups[ids]]
            for batch in buckets([length + len(rows[i][1]) for _, i in of], size):
                begun, batch = zip(*[of[j] for j in batch])
                some = [(rows[i][0][-1:], rows[i][1]) for i in batch]
                yield batch, tails(model, some, picked(kv, begun))


def read(model, prompts) -> list[tuple]:
    """Keys and values of each layer, of all but the last token of the prompts."""
    cache, ids = DynamicCache(), torch.tensor(prompts)[:, :-1]
    if ids.shape[1]:
        ids = ids.to(model.device)  # no logits are needed
        model.base_model(input_ids=ids, cache=cache, use_cache=True)
    return [(layer.keys, layer.values) for layer in cache.layers]


def picked(kv: list[tuple], rows) -> DynamicCache:
    """A cache that begins with these rows of ``kv``."""
    rows = list(rows)
    return DynamicCache([(keys[rows], values[rows]) for keys, values in kv])


def tails(model, rows, cache=None) -> list[torch.Tensor]:
    """log p [len(tail)] of each row's tail after its ids, and what ``cache`` holds.

    By the model's own forward, head included: some scale or cap their logits.
    """
    width = max(len(ids) + len(tail) for ids, tail in rows)
    tokens = torch.zeros(len(rows), width, dtype=torch.long)
    for row, (ids, tail) in zip(tokens, rows):
        row[: len(ids) + len(tail)] = torch.tensor(ids + tail)
    tokens = tokens.to(model.device)
    # Logits from the first that any row needs on; the model turns one column at
    # least into logits. Padding is on the right, where it does not look.
    first = min(len(ids) for ids, _ in rows) - 1
    some = torch.arange(first, max(first + 1, width - 1), device=tokens.device)
    kept = dict(cache=cache) if cache else {}  # an empty one is none
    said = model(input_ids=tokens, use_cache=bool(kept), logits_to_keep=some, **kept)
    out = []
    for row, line, (ids, tail) in zip(tokens, said.logits, rows):
        at = len(ids) - 1 - first
        logp = line[at : at + len(tail)].float().log_softmax(-1)
        target = row[len(ids) : len(ids) + len(tail), None]
        out.append(logp.gather(-1, target)[:, 0])
    return out


@torch.inference_mode()
def shares_prompt(model) -> bool:
    """Does ``model`` say the same where a prompt is read once? Measured.

    Not all can be left and come back to in the middle of a text.
    """
    size = model.get_output_embeddings().weight.shape[0]
    text = tuple((7 * i + 3) % size for i in range(12))
    rows = [(text[:5], text[5:]), (text[:5], text[6:9])]
    exact = model.dtype == torch.float32 and not quantized(model)
    try:
        found = dict(zip(*next(shared(model, rows, 1000))))
    except UNFIT as error:
        if isinstance(error, RuntimeError) and is_oom(error):
            raise
        return False
    off = [(p - found[i]).abs().max() for i, p in enumerate(tails(model, rows))]
    return max(off).item() < (1e-3 if exact else 0.2)


def buckets(lengths: list[int], size: int, rng=None) -> list[list[int]]:
    """Indices in batches of at most ``size`` tokens, padding included, long first.

    ``rng`` shuffles rows of the same length.
    """
    order = sorted(
        range(len(lengths)), key=lambda i: (-lengths[i], rng.random() if rng else i)
    )
    out, batch = [], []
    for i in order:
        if batch and (len(batch) + 1) * lengths[batch[0]] > size:
            out.append(batch)
            batch = []
        batch.append(i)
    return out + [batch] if batch else out
