"""Unit tests for model-written code, in pydantic-monty, never in this process.

Two sandboxes: C holds the candidate, T the tests. In T the candidate is a function
of the host, which hands a copy of the arguments to C and a copy of the answer back:
only plain values (None, bool, int, float, complex, str, bytes, list, tuple, dict,
set) cross, so nothing the candidate builds can reach what judges it. A row with
``tests`` of (arguments, expected) needs no T: the host compares plain values.
*Passed* means that the tests ran to their very end, where T gives back a token made
for this run. The candidate's own state lasts from call to call, as in CPython.

What the interpreter lacks, or runs unlike CPython, ends as *unsupported*: see
:mod:`ttslib.verify.dialect`. Programs whose answer varies with the order of a set
are found by running them again in other orders. As arguments are copies, tests that
look at what a function did to its arguments are *unsupported* too.
"""

import ast
import atexit
import builtins
import functools
import importlib.util
import os
import re
import secrets
import sys
import threading
import time
import warnings

import pydantic_monty as monty

from . import dialect
from .verdict import Verdict

# monty looks for opentelemetry at every call: where there is none, let it know at once
if importlib.util.find_spec("opentelemetry") is None:
    sys.modules["opentelemetry"] = None

WORKERS = 8
LIMITS = {"max_memory": 256 << 20, "max_total_sleep_secs": 1.0}
LIMITS |= {"max_suspensions": 100_000, "max_recursion_depth": 1000}
LONGEST = 200_000  # characters of an answer
LARGEST = 1_000_000  # values, characters and digits that one call may return
OPAQUE = re.compile(
    r"<(function|class|module|coroutine|bound method|re\.Match) .*>$|<bound method>$"
    r"|<[\w.]+ object( at 0x[0-9a-f]+)?>$|(range|slice)\(.*\)$"
    r"|dict_(keys|values|items)\(\[.*\]\)$|(re\.compile|functools\.partial)\(.*\)$",
    re.DOTALL,
)
# Constants of a module that monty lacks and that tests and answers import.
STRING = {
    "ascii_lowercase": "abcdefghijklmnopqrstuvwxyz",
    "ascii_uppercase": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ascii_letters": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "digits": "0123456789",
    "hexdigits": "0123456789abcdefABCDEF",
    "octdigits": "01234567",
    "punctuation": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "whitespace": " \t\n\r\x0b\x0c",
}

