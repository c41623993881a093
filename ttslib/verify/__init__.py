"""Ver_x: Y → {0, 1}, as functions of (problem, answer) that return a Verdict."""

from .reading import read_answer
from .verdict import Verdict

__all__ = ["Verdict", "judge", "read_answer", "verify"]


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


def judge(problems, rows, read=lambda chain: chain.answer):
    """Ver_x of every chain: bool [problems, chains]; ``rows`` has a row a problem.

    A problem's equal answers are judged once. ``read`` finds the answer of a chain.
    """
    import numpy as np

    out = []
    for problem, chains in zip(problems, rows, strict=True):
        answers = [read(chain) for chain in chains]
        said = {answer: bool(verify(problem, answer)) for answer in set(answers)}
        out.append([said[answer] for answer in answers])
    return np.array(out)
