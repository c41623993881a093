"""What a verifier says."""

from dataclasses import dataclass

STATUSES = ("passed", "failed", "timed out", "unsupported")


@dataclass(frozen=True)
class Verdict:
    """``status`` is one of STATUSES; only *passed* is true. ``reason`` says why not."""

    status: str
    reason: str = ""

    def __post_init__(self):
        if self.status not in STATUSES:
            raise ValueError(f"status {self.status!r}: must be one of {STATUSES}")

    def __bool__(self) -> bool:
        return self.status == "passed"