_lock = threading.Lock()
_pairs = threading.BoundedSemaphore(WORKERS // 2)  # a run holds two workers at once
_pool = None


class _Stop(Exception):
    """Ends a run with a verdict."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.verdict = Verdict(status, reason[:300])


def program(problem, answer, timeout=None):
    """Verdict on ``answer``, source text, by the unit tests in ``problem.data``.

    data is one of
      {"entry_point": f, "tests": [[arguments, expected], ...]};
      a HumanEval row: entry_point, prompt, test (defines ``check``); the answer
      may go on from the prompt or define the function itself;
      an MBPP row: test_list (asserts), test_imports, test_setup_code.
    The answer may stand in a ``` fence with text around it. ``timeout``: seconds of
    the candidate's own running time, all calls together (10 for the first shape, 20
    for the others; monty runs at a fifth of CPython's speed). ValueError if data has
    none of these shapes. Works from any thread.
    """
    data = problem.data
    if timeout is None:
        timeout = 10.0 if "tests" in data else 20.0
    try:
        with _lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            entry, tests = _tests(data)
            prompt = data.get("prompt") if "test" in data else None
            if not isinstance(answer, str) or len(answer) > LONGEST:
                raise _Stop("failed", f"no source text of at most {LONGEST} characters")
            short = len(answer) < 2000  # what is kept must not fill the memory
            understand = _understand if short else _understand.__wrapped__
            tree, known, source = understand(answer, entry, prompt)
        verdict, by_order = _run(entry, tree, source, tests, timeout, order=0)
        if by_order and verdict.status in ("passed", "failed"):
            others = (_run(entry, tree, source, tests, timeout, o)[0] for o in (1, 2))
            if not (verdict and all(others)):
                return Verdict("unsupported", "the answer varies with a set's order")
        if verdict.status == "failed" and known:
            return Verdict("unsupported", known)
        return verdict
    except _Stop as stop:
        return stop.verdict
    except (RecursionError, MemoryError):
        return Verdict("unsupported", "the program is too deeply nested to be read")


def close():
    """Ends the workers; the next call starts new ones."""
    global _pool
    with _lock:
        pool, _pool = _pool, None
    if pool is not None and pool[0] == os.getpid():
        pool[1].__exit__(None, None, None)


atexit.register(close)


def _workers():
    """The pool, started at first use; another one after a fork."""
    global _pool
    with _lock:
        if _pool is None or _pool[0] != os.getpid():
            pool = monty.Monty(min_processes=2, max_processes=WORKERS)
            _pool = os.getpid(), pool.__enter__()
        return _pool[1]


def _tests(data):
    """(entry point, tests): tests is a list of cases, or the source of T."""
    if "tests" in data:
        return data["entry_point"], list(data["tests"])
    if "test" in data:
        entry = data["entry_point"]
        source = "\n".join(
            [_helpers(data["prompt"], entry), data["test"], f"check({entry})"]
        )
    elif "test_list" in data:
        asserts = "\n".join(data["test_list"])
        entry = _tested(data["test_list"])
        setup = [*data.get("test_imports", []), data.get("test_setup_code", "")]
        source = "\n".join([*setup, asserts])
    else:
        raise ValueError(
            "problem.data: no tests in it; give 'tests', 'test' or 'test_list'"
        )
    tree = ast.parse(source)
    why = dialect.reject(tree, {entry})
    if why:
        raise _Stop("unsupported", f"tests: {why}")
    return entry, tree


def _tested(asserts):
    """The function that every assert calls; a builtin's name only if no other."""
    common = None
    for line in asserts:
        calls = [n for n in ast.walk(ast.parse(line)) if isinstance(n, ast.Call)]
        names = [c.func.id for c in calls if isinstance(c.func, ast.Name)]
        common = [n for n in names if common is None or n in common]
    if not common:
        raise ValueError("problem.data['test_list']: no function that all asserts call")
    return sorted(common, key=lambda n: hasattr(builtins, n))[0]


def _helpers(prompt, entry):
    """What a HumanEval prompt holds beside the function to be written."""
    tree = ast.parse(prompt)
    tree.body = [n for n in tree.body if getattr(n, "name", None) != entry]
    return ast.unparse(tree)


@functools.lru_cache(4096)
def _understand(answer, entry, prompt):
    """(syntax tree, what would excuse a wrong answer, source for the sandbox).

    A policy writes the same program for many problems: it is read once.
    """
    tree = _read(answer, entry, prompt)
    return tree, _check(tree, entry), dialect.rewrite(tree)


def _read(answer, entry, prompt):
    """The candidate's syntax tree, from the answer as it stands or from its fence.

    ``prompt``: what a HumanEval answer may go on from, else None.
    """
    texts = [answer] + re.findall(r"```[^\n`]*\n(.*?)(?:\n[ \t]*```|\Z)", answer, re.S)
    problem = "no code"
    for text in texts:
        try:
            tree = dialect.parse(text)
        except SyntaxError as error:
            problem = problem if text is answer and len(texts) > 1 else str(error)
            tree = None
        if tree and entry in dialect._stored(tree):
            if prompt is not None:
                return dialect.parse(_helpers(prompt, entry) + "\n" + text)
            return tree
        if prompt is not None:
            try:
                return dialect.parse(prompt.rstrip() + "\n" + text)
            except SyntaxError:
                continue
        if tree:
            problem = f"no function {entry}"
    raise _Stop("failed", problem)


def _check(tree, entry):
    """Stops at what monty can't run; says what would excuse a wrong answer."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id.startswith("_tts_"):
            raise _Stop("failed", f"the name {node.id} is the verifier's")
    why = dialect.reject(tree)
    if why:
        raise _Stop("unsupported", why)
    patterns = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    if "re" in dialect._names(tree) and any("$" in str(p) for p in patterns):
        return "a pattern with $, which monty matches only at the very end"
    return ""


def _run(entry, tree, source, tests, timeout, order):
    """(verdict, whether the order of a set was seen) of one run from fresh state."""
    limits = LIMITS | {"max_feed_duration_secs": float(timeout)}
    modules = {"string": monty.ExternalModule(STRING)}
    options = {"limits": limits, "external_modules": modules}
    options["assert_message_annotations"] = False
    options["os_policy"] = {"process_time": "elapsed"}
    pool = _workers()
    with _pairs, pool.checkout(**options) as session:
        candidate = _Candidate(session, entry, tree, timeout)
        try:
            candidate.load(source, order)
            if isinstance(tests, list):
                verdict = _compare(candidate, tests)
            else:
                with pool.checkout(**options) as judge:
                    verdict = _examine(candidate, tests, judge)
        except _Stop as stop:
            verdict = stop.verdict
        notes = candidate.notes()
    by_order = "set" in notes
    for note in notes:
        why = "" if note == "set" else dialect.noted(note, tree)
        if why and verdict.status in ("passed", "failed"):
            return Verdict("unsupported", why), False
    return verdict, by_order


class _Candidate:
    """Sandbox C and what it did."""

    def __init__(self, session, entry, tree, timeout):
        self.session, self.entry, self.tree = session, entry, tree
        self.left = timeout
        self.stopped = None  # the verdict that a call came to; final
        self.mutated = False
        self.deques = "deque" in dialect._names(tree) | dialect._imported(tree) or any(
            isinstance(n, ast.Attribute) and n.attr == "deque" for n in ast.walk(tree)
        )

    def feed(self, source, **inputs):
        start = time.monotonic()
        try:
            out = self.session.feed_run(source, inputs=inputs, print_callback=_silent)
        except monty.MontyError as error:
            self.stop(_of_monty(error, self.tree))
        self.left -= time.monotonic() - start
        if self.left < 0:
            self.stop(Verdict("timed out", "all calls together"))
        return out

    def stop(self, verdict):
        self.stopped = verdict
        raise _Stop(verdict.status, verdict.reason)

    def load(self, source, order):
        self.feed(dialect.PRELUDE + f"_tts_order = {order}")
        self.feed(source)

    def notes(self):
        """What the sandbox wrote in its log; nothing where it was cut off."""
        try:
            notes = self.session.feed_run("_tts_log", print_callback=_silent)
        except (monty.MontyError, RuntimeError):  # RuntimeError: its worker is gone
            return []
        return [n for n in notes if isinstance(n, str)] if type(notes) is list else []

    def __call__(self, args, kwargs):
        """The value that comes back, plain; _Stop, once and for all, if none does."""
        if self.stopped is not None:
            self.stop(self.stopped)
        call = f"[{self.entry}(*_tts_args, **_tts_kwargs), _tts_args, _tts_kwargs]"
        if self.deques:
            call = f"_tts_out = {call}\n[*_tts_out, 'deque(' in repr(_tts_out[0])]"
        out = self.feed(call, _tts_args=args, _tts_kwargs=kwargs)
        try:
            value, after = _plain(out[0]), _plain(out[1:3])
        except _Stop as stop:
            self.stop(stop.verdict)
        if self.deques and out[3]:
            self.stop(Verdict("unsupported", f"{self.entry} returned a deque"))
        self.mutated |= after != [args, kwargs]
        return value


def _compare(candidate, cases):
    """Verdict of cases (arguments, expected), by == on plain values."""
    for args, expected in cases:
        value = candidate(list(args), {})
        if not value == expected:
            return Verdict("failed", f"{_show(args)} gave {_show(value)}")
    return Verdict("passed")


def _examine(candidate, tests, judge):
    """Verdict of ``tests``, a tree that calls the candidate, run in ``judge``."""
    catches = any(isinstance(n, (ast.Try, ast.With)) for n in ast.walk(tests))

    def call(*args, **kwargs):
        return candidate(list(args), kwargs)

    token = secrets.token_hex(16)
    verdict, out = None, None
    try:
        judge.feed_run(dialect.PRELUDE + "_tts_order = 0", print_callback=_silent)
        out = judge.feed_run(
            f"{candidate.entry} = _tts_call\n{dialect.rewrite(tests)}\n{token!r}",
            external_lookup={"_tts_call": call},
            print_callback=_silent,
        )
    except monty.MontyError as error:
        verdict = _of_monty(error, tests)
    if candidate.stopped is not None:  # a verdict other than passed is false
        if catches and candidate.stopped.status == "failed":
            return Verdict("unsupported", "tests that catch an exception")
        return candidate.stopped
    if candidate.mutated and _shares(tests, candidate.entry):
        return Verdict("unsupported", "tests that share an argument that was changed")
    if verdict is not None:
        return verdict
    if out != token:
        return Verdict("failed", "the tests did not run to their end")
    return Verdict("passed")


def _shares(tests, entry):
    """Do the tests hold on to an argument, or throw away an answer?"""
    for node in ast.walk(tests):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            if dialect._name(node.value.func) in (entry, "candidate"):
                return True
        if isinstance(node, ast.Call) and dialect._name(node.func) in (
            entry,
            "candidate",
        ):
            if any(not isinstance(a, _FRESH) for a in node.args):
                return True
    return False


_FRESH = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Call, ast.UnaryOp)


def _plain(value):
    """A copy of ``value`` made of plain types only; _Stop if it is not plain."""
    left = LARGEST

    def copy(v, depth):
        nonlocal left
        kind = type(v)
        left -= 1
        if kind in (str, bytes):
            left -= len(v)
        elif kind is int:
            left -= v.bit_length()
        if left < 0 or depth > 100:
            raise _Stop("failed", "returned a value too large or too deeply nested")
        if kind is float and v != v and depth:
            raise _Stop("unsupported", "NaN inside a container")
        if kind is str and OPAQUE.match(v):
            raise _Stop("unsupported", "returned a value that is not plain")
        if v is None or kind in (bool, int, float, complex, str, bytes):
            return v
        if kind in (list, set, frozenset) or isinstance(v, tuple):
            made = tuple if isinstance(v, tuple) else kind
            return made([copy(x, depth + 1) for x in v])
        if kind is dict:
            return {copy(k, depth + 1): copy(x, depth + 1) for k, x in v.items()}
        raise _Stop("unsupported", f"returned a {kind.__name__}: not a plain value")

    return copy(value, 0)


def _of_monty(error, tree):
    """Verdict on what monty raised while it ran the program ``tree``."""
    if isinstance(error, monty.MontyCrashedError):
        if error.timed_out:
            return Verdict("timed out", "the worker had to be killed")
        return Verdict("unsupported", "the interpreter crashed")
    inner = error.exception()
    name, text = type(inner).__name__, str(inner)[:200]
    why = dialect.gap(inner, tree)
    if not why and name != "AssertionError" and dialect.early(tree):
        why = f"an iterator, a list in this interpreter, may have led to {name}"
    if why:
        return Verdict("unsupported", why[:300])
    if name == "TimeoutError" and "limit exceeded" in text:
        return Verdict("timed out", text)
    return Verdict("failed", f"raised {name}: {text}")


def _show(value):
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        text = "a huge number"
    return text if len(text) < 100 else text[:100] + " …"


def _silent(stream, text):
    """Printed output is thrown away."""
