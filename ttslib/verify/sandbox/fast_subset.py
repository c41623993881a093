"""A short way for programs in a small language, through pydantic-monty.

The embedded sets' functions are a few expressions on lists of integers. What stands
here, and nothing else, monty runs as CPython does, in a tenth of the time. A test ties
the two on generated programs.
"""

import ast
import atexit
import functools
import importlib.util
import os
import sys
import threading

import pydantic_monty as monty

from ..verdict import Verdict

# monty looks for opentelemetry at every call: where there is none, let it know at once
if importlib.util.find_spec("opentelemetry") is None:
    sys.modules["opentelemetry"] = None

LONGEST = 1000  # characters
NODES = (
    (ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Assign, ast.Return)
    + (ast.Name, ast.Load, ast.Store, ast.List, ast.Tuple, ast.Subscript, ast.Slice)
    + (ast.ListComp, ast.comprehension, ast.IfExp, ast.Call, ast.keyword)
    + (ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare)
    + (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)
    + (ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.Constant)
)
CALLS = {"sum": (), "len": (), "abs": (), "max": ("default",), "min": ("default",)}
CALLS["sorted"] = ("reverse",)

_lock = threading.Lock()
_pool = None  # (our process, monty's workers)


@functools.lru_cache(4096)  # a policy writes the same program for many problems
def small(source, entry):
    """Is ``source`` one function ``entry`` of that language?"""
    try:
        tree = ast.parse(source) if len(source) <= LONGEST else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if tree is None or [getattr(x, "name", None) for x in tree.body] != [entry]:
        return False
    return entry not in CALLS and all(map(_listed, ast.walk(tree)))


def _listed(node):
    if isinstance(node, ast.Constant):  # type, as True == 1
        return (
            type(node.value) in (int, bool, type(None)) and abs(node.value or 0) < 1000
        )
    if isinstance(node, ast.FunctionDef):
        a = node.args
        other = (a.posonlyargs, a.kwonlyargs, a.vararg, a.kwarg, a.defaults)
        return not any((*other, node.decorator_list, node.returns))
    if isinstance(node, ast.arg):
        return node.annotation is None and node.arg not in CALLS
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id not in CALLS
    if isinstance(node, ast.Assign):
        return [type(target) for target in node.targets] == [ast.Name]
    if isinstance(node, ast.ListComp):
        return len(node.generators) == 1 and type(node.generators[0].target) is ast.Name
    if isinstance(node, ast.comprehension):
        return not node.is_async
    if isinstance(node, ast.Call):
        named = [k.arg for k in node.keywords]
        known = type(node.func) is ast.Name and node.func.id in CALLS
        return known and len(node.args) == 1 and set(named) <= {*CALLS[node.func.id]}
    return isinstance(node, NODES)


def _integers(value):
    """Integers, None and lists of them."""
    if type(value) in (list, tuple):
        return all(map(_integers, value))
    return type(value) in (int, bool, type(None))


def short(data, source, timeout):
    """Verdict by data's cases; None if the short way doesn't lead there."""
    cases = data["tests"]
    if not (small(source, data["entry_point"]) and _integers(cases)):
        return None
    if (workers := _workers()) is None:
        return None
    limits = {"max_memory": 64 << 20, "max_feed_duration_secs": float(timeout)}
    call = f"{source}\n[{data['entry_point']}(*args) for args in cases]"
    try:
        with workers.checkout(limits=limits) as session:
            said = session.feed_run(call, inputs={"cases": [args for args, _ in cases]})
    except monty.MontyRuntimeError as error:
        inner = error.exception()
        if isinstance(inner, (TimeoutError, MemoryError, RecursionError)):
            return None
        return Verdict("failed", f"{type(inner).__name__}: {inner}"[:300])
    except monty.MontyError:
        return None
    for value, (args, expected) in zip(said, cases):
        if not value == expected:
            return Verdict("failed", f"{args} gave {value}"[:300])
    return Verdict("passed")


def _workers():
    """The pool, started at first use; None after a fork, which it does not survive."""
    global _pool
    with _lock:
        if _pool is None:
            pool = monty.Monty(min_processes=1, max_processes=8)
            _pool = os.getpid(), pool.__enter__()
        return _pool[1] if _pool[0] == os.getpid() else None


@atexit.register
def close():
    global _pool
    if _pool is not None and _pool[0] == os.getpid():
        _pool[1].__exit__(None, None, None)
        _pool = None
