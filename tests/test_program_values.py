"""Programs in several blocks; what the tests hold of a program's values; its limit."""

import textwrap

import numpy as np
import pytest

from ttslib.chain import Chain
from ttslib.problems import Problem
from ttslib.verify import judge, verify
from ttslib.verify.program import program


def problem_of(data):
    return Problem("p", "program", "", "", "program", data)


# What the tests hold of a program's: name -> (program, tests, verdict).
E = "class E:\n    __eq__ = lambda *a: True\n    __hash__ = lambda s: 3\n"
TWICE = "        self.n = getattr(self, 'n', 0) + 1\n"
HELD = {
    "a list handed out twice": (
        "def f(x, out=[]):\n    out.append(x)\n    return out",
        "a, b = f(1), f(2)\nassert a == [1] and b == [1, 2]",
        "failed",
    ),
    "is one list": (
        "def f(x, out=[]):\n    out.append(x)\n    return out",
        "a, b = f(1), f(2)\nassert a is b and a == [1, 2]",
        "passed",
    ),
    "changed afterwards, nested": (
        "L = []\ndef f():\n    return {'a': (L,)}\ndef g():\n    L.append(3)",
        "a = f()\ng()\nassert a == {'a': ([3],)}",
        "passed",
    ),
    "an argument that is kept and changed": (
        "S = []\ndef f(x):\n    S.append(x)\ndef g():\n    S[0].append(9)",
        "a = [1]\nf(a)\ng()\nassert a == [1, 9]",
        "passed",
    ),
    "an argument that the tests change": (
        "S = []\ndef f(x):\n    S.append(x)\ndef g():\n    return sum(S[0])",
        "a = [1]\nf(a)\na.append(5)\nassert g() == 6",
        "passed",
    ),
    "two NaN": ("def f():\n    return [float('nan')]", "assert f() == f()", "failed"),
    "one NaN": (
        "def f(x):\n    return [x, x]",
        "n = float('nan')\nassert f(n) == [n, n]",
        "passed",
    ),
    "NaN of the tests": (
        "def f():\n    return [float('nan')]",
        "assert f() == [float('nan')]",
        "failed",
    ),
    "its class lies": (
        E
        + "    __class__ = list\n    __len__ = lambda s: 2\ndef f(x):\n    return E()",
        "r = f(1)\nassert isinstance(r, list) and len(r) == 2",
        "failed",
    ),
    "right at first, as a list": (
        f"class E(list):\n    def __iter__(self):\n{TWICE}        return iter("
        "[3, 1, 2] if self.n == 1 else [1, 2, 3])\ndef f(x):\n    return E(x)",
        "r = f([3, 1, 2])\nassert sorted(r) == [1, 2, 3] and list(r) == [1, 2, 3]",
        "failed",
    ),
    "right at first, as an object": (
        f"class E:\n    def __iter__(self):\n{TWICE}        return iter("
        "[3, 1, 2] if self.n == 1 else [1, 1, 1])\ndef f(x):\n    return E()",
        "r = f(3)\nassert sorted(r) == [1, 2, 3] and list(r) == [1, 1, 1]",
        "failed",
    ),
    "right at first, by its length": (
        f"class E:\n    def __len__(self):\n{TWICE}        return self.n\n"
        "def f(x):\n    return E()",
        "r = f(3)\nassert len(r) == 1 and len(r) == 2",
        "failed",
    ),
    "rebinds its own name": (
        E + "def f(x):\n    global f\n    f = lambda x: E()\n    g = f\n"
        "    return g(x)",
        "assert f(1) == 1\nassert f(2) == 3",
        "failed",
    ),
    "named like a class": (
        E + "    __sub__ = __abs__ = lambda *a: 0\ndef F(x):\n    return E()",
        "assert abs(F(1) - 3) < 1",
        "failed",
    ),
    "builtins that the tests hand in": (
        "def f(x):\n    return type(x).__name__, callable(x)",
        "assert f(len) == ('builtin_function_or_method', True)\n"
        "assert f(int) == ('type', True) and f(lambda: 0) == ('function', True)\n"
        "assert f(object()) == ('object', False)",
        "passed",
    ),
    "a builtin that comes back": (
        "def f(x):\n    return x",
        "import math\nassert f(len) is len and f(math.sqrt) is math.sqrt",
        "passed",
    ),
    "a builtin that nobody handed in": (
        "f = exec",
        "x = 0\nf('x = 1')\nassert x == 1",
        "failed",
    ),
    "a view of a dict": (
        "def f(d):\n    return d.items()",
        "d = {'a': 1}\nv = f(d)\nd['b'] = 2\nassert v == {('a', 1), ('b', 2)}",
        "passed",
    ),
    "UUID, path, array, namespace": (
        "import array, pathlib, types, uuid\ndef f(x):\n    return (uuid.UUID(int=x), "
        "pathlib.Path('a') / 'b', array.array('i', [x]), types.SimpleNamespace(a=x))",
        "import array, pathlib, types, uuid\nassert f(1) == (uuid.UUID(int=1), "
        "pathlib.Path('a/b'), array.array('i', [1]), types.SimpleNamespace(a=1))",
        "passed",
    ),
    "an object compared with one of the tests'": (
        "import ipaddress\ndef f(x):\n    return ipaddress.ip_address(x)",
        "import ipaddress\nassert f('::1') == ipaddress.ip_address('::1')",
        "unsupported",
    ),
    "captured output": (
        "def f(n):\n    print(n)",
        "import io, contextlib\nout = io.StringIO()\n"
        "with contextlib.redirect_stdout(out):\n    f(2)\n"
        "assert out.getvalue() == '2\\n'",
        "unsupported",
    ),
    "patched input": (
        "def f():\n    return int(input()) ** 2",
        "import builtins\nbuiltins.input = lambda: '4'\nassert f() == 16",
        "unsupported",
    ),
    "a seed of the tests": (
        "import random\ndef f():\n    return random.random()",
        "import random\nrandom.seed(1)\na = f()\nrandom.seed(1)\nassert f() == a",
        "unsupported",
    ),
    "a package": ("import numpy\ndef f():\n    return 1", "assert f()", "unsupported"),
    "a file": (
        "import tempfile\ndef f():\n    return tempfile.TemporaryFile().read()",
        "assert f() == b''",
        "unsupported",
    ),
}


