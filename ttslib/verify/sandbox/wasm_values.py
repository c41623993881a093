"""How values cross between two interpreters: as a line of JSON, in postfix order.

``[3, 4, ["list", 2, 0]]`` is the list [3, 4]. Copies of plain values cross (CODECS);
of any other object the other side holds a handle (``wasm_handles``). A copy of a list
that both sides still hold is the same list, as if there were one interpreter: each line
says what was changed in such containers, and which of them its sender has dropped.
"""

import array
import builtins
import collections
import datetime
import decimal
import fractions
import gc
import importlib
import itertools
import json
import operator
import pathlib
import sys
import types
import uuid

import wasm_handles as handles
from wasm_handles import PLAIN, Handle, exception, is_exception


def flat(pairs):
    return list(itertools.chain.from_iterable(pairs))


def pairs(parts):
    return dict(zip(parts[::2], parts[1::2]))


def reduced(value):
    """What pickle would call the type with; None for a time that has a zone."""
    zone = getattr(value, "tzinfo", None)
    return None if zone is not None else list(value.__reduce_ex__(4)[1])


def viewed(view):
    """The mapping behind a view, if it is one whose copies cross."""
    mapping = gc.get_referents(view)[0]
    return [mapping] if type(mapping) in PLAIN.values() else None


def mapping(parts):
    """What is viewed: never a handle, which could say something else each time."""
    if type(parts[0]) not in PLAIN.values():
        raise TypeError("only a plain mapping can be viewed")
    return parts[0]


def view(name):
    return lambda kind, p: getattr(type(mapping(p)), name)(p[0])


def same(kind, parts):
    return kind(*parts)


VIEWS = [
    (type(getattr(kind(), name)()), viewed, view(name))
    for kind in (dict, collections.OrderedDict)
    for name in ("keys", "values", "items")
]
# (a type, the parts of its values, how a value is made of them)
CODECS = [
    *((kind, list, lambda kind, p: kind(p)) for kind in (list, tuple, set, frozenset)),
    *(
        (kind, lambda v: flat(v.items()), lambda kind, p: kind(pairs(p)))
        for kind in (dict, collections.OrderedDict, collections.Counter)
    ),
    *(
        (
            kind,
            lambda v: [v.decode("latin-1")],
            lambda kind, p: kind(p[0].encode("latin-1")),
        )
        for kind in (bytes, bytearray)
    ),
    (int, lambda v: [hex(v)], lambda kind, p: int(p[0], 16)),
    (float, lambda v: [], lambda kind, p: float("nan")),  # JSON has the others
    (complex, lambda v: [v.real, v.imag], same),
    *((kind, lambda v: [v.start, v.stop, v.step], same) for kind in (range, slice)),
    (collections.deque, lambda v: [v.maxlen, *v], lambda kind, p: kind(p[1:], p[0])),
    (
        collections.defaultdict,
        lambda v: [v.default_factory, *flat(v.items())],
        lambda kind, p: kind(p[0], pairs(p[1:])),
    ),
    (fractions.Fraction, lambda v: [v.numerator, v.denominator], same),
    (decimal.Decimal, reduced, same),
    (datetime.date, reduced, same),
    (datetime.datetime, reduced, same),
    (datetime.time, reduced, same),
    (datetime.timedelta, reduced, same),
    (uuid.UUID, lambda v: [v.int], lambda kind, p: kind(int=p[0])),
    (pathlib.PurePosixPath, lambda v: [str(v)], same),
    (pathlib.PosixPath, lambda v: [str(v)], same),
    (array.array, lambda v: [v.typecode, *v], lambda kind, p: kind(p[0], p[1:])),
    (
        types.SimpleNamespace,
        lambda v: flat(vars(v).items()),
        lambda kind, p: kind(**pairs(p)),
    ),
    (types.MappingProxyType, viewed, lambda kind, p: kind(mapping(p))),
    *VIEWS,
]
CODECS = {kind.__name__: (kind, parts, make) for kind, parts, make in CODECS}

MUTABLE = {kind for kind, *_ in CODECS.values() if hasattr(kind, "clear")}
MUTABLE |= {array.array, types.SimpleNamespace}

TYPES = [*vars(builtins).values(), *vars(types).values()]
TYPES = {t.__name__: t for t in TYPES if isinstance(t, type)}

objects, numbers = [], {}  # of ours, what the other side knows; its place there by id
theirs = {}  # of theirs, by number: handles, exception classes


class Shared:
    """Containers (and NaNs) of which both sides hold a copy that stands for the other.

    Each has a key, which is ``~key`` on the other side.
    """

    def __init__(self):
        self.values, self.keys, self.parts = {}, {}, {}
        self.new = itertools.count()

    def add(self, value, key=None):
        key = next(self.new) if key is None else key
        self.values[key], self.keys[id(value)] = value, key
        self.note(key)
        return key

    def note(self, key):
        value = self.values[key]
        self.parts[key] = CODECS[type(value).__name__][1](value)

    def drop(self, key):
        if key in self.values:
            del self.parts[key], self.keys[id(self.values.pop(key))]

    def dropped(self):
        """The keys of what nothing else here holds any more: it is let go."""
        gone = []
        for key in reversed(list(self.values)):  # a list after what it holds
            if sys.getrefcount(self.values[key]) == 2:  # by ``values``, and as argument
                self.drop(key)
                gone.append(key)
        return tuple(gone)

    def changed(self):
        """The keys of those that were changed here since the last line."""
        return [key for key in self.values if self.is_changed(key)]

    def is_changed(self, key):
        value, old = self.values[key], self.parts[key]
        new = CODECS[type(value).__name__][1](value)
        if type(value) in (bytearray, array.array):
            return new != old
        return len(new) != len(old) or any(map(operator.is_not, new, old))

    def changes(self):
        """(key, its parts) of what was changed; it counts as told."""
        keys = self.changed()
        for key in keys:
            self.note(key)
        return tuple((key, tuple(self.parts[key])) for key in keys)

    def refill(self, key, parts):
        value = self.values[key]
        fresh = make(type(value).__name__, list(parts))
        if isinstance(value, types.SimpleNamespace):
            value, fresh = vars(value), vars(fresh)
        if isinstance(value, array.array):
            value[:] = fresh
        else:
            value.clear()
            (getattr(value, "update", None) or value.extend)(fresh)
        self.note(key)


