"""log p of many completions; a prompt that several of them share is read once."""

import numpy as np
import torch
from transformers.cache_utils import DynamicCache

from .engine.decode import UNFIT, is_oom, quantized, vocabulary_of


def logprobs_by_prompt(model, rows, size: int):
    """Yield (indices, log p of each tail [len(tail)]) of ``rows`` of (ids, tail).

    Prompts of one length are read together, then their completions of any length. A
    batch has at most ``size`` tokens, and the prompts' cached tokens count.
    """
    lengths: dict = {}
    for i, (ids, _) in enumerate(rows):
        lengths.setdefault(len(ids), {}).setdefault(ids, []).append(i)
    for length, groups in lengths.items():
        prompts, many = list(groups), max(1, size // length)
        for part in (prompts[at : at + many] for at in range(0, len(prompts), many)):
            kv = prompt_kv(model, part)
            of = [(p, i) for p, ids in enumerate(part) for i in groups[ids]]
            for batch in buckets([length + len(rows[i][1]) for _, i in of], size):
                begun, batch = zip(*[of[j] for j in batch])
                some = [(rows[i][0][-1:], rows[i][1]) for i in batch]
                cache = cache_of(kv, begun)
                yield batch, completion_logprobs(model, some, cache)


def prompt_kv(model, prompts) -> list[tuple]:
    """(keys, values) of each layer for all but the last token of the prompts."""
    cache, ids = DynamicCache(), torch.tensor(prompts)[:, :-1]
    if ids.shape[1]:
        ids = ids.to(model.device)  # no logits are needed
        model.base_model(input_ids=ids, cache=cache, use_cache=True)
    return [(layer.keys, layer.values) for layer in cache.layers]


def cache_of(kv: list[tuple], rows) -> DynamicCache:
    """A cache whose row i begins with row ``rows[i]`` of ``kv``."""
    rows = list(rows)
    return DynamicCache([(keys[rows], values[rows]) for keys, values in kv])


def completion_logprobs(model, rows, cache=None) -> list[torch.Tensor]:
    """log p [len(tail)] of each row's tail after ``cache`` and the row's ids.

    The model's own forward computes the logits, as some models scale or cap them.
    """
    width = max(len(ids) + len(tail) for ids, tail in rows)
    tokens = torch.zeros(len(rows), width, dtype=torch.long)
    for row, (ids, tail) in zip(tokens, rows):
        row[: len(ids) + len(tail)] = torch.tensor(ids + tail)
    tokens = tokens.to(model.device)
    # The model computes logits only from the first column that a row needs, and for
    # one column at least. Padding is on the right, where no token attends to it.
    first = min(len(ids) for ids, _ in rows) - 1
    some = torch.arange(first, max(first + 1, width - 1), device=tokens.device)
    kept = dict(cache=cache) if cache else {}  # an empty one is none
    read = model(input_ids=tokens, use_cache=bool(kept), logits_to_keep=some, **kept)
    out = []
    for row, logits, (ids, tail) in zip(tokens, read.logits, rows):
        at = len(ids) - 1 - first
        logp = logits[at : at + len(tail)].float().log_softmax(-1)
        target = row[len(ids) : len(ids) + len(tail), None]
        out.append(logp.gather(-1, target)[:, 0])
    return out


@torch.inference_mode()
def next_token_logprobs(model, rows, wanted, size: int = 8192) -> np.ndarray:
    """log p of the tokens ``wanted[i]`` [n] next after ``rows[i]``: [rows, n]."""
    out = np.zeros((len(rows), len(wanted[0])))
    for batch in buckets([len(row) for row in rows], size):
        last = torch.tensor([len(rows[i]) - 1 for i in batch])
        tokens = torch.zeros(len(batch), int(last.max()) + 1, dtype=torch.long)
        for padded, i in zip(tokens, batch):
            padded[: len(rows[i])] = torch.tensor(rows[i])
        some, at = last.unique(return_inverse=True)  # the columns that a row needs
        logits = model(
            input_ids=tokens.to(model.device),
            use_cache=False,
            logits_to_keep=some.to(model.device),
        ).logits
        logp = logits[torch.arange(len(batch)), at.to(model.device)].float()
        asked = torch.tensor([wanted[i] for i in batch], device=model.device)
        out[batch] = logp.log_softmax(-1).gather(-1, asked).cpu().numpy()
    return out


@torch.inference_mode()
def can_share_prompt(model) -> bool:
    """Measure whether ``model`` gives the same log p where a prompt is read once.

    Some models cannot go on from a cache in the middle of a text.
    """
    size = vocabulary_of(model)
    text = tuple((7 * i + 3) % size for i in range(12))
    rows = [(text[:5], text[5:]), (text[:5], text[6:9])]
    exact = model.dtype == torch.float32 and not quantized(model)
    try:
        found = dict(zip(*next(logprobs_by_prompt(model, rows, 1000))))
    except UNFIT as error:
        if isinstance(error, RuntimeError) and is_oom(error):
            raise
        return False
    alone = completion_logprobs(model, rows)
    off = [(p - found[i]).abs().max() for i, p in enumerate(alone)]
    return max(off).item() < (1e-3 if exact else 0.2)


def buckets(lengths: list[int], size: int, rng=None) -> list[list[int]]:
    """Indices in batches of at most ``size`` tokens with padding, longest first.

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
