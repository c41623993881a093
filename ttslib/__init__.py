"""Test-time scaling, executed: one policy, one verifier, one compute axis.

The talk as rooms, in the order that data flows; a room knows only those before it
(:mod:`tests.test_rooms` holds the list):

problems, verify, chain, stats, policy, guides, search, learn, claims, figures,
exercises, tools

Importing :mod:`ttslib` loads no torch; :func:`ttslib.policy.load` does.
"""

__version__ = "0.1.0"
