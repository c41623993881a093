"""Exercises that check themselves: ``check("05.1", value)``.

The references live here, a file a chapter, so that a chapter does not show them. Each
check is a function of the reader's value that returns "" if it is right, else a hint.
"""

from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Result:
    """Whether an exercise is solved, and if not a hint."""

    name: str
    hint: str

    def __bool__(self):
        return not self.hint

    def __repr__(self):
        return f"{self.name} {'✓ right' if self else '· ' + self.hint}"


def check(name: str, value) -> Result:
    """Is ``value`` a solution of exercise ``name`` ("05.1": chapter, number)?

    ``None`` is not tried yet. What the reader's own function raises becomes the hint;
    ValueError for an exercise that does not exist.
    """
    chapter, _, number = name.partition(".")
    try:
        checks = import_module(f".chapter_{chapter}", __name__).CHECKS
        reference = checks[number]
    except (ModuleNotFoundError, KeyError):
        raise ValueError(
            f"there is no exercise {name!r}: write chapter and number, such as '05.1'"
        ) from None
    if value is None:
        return Result(name, "not tried yet: replace None by your solution")
    try:
        return Result(name, reference(value))
    except Exception as error:  # the reader's function, or a value of another kind
        return Result(
            name, f"your solution raised {type(error).__name__}: {error}".strip()
        )
