"""Test-time scaling, executed: one policy, one verifier, one compute axis.

Data flows down this list; a module knows only those above it.

problems, verify, store, decode, policy, guides, search, stats, claims, figures

Importing :mod:`ttslib` loads no torch; :func:`ttslib.policy.load` does.
"""

__version__ = "0.1.0"
