"""What runs in an instance of CPython: it holds the candidate, or it holds the tests.

The two speak in turn, a line each: a request (?), a reply (!), an exception (^).
"""

import asyncio
import copy
import importlib
import io
import json
import operator
import re
import sys
import types

import wasm_values as values  # an instance has no files: the worker hands it in
from wasm_values import DO, MUTABLE, Handle, content, decode, encode, items

# Programs find their usual modules loaded.
USUAL = "bisect contextlib dataclasses enum functools heapq math random string typing"
for _name in USUAL.split():
    importlib.import_module(_name)
# The event loop of asyncio wakes itself through a socket; alone, it need not.
_loop = asyncio.selector_events.BaseSelectorEventLoop
_loop._csock = None
_loop._make_self_pipe = _loop._close_self_pipe = lambda self: None
LACKING = re.compile(r"No module named '(\w+)|can't start new thread")

source, sink = open(0, "rb"), open(1, "wb", 0)


def ask(operation, /, *args, **kwargs):
    line, found = encode([operation, args, kwargs])
    sink.write(b"?" + line + b"\n")
    return answer(found)


def answer(found=()):
    """The reply to what was asked, what it changed put in place; or its exception."""
    while (line := source.readline()).startswith(b"?"):
        serve(line[1:])
    value, changes = decode(line[1:], found)[0]
    for i, fresh in changes:
        found[i].clear()
        (getattr(found[i], "update", None) or found[i].extend)(fresh)
    if line.startswith(b"^"):
        raise value
    return value


def serve(line):
    """Do what the other side asks, and say what that made of its containers."""
    (op, args, kwargs), found = decode(line)
    before = [*map(items, found)]
    try:
        kind, value = b"!", perform(op, *args, **kwargs)
    except BaseException as error:
        kind, value = b"^", error
    changes = []
    for i, (container, old) in enumerate(zip(found, before)):
        new = items(container)
        if len(new) != len(old) or any(map(operator.is_not, new, old)):
            changes.append([i, copy.copy(container)])
    lent = [value] if op in ("getattr", "getitem") else []
    try:
        line = encode([value, changes], found, lent)[0]
    except Exception as error:  # it holds itself, or more than there is memory for
        kind, line = b"^", encode([type(error)(f"in what came back: {error}"), []])[0]
    sink.write(kind + line + b"\n")


def perform(op, *args, **kwargs):
    """Tests let a candidate use what they handed over, and that by its public face."""
    if values.judging:
        if not any(id(a) in values.numbers for a in args):
            raise TypeError("the tests did not hand this over")
        kind, name = type(args[0]), str(args[1:2])
        own = kind in MUTABLE or kind.__module__ == "tests"
        own = own and not name.startswith("('_")
        if op in ("getattr", "setattr", "delattr") and not own:
            raise AttributeError("the tests keep this to themselves")
    return content(*args) if op == "content" else DO[op](*args, **kwargs)


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
    return {name: space[name] for name in task["names"] if name in space}


def judge(task, space):
    """(status, reason) of the tests, once the candidate is there."""
    try:
        exec(task["prompt"], space)
        # No other name, whatever it says; what the prompt defines is the tests' own.
        wanted = {n for n in task["names"] if n not in space} | {task["entry"]}
        defined = answer()
        for name in wanted & set(defined):
            space[name] = value = defined[name]
            if type(value) is Handle:
                value._maker = name[:1].isupper()
        exec(compile(task["source"], "<tests>", "exec"), space)
        return "passed", ""
    except BaseException as error:
        try:
            text = f"{type(error).__name__}: {error}"[:300]
        except BaseException:
            text = type(error).__name__
    lacking = LACKING.search(text)
    if lacking and (not lacking[1] or lacking[1] in sys.stdlib_module_names):
        return "unsupported", text
    return "failed", text


def main():
    sys.stdin, sys.stdout = io.StringIO(), open(2, "w")
    sys.stderr = sys.stdout
    task = json.loads(source.readline())
    values.judging, values.ask = task["judging"], ask
    if values.judging:
        said = json.dumps(judge(task, start("tests")))
        sink.write(b"=" + said.encode() + b"\n")
        return
    try:
        kind, value = b"!", load(task, start("program"))
    except BaseException as error:
        kind, value = b"^", error
    lent = value.values() if kind == b"!" else []
    sink.write(kind + encode([value, []], (), lent)[0] + b"\n")
    while line := source.readline():
        serve(line[1:])


if __name__ == "__main__":
    main()
