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

from .reading import read_answer
from .verdict import Verdict

LONGEST = 2_000  # characters of an answer
TAIL = 10_000  # characters of a response, from its end, in which its answer must be
NUMBER = re.compile(r"([+-]?)(\d+|\d{1,3}(?:,\d{3})+)?(?:\.(\d+)?)?(?:\s*/\s*(\d+))?")

# What found() looks for in a response.
PLAIN = str.maketrans({"：": ":", "−": "-"})
TOKEN = re.compile(r"<\|\w+\|>")
TAGGED = re.compile(r"<(?:final_)?answer>(.*?)</(?:final_)?answer>", re.DOTALL)
BOX = re.compile(r"\\boxed\s*\{")
JOINTS = {"and", "text", "quad", "qquad"}
LINE = re.compile(r"\\\[.*?\\\]|\$\$.*?\$\$|[^\n]*", re.DOTALL)
SENTENCE = re.compile(r"\b(?:is|are|equals)\b")


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


def bare(text: str) -> str:
    """``text`` without the dollars around it."""
    return text.strip().strip("$").strip()


def equal(gold: str, answer: str, timeout: float = 5) -> Verdict:
    """Are two answers the same? Numbers exactly, all else by math-verify.

    A decimal must agree with an exact value in its first digits as math-verify has it.
    An answer that cannot be read has *failed*; one that takes too long, *timed out*.
    """
    if bare(gold) == bare(answer) != "":
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
    return decide({"gold": gold, "answer": answer}, timeout)


def found(gold: str, response: str, timeout: float = 5) -> Verdict:
    """Does ``response``, free text of a model, end in the answer ``gold``?

    The last answer that is named as such counts: in ``<answer>`` tags, after
    ``Answer:``, in a box, after ``####``. A run of boxes may be meant as a list. Where
    no answer is named, math-verify looks for one.
    """
    text = response[-TAIL:].rsplit("</think>", 1)[-1].translate(PLAIN)
    text = re.sub(r"\n\s+", "\n", TOKEN.sub("\n", text))
    text = BOX.sub(r"\\boxed{", text)
    tagged = TAGGED.findall(text)
    if tagged:
        text = tagged[-1].strip()
    named = read_answer(text).lstrip(": ") or (tagged and text)
    if not named:
        if len(text) > LONGEST:  # not cut within a line: its $ would not pair up
            text = text[-LONGEST:].partition("\n")[2] or text[-LONGEST:]
        return decide({"gold": gold, "answer": text, "within": True}, timeout)
    if "\\boxed" not in named:  # the rest of the text may follow an "Answer:"
        named = LINE.match(named)[0].strip("* ")
    verdict = equal(gold, named, timeout)
    if not verdict and SENTENCE.search(named):
        pair = {"gold": gold, "answer": f"Answer: {named}", "within": True}
        return decide(pair, timeout)
    if not verdict and "," in (boxes := listed(text)):
        return equal(gold, boxes, timeout)
    return verdict


def listed(text: str) -> str:
    """The last box and those before it, if but a comma or "and" is between them."""
    parts = [part.strip() for part in text.split("\\boxed{")[1:]]
    boxes = [read_answer("\\boxed{" + part) for part in parts]
    first = len(boxes) - 1
    while first > 0:
        between = parts[first - 1][len(boxes[first - 1]) :]
        words = set(re.findall(r"\w+", between))
        if words - JOINTS or not ("," in between or "and" in words):
            break
        first -= 1
    return ", ".join(boxes[first:]) if first >= 0 else ""


def decide(pair: dict, timeout: float) -> Verdict:
    """The worker's verdict on a pair."""
    reply = ask(pair, timeout)
    if reply is None:
        return Verdict("timed out", f"no decision within {timeout:g} s")
    if reply:
        return Verdict("passed")
    return Verdict("failed", "not equal to the gold answer")


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
