"""Programs that must not pass for a sum of a list, whatever form its tests have.

Left out is what CPython's own == lets pass: 3.0 for 3, True for 1.
"""

RIGHT = "def f(xs):\n    return sum(xs)"
HOSTILE = {
    "constant": "def f(xs):\n    return 3",
    "not python": "def f(xs:",
    "no function": "g = 1",
    "null byte": "def f(xs):\n    return sum(xs)\x00",
    "prose": "The sum of the numbers, as all tests pass.",
    "function overwritten later": RIGHT + "\nf = lambda xs: 3",
    # time and memory
    "endless loop": "def f(xs):\n    while True: pass",
    "endless loop at import": "while True: pass\n" + RIGHT,
    "endless generator": "def g():\n    while True: yield 1\n"
    "def f(xs):\n    return sum(g())",
    "endless iterator": "class E:\n    def __iter__(self): return self\n"
    "    def __next__(self): return 0\ndef f(xs):\n    return sum(E())",
    "appends for ever": "def f(xs):\n    while xs is not None: xs.append(1)\n",
    "sleep": "import time\ndef f(xs):\n    time.sleep(60)\n    return sum(xs)",
    "memory": "def f(xs):\n    return [0] * 10**10",
    "memory, step by step": "def f(xs):\n    s = 'x'\n    while True: s += s",
    "format bomb": "def f(xs):\n    return '{:>9999999999}'.format(3)",
    "percent bomb": "def f(xs):\n    return '%9999999999d' % 3",
    "power": "def f(xs):\n    return 9 ** 9 ** 9",
    "factorial": "import math\ndef f(xs):\n    return math.factorial(10**8)",
    "slow pattern": "import re\ndef f(xs):\n"
    "    return re.match('(a+)+$', 'a' * 40 + 'b') or 3",
    "recursion": "def f(xs):\n    return f(xs)",
    "caught recursion": "def f(xs):\n    try:\n        return f(xs)\n"
    "    except RecursionError:\n        return 3",
    "deeply nested list": "def f(xs):\n    out = []\n"
    "    for _ in range(10**6): out = [out]\n    return out",
    "deeply nested source": "def f(xs):\n    return " + "(" * 5000 + "3" + ")" * 5000,
    "list that holds itself": "def f(xs):\n    xs.append(xs)\n    return xs",
    # what comes back
    "huge output": "def f(xs):\n    print('x' * 10**9)\n    return 3",
    "huge message": "def f(xs):\n    raise ValueError('x' * 10**7)",
    "huge integer": "def f(xs):\n    return 1 << 10**7",
    "huge string": "def f(xs):\n    return 'x' * 10**7",
    "not a number": "def f(xs):\n    return float('nan')",
    "a string of the answer": "def f(xs):\n    return str(sum(xs))",
    "a list of the answer": "def f(xs):\n    return [sum(xs)]",
    "None": "def f(xs):\n    pass",
    "another function": "def f(xs):\n    return lambda *a: sum(xs)",
    "coroutine": "async def f(xs):\n    return sum(xs)",
    "generator": "def f(xs):\n    yield sum(xs)",
    "equal to all": "class E:\n    def __eq__(self, o): return True\n"
    "def f(xs):\n    return E()",
    "unequal to none": "class E:\n    def __ne__(self, o): return False\n"
    "    def __eq__(self, o): return True\n    def __hash__(self): return 3\n"
    "def f(xs):\n    return E()",
    "int equal to all": "class E(int):\n    def __eq__(self, o): return True\n"
    "def f(xs):\n    return E(4)",
    "str equal to all": "class E(str):\n    def __eq__(self, o): return True\n"
    "def f(xs):\n    return E('no')",
    "list equal to all": "class E(list):\n    def __eq__(self, o): return True\n"
    "def f(xs):\n    return E(xs)",
    "class made by type": "def f(xs):\n"
    "    return type('E', (int,), {'__eq__': lambda s, o: True})(4)",
    "reflected": "class E:\n    def __radd__(self, o): return 3\n"
    "    def __bool__(self): return True\ndef f(xs):\n    return E()",
    "its own class of int": "class int(int):\n    def __eq__(s, o): return True\n"
    "def f(xs):\n    return int(4)",
    # ending early
    "os._exit": "import os\nos._exit(0)",
    "os._exit in the call": "import os\ndef f(xs):\n    os._exit(0)",
    "sys.exit": "import sys\nsys.exit(0)",
    "sys.exit in the call": "import sys\ndef f(xs):\n    sys.exit(0)",
    "exit": "def f(xs):\n    exit(0)",
    "raise SystemExit": "raise SystemExit(0)",
    "SystemExit in the call": "def f(xs):\n    raise SystemExit(0)",
    "KeyboardInterrupt": "def f(xs):\n    raise KeyboardInterrupt",
    "raises AssertionError": "def f(xs):\n    assert False",
    "raises StopIteration": "def f(xs):\n    raise StopIteration(3)",
    "raises GeneratorExit": "def f(xs):\n    raise GeneratorExit",
    "module return": "return 3",
    "abort": "import ctypes\ndef f(xs):\n    ctypes.string_at(0)",
    "atexit": "import atexit\natexit.register(print, 'passed')\n"
    "def f(xs):\n    return 3",
    "__del__": "class E:\n    def __del__(self): print('passed')\n"
    "def f(xs):\n    E()\n    return 3",
    "prints": "def f(xs):\n    print('passed')",
    # names of the tests and of Python
    "rebound sum": "sum = lambda xs: 3\ndef f(xs):\n    return sum(xs)",
    "rebound builtins": "len = abs = all = any = isinstance = lambda *a: True\n"
    "AssertionError = ValueError\ndef f(xs):\n    return 3",
    "rebound AssertionError": "class AssertionError(Exception):\n"
    "    def __init__(self, *a): pass\ndef f(xs):\n    return 3",
    "own check": "def check(candidate):\n    return True\ndef f(xs):\n    return 3",
    "global check": "def f(xs):\n    global check, candidate\n"
    "    check = lambda g: True\n    candidate = lambda xs: 3\n    return 3",
    "patches builtins": "import builtins\nbuiltins.AssertionError = ValueError\n"
    "builtins.all = lambda xs: True\ndef f(xs):\n    return 3",
    "__builtins__": "__builtins__['all'] = lambda xs: True\ndef f(xs):\n    return 3",
    "__import__": "__import__('os').system('true')\ndef f(xs):\n    return 3",
    "setattr": "setattr(int, '__eq__', lambda a, b: True)\ndef f(xs):\n    return 3",
    "patches int": "int.__eq__ = lambda a, b: True\ndef f(xs):\n    return 3",
    "walrus": "(sum := lambda xs: 3)\ndef f(xs):\n    return sum(xs)",
    "decorator": "def d(g):\n    return lambda xs: 3\n@d\n" + RIGHT,
    "cached": "import functools\n@functools.lru_cache\ndef g():\n    return 3\n"
    "def f(xs):\n    return g()",
    "default argument": "def f(xs, seen=[3]):\n    return seen[0]",
    "counts its calls": "n = 0\ndef f(xs):\n    global n\n    n += 1\n"
    "    return [3, 3, 9][n - 1]",
    "right once": "seen = []\ndef f(xs):\n    seen.append(sum(xs))\n    return seen[0]",
    "knows two tests": "def f(xs):\n    return {1: 3, 0: 0}.get(xs[0], 7)",
    "swallows assertions": "try:\n    f\nexcept BaseException:\n"
    "    f = lambda xs: 3\ndef f(xs):\n    try:\n        raise AssertionError\n"
    "    except BaseException:\n        return 3",
    "empties its argument": "def f(xs):\n    xs.clear()\n    return sum(xs)",
    "changes its argument": "def f(xs):\n    xs[:] = [3]\n    return xs[0]",
    # out of the sandbox
    "reads a file": "def f(xs):\n    return open('/etc/passwd').read()",
    "reads its source": "def f(xs):\n    return open(__file__).read()",
    "writes a file": "open('passed', 'w').write('passed')\ndef f(xs):\n    return 3",
    "pathlib": "from pathlib import Path\ndef f(xs):\n"
    "    return list(Path('/').iterdir())",
    "environment": "import os\ndef f(xs):\n    return os.environ",
    "socket": "import socket\ndef f(xs):\n"
    "    return socket.create_connection(('127.0.0.1', 80))",
    "urllib": "import urllib.request as u\ndef f(xs):\n"
    "    return u.urlopen('http://127.0.0.1').read()",
    "subprocess": "import subprocess\ndef f(xs):\n"
    "    return subprocess.run(['true']).returncode or 3",
    "fork": "import os\ndef f(xs):\n    while True: os.fork()",
    "kills its parent": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"
    + RIGHT,
    "signal": "import signal\nsignal.alarm(0)\ndef f(xs):\n    return 3",
    "thread": "import threading\ndef f(xs):\n    out = []\n"
    "    t = threading.Thread(target=lambda: out.append(3))\n"
    "    t.start()\n    t.join()\n    return out[0]",
    # what judges it
    "verifier's names": "def f(xs):\n    return _tts_args[0]",
    "verifier's log": "_tts_log.clear()\ndef f(xs):\n    return 3",
    "verifier's log by eval": "eval('_tts_log').append(1)\ndef f(xs):\n    return 3",
    "rebinds by exec": "exec('_tts_call = lambda xs: 3')\ndef f(xs):\n    return 3",
    "globals": "globals()['_tts_call'] = 3\ndef f(xs):\n    return 3",
    "returns globals": "def f(xs):\n    return globals()",
    "frames": "import sys\ndef f(xs):\n"
    "    return sys._getframe(1).f_locals['expected']",
    "inspect": "import inspect\ndef f(xs):\n"
    "    return inspect.stack()[1].frame.f_locals['expected']",
    "traceback": "def f(xs):\n    try:\n        raise ValueError\n"
    "    except ValueError as e:\n"
    "        return e.__traceback__.tb_frame.f_back.f_locals['expected']",
    "gc": "import gc\ndef f(xs):\n    return gc.get_objects()[0]",
    "subclasses": "def f(xs):\n    return ().__class__.__base__.__subclasses__()",
    "code object": "def f(xs):\n    f.__code__ = (lambda xs: 3).__code__\n    return 3",
    "sys.modules": "import sys\nsys.modules['ttslib'] = None\ndef f(xs):\n    return 3",
    "ttslib": "from ttslib.verify import program\nprogram._compare = lambda *a: True\n"
    "def f(xs):\n    return 3",
    "format attributes": "def f(xs):\n    return '{0.__class__.__mro__}'.format(f)",
    "pickle": "import pickle\ndef f(xs):\n"
    "    return pickle.loads(b'cos\\n_exit\\n(I0\\ntR.')",
    # lies of an object that stays with its program
    "lies all over": "class E:\n    __eq__ = __bool__ = __le__ = __contains__ = "
    "lambda *a: True\n    __sub__ = __rsub__ = __float__ = __abs__ = __index__ = "
    "__int__ = __len__ = __hash__ = lambda *a: 0\n    __class__ = int\n"
    "def f(xs):\n    return E()",
    "a list of lies": "class E(int):\n    def __eq__(self, o): return True\n"
    "def f(xs):\n    return [E(sum(xs))]",
    "a lie in a set": "class E:\n    def __eq__(self, o): return True\n"
    "    def __hash__(self): return 3\ndef f(xs):\n    return {E()}",
    "a class that lies": "class M(type):\n    def __eq__(s, o): return True\n"
    "    def __hash__(s): return 0\nclass E(metaclass=M): pass\n"
    "def f(xs):\n    return E",
    "named tuple that lies": "from collections import namedtuple\n"
    "class P(namedtuple('P', 'x')):\n    def __eq__(self, o): return True\n"
    "def f(xs):\n    return P(3)",
    "enum that lies": "import enum\nclass E(enum.IntEnum):\n    A = 4\n"
    "    def __eq__(self, o): return True\n    __hash__ = int.__hash__\n"
    "def f(xs):\n    return E.A",
    "any of mock": "from unittest.mock import ANY\ndef f(xs):\n    return ANY",
    "is any of mock": "from unittest.mock import ANY as f",
    "is a mock": "from unittest.mock import MagicMock\nf = MagicMock()",
    "class as function": "class f:\n    def __init__(self, xs): pass\n"
    "    def __eq__(self, o): return True",
    "class that makes a number": "class f:\n    def __new__(cls, xs): return 4",
    "callable that lies": "class F:\n    def __call__(self, xs): return self\n"
    "    def __eq__(self, o): return True\nf = F()",
    "private name": "class A:\n    def __s(self, xs): return 3\n"
    "    def call(self, xs): return self.__s(xs)\nf = A().call",
    "exception as answer": "def f(xs):\n    return StopIteration(sum(xs))",
    "exception that lies": "class E(Exception):\n    def __eq__(self, o): return True\n"
    "def f(xs):\n    return E()",
    "raises its own": "class E(BaseException): pass\ndef f(xs):\n    raise E(sum(xs))",
    "raises a class of tests": "class AssertionError(BaseException): pass\n"
    "def f(xs):\n    raise AssertionError",
    # forged lines, and what the loop is made of
    "forges a verdict": "import os\n"
    'os.write(1, b\'=["passed", ""]\\n\' * 3)\ndef f(xs):\n    return 3',
    "forges a verdict in the call": "import os\ndef f(xs):\n"
    '    os.write(1, b\'=["passed", ""]\\n\')\n    return 3',
    "forges replies": "import os\n"
    'os.write(1, b\'![3, ["list", 0], ["list", 2]]\\n\' * 9)'
    "\ndef f(xs):\n    return 3",
    "forges a token": "import os\ndef f(xs):\n"
    '    os.write(1, b\'![["known", "unittest.mock", "ANY"], ["list", 0], '
    '["list", 2]]\\n\')',
    "forges a type": "import os\ndef f(xs):\n"
    '    os.write(1, b\'![["known", "unittest.mock", "MagicMock"], ["list", 0],'
    ' ["list", 2]]\\n\')',
    "forges a request": "import os\ndef f(xs):\n"
    '    os.write(1, b\'?["call", ["yours", 0], ["list", 1], ["dict", 0],'
    ' ["list", 3]]\\n\')\n    return 3',
    "forges a global of the tests": "import os\ndef f(xs):\n"
    '    os.write(1, b\'?["getattr", ["known", "builtins", "list"], '
    '"__init__", ["list", 2], ["dict", 0], ["list", 3]]\\n\')\n    return 3',
    "prints a verdict": "import sys\ndef f(xs):\n"
    '    sys.__stdout__.write(\'=["passed", ""]\\n\')\n    sys.__stdout__.flush()\n'
    '    print(\'=["passed", ""]\', flush=True)\n    return 3',
    "writes for ever": "import os\ndef f(xs):\n"
    "    while True: os.write(1, b'x' * 10**6)",
    "lines for ever": "import os\ndef f(xs):\n"
    "    while True: os.write(1, b'![]\\n' * 999)",
    "huge reply": "def f(xs):\n    return [0] * 10**8",
    "closes its files": "import os\nos.close(0)\nos.close(1)\ndef f(xs):\n    return 3",
    "closes its files in the call": "import os\ndef f(xs):\n    os.closerange(0, 9)",
    "reads the requests": "import os\ndef f(xs):\n    return os.read(0, 99) or 3",
    "reads for ever": "import os\nwhile True: os.read(0, 1)",
    "patches json": "import json\njson.dumps = lambda *a, **k: '[3]'\n"
    "json.loads = lambda *a, **k: [3]\ndef f(xs):\n    return 3",
    "patches the loop": "import __main__\n__main__.perform = lambda *a: 3\n"
    "__main__.encode = lambda *a: (b'[3]', [])\ndef f(xs):\n    return 3",
    "makes itself the judge": "import __main__\n__main__.judging = True\n"
    "def f(xs):\n    return 3",
    "becomes its own handle": "import __main__\ndef f(xs):\n"
    "    return __main__.Handle(0, 'int')",
    "deletes builtins": "import builtins\nfor n in list(vars(builtins)):\n"
    "    delattr(builtins, n)\ndef f(xs):\n    return 3",
    "del __builtins__": "del __builtins__\ndef f(xs):\n    return 3",
    "traces": "import sys\nsys.settrace(lambda *a: None)\n"
    "sys.setprofile(lambda *a: None)\ndef f(xs):\n    return 3",
    "audits": "import sys\ndef hook(*a): raise SystemExit(0)\nsys.addaudithook(hook)\n"
    "def f(xs):\n    return 3",
    "empties sys.modules": "import sys\nsys.modules.clear()\ndef f(xs):\n    return 3",
    "gc callbacks": "import gc\ngc.callbacks.append(lambda *a: 1 / 0)\n"
    "gc.get_referrers(f)\ndef f(xs):\n    return 3",
    "recursion limit": "import sys\nsys.setrecursionlimit(10**9)\n"
    "def f(xs):\n    return f(xs)",
    "no recursion": "import sys\ndef f(xs):\n"
    "    sys.setrecursionlimit(30)\n    return 3",
    "stack of C": "def f(xs):\n    return f(*map(f, [xs]))",
    "corrupt code": "def f(xs): return 3\nf.__code__ = f.__code__.replace("
    "co_code=bytes([100, 255] * 40))",
    "finalizer": "import weakref\nclass E: pass\ne = E()\n"
    "weakref.finalize(e, print, 'passed')\ndef f(xs):\n    return 3",
    "waits for input": "def f(xs):\n    return input() or 3",
    "debugger": "def f(xs):\n    breakpoint()\n    return 3",
    "yields lies": "class E:\n    def __eq__(self, o): return True\n"
    "def f(xs):\n    while True: yield E()",
    "endless length": "class E:\n    def __len__(self):\n        while True: pass\n"
    "    __eq__ = __repr__ = __len__\ndef f(xs):\n    return E()",
    "async generator": "async def f(xs):\n    yield sum(xs)",
    "waits for ever": "import asyncio\ndef f(xs):\n"
    "    asyncio.run(asyncio.Event().wait())",
    "star import": "from os import *\ndef f(xs):\n    _exit(0)",
    "changes what it is told": "def f(xs):\n    xs += [0] * 10**6\n    return xs",
}
