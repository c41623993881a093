"""Mathematics: math-verify behind an exact path for plain numbers.

math-verify (Hugging Face) compares what sympy makes of two answers. It runs in a
process of its own, so that it works from any thread and an endless simplification can
be killed: its own time limit is a signal, which only the main thread may set.
"""

import atexit
import json
import re
import subprocess
import sys
import threading
from fractions import Fraction
from queue import Empty, Queue

from .verdict import Verdict

LONGEST = 2_000
NUMBER = re.compile(r"([+-]?)(\d+|\d{1,3}(?:,\d{3})+)?(?:\.(\d+)?)?(?:\s*/\s*(\d+))?")


def number(text: str) -> Fraction | None:
    """The value of a plain number: ``-1,234.5``, ``3/4``, ``$12.``; None for others."""
    text = text.strip().removeprefix("\\$").strip("$ ").removesuffix(".")
    match = NUMBER.fullmatch(text)
    if not match or len(text) > 60 or not text.isascii():
        return None
    sign, whole, decimals, below = match.groups()
    if whole is None and decimals is None or below is not None and int(below) == 0:
        return None
    value = Fraction(f"{(whole or '0').replace(',', '')}.{decimals or '0'}")
    return (-1 if sign == "-" else 1) * value / int(below or 1)


def mathematics(problem, answer: str, timeout: float = 5) -> Verdict:
    """Is ``answer`` the value of ``problem.gold``? ``timeout`` in seconds."""
    return equal(problem.gold, answer, timeout)


def equal(gold: str, answer: str, timeout: float = 5) -> Verdict:
    """Are two answers the same? Numbers exactly, all else by math-verify.

    A decimal must agree with an exact value in its first digits as math-verify has it.
    An answer that cannot be read has *failed*; one that takes too long, *timed out*.
    """
    if gold.strip() == answer.strip() and gold.strip():
        return Verdict("passed")
    if not answer.strip():
        return Verdict("failed", "there is no answer")
    if len(answer) > LONGEST:
        return Verdict("failed", f"longer than {LONGEST} characters")
    a, b = number(gold), number(answer)
    if a is not None and b is not None:
        if a == b:
            return Verdict("passed")
        return Verdict("failed", f"{answer.strip()} is not {gold.strip()}")
    reply = ask({"gold": gold, "answer": answer}, timeout)
    if reply is None:
        return Verdict("timed out", f"no decision within {timeout:g} s")
    return (
        Verdict("passed")
        if reply
        else Verdict("failed", "not equal to the gold answer")
    )


class Worker:
    """A process that judges pairs, one JSON line each."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ttslib.verify.mathematics_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self.replies: Queue = Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        self.replies.get(timeout=120)  # its first line: imported and ready

    def listen(self):
        for line in self.process.stdout:
            self.replies.put(json.loads(line))
        self.replies.put(False)  # it died on this pair: not equal, as far as we know

    def ask(self, pair: dict, timeout: float):
        self.process.stdin.write(json.dumps(pair) + "\n")
        self.process.stdin.flush()
        return self.replies.get(timeout=timeout)


_lock = threading.Lock()
_worker: Worker | None = None


def ask(pair: dict, timeout: float) -> bool | None:
    """The worker's word; None, and a fresh worker next time, if it takes too long."""
    global _worker
    with _lock:
        if _worker is None or _worker.process.poll() is not None:
            _worker = Worker()
        try:
            return _worker.ask(pair, timeout)
        except Empty:
            stop()
            return None
        except OSError:
            stop()
            return False


@atexit.register
def stop():
    global _worker
    if _worker is not None:
        _worker.process.kill()
        _worker.process.wait()
    _worker = None
