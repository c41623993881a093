"""Mathematics: math-verify behind an exact path for plain numbers.

math-verify (Hugging Face) compares what sympy makes of two answers. It runs in a
process of its own, so that it works from any thread and an endless simplification can
be killed: its own time limit is a signal, which only the main thread may set.
"""

import atexit
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from fractions import Fraction
from queue import Empty, Queue

from .normalize import HEDGE, number, quantity, same_unit, undressed
from .verdict import Verdict

LONGEST = 2_000  # characters of an answer
START = 120  # seconds that the worker may take to import sympy


def mathematics(problem, answer: str, timeout: float = 5) -> Verdict:
    """Is ``answer`` the value of ``problem.gold``? ``timeout`` in seconds."""
    return equal(problem.gold, answer, timeout)


def equal(gold: str, answer: str, timeout: float = 5) -> Verdict:
    """Are two answers the same? Plain numbers exactly, all else by math-verify.

    Numbers may have a unit on one side, or the same on both; x % is x and x/100. A
    decimal is equal to a value that it cannot reach from nine right digits on; other
    roundings are as math-verify has them. An answer that cannot be read has *failed*;
    one that takes too long, *timed out*. RuntimeError if math-verify cannot start.
    """
    if (known := by_number(gold, answer)) is None:
        if not answer.strip():
            return Verdict("failed", "there is no answer")
        if len(answer) > LONGEST:
            return Verdict("failed", f"longer than {LONGEST} characters")
        a, b = undressed(gold), undressed(answer)
        if a == b != "" or a.casefold() == b.casefold() and a.isalpha() and len(a) > 1:
            return Verdict("passed")
        if number(gold) is not None and re.search(r"\d", b) and HEDGE.search(b):
            return Verdict("failed", f"{b} is not one number")
        said = without_unit(answer) if "\\frac" in gold else answer
        known = ask({"gold": gold, "answer": said}, timeout)
    if known is None:
        return Verdict("timed out", f"no decision within {timeout:g} s")
    if known:
        return Verdict("passed")
    return Verdict("failed", f"{answer.strip()[:200]} is not {gold.strip()[:200]}")


def by_number(gold: str, answer: str) -> bool | None:
    """``equal`` where both are plain numbers; None where one is not.

    A gold answer in LaTeX is math-verify's to read.
    """
    if "\\frac" in gold or "=" in gold and "=" in answer:
        return None
    a, b = quantity(gold), quantity(answer)
    if a is None or b is None:
        return None
    (x, unit), (y, other) = a, b
    if close(x, y):
        return same_unit(unit, other)
    if "%" not in (unit, other) or unit == other:
        return False
    return close(x / 100, y) if unit == "%" else close(x, y / 100)


def without_unit(answer: str) -> str:
    """A number with a unit without it, in plain digits; all else as it is."""
    value, unit = quantity(answer) or (None, "%")
    dressed = unit != "%" and (unit or not answer.isascii())
    return str(value) if dressed else answer


def close(a: Fraction, b: Fraction) -> bool:
    """Equal; or nine digits agree of a fraction and a decimal that cannot reach it."""
    if a == b or a.denominator == b.denominator == 1:
        return a == b
    ends = [10 ** x.denominator.bit_length() % x.denominator == 0 for x in (a, b)]
    return ends[0] != ends[1] and abs(a - b) * 10**9 <= max(abs(a), abs(b))


# --- the process ---------------------------------------------------------------------
class Worker:
    """A process that judges pairs: a JSON line each, the reply with its number."""

    def __init__(self):
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ttslib.verify.sandbox.math_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for us, not for it
        )
        self.numbers = itertools.count()
        self.replies: Queue = Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        try:
            first = self.replies.get(timeout=START)
        except Empty:
            first = f"not imported within {START} s"
        except BaseException:
            self.end()
            raise
        if first is not True:
            self.end()
            raise RuntimeError(f"math_verify can't be imported: {first or self.last()}")

    def listen(self):
        for line in self.process.stdout:
            self.replies.put(json.loads(line))
        self.replies.put(None)  # it has ended

    def last(self) -> str:
        """The last line that it wrote to its standard error."""
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        return said[-1] if said else f"its process ended ({self.process.returncode})"

    def ask(self, pair: dict, timeout: float) -> bool | None:
        """Its verdict; None if the process has ended. Empty after ``timeout`` s."""
        number = next(self.numbers)
        try:
            self.process.stdin.write(json.dumps([number, pair]) + "\n")
            self.process.stdin.flush()
        except OSError:
            return None
        while reply := self.replies.get(timeout=timeout):
            if reply[0] == number:
                return reply[1]
        return None

    def end(self):
        self.process.kill()
        self.process.wait()


_lock = threading.Lock()
_worker: Worker | None = None


def ask(pair: dict, timeout: float) -> bool | None:
    """The worker's word on a pair; None if it takes too long.

    A worker whose reply nobody has waited for is ended: the next pair gets a fresh one.
    An answer at which two of them end has failed.
    """
    global _worker
    with _lock:
        for _ in range(2):
            if _worker is None or _worker.process.poll() is not None:
                _worker = Worker()
            try:
                if (said := _worker.ask(pair, timeout)) is not None:
                    return said
            except Empty:
                stop()
                return None
            except BaseException:  # Stop was pressed
                stop()
                raise
            stop()
    return False


@atexit.register
def stop():
    """Ends the worker; the next pair starts another one."""
    global _worker
    worker, _worker = _worker, None
    if worker is not None:
        worker.end()


def forked():
    """A child process has a worker of its own."""
    global _lock, _worker
    _lock, _worker = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forked)
