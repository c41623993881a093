"""The process that runs math-verify, from our side.

It works from any thread, and an endless simplification can be killed: math-verify's own
time limit is a signal, which only the main thread may set.
"""

import itertools
import json
import subprocess
import sys
import tempfile
import threading
from queue import Empty, Queue

START = 120  # seconds that the worker may take to import sympy


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