@pytest.mark.parametrize("name", HELD)
def test_what_the_tests_hold_of_a_program(name):
    source, tests, wanted = HELD[name]
    assert program(problem_of({"test_list": [tests]}), source).status == wanted
    check = "def check(candidate):\n" + textwrap.indent(tests, "    ")
    entry = "F" if "def F(" in source else "f"
    row = {"entry_point": entry, "prompt": "", "test": check}
    assert program(problem_of(row), source).status == wanted


def test_the_limit_is_named_and_can_be_raised():
    data = {"test_list": ["assert f()"], "timeout": 0.4}
    slow = "import time\ndef f():\n    time.sleep(1)\n    return 1"
    said = verify(problem_of(data), slow)
    assert said.status == "timed out" and "0.4 s" in said.reason
    assert "data['timeout']" in said.reason
    assert verify(problem_of(data | {"timeout": 20}), slow)


FENCES = {
    "right": "def f(xs):\n    return sum(xs)",
    "helper": "from functools import reduce\nadd = lambda a, b: a + b",
    "needs": "def f(xs):\n    return reduce(add, xs, 0)",
    "wrong": "def f(xs):\n    return max(xs)",
    "demo": "def main():\n    print(f([1, 2]))\n    raise SystemExit\n\nmain()",
    "tests": "import unittest\n\nclass Sums(unittest.TestCase):\n"
    "    def test_f(self):\n        self.assertEqual(f([1]), 1)\n\nunittest.main()",
    "other": "def f_slow(xs):\n    return xs[0] + f_slow(xs[1:]) if xs else 0",
    "use": "xs = [1, 2]\nprint(f(xs))",
}


@pytest.mark.parametrize(
    ("blocks", "wanted"),
    [
        ("right demo", "passed"),
        ("right tests", "passed"),
        ("tests right", "passed"),
        ("right other", "passed"),
        ("right use", "passed"),
        ("helper needs", "passed"),
        ("helper needs use tests other demo", "passed"),
        ("wrong right demo", "passed"),
        ("right wrong", "failed"),
        ("needs", "failed"),
        ("demo", "failed"),
    ],
)
def test_a_program_in_several_blocks(blocks, wanted):
    text = "\n\nThen:\n".join(f"```python\n{FENCES[x]}\n```" for x in blocks.split())
    data = {"test_list": ["assert f([1, 2]) == 3", "assert f([4]) == 4"]}
    assert verify(problem_of(data), "Here it is.\n" + text).status == wanted


def test_many_programs_are_judged_as_one_by_one():
    problems = [
        problem_of({"test_list": [f"assert f({i}) == {i + 1}"]}) for i in range(4)
    ]
    texts = [f"```python\ndef f(x):\n    return x + {n}.0\n```" for n in (1, 2, 1)]
    rows = [[Chain(problem, text) for text in texts] for problem in problems]
    assert (judge(problems, rows) == np.array([[True, False, True]] * 4)).all()
