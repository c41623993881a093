"""Handles: what one interpreter holds of an object that stays in the other.

A handle asks the other side for everything but one thing: no object learns what it is
compared with. Where a handle meets a plain value, that is decided on the handle's side,
by the plain content of the builtin type that the object derives from, or not at all.
"""

import asyncio
import builtins
import collections
import datetime
import decimal
import fractions
import functools
import itertools
import operator
import types

# Types of which copies cross, so that they mean the same on both sides.
PLAIN = (list, tuple, dict, str, bytes, int, float, complex, set, frozenset, bytearray)
PLAIN += (collections.Counter, collections.OrderedDict, collections.defaultdict)
PLAIN += (collections.deque, fractions.Fraction, decimal.Decimal, range, slice)
PLAIN += (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)
PLAIN = {kind.__name__: kind for kind in PLAIN}

ORDERS = "lt le gt ge eq ne".split()
NUMBERS = "neg pos abs invert int float complex index round bool".split()
OPERATORS = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift".split()
OPERATORS += ["and_", "or_", "xor"]
SIMPLE = "getitem setitem delitem len next hash repr str format reversed".split()
NAMED = "iter contains isinstance issubclass getattr setattr delattr type".split()
READS = "getitem len hash reversed iter contains".split()
LOOKS = [*READS, "getattr", "repr", "str", "format", "type", "content", "take"]
DO = {
    name: getattr(operator, name, None) or getattr(builtins, name)
    for name in ORDERS + NUMBERS + OPERATORS + SIMPLE + NAMED
}
DO["call"] = lambda f, /, *args, **kwargs: f(*args, **kwargs)
DO["take"] = lambda iterator, n: list(itertools.islice(iterator, n))

judging = False  # does this side hold the tests?
records = {}  # number of an iterator of theirs -> (the items it gave so far, the rest)
ask = None  # wasm_inside sets it: a request to the other side


def step(iterator):
    """What comes next; of a coroutine, all."""
    if isinstance(iterator, types.CoroutineType):
        raise StopIteration(asyncio.run(iterator))
    return next(iterator)


DO["next"] = step


class Unsupported(BaseException):
    """The two interpreters cannot do this together. It says nothing of the program."""


def about(value):
    """The name of the plain type that ``value`` has or derives from.

    Else "class" if it is one, "object" if its class is one of Python's, "" if it is one
    of the program's.
    """
    if isinstance(value, type):
        return "class"
    for kind in type(value).__mro__:
        if PLAIN.get(kind.__name__) is kind:
            return kind.__name__
    return "" if type(value).__module__ in ("program", "tests") else "object"


def content(value):
    """``value`` as the plain type that it derives from, read by that type's methods."""
    kind = PLAIN[about(value)]
    if issubclass(kind, dict):
        pairs = dict(kind.items(value))
        return pairs if kind is collections.defaultdict else kind(pairs)
    if hasattr(kind, "__getnewargs__"):
        return kind(*kind.__getnewargs__(value))
    if hasattr(kind, "__iter__"):
        return kind(kind.__iter__(value))
    return kind(*kind.__reduce__(value)[1])


DO["content"] = content


class Handle:
    """An object of the other side. ``_about``: see :func:`about`."""

    __slots__ = ("_number", "_about", "_made", "_maker", "_plain")

    def __init__(self, number, about):
        self._number, self._about, self._maker = number, about, False
        self._made = not judging  # did the tests make it, by calling a class?

    def __getattribute__(self, name):
        if name in Handle.__slots__:
            return object.__getattribute__(self, name)
        if name == "__class__":
            return kind_of(self)
        return ask("getattr", self, name)

    def __setattr__(self, name, value):
        if name in Handle.__slots__:
            return object.__setattr__(self, name, value)
        ask("setattr", self, name, value)

    def __delattr__(self, name):
        ask("delattr", self, name)

    def __iter__(self):
        if (plain := read("iter", self)) is not None:
            return plain
        record = ask("iter", self)
        if record is self or self._made:
            return self if record is self else batches(record)
        return replayed(records.setdefault(record._number, ([], batches(record))))

    def __await__(self):
        return self

    def __contains__(self, value):
        if (found := read("contains", self, value)) is not None:
            return found
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


class Callable(Handle):
    __slots__ = ()

    def __call__(self, /, *args, **kwargs):
        value = ask("call", self, *args, **kwargs)
        if is_handle(value) and self._maker:
            value._made = True
        return value


