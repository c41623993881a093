"""Ver_x: Y → {0, 1}, as functions of (problem, answer) that return a Verdict."""

from .verdict import Verdict

__all__ = ["Verdict", "verify"]


def verify(problem, answer: str) -> Verdict:
    """Judge ``answer`` by the verifier that ``problem`` names.

    An answer cannot raise: the empty one and the malformed one have *failed*.
    """
    from importlib import import_module

    name = problem.verifier
    if name not in ("mathematics", "countdown", "program", "choice"):
        raise ValueError(f"{problem.id}: its verifier {name!r} is unknown")
    if not answer.strip():
        return Verdict("failed", "there is no answer")
    return getattr(import_module(f".{name}", __name__), name)(problem, answer)
