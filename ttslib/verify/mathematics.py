"""Mathematics: math-verify behind an exact path for plain numbers.

math-verify (Hugging Face) compares what sympy makes of two answers. It runs in a
process of its own (``sandbox/math_host``). Before it is asked, both answers are written
in the LaTeX that it reads rightly: see ``ttslib.verify.latex``.
"""

import atexit
import os
import re
import threading
from fractions import Fraction
from queue import Empty

from .latex import alike, standard
from .normalize import HEDGE, number, quantity, same_unit, strip_markup
from .sandbox.math_host import Worker
from .verdict import Verdict

LONGEST = 2_000  # characters of an answer


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
        known = by_letters(gold, answer)
    if known is None:
        text = strip_markup(answer)
        if number(gold) is not None and re.search(r"\d", text) and HEDGE.search(text):
            return Verdict("failed", f"{text} is not one number")
        known = ask(dict(zip(("gold", "answer"), alike(gold, answer))), timeout)
    if known is None:
        return Verdict("timed out", f"no decision within {timeout:g} s")
    if known:
        return Verdict("passed")
    return Verdict("failed", f"{answer.strip()[:200]} is not {gold.strip()[:200]}")


def by_number(gold: str, answer: str) -> bool | None:
    """``equal`` where both are plain numbers; None where one is not.

    A fraction in LaTeX is math-verify's to read, and to round.
    """
    a, b = quantity(gold), quantity(answer)
    if a is None or b is None or "=" in gold and "=" in answer:
        return None
    (x, unit), (y, other) = a, b
    percent = "%" in (unit, other) and unit != other
    if percent and close(*((x / 100, y) if unit == "%" else (x, y / 100))):
        return True
    if "\\frac" in gold + answer:
        return None
    return close(x, y) and same_unit(unit, other)


def by_letters(gold: str, answer: str) -> bool | None:
    """``equal`` where both are the same text, or both are words; else None.

    Letters in a row are a word, not a product, where they are three capitals or more
    (the points of a figure, an order), or four letters or more.
    """
    a, b = (standard(text) for text in (gold, answer))
    if a == b != "":
        return True
    words = [re.sub(r"^\((.*)\)$", r"\1", text) for text in (a, b)]
    if not all(re.fullmatch(r"[A-Za-z]+", word) for word in words):
        return None
    if len(words[0]) > 1 and words[0].casefold() == words[1].casefold():
        return True
    if all(re.fullmatch(r"[A-Z]{3,}|[A-Za-z]{4,}", word) for word in words):
        return False
    return True if words[0] == words[1] else None


def close(a: Fraction, b: Fraction) -> bool:
    """Equal; or nine digits agree of a fraction and a decimal that cannot reach it."""
    if a == b or a.denominator == b.denominator == 1:
        return a == b
    ends = [10 ** x.denominator.bit_length() % x.denominator == 0 for x in (a, b)]
    return ends[0] != ends[1] and abs(a - b) * 10**9 <= max(abs(a), abs(b))


# --- one process for all -------------------------------------------------------------
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