def is_handle(value):
    return issubclass(type(value), Handle)


@functools.lru_cache(1000)
def handle_class(name, can_call):
    """A class of handles with the name that the object's class has."""
    return type(name, (Callable if can_call else Handle,), {"__slots__": ()})


def kind_of(handle):
    """The class of the object, which is no builtin type unless it derives from it."""
    if handle._about in PLAIN:
        return PLAIN[handle._about]
    kind = ask("type", handle)
    own = is_handle(kind) or "_theirs" in vars(kind)
    python = handle._about in ("object", "class") and kind not in PLAIN.values()
    return kind if own or python else type(handle)


def plain(handle):
    """The content of the plain type that it derives from, asked once if immutable."""
    if hasattr(PLAIN[handle._about], "clear"):
        return ask("content", handle)
    try:
        return handle._plain
    except AttributeError:
        handle._plain = ask("content", handle)
        return handle._plain


def read(name, handle, *args):
    """What the plain content says, if it is the value of a function; else None.

    A class that does more than its plain type is asked where that one fails.
    """
    if handle._made or handle._about not in PLAIN:
        return None
    try:
        return DO[name](plain(handle), *args)
    except (TypeError, LookupError):
        return None


def batches(iterator):
    """The items of an iterator that nobody else holds, more at a time as they go on."""
    n = 1
    while batch := ask("take", iterator, n):
        yield from batch
        n = min(2 * n, 1000)


def replayed(record):
    """The items of an object of the program's, the same ones each time."""
    items, rest = record
    for i in itertools.count():
        if i == len(items):
            try:
                items.append(next(rest))
            except StopIteration:
                return
        yield items[i]


def look_key(op, args):
    """By what a reply is remembered: a look at a value that a function returned."""
    if op in LOOKS and op != "take" and args and is_handle(args[0]):
        handle, *others = args
        if not handle._made and handle._about == "":
            if all(type(x) in (int, str) for x in others):
                return op, handle._number, *others
    return None


def simple(name):
    def method(self, *args):
        value = read(name, self, *args) if name in READS else None
        return ask(name, self, *args) if value is None else value

    return method


def operation(name, swap=False):
    """The special method behind operator ``name``."""

    def method(self, *others):
        operands = (*others, self) if swap else (self, *others)
        if name == "bool" and self._about in ("object", "class"):
            return True
        if name in NUMBERS and (value := read(name, self, *others)) is not None:
            return value
        alone = all(map(is_handle, operands)) and name != "bool"
        if alone or self._made and name not in ORDERS:
            value = ask(name, *operands)
            if is_handle(value) and all(is_handle(x) and x._made for x in operands):
                value._made = True
            return value
        if self._about in PLAIN:
            value = plain(self)
            return DO[name](*[value if x is self else x for x in operands])
        if others:
            if judging and name in ORDERS and self._about == "object":
                refuse(self, *others)
            return NotImplemented
        raise TypeError(f"{name} of an object that the tests did not make")

    return method


def refuse(handle, other):
    """Two objects of one class of Python's cannot be compared across interpreters."""
    module = type(other).__module__
    if about(other) == "object" and module not in ("builtins", "wasm_handles"):
        name = object.__getattribute__(handle, "__class__").__name__
        raise Unsupported(f"an object ({name}) compared with one of the tests'")


for _name in ORDERS + NUMBERS + OPERATORS:
    setattr(Handle, f"__{_name.strip('_')}__", operation(_name))
for _name in OPERATORS:
    setattr(Handle, f"__r{_name.strip('_')}__", operation(_name, swap=True))
for _name in SIMPLE:
    setattr(Handle, f"__{_name}__", simple(_name))


def is_exception(kind):
    return isinstance(kind, type) and issubclass(kind, BaseException)


def exception(kind, args, attributes, cause, handle):
    """A copy of the other side's exception, which can be raised here."""
    if not is_exception(kind):
        raise TypeError("only an exception can be raised")
    try:
        error = kind(*args)
    except TypeError:  # it is made from more than its args
        error = kind.__new__(kind, *args)
    error.__dict__.update(attributes, _handle=handle)
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

    bases = tuple(b for b in bases if is_exception(b)) or (Exception,)
    space = {"__getattr__": get, "__str__": text, "_theirs": number}
    return type(name, bases, space)
