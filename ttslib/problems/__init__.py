"""x: the problems, how a chain of thought is written, and how it is read.

Embedded sets are generated and seeded; public ones come by hub id or from the
folder that ``TTS_DATA`` names. Both are lists of :class:`Problem`.
"""

from dataclasses import dataclass, field
from typing import Any, Mapping


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
