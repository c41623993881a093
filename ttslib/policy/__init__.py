"""p(y, z | x; θ): policies that draw chains, score them and can be tuned.

A search or a guide needs three things of a policy: ``sample`` (n chains from a prompt
or a prefix), ``extend`` (one step further) and ``logprob``. A language model has them
(:func:`load`), and so has :class:`Enumerable`, a finite tree whose probabilities are
known. What is drawn or trained once is kept (:mod:`ttslib.policy.engine.store`).

torch is loaded by the first use of a name that needs it, not by the import.
"""

from importlib import import_module

from ..chain import Chain
from .enumerable import Enumerable, baskets, classroom

NEEDS_TORCH = {
    "Trainer": "training",
    "Engine": "engine.decode",
    "Policy": "tuning",
    "SCALES": "loading",
    "TINY": "loading",
    "draw": "drawing",
    "load": "loading",
    "nucleus": "drawing",
}
__all__ = ["Chain", "Enumerable", "baskets", "classroom", *NEEDS_TORCH]


def __getattr__(name: str):
    if name not in NEEDS_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{NEEDS_TORCH[name]}", __name__), name)
