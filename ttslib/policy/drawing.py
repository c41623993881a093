"""One token from logits: temperature, nucleus, inverse CDF."""

import torch


def nucleus(p: torch.Tensor, top_p: float) -> torch.Tensor:
    """``p`` [rows, vocabulary] with all but the smallest set of mass top_p at 0."""
    k = min(p.shape[-1], 1024)
    top = p.topk(k).values
    if k < p.shape[-1] and bool((top.sum(-1) < top_p).any()):
        top = p.sort(-1, descending=True).values
    kept = (top.cumsum(-1) - top < top_p).sum(-1, keepdim=True)
    return p.masked_fill(p < top.gather(-1, kept - 1), 0)


def draw(logits: torch.Tensor, u: torch.Tensor, temperature=1.0, top_p=1.0):
    """(token, log p at temperature 1) of each row by inverse CDF at ``u`` [rows]."""
    logits = logits.float()
    logp = torch.log_softmax(logits, -1)
    if temperature == 0:
        token = logp.argmax(-1)
    else:
        p = logp.exp() if temperature == 1 else (logits / temperature).softmax(-1)
        cdf = (nucleus(p, top_p) if top_p < 1 else p).cumsum(-1)
        token = torch.searchsorted(cdf, (u * cdf[:, -1])[:, None], right=True)[:, 0]
        token = token.clamp_max(p.shape[-1] - 1)  # of NaN logits; the caller raises
    return token, logp.gather(-1, token[:, None])[:, 0]