shared = Shared()


def make(name, parts):
    kind, _, make = CODECS[name]
    return make(kind, parts)


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


def is_function(value):
    """Is it a function of a module in C, like len and math.sqrt?"""
    if not isinstance(value, types.BuiltinFunctionType):
        return False
    module = value.__self__
    return (
        isinstance(module, types.ModuleType)
        and getattr(module, value.__name__, None) is value
    )


def known(module, name):
    """A builtin type, a module of the standard library or an exception class in it.

    Of functions the tests know only those that they have handed over.
    """
    if module == "builtins" and name in TYPES:
        return TYPES[name]
    if module.partition(".")[0] not in sys.stdlib_module_names:
        raise ImportError(f"No module named {module!r}")
    found = importlib.import_module(module)
    found = getattr(found, name) if name else found
    told = not handles.judging or id(found) in numbers
    if name and not is_exception(found) and not (is_function(found) and told):
        raise TypeError(f"{module}.{name} is no exception")
    return found


def encode(value):
    """The line that says ``value``, and what became of the shared containers."""
    tokens = []

    def put_all(values, *token):
        for v in values:
            put(v)
        tokens.append([token[0], len(values), *token[1:]])

    def put(v):
        kind = type(v)
        found = CODECS.get(kind.__name__, (None,))
        if v is None or kind in (bool, str) or kind is float and v == v:
            tokens.append(v)
        elif kind is int and abs(v) < 1 << 63:
            tokens.append(v)
        elif id(v) in shared.keys:
            tokens.append(["same", shared.keys[id(v)]])
        elif found[0] is kind and (parts := found[1](v)) is not None:
            has_identity = kind in MUTABLE or kind is float
            put_all(parts, kind.__name__)
            if has_identity:
                tokens[-1].append(shared.add(v))
        else:
            put_object(v, kind)

    def put_object(v, kind):
        if issubclass(kind, Handle):
            tokens.append(["yours", v._number])
        elif isinstance(v, BaseException) and "_handle" in vars(v):
            put(vars(v)["_handle"])
        elif isinstance(v, BaseException):
            put_all([kind, v.args, tuple(vars(v).items()), v.__cause__], "raised")
            tokens[-1].append(number(v))
        elif isinstance(v, type) and "_theirs" in vars(v):
            tokens.append(["yours", v._theirs])
        elif isinstance(v, type) and is_known(v):
            module = v.__module__ if TYPES.get(v.__name__) is not v else "builtins"
            tokens.append(["known", module, v.__name__])
        elif is_exception(v):
            put_all(v.__bases__, "class", number(v), v.__name__)
        elif isinstance(v, types.ModuleType):
            tokens.append(["known", v.__name__, ""])
        elif is_function(v) and (handles.judging or id(v) in told):
            number(v)
            tokens.append(["known", v.__self__.__name__, v.__name__])
        else:
            name, can_call = str(kind.__name__), callable(v)
            tokens.append(["mine", number(v), handles.about(v), name, can_call])

    changes = shared.changes()  # before what nobody here holds is dropped
    put((value, changes, shared.dropped()))
    return json.dumps(tokens).encode()


told = set()  # functions that the tests have handed to this side, by id


def decode(line):
    """The value that a line says, once the shared containers are as it says."""
    stack = []
    for token in json.loads(line):
        if type(token) is dict:
            raise ValueError("no such token")
        stack.append(token if type(token) is not list else read(token, stack))
    ((value, changes, gone),) = stack
    for key, parts in changes:
        shared.refill(~key, parts)
    for key in gone:
        shared.drop(~key)
    return value


def read(token, stack):
    """The value of a token that is a list, made of what the stack holds."""
    name, n, *more = token
    if name == "same":
        return shared.values[~n]
    if name == "yours":
        return objects[n]
    if name == "known":
        value = known(n, *more)
        told.add(id(value))
        return value
    if name == "mine":
        if n not in theirs:
            about, name, can_call = more
            theirs[n] = handles.handle_class(name, can_call)(n, about)
        return theirs[n]
    cut = len(stack) - n
    parts = stack[cut:]
    del stack[cut:]
    if name == "raised":
        kind, args, attributes, cause = parts
        handle = theirs.setdefault(more[0], Handle(more[0], ""))
        return exception(kind, args, dict(attributes), cause, handle)
    if name == "class":
        if more[0] not in theirs:
            theirs[more[0]] = handles.exception_class(parts, *more)
        return theirs[more[0]]
    value = make(name, parts)
    if more:
        shared.add(value, ~more[0])
    return value
