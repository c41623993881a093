"""Ver_x: Y → {0, 1}, as functions of (problem, answer) that return a Verdict.

``read_answer`` is the one reader of answers: for the verifiers, the vote, the chapters.
"""

from .answers import named_answer, read_answer, typed_answer
from .normalize import normal, number
from .verdict import Verdict

__all__ = [
    "Verdict",
    "judge",
    "named_answer",
    "normal",
    "number",
    "read_answer",
    "verify",
]


def verify(problem, answer: str) -> Verdict:
    """Judge ``answer`` by the verifier that ``problem`` names.

    An answer as the reader gives it, or as it is typed, dressed. It cannot raise: the
    empty one and the malformed one have *failed*.
    """
    return decide(problem, typed_answer(answer, problem.verifier))


def decide(problem, answer: str) -> Verdict:
    """The verdict on an answer that has been read."""
    from importlib import import_module

    name = problem.verifier
    if name not in ("mathematics", "countdown", "program", "choice"):
        raise ValueError(f"{problem.id}: its verifier {name!r} is unknown")
    if not answer.strip():
        return Verdict("failed", "there is no answer")
    return getattr(import_module(f".{name}", __name__), name)(problem, answer)


def judge(problems, rows):
    """Ver_x of every chain: bool [problems, chains]; ``rows`` has a row a problem.

    Chains are read as their problem is judged; its equal answers are judged once. Where
    problems have unlike numbers of chains, a list of arrays.
    """
    import numpy as np

    def read(problem, chains):
        return [read_answer(chain.full_text, problem.verifier) for chain in chains]

    def one(job):
        return bool(decide(problems[job[0]], job[1]))

    answers = [read(*row) for row in zip(problems, rows, strict=True)]
    jobs = list({(i, answer): None for i, row in enumerate(answers) for answer in row})
    each = map
    if any(problem.verifier == "program" for problem in problems):
        from .program import in_parallel as each  # on all cores
    verdicts = dict(zip(jobs, each(one, jobs)))
    out = [
        np.array([verdicts[i, answer] for answer in row], bool)
        for i, row in enumerate(answers)
    ]
    return np.array(out) if len({len(row) for row in out}) <= 1 else out
