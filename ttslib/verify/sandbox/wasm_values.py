"""How values cross between two instances of CPython: what each knows of the other's.

A line is a list in postfix order, ``[3, 4, ["list", 2]]``, of which its reader makes
plain builtins and nothing else. Any other object stays where it is: the other side
holds a Handle. No answer learns what it is compared with: where a handle meets a plain
value, what comes over is the plain content of the builtin type that it derives from.
"""

import asyncio
import builtins
import collections
import copy
import copyreg
import datetime
import decimal
import fractions
import importlib
import itertools
import json
import operator
import sys
import types

# Plain types, of which copies cross: those of JSON, and what __reduce_ex__ takes apart.
BASIC = {kind.__name__: kind for kind in (list, tuple, dict, str, bytes, int, float)}
MADE = (set, frozenset, bytearray, complex, range, slice)
MADE += (collections.Counter, collections.OrderedDict, collections.defaultdict)
MADE += (collections.deque, fractions.Fraction, decimal.Decimal)
MADE += (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)
MADE = {kind.__name__: kind for kind in MADE}
PLAIN = BASIC | MADE
MUTABLE = {kind for kind in PLAIN.values() if hasattr(kind, "clear")}
TYPES = [*vars(builtins).values(), *vars(types).values()]
TYPES = {t.__name__: t for t in TYPES if isinstance(t, type)}

ORDERS = "lt le gt ge eq ne".split()
NUMBERS = "neg pos abs invert int float complex index round bool".split()
OPERATORS = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift".split()
OPERATORS += ["and_", "or_", "xor"]
SIMPLE = "getitem setitem delitem len next hash repr str format reversed".split()
NAMED = "iter contains isinstance issubclass getattr setattr delattr".split()
DO = {
    name: getattr(operator, name, None) or getattr(builtins, name)
    for name in ORDERS + NUMBERS + OPERATORS + SIMPLE + NAMED
}
DO["call"] = lambda f, /, *args, **kwargs: f(*args, **kwargs)
DO["take"] = lambda iterator, n: list(itertools.islice(iterator, n))

judging = False  # does this side hold the tests?
objects, numbers = [], {}  # of ours, what the other side knows; its place there by id
handles, classes = {}, {}  # of theirs, by number: Handles, exception classes
ask = None  # wasm_inside sets it: a request to the other side


def step(iterator):
    """What comes next; of a coroutine, all."""
    if isinstance(iterator, types.CoroutineType):
        raise StopIteration(asyncio.run(iterator))
    return next(iterator)


DO["next"] = step


def about(value):
    """The name of the plain type that ``value`` has or derives from.

    Else "object" if its class is one of Python's, "" if it is one of the program's.
    """
    for kind in type(value).__mro__:
        if PLAIN.get(kind.__name__) is kind:
            return kind.__name__
    return "" if type(value).__module__ in ("program", "tests") else "object"


def content(value):
    """``value`` as the plain type that it derives from."""
    kind = PLAIN[about(value)]
    if type(value) is kind:
        return copy.copy(value)
    if kind is str:
        return str.__str__(value)
    return dict(value) if kind is collections.defaultdict else kind(value)


def items(value):
    """What a container holds, in a row."""
    if isinstance(value, dict):
        return [x for pair in value.items() for x in pair]
    return list(value)


def parts(value):
    """What a plain value is made of."""
    if type(value) in (list, tuple, dict):
        return items(value)
    if type(value) in (int, bytes):
        return [hex(value) if type(value) is int else value.decode("latin-1")]
    make, args, _, more, pairs = (*value.__reduce_ex__(2), None, None, None)[:5]
    return [args[make is copyreg.__newobj__ :], list(more or ()), dict(pairs or ())]


def made(kind, parts):
    """The plain value of these parts."""
    if kind in (list, tuple):
        return kind(parts)
    if kind is dict:
        return dict(zip(parts[::2], parts[1::2]))
    if kind in (int, bytes):
        return int(parts[0], 16) if kind is int else parts[0].encode("latin-1")
    args, more, pairs = parts
    value = kind(*args)
    if more:
        value.extend(more)
    if pairs:
        value.update(pairs)
    return value


def number(value):
    """The place of what the other side is told of."""
    if id(value) not in numbers:
        numbers[id(value)] = len(objects)
        objects.append(value)
    return numbers[id(value)]


def is_known(kind):
    """Does the other side have this type, too?"""
    if TYPES.get(kind.__name__) is kind:
        return True
    root = kind.__module__.partition(".")[0]
    return issubclass(kind, BaseException) and root in sys.stdlib_module_names


def known(module, name):
    """A builtin type, a module of the standard library or an exception class in it."""
    if module == "builtins":
        return TYPES[name]
    if module.partition(".")[0] not in sys.stdlib_module_names:
        raise ImportError(f"No module named {module!r}")
    found = importlib.import_module(module)
    if name and not is_exception(found := getattr(found, name)):
        raise TypeError(f"{module}.{name} is no exception")
    return found


