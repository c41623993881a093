"""p(y, z | x; θ): policies that draw chains, score them and can be tuned.

A search or a guide sees a policy through :class:`PolicyProtocol`: draw n chains, extend
chains by one step, give log-probabilities. :func:`load` returns a language model that
satisfies it: :class:`Policy`, whose LoRA adapters can be trained. :class:`Enumerable`,
a finite tree with known probabilities, satisfies it too. The store keeps what was drawn
or trained (:mod:`ttslib.policy.engine.store`).

The first use of a name that needs torch loads torch; the import does not.
"""

from importlib import import_module

from ..chain import Chain
from .enumerable import Enumerable
from .protocol import PolicyProtocol
from .pupils import baskets, classroom

LAZY = {
    "Trainer": "training",
    "Engine": "engine.decode",
    "Policy": "tuning",
    "SCALES": "loading",
    "TINY": "loading",
    "draw": "drawing",
    "load": "loading",
    "nucleus": "drawing",
}
__all__ = [
    "Chain",
    "Enumerable",
    "PolicyProtocol",
    "baskets",
    "classroom",
    *LAZY,
]


def __getattr__(name: str):
    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{LAZY[name]}", __name__), name)
