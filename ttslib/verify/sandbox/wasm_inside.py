"""What runs in an instance of CPython: it holds the candidate, or it holds the tests.

The two speak in turn, a line each: a request (?), a reply (!), an exception (^).
"""

import ast
import asyncio
import importlib
import io
import json
import re
import sys
import types

import wasm_handles as handles  # an instance has no files: the worker hands these in
import wasm_values as values
from wasm_handles import DO, Unsupported, is_handle
from wasm_values import MUTABLE, decode, encode, shared

# Programs find their usual modules loaded.
USUAL = "bisect contextlib dataclasses enum functools heapq math random string typing"
for _name in USUAL.split():
    importlib.import_module(_name)
# The event loop of asyncio wakes itself through a socket; alone, it need not.
_loop = asyncio.selector_events.BaseSelectorEventLoop
_loop._csock = None
_loop._make_self_pipe = _loop._close_self_pipe = lambda self: None
# What an interpreter without packages, files, sockets and threads says.
LACKING = re.compile(r"No module named '|can't start new thread|\[Errno \d+\]")
PATCHING = {"redirect_stdout", "redirect_stderr", "mock", "patch", "monkeypatch"}

looks = {}  # what the tests saw since they last called or changed something
source, sink = open(0, "rb"), open(1, "wb", 0)


def ask(operation, /, *args, **kwargs):
    """What the other side replies. A value that is only looked at stays as it was."""
    key = handles.look_key(operation, args) if handles.judging else None
    if operation not in handles.LOOKS:
        looks.clear()
        handles.records.clear()
    elif key in looks and not shared.changed():
        return looks[key]
    line = encode((operation, args, tuple(kwargs.items())))
    sink.write(b"?" + line + b"\n")
    value = answer()
    if key:
        looks[key] = value
    return value


def answer():
    """The reply to what was asked; or its exception."""
    while (line := source.readline()).startswith(b"?"):
        serve(line[1:])
    value = decode(line[1:])
    if line.startswith(b"^"):
        raise value
    return value


def serve(line):
    """Do what the other side asks, and say what came of it."""
    op, args, kwargs = decode(line)
    try:
        kind, value = b"!", perform(op, *args, **dict(kwargs))
    except Unsupported:
        raise
    except BaseException as error:
        kind, value = (
            b"^",
            error.with_traceback(None),
        )  # whose frames hold the arguments
    try:
        line = encode(value)
    except Exception as error:  # it holds itself, or more than there is memory for
        kind, line = b"^", encode(type(error)(f"in what came back: {error}"))
    sink.write(kind + line + b"\n")


def perform(op, *args, **kwargs):
    """Tests let a candidate use what they handed over, and that by its public face."""
    if handles.judging:
        if not any(id(a) in values.numbers for a in args):
            raise TypeError("the tests did not hand this over")
        kind, name = type(args[0]), str(args[1:2])
        own = kind in MUTABLE or kind.__module__ == "tests"
        own = own and not name.startswith("('_")
        if op in ("getattr", "setattr", "delattr") and not own:
            raise AttributeError("the tests keep this to themselves")
    return DO[op](*args, **kwargs)


def start(name):
    """The name space of a new module, in which a task's code runs."""
    sys.modules[name] = types.ModuleType(name)
    return vars(sys.modules[name])


def load(task, space):
    """Run the candidate, which may go on from the prompt: what the tests want of it.

    It is run as a module is that is imported: not as ``__main__``.
    """
    try:
        parts = [compile(task["prompt"] + "\n" + task["source"], "<program>", "exec")]
    except SyntaxError:
        parts = [compile(task[x], "<program>", "exec") for x in ("prompt", "source")]
    for part in parts:
        exec(part, space)
    return tuple((name, space[name]) for name in task["names"] if name in space)


def judge(task, space):
    """(status, reason) of the tests, once the candidate is there."""
    defined = None
    try:
        exec(task["prompt"], space)
        # No other name, whatever it says; what the prompt defines is the tests' own.
        wanted = {n for n in task["names"] if n not in space} | {task["entry"]}
        defined = dict(answer())
        for name in wanted & set(defined):
            space[name] = value = defined[name]
            if is_handle(value):
                value._maker = name[:1].isupper() and value._about == "class"
        exec(compile(task["source"], "<tests>", "exec"), space)
        return "passed", ""
    except BaseException as error:
        try:
            text = f"{type(error).__name__}: {error}"[:300]
        except BaseException:
            text = type(error).__name__
        unsupported = isinstance(error, Unsupported) or LACKING.search(text)
    if not unsupported and defined and patches(task["source"], defined):
        text = f"the tests patch or capture what is another interpreter's ({text})"
        unsupported = True
    return "unsupported" if unsupported else "failed", text


def patches(source, defined):
    """Do the tests change something that the program would see in one interpreter?"""
    nodes = list(ast.walk(ast.parse(source)))
    imported = [n for n in nodes if isinstance(n, (ast.Import, ast.ImportFrom))]
    modules = {(a.asname or a.name).split(".")[0] for n in imported for a in n.names}
    for node in nodes:
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        name = name or getattr(node, "name", None)
        root = node
        while isinstance(root, (ast.Attribute, ast.Subscript)):
            root = root.value
        owned = root is not node and getattr(root, "id", "") in modules
        if owned and (name == "seed" or not isinstance(node.ctx, ast.Load)):
            return True
        if name in PATCHING - set(defined):
            return True
    return False


def main():
    sys.stdin, sys.stdout = io.StringIO(), open(2, "w")
    sys.stderr = sys.stdout
    task = json.loads(source.readline())
    handles.judging, handles.ask = task["judging"], ask
    if handles.judging:
        said = json.dumps(judge(task, start("tests")))
        sink.write(b"=" + said.encode() + b"\n")
        return
    try:
        kind, value = b"!", load(task, start("program"))
    except BaseException as error:
        kind, value = b"^", error
    sink.write(kind + encode(value) + b"\n")
    while line := source.readline():
        serve(line[1:])


if __name__ == "__main__":
    main()