def encode(value, seen=(), lent=()):
    """(line, mutable containers in it): what was ``seen`` is named by its place there.

    ``lent``: containers that stay here, so that the other side can change them.
    """
    tokens, found, lent = [], list(seen), {*map(id, lent)}
    places = {id(v): i for i, v in enumerate(found)}

    def put_all(values, *token):
        for v in values:
            put(v)
        tokens.append([token[0], len(values), *token[1:]])

    def put(v):
        kind = type(v)
        if v is None or kind in (bool, float, str) or kind is int and abs(v) < 1 << 63:
            tokens.append(v)
        elif kind in MUTABLE and id(v) in lent:
            tokens.append(["mine", number(v), about(v)])
        elif id(v) in places:
            tokens.append(["seen", places[id(v)]])
        elif PLAIN.get(kind.__name__) is kind and not getattr(v, "tzinfo", None):
            put_all(parts(v), kind.__name__)
            if kind in MUTABLE:
                places[id(v)] = len(found)
                found.append(v)
        elif kind is Handle:
            tokens.append(["yours", v._number])
        elif isinstance(v, BaseException) and "_handle" in vars(v):
            put(vars(v)["_handle"])
        elif isinstance(v, BaseException):
            put_all([kind, v.args, vars(v), v.__cause__], "raised", number(v))
        elif isinstance(v, type) and "_theirs" in vars(v):
            tokens.append(["yours", v._theirs])
        elif isinstance(v, type) and is_known(v):
            module = v.__module__ if TYPES.get(v.__name__) is not v else "builtins"
            tokens.append(["known", module, v.__name__])
        elif is_exception(v):
            put_all(v.__bases__, "class", number(v), v.__name__)
        elif isinstance(v, types.ModuleType):
            tokens.append(["known", v.__name__, ""])
        else:
            tokens.append(["mine", number(v), about(v)])

    put(value)
    return json.dumps(tokens).encode(), found


def decode(line, seen=()):
    """(value, mutable containers in it), the reverse of :func:`encode`."""
    stack, found = [], list(seen)
    for token in json.loads(line):
        if type(token) is dict:
            raise ValueError("no such token")
        if type(token) is not list:
            value = token
        elif token[0] == "seen":
            value = found[token[1]]
        elif token[0] == "yours":
            value = objects[token[1]]
        elif token[0] == "known":
            value = known(*token[1:])
        elif token[0] == "mine":
            value = handles.setdefault(token[1], Handle(*token[1:]))
        else:
            name, n, *more = token
            cut = len(stack) - n
            taken = stack[cut:]
            del stack[cut:]
            if name == "raised":
                value = exception(*taken, *more)
            elif name == "class":
                value = exception_class(taken, *more)
            else:
                value = made(PLAIN[name], taken)
                if PLAIN[name] in MUTABLE:
                    found.append(value)
        stack.append(value)
    (value,) = stack
    return value, found


def is_exception(kind):
    return isinstance(kind, type) and issubclass(kind, BaseException)


def exception(kind, args, attributes, cause, number):
    if not is_exception(kind):
        raise TypeError("only an exception can be raised")
    try:
        error = kind(*args)
    except TypeError:  # it is made from more than its args
        error = kind.__new__(kind, *args)
    error.__dict__.update(attributes, _handle=Handle(number, ""))
    error.__cause__ = cause
    return error


def exception_class(bases, number, name):
    """A class that stands here for one of the other side's: tests can catch it."""

    def get(self, attribute):
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        return getattr(self._handle, attribute)

    def text(self):
        return str(self._handle) if "_handle" in vars(self) else Exception.__str__(self)

    if number not in classes:
        bases = tuple(b for b in bases if is_exception(b)) or (Exception,)
        space = {"__getattr__": get, "__str__": text, "_theirs": number}
        classes[number] = type(name, bases, space)
    return classes[number]


class Handle:
    """An object of the other side."""

    __slots__ = ("_number", "_about", "_made", "_maker")

    def __init__(self, number, about):
        self._number, self._about, self._maker = number, about, False
        self._made = not judging  # did the tests make it, by calling a class?

    def __getattribute__(self, name):
        if name in Handle.__slots__:
            return object.__getattribute__(self, name)
        if name == "__class__" and self._about in PLAIN:
            return PLAIN[self._about]
        return ask("getattr", self, name)

    def __setattr__(self, name, value):
        if name in Handle.__slots__:
            return object.__setattr__(self, name, value)
        ask("setattr", self, name, value)

    def __delattr__(self, name):
        ask("delattr", self, name)

    def __call__(self, /, *args, **kwargs):
        value = ask("call", self, *args, **kwargs)
        if type(value) is Handle and self._maker:
            value._made = True
        return value

    def __iter__(self):
        iterator = ask("iter", self)
        return self if iterator is self else batches(iterator)

    def __await__(self):
        return self

    def __contains__(self, value):
        if self._made:
            return ask("contains", self, value)
        return any(value is x or value == x for x in self)

    def __enter__(self):
        return self.__enter__()

    def __exit__(self, kind, error, trace):
        return self.__exit__(kind, error, None)

    def __instancecheck__(self, value):
        return ask("isinstance", value, self)

    def __subclasscheck__(self, value):
        return ask("issubclass", value, self)


def batches(iterator):
    """The items of an iterator that nobody else holds, more at a time as they go on."""
    n = 1
    while batch := ask("take", iterator, n):
        yield from batch
        n = min(2 * n, 1000)


def operation(name, swap=False):
    """The special method behind operator ``name``."""

    def method(self, *others):
        operands = (*others, self) if swap else (self, *others)
        if name == "bool" and self._about == "object":
            return True
        alone = all(type(x) is Handle for x in operands) and name != "bool"
        if alone or self._made and name not in ORDERS:
            value = ask(name, *operands)
            if type(value) is Handle and all(
                type(x) is Handle and x._made for x in operands
            ):
                value._made = True
            return value
        if self._about in PLAIN:
            plain = ask("content", self)
            return DO[name](*[plain if x is self else x for x in operands])
        if others:
            return NotImplemented
        raise TypeError(f"{name} of an object that the tests did not make")

    return method


for _name in ORDERS + NUMBERS + OPERATORS:
    setattr(Handle, f"__{_name.strip('_')}__", operation(_name))
for _name in OPERATORS:
    setattr(Handle, f"__r{_name.strip('_')}__", operation(_name, swap=True))
for _name in SIMPLE:
    setattr(
        Handle, f"__{_name}__", lambda self, *args, _op=_name: ask(_op, self, *args)
    )
