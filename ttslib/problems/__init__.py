"""x: the problems, how a chain of thought is written, and how it is read.

Embedded sets are generated and seeded; public ones come by hub id or from the
folder that ``TTS_DATA`` names. Both are lists of :class:`Problem`.
"""

from dataclasses import dataclass, field
from typing import Any, Mapping

from .behaviours import behaviours
from .plans import solve

__all__ = ["EMBEDDED", "Problem", "behaviours", "load", "solve"]


@dataclass(frozen=True)
class Problem:
    """One problem specification x.

    ``verifier`` names the function of :mod:`ttslib.verify` that judges an answer:
    ``mathematics``, ``countdown``, ``program`` or ``choice``. ``gold`` is the
    reference answer y, ``data`` what the verifier needs beyond it (tests, options,
    numbers), ``chain`` one reference chain with its answer, if there is one.
    """

    id: str
    kind: str
    prompt: str
    gold: str
    verifier: str
    data: Mapping[str, Any] = field(default_factory=dict)
    chain: str = ""

    @classmethod
    def of(cls, problem: "Problem | str") -> "Problem":
        """``problem`` itself, or a bare prompt as one that no verifier judges."""
        if not isinstance(problem, str):
            return problem
        return cls(f"prompt {problem[:40]!r}", "", problem, "", "")


EMBEDDED = (
    "story-easy",
    "story-hard",
    "countdown",
    "program-easy",
    "program-hard",
    "science",
)


def load(name: str, split: str = "test", n: int = 100, seed: int = 0) -> list[Problem]:
    """``n`` problems of a set: one of EMBEDDED, or of ``public.SETS``.

    The splits (train, validation, test) of an embedded set never overlap, whatever
    the seed. ValueError if the set or the split is unknown or too small; ``seed``
    does not matter to a public set, whose first ``n`` are taken.
    """
    from . import countdown, program, public, science, story

    if name in public.SETS:
        return public.load(name, split, n)
    if name not in EMBEDDED:
        known = ", ".join([*EMBEDDED, *public.SETS])
        raise ValueError(f"problem set {name!r} is unknown: must be one of {known}")
    kind, _, level = name.partition("-")
    module = {
        "story": story,
        "countdown": countdown,
        "program": program,
        "science": science,
    }[kind]
    return module.load(split, n, seed, **({"level": level} if level else {}))
