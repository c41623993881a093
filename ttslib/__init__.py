"""Test-time scaling, executed: one policy, one verifier, one compute axis.

The talk as rooms, in the order that data flows; a room knows only those before it
(:mod:`tests.test_rooms` holds the list):

problems, verify, chain, stats, policy, guides, search, learn, claims, figures,
exercises, tools

Importing :mod:`ttslib` loads no torch; :func:`ttslib.policy.load` does.
"""

__version__ = "0.1.0"


# Where modules that stood here before there were rooms have gone: notebooks name them.
MOVED = {
    "decode": "policy.engine.decode",
    "enumerable": "policy.enumerable",
    "reinforce": "learn.reinforce",
    "store": "policy.engine.store",
}


def __getattr__(name: str):
    from importlib import import_module

    if name not in MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f".{MOVED[name]}", __name__)
