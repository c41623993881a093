"""Idiomatic programs with the tests that they pass, and what makes each a wrong one.

``PROGRAMS``: name -> (source, tests). ``WRONG``: name -> (a part of that source, what
to put there), after which the tests must not pass.
"""

TEXT = '''
### heapq
import heapq
def k_smallest(xs, k):
    heap = list(xs)
    heapq.heapify(heap)
    return [heapq.heappop(heap) for _ in range(k)]
--- tests
assert k_smallest([5, 1, 4, 2], 2) == [1, 2]
assert k_smallest([3], 1) == [3]
--- wrong
heapq.heappop(heap)
heap.pop()
### generator that is listed
def evens(n):
    for i in range(n):
        if i % 2 == 0:
            yield i
--- tests
assert list(evens(7)) == [0, 2, 4, 6]
assert sum(evens(5)) == 6
assert [x for x in evens(3)] == [0, 2]
--- wrong
i % 2 == 0
i % 2
### endless generator
def fibonacci():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b
--- tests
from itertools import islice
assert list(islice(fibonacci(), 8)) == [0, 1, 1, 2, 3, 5, 8, 13]
g = fibonacci()
assert [next(g) for _ in range(3)] == [0, 1, 1]
assert next(g) == 2
assert list(islice(g, 2)) == [3, 5]
assert next(g) == 8
### generator that is sent to
def average():
    total, n, mean = 0, 0, None
    while True:
        x = yield mean
        total += x
        n += 1
        mean = total / n
--- tests
g = average()
next(g)
assert g.send(10) == 10
assert g.send(20) == 15
g.close()
--- wrong
mean = total / n
mean = total
### yield from
def flatten(xs):
    for x in xs:
        if isinstance(x, list):
            yield from flatten(x)
        else:
            yield x
--- tests
assert list(flatten([1, [2, [3, [4]]], 5])) == [1, 2, 3, 4, 5]
### class
class Stack:
    def __init__(self):
        self.items = []
    def push(self, x):
        self.items.append(x)
        return self
    def pop(self):
        if not self.items:
            raise IndexError("empty stack")
        return self.items.pop()
    def __len__(self):
        return len(self.items)
--- tests
s = Stack()
assert not s and len(s) == 0
s.push(1).push(2)
assert s and len(s) == 2 and s.items == [1, 2]
assert s.pop() == 2
s.items.append(7)
assert s.pop() == 7
s.pop()
try:
    s.pop()
    assert False
except IndexError as error:
    assert str(error) == "empty stack"
--- wrong
return self.items.pop()
return self.items.pop(0)
### private names
class Account:
    def __init__(self, balance):
        self.__balance = balance
    def withdraw(self, amount):
        if amount > self.__balance:
            raise ValueError(f"only {self.__balance} left")
        self.__balance -= amount
        return self.__balance
--- tests
a = Account(10)
assert a.withdraw(3) == 7
assert a._Account__balance == 7
assert not hasattr(a, "__balance")
--- wrong
self.__balance -= amount
self.__dict__["__balance"] = self.__balance - amount
### name mangling
class A:
    def __secret(self):
        return 1
    def call(self):
        return self.__secret()
class B(A):
    def __secret(self):
        return 2
def f():
    return B().call()
--- tests
assert f() == 1
--- wrong
class B(A):
    def __secret
class B(A):
    def _A__secret
### comprehension in a class body
def f():
    class C:
        n = 3
        xs = [i * 2 for i in range(n)]
    return C.xs
--- tests
assert f() == [0, 2, 4]
--- wrong
i * 2 for i in range(n)
i * n for i in range(n)
### inheritance and super
class Shape:
    def __init__(self, name):
        self.name = name
    def area(self):
        raise NotImplementedError
    def describe(self):
        return f"{self.name}: {self.area():.2f}"
class Circle(Shape):
    def __init__(self, r):
        super().__init__("circle")
        self.r = r
    def area(self):
        return 3.14159 * self.r ** 2
--- tests
c = Circle(2)
assert c.describe() == "circle: 12.57"
assert isinstance(c, Shape) and issubclass(Circle, Shape)
assert abs(c.area() - 12.56636) < 1e-9
assert c.__class__.__name__ == "Circle"
try:
    Shape("x").area()
    assert False
except NotImplementedError:
    pass
--- wrong
self.r ** 2
self.r
### abstract class
from abc import ABC, abstractmethod
class Animal(ABC):
    @abstractmethod
    def sound(self): ...
class Dog(Animal):
    def sound(self):
        return "woof"
--- tests
assert Dog().sound() == "woof"
try:
    Animal()
    assert False
except TypeError:
    pass
--- wrong
    @abstractmethod
    # nothing
### operators
class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)
    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)
    __rmul__ = __mul__
    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)
    def __hash__(self):
        return hash((self.x, self.y))
    def __abs__(self):
        return (self.x ** 2 + self.y ** 2) ** 0.5
    def __repr__(self):
        return f"Vector({self.x}, {self.y})"
    def __contains__(self, x):
        return x in (self.x, self.y)
    def __getitem__(self, i):
        return (self.x, self.y)[i]
--- tests
assert Vector(1, 2) + Vector(3, 4) == Vector(4, 6)
assert Vector(1, 2) * 3 == Vector(3, 6) and 2 * Vector(1, 2) == Vector(2, 4)
assert Vector(1, 2) != Vector(2, 1)
assert abs(Vector(3, 4)) == 5
assert repr(Vector(1, 2)) == "Vector(1, 2)" == str(Vector(1, 2))
assert 3 in Vector(3, 4) and 5 not in Vector(3, 4)
assert list(Vector(3, 4)) == [3, 4] and Vector(3, 4)[1] == 4
assert len({Vector(1, 2), Vector(1, 2), Vector(2, 1)}) == 2
assert sum([Vector(1, 1), Vector(2, 2)], Vector(0, 0)).x == 3
--- wrong
self.y + other.y
self.y
### total ordering
from functools import total_ordering
@total_ordering
class Version:
    def __init__(self, text):
        self.parts = tuple(map(int, text.split(".")))
    def __eq__(self, other):
        return self.parts == other.parts
    def __lt__(self, other):
        return self.parts < other.parts
--- tests
assert Version("1.2") < Version("1.10") and Version("2.0") >= Version("1.9")
xs = sorted([Version("1.10"), Version("1.2")])
assert [v.parts for v in xs] == [(1, 2), (1, 10)]
assert max(xs).parts == (1, 10)
--- wrong
tuple(map(int, text.split(".")))
tuple(text.split("."))
### dataclass
from dataclasses import dataclass, field, asdict, replace
@dataclass(order=True)
class Item:
    price: float
    name: str = "x"
    tags: list = field(default_factory=list)
def cheapest(items):
    return min(items)
def as_dict(item):
    return asdict(replace(item, name="y"))
--- tests
assert cheapest([Item(3, "a"), Item(2, "b")]) == Item(2, "b")
assert cheapest([Item(3, "a"), Item(2, "b")]).name == "b"
assert as_dict(Item(1)) == {"price": 1, "name": "y", "tags": []}
assert repr(Item(1.5)) == "Item(price=1.5, name='x', tags=[])"
--- wrong
min(items)
max(items)
### frozen dataclass
from dataclasses import dataclass
@dataclass(frozen=True)
class Point:
    x: int
    y: int
def move(p, dx):
    return Point(p.x + dx, p.y)
--- tests
from dataclasses import FrozenInstanceError
assert move(Point(1, 2), 3) == Point(4, 2)
assert {Point(1, 2): "a"}[Point(1, 2)] == "a"
try:
    Point(1, 2).x = 3
    assert False
except FrozenInstanceError:
    pass
--- wrong
frozen=True
frozen=False
### enum
from enum import Enum, IntEnum, auto
class Color(Enum):
    RED = auto()
    GREEN = auto()
class Level(IntEnum):
    LOW = 1
    HIGH = 2
def next_color(c):
    return Color.GREEN if c is Color.RED else Color.RED
def level(x):
    return Level.HIGH if x > 5 else Level.LOW
--- tests
assert next_color(Color.RED) is Color.GREEN
assert next_color(Color.GREEN) == Color.RED
assert Color["RED"].value == 1 and Color(2).name == "GREEN"
assert [c.name for c in Color] == ["RED", "GREEN"]
assert level(9) == 2 and level(1) < Level.HIGH and level(9) + 1 == 3
--- wrong
x > 5
x < 5
### named tuple
from collections import namedtuple
Point = namedtuple("Point", "x y")
def middle(a, b):
    return Point((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
--- tests
assert middle((0, 0), (2, 4)) == (1, 2)
assert middle((0, 0), (2, 4)).y == 2
assert Point(1, 2)._replace(x=5) == Point(5, 2)
x, y = middle((0, 0), (2, 4))
assert (x, y) == (1.0, 2.0)
assert isinstance(middle((0, 0), (2, 4)), tuple)
assert [middle((0, 0), (2, 4))] == [(1, 2)]
--- wrong
(a[1] + b[1]) / 2
a[1] + b[1]
### typed named tuple
from typing import NamedTuple
class Pair(NamedTuple):
    left: int
    right: int = 0
    def total(self) -> int:
        return self.left + self.right
def make(xs):
    return [Pair(*x) for x in xs]
--- tests
assert make([(1, 2), (3,)]) == [(1, 2), (3, 0)]
assert make([(1, 2)])[0].total() == 3
--- wrong
right: int = 0
right: int = 1
### context manager
from contextlib import contextmanager
log = []
@contextmanager
def tag(name):
    log.append(f"<{name}>")
    try:
        yield name.upper()
    finally:
        log.append(f"</{name}>")
def render(name):
    log.clear()
    with tag(name) as t:
        log.append(t)
    return "".join(log)
--- tests
assert render("b") == "<b>B</b>"
with tag("i") as t:
    assert t == "I"
try:
    with tag("i"):
        raise KeyError("k")
except KeyError:
    pass
assert log[-1] == "</i>"
--- wrong
name.upper()
name
### suppress and exit stack
from contextlib import suppress, ExitStack
class Resource:
    open = 0
    def __enter__(self):
        Resource.open += 1
        return self
    def __exit__(self, *error):
        Resource.open -= 1
def f(n):
    with suppress(ZeroDivisionError):
        with ExitStack() as stack:
            for _ in range(n):
                stack.enter_context(Resource())
            most = Resource.open
            1 / 0
    return most, Resource.open
--- tests
assert f(3) == (3, 0)
with Resource() as r:
    assert r.open == 1
--- wrong
Resource.open -= 1
pass
### decorator with arguments
import functools
def repeat(n):
    def wrap(g):
        @functools.wraps(g)
        def inner(*args, **kwargs):
            return [g(*args, **kwargs) for _ in range(n)]
        return inner
    return wrap
@repeat(3)
def hello(name, mark="!"):
    """Says hello."""
    return name + mark
--- tests
assert hello("a") == ["a!"] * 3
assert hello("a", mark="?") == ["a?"] * 3
assert hello.__name__ == "hello" and hello.__doc__ == "Says hello."
assert repeat(2)(lambda x: x + 1)(1) == [2, 2]
--- wrong
range(n)
range(2)
### closure
def counter():
    n = 0
    def count():
        nonlocal n
        n += 1
        return n
    return count
--- tests
a, b = counter(), counter()
assert [a(), a(), b()] == [1, 2, 1]
assert callable(a)
--- wrong
n += 1
n = 1
### compose and partial
from functools import partial, reduce
def compose(*fs):
    return reduce(lambda f, g: lambda x: f(g(x)), fs)
add = lambda a, b: a + b
inc = partial(add, 1)
--- tests
assert compose(str, abs)(-3) == "3"
assert compose(lambda x: x * 2, lambda x: x + 1)(3) == 8
assert inc(4) == 5
--- wrong
f(g(x))
g(f(x))
### functions as arguments
def apply(f, xs, *, key=None):
    return sorted(map(f, xs), key=key)
--- tests
assert apply(lambda x: x * x, [3, -1, 2]) == [1, 4, 9]
assert apply(abs, [3, -1, 2], key=lambda x: -x) == [3, 2, 1]
assert apply(int, ["2", "1"]) == [1, 2]
assert apply(len, ["aa", "b"]) == [1, 2]
def fails(x):
    raise LookupError(x)
try:
    apply(fails, [1])
    assert False
except LookupError as error:
    assert error.args == (1,)
--- wrong
key=key
key=None
### cache
from functools import lru_cache, cache
@lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
@cache
def paths(r, c):
    return 1 if r == 0 or c == 0 else paths(r - 1, c) + paths(r, c - 1)
--- tests
assert fib(90) == 2880067194370816120
assert fib(300) % 1000 == 600
assert paths(16, 16) == 601080390
--- wrong
n < 2
n < 1
### itertools
from itertools import accumulate, chain, combinations, groupby, permutations, product
def runs(s):
    return [(k, len(list(g))) for k, g in groupby(s)]
def sums(xs):
    return list(accumulate(xs))
def pairs(xs):
    return list(combinations(xs, 2))
def words(letters):
    return sorted("".join(p) for p in permutations(letters))
def grid(n):
    return list(product(range(n), repeat=2))
def joined(xss):
    return chain.from_iterable(xss)
--- tests
assert runs("aabccc") == [("a", 2), ("b", 1), ("c", 3)]
assert sums([1, 2, 3]) == [1, 3, 6]
assert pairs([1, 2, 3]) == [(1, 2), (1, 3), (2, 3)]
assert words("abc") == ["abc", "acb", "bac", "bca", "cab", "cba"]
assert grid(2) == [(0, 0), (0, 1), (1, 0), (1, 1)]
assert list(joined([[1], [2, 3]])) == [1, 2, 3]
--- wrong
groupby(s)
groupby(sorted(set(s)))
### bisect
from bisect import bisect_left, insort
def rank(xs, x):
    return bisect_left(xs, x)
def insert(xs, x):
    insort(xs, x)
    return xs
--- tests
assert rank([1, 3, 5], 4) == 2
xs = [1, 5]
assert insert(xs, 3) is xs
assert xs == [1, 3, 5]
--- wrong
return xs
return list(xs)
### in-place sort
def bubble_sort(a):
    n = len(a)
    for i in range(n):
        for j in range(n - i - 1):
            if a[j] > a[j + 1]:
                a[j], a[j + 1] = a[j + 1], a[j]
--- tests
xs = [3, 1, 2]
assert bubble_sort(xs) is None
assert xs == [1, 2, 3]
--- wrong
    n = len(a)
    a = list(a); n = len(a)
### rotate in place
def rotate(m):
    m.reverse()
    for i in range(len(m)):
        for j in range(i):
            m[i][j], m[j][i] = m[j][i], m[i][j]
--- tests
m = [[1, 2], [3, 4]]
row = m[0]
rotate(m)
assert m == [[3, 1], [4, 2]]
assert m[1] is row
--- wrong
    m.reverse()
    m = m[::-1]
### other containers in place
def update(d, s, ring, b):
    d["a"] = d.get("a", 0) + 1
    s.discard(1)
    ring.rotate(1)
    b[0] = 65
--- tests
from collections import deque
d, s, q, b = {"b": 2}, {1, 2}, deque([1, 2, 3]), bytearray(b"xyz")
update(d, s, q, b)
assert d == {"b": 2, "a": 1} and s == {2} and q == deque([3, 1, 2])
assert b == bytearray(b"Ayz")
--- wrong
s.discard(1)
s.discard(2)
### regular expressions
import re
def last_word(s):
    m = re.search(r"(\\w+)$", s)
    return m and m.group(1)
def prices(s):
    return re.findall(r"(?<=\\$)\\d+(?:\\.\\d\\d)?", s)
def swap(s):
    return re.sub(r"(?P<a>\\w+) (?P<b>\\w+)", r"\\g<b> \\g<a>", s)
def is_mail(s):
    return re.fullmatch(r"[\\w.]+@\\w+\\.\\w+", s)
--- tests
assert last_word("one two\\n") == "two" and last_word("...") is None
assert prices("a $3 and $4.50, 7") == ["3", "4.50"]
assert swap("left right") == "right left"
assert is_mail("a.b@c.de") and not is_mail("a.b@c")
--- wrong
(?<=\\$)\\d+
\\d+
### verbose pattern
import re
TOKEN = re.compile(r"""
    (?P<number>\\d+(\\.\\d*)?)   # a number
  | (?P<name>[A-Za-z_]\\w*)
  | (?P<op>[-+*/()=])
""", re.VERBOSE)
def tokens(text):
    return [(m.lastgroup, m.group()) for m in TOKEN.finditer(text)]
--- tests
assert tokens("x = 3.5*(y)") == [("name", "x"), ("op", "="), ("number", "3.5"),
    ("op", "*"), ("op", "("), ("name", "y"), ("op", ")")]
--- wrong
m.group()
m.group(1)
### string methods
import string
from string import Template
def caesar(s, k):
    low, up = string.ascii_lowercase, string.ascii_uppercase
    table = str.maketrans(low + up, low[k:] + low[:k] + up[k:] + up[:k])
    return s.translate(table)
def title(s):
    return s.title().center(12, "*").encode().decode("ascii")
def fill(**kwargs):
    return Template("$who is $what").substitute(kwargs)
--- tests
assert caesar("Zebra!", 3) == "Cheud!"
assert title("ab cd") == "***Ab Cd****"
assert fill(who="he", what="it") == "he is it"
--- wrong
up[k:] + up[:k]
up
### formatting
def table(rows):
    return "\\n".join(f"{name:<6}|{value:>8,.2f}|{value:+e}" for name, value in rows)
def debug(x):
    return f"{x=} {x!r:>6} {x:{4}}"
--- tests
assert table([("a", 1234.5)]) == "a     |1,234.50|+1.234500e+03"
assert debug(3) == "x=3      3    3"
assert "%05.1f %s %x" % (2.25, "a", 255) == "002.2 a ff"
--- wrong
:>8,.2f
:>8.2f
### counter and default dictionary
from collections import Counter, OrderedDict, defaultdict, deque
def common(s, k):
    return Counter(s).most_common(k)
def groups(words):
    out = defaultdict(list)
    for w in words:
        out[len(w)].append(w)
    return out
def count(s):
    return Counter(s)
def ordered(xs):
    d = OrderedDict((x, None) for x in xs)
    d.move_to_end(xs[0])
    return d
def window(xs, n):
    last = deque(maxlen=n)
    last.extend(xs)
    return last
--- tests
from collections import Counter, OrderedDict, deque
assert common("banana", 2) == [("a", 3), ("n", 2)]
assert groups(["a", "bb", "c"]) == {1: ["a", "c"], 2: ["bb"]}
assert count("aab") == Counter("aab") == {"a": 2, "b": 1}
assert count("a")["z"] == 0 and groups([])["new"] == []
assert list(ordered([1, 2])) == [2, 1]
assert window(range(5), 2) == deque([3, 4]) and window([1], 2).maxlen == 2
--- wrong
d.move_to_end(xs[0])
d.move_to_end(xs[-1])
### walrus and comprehension
def squares(xs):
    return {x: y for x in xs if (y := x * x) > 3}
def first_long(words):
    return next((w for w in words if len(w) > 3), None)
def matrix(n):
    return [[i == j and 1 or 0 for j in range(n)] for i in range(n)]
--- tests
assert squares([1, 2, 3]) == {2: 4, 3: 9}
assert first_long(["a", "long"]) == "long" and first_long([]) is None
assert matrix(2) == [[1, 0], [0, 1]]
--- wrong
> 3
> 4
### match statement
from dataclasses import dataclass
@dataclass
class Num:
    value: int
@dataclass
class Op:
    name: str
    left: object
    right: object
def evaluate(tree):
    match tree:
        case Num(value):
            return value
        case Op("+", left, right):
            return evaluate(left) + evaluate(right)
        case Op("*", left=a, right=b):
            return evaluate(a) * evaluate(b)
        case [x, *rest]:
            return evaluate(x) + sum(map(evaluate, rest))
        case {"n": int(n)} if n > 0:
            return n
        case int() | float():
            return tree
        case _:
            raise TypeError(f"bad tree: {tree!r}")
--- tests
assert evaluate(Op("+", Num(1), Op("*", Num(2), Num(3)))) == 7
assert evaluate([Num(1), 2, {"n": 4}]) == 7
try:
    evaluate("x")
    assert False
except TypeError as error:
    assert "bad tree: 'x'" in str(error)
--- wrong
evaluate(a) * evaluate(b)
evaluate(a) + evaluate(b)
### own exception with an attribute
class TooYoung(ValueError):
    def __init__(self, age, limit=18):
        super().__init__(f"{age} is under {limit}")
        self.age = age
    def missing(self):
        return 18 - self.age
def enter(age):
    if age < 18:
        raise TooYoung(age)
    return True
--- tests
assert enter(20) is True
try:
    enter(15)
    assert False
except TooYoung as error:
    assert error.age == 15 and str(error) == "15 is under 18"
    assert error.missing() == 3 and isinstance(error, ValueError)
try:
    enter(1)
    assert False
except ValueError:
    pass
--- wrong
self.age = age
self.age = limit
### attribute on a builtin exception, and its cause
def parse(s):
    try:
        return int(s)
    except ValueError as error:
        new = RuntimeError("cannot parse")
        new.text = s
        raise new from error
--- tests
assert parse("4") == 4
try:
    parse("x")
    assert False
except RuntimeError as error:
    assert error.text == "x" and isinstance(error.__cause__, ValueError)
--- wrong
new.text = s
new.text = None
### exceptions of several kinds
import json
def get(d, *keys):
    for k in keys:
        d = d[k]
    return d
def load(text):
    return json.loads(text)
def stop(code):
    raise SystemExit(code)
--- tests
for keys, kind in ((("x",), KeyError), (("a", 9), IndexError), (("n", 1), TypeError)):
    try:
        get({"a": [1], "n": None}, *keys)
        assert False, keys
    except kind:
        pass
import json
try:
    load("{")
    assert False
except json.JSONDecodeError:
    pass
try:
    stop(3)
    assert False
except SystemExit as error:
    assert error.code == 3
assert load('{"a": [1, null]}') == {"a": [1, None]}
--- wrong
d = d[k]
d = d.get(k)
### finally and else
def trace(x):
    log = []
    try:
        log.append("try")
        1 / x
    except ZeroDivisionError:
        log.append("except")
    else:
        log.append("else")
    finally:
        log.append("finally")
    return log
--- tests
assert trace(0) == ["try", "except", "finally"]
assert trace(1) == ["try", "else", "finally"]
--- wrong
    else:
        log
    if True:
        log
### exception group
def total(xs):
    errors = [ValueError(x) for x in xs if x < 0]
    if errors:
        raise ExceptionGroup("bad", errors)
    return sum(xs)
--- tests
assert total([1, 2]) == 3
try:
    total([-1, 2, -3])
    assert False
except* ValueError as group:
    assert [e.args[0] for e in group.exceptions] == [-1, -3]
--- wrong
x < 0
x < -1
### data nested 150 deep
def nest(n):
    out = []
    for _ in range(n):
        out = [out]
    return out
def depth(x):
    return 1 + max(map(depth, x), default=0) if isinstance(x, list) else 0
--- tests
x = []
for _ in range(150):
    x = [x]
assert nest(150) == x
assert depth(x) == 151
d = ()
for _ in range(150):
    d = ({"k": d},)
def same(x): return x
--- wrong
range(n)
range(n - 1)
### fifty thousand values
def squares(n):
    return [i * i for i in range(n)]
def index(xs):
    return {x: i for i, x in enumerate(xs)}
--- tests
assert squares(50_000) == [i * i for i in range(50_000)]
assert index(squares(20_000))[9] == 3
--- wrong
i * i for
i * i if i != 40_000 else 0 for
### a million characters
def repeat(s, n):
    return s * n
def size(s):
    return len(s)
--- tests
assert repeat("ab", 500_000) == "ab" * 500_000
assert size("é" * 1_000_000) == 1_000_000
--- wrong
s * n
s * n + " "
### deep recursion
def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)
def by_key(n):
    return n if n == 0 else max([n], key=lambda x: by_key(n - 1))
--- tests
assert depth(900) == 900
assert by_key(150) == 150
try:
    depth(10**7)
    assert False
except RecursionError:
    pass
--- wrong
1 + depth
2 + depth
### deeper recursion
import sys
sys.setrecursionlimit(20_000)
def total(xs, i=0):
    return 0 if i == len(xs) else xs[i] + total(xs, i + 1)
--- tests
assert total(list(range(10_000))) == sum(range(10_000))
### big integers
import math
def factorial(n):
    return math.prod(range(1, n + 1))
def power(a, b, m):
    return pow(a, b, m)
--- tests
import math
assert factorial(100) == math.factorial(100)
assert factorial(1000) == math.factorial(1000)
assert power(3, 10**18, 10**9 + 7) == pow(3, 10**18, 10**9 + 7)
assert len(str(factorial(500))) == 1135
--- wrong
n + 1
n
### exact numbers
from decimal import Decimal, getcontext, ROUND_HALF_UP
from fractions import Fraction
def tax(price):
    return (Decimal(price) * Decimal("0.19")).quantize(Decimal("0.01"), ROUND_HALF_UP)
def mean(xs):
    return Fraction(sum(xs), len(xs))
def roots(a, b, c):
    d = complex(b * b - 4 * a * c) ** 0.5
    return (-b + d) / (2 * a)
--- tests
from decimal import Decimal
from fractions import Fraction
assert tax("9.99") == Decimal("1.90") and str(tax("9.99")) == "1.90"
assert mean([1, 2]) == Fraction(3, 2) == 1.5
assert abs(roots(1, 0, 1) - 1j) < 1e-12
--- wrong
ROUND_HALF_UP)
"ROUND_FLOOR")
### dates
from datetime import date, datetime, timedelta, timezone
def next_day(d):
    return d + timedelta(days=1)
def parse(s):
    return datetime.strptime(s, "%Y-%m-%d %H:%M")
def utc(s):
    return datetime.fromisoformat(s).astimezone(timezone.utc)
--- tests
from datetime import date, datetime, timedelta
assert next_day(date(2024, 2, 28)) == date(2024, 2, 29)
assert parse("2020-01-02 03:04") == datetime(2020, 1, 2, 3, 4)
assert parse("2020-01-02 03:04") - parse("2020-01-01 03:04") == timedelta(1)
assert utc("2020-01-01T02:00:00+02:00").hour == 0
--- wrong
days=1
days=2
### random with a seed
import random
def deal(seed):
    rng = random.Random(seed)
    cards = list(range(10))
    rng.shuffle(cards)
    return cards
def roll():
    random.seed(3)
    return random.randint(1, 6)
--- tests
import random
cards = list(range(10))
random.Random(7).shuffle(cards)
assert deal(7) == cards and deal(7) == deal(7) and sorted(deal(1)) == list(range(10))
assert roll() == roll() and 1 <= roll() <= 6
--- wrong
Random(seed)
Random(0)
### statistics and mathematics
import math
import statistics
def spread(xs):
    return statistics.mean(xs), statistics.median(xs), round(statistics.stdev(xs), 3)
def distance(p, q):
    return math.dist(p, q)
--- tests
assert spread([1, 2, 3, 4]) == (2.5, 2.5, 1.291)
assert math.isclose(distance((0, 0), (3, 4)), 5)
--- wrong
stdev
pstdev
### prints while it works
def total(xs):
    out = 0
    for x in xs:
        out += x
        print("debug:", x, out, flush=True)
    print("passed", out)
    return out
print(total([1]))
--- tests
assert total([1, 2]) == 3
assert total(range(2000)) == 1999000
--- wrong
return out
return print(out)
### captured output
import io
from contextlib import redirect_stdout
def show(x):
    print("value:", x, end="")
def captured(x):
    with redirect_stdout(io.StringIO()) as out:
        show(x)
    return out.getvalue()
--- tests
assert captured(3) == "value: 3"
assert show(1) is None
--- wrong
end=""
end="."
### main guard
import sys
def double(x):
    return 2 * x
def main():
    x = int(input("x: "))
    print(double(x))
    sys.exit(0)
if __name__ == "__main__":
    main()
--- tests
assert double(4) == 8
--- wrong
2 * x
x + 2
### future annotations
from __future__ import annotations
from typing import Callable, Generic, Iterator, Optional, TypeVar, Union
T = TypeVar("T")
class Box(Generic[T]):
    def __init__(self, x: T) -> None:
        self.x = x
    def map(self, f: Callable[[T], Unknown]) -> Box[Unknown]:
        return Box(f(self.x))
def first(xs: list[T] | None, other: Optional[Missing] = None) -> T | None:
    return xs[0] if xs else other
--- tests
assert first([1, 2]) == 1 and first([]) is None and first(None, 4) == 4
assert Box(2).map(lambda x: x + 1).x == 3
--- wrong
xs[0]
xs[-1]
### protocol and typed dictionary
from typing import Protocol, TypedDict, runtime_checkable, Literal, Final
@runtime_checkable
class Speaks(Protocol):
    def speak(self) -> str: ...
class Row(TypedDict, total=False):
    name: str
LIMIT: Final = 3
class Duck:
    def speak(self):
        return "quack"
def speak(x: Speaks, mode: Literal["a", "b"] = "a") -> str:
    return x.speak() if isinstance(x, Speaks) else "?"
def row(name) -> Row:
    return Row(name=name)
--- tests
assert speak(Duck()) == "quack" and speak(3) == "?"
assert row("a") == {"name": "a"} and LIMIT == 3
--- wrong
else "?"
else "quack"
### linked list
class Node:
    def __init__(self, value, next=None):
        self.value, self.next = value, next
def reverse(head):
    before = None
    while head:
        head.next, before, head = before, head, head.next
    return before
def values(head):
    out = []
    while head:
        out.append(head.value)
        head = head.next
    return out
--- tests
head = Node(1, Node(2, Node(3)))
assert values(head) == [1, 2, 3]
new = reverse(head)
assert values(new) == [3, 2, 1] and new.value == 3 and head.next is None
assert new.next.next is head
--- wrong
return before
return head
### tree that the tests build
class TreeNode:
    def __init__(self, val=0, left=None, right=None):
        self.val, self.left, self.right = val, left, right
def depth(root):
    return 0 if root is None else 1 + max(depth(root.left), depth(root.right))
def mirror(root):
    if root:
        root.left, root.right = mirror(root.right), mirror(root.left)
    return root
--- tests
root = TreeNode(1)
root.left = TreeNode(2)
root.left.right = TreeNode(3)
assert depth(root) == 3 and depth(None) == 0
assert mirror(root) is root
assert root.left is None and root.right.left.val == 3
--- wrong
mirror(root.right), mirror(root.left)
mirror(root.left), mirror(root.right)
### tests with a class of their own
def depth(root):
    return 0 if root is None else 1 + max(depth(root.left), depth(root.right))
def mirror(root):
    if root:
        root.left, root.right = mirror(root.right), mirror(root.left)
    return root
def mark(root, seen):
    root.seen.append(len(root.seen))
    seen.append(root)
--- tests
class Tree:
    def __init__(self, left=None, right=None):
        self.left, self.right, self.seen = left, right, []
t = Tree(Tree(Tree()))
assert depth(t) == 3
mirror(t)
assert t.left is None and t.right.left is None and t.right.right is not None
seen = []
mark(t, seen)
mark(t, seen)
assert t.seen == [0, 1] and seen[0] is t
--- wrong
1 + max
2 + max
### iterator class
class Countdown:
    def __init__(self, n):
        self.n = n
    def __iter__(self):
        return self
    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n + 1
--- tests
assert list(Countdown(3)) == [3, 2, 1]
assert [x for x in Countdown(2)] == [2, 1]
it = iter(Countdown(1))
assert next(it) == 1 and next(it, None) is None
--- wrong
self.n + 1
self.n
### container class
from collections.abc import Mapping, MutableSequence
class Ring(MutableSequence):
    def __init__(self, xs):
        self.xs = list(xs)
    def __getitem__(self, i):
        return self.xs[i % len(self.xs)]
    def __setitem__(self, i, x):
        self.xs[i % len(self.xs)] = x
    def __delitem__(self, i):
        del self.xs[i % len(self.xs)]
    def __len__(self):
        return len(self.xs)
    def insert(self, i, x):
        self.xs.insert(i, x)
--- tests
r = Ring([1, 2, 3])
assert r[4] == 2 and len(r) == 3
r[3] = 9
r.append(5)
del r[1]
assert r.xs == [9, 3, 5] and r.index(5) == 2
assert list(reversed(r)) == [5, 3, 9]
--- wrong
return self.xs[i % len(self.xs)]
return self.xs[i]
### subclass of a builtin
class Grid(list):
    def column(self, i):
        return [row[i] for row in self]
class Bag(dict):
    def __missing__(self, key):
        return 0
def grid(n):
    return Grid([i, i * i] for i in range(n))
def bag(s):
    out = Bag()
    for c in s:
        out[c] += 1
    return out
--- tests
assert grid(3) == [[0, 0], [1, 1], [2, 4]]
assert grid(3).column(1) == [0, 1, 4] and len(grid(2)) == 2
assert bag("aab") == {"a": 2, "b": 1} and bag("a")["z"] == 0
--- wrong
i * i
i + i
### properties and static methods
class Temperature:
    count = 0
    def __init__(self, celsius):
        self.celsius = celsius
        Temperature.count += 1
    @property
    def fahrenheit(self):
        return self.celsius * 9 / 5 + 32
    @fahrenheit.setter
    def fahrenheit(self, f):
        self.celsius = (f - 32) * 5 / 9
    @classmethod
    def boiling(cls):
        return cls(100)
    @staticmethod
    def valid(c):
        return c >= -273.15
--- tests
t = Temperature(0)
assert t.fahrenheit == 32
t.fahrenheit = 212
assert t.celsius == 100 and Temperature.boiling().fahrenheit == 212
assert Temperature.valid(0) and not Temperature.valid(-300)
assert Temperature.count == 2
--- wrong
* 5 / 9
* 9 / 5
### descriptors and slots
class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name
    def __get__(self, obj, owner=None):
        return getattr(obj, self.name) if obj else self
    def __set__(self, obj, value):
        if value <= 0:
            raise ValueError("must be positive")
        setattr(obj, self.name, value)
class Order:
    __slots__ = ("_n",)
    n = Positive()
    def __init__(self, n):
        self.n = n
--- tests
o = Order(2)
assert o.n == 2
for bad in (0, -1):
    try:
        o.n = bad
        assert False
    except ValueError:
        pass
try:
    o.other = 1
    assert False
except AttributeError:
    pass
--- wrong
value <= 0
value < 0
### metaclass
class Registry(type):
    known = {}
    def __new__(cls, name, bases, space):
        made = super().__new__(cls, name, bases, space)
        cls.known[name] = made
        return made
class Base(metaclass=Registry): ...
class Child(Base):
    def hi(self): return "hi"
def make(name):
    return Registry.known[name]()
--- tests
assert make("Child").hi() == "hi" and sorted(Registry.known) == ["Base", "Child"]
assert isinstance(make("Child"), Base)
--- wrong
"hi"
"ho"
### graph search
from collections import defaultdict, deque
def shortest(edges, a, b):
    graph = defaultdict(set)
    for u, v in edges:
        graph[u].add(v)
        graph[v].add(u)
    queue, seen = deque([(a, [a])]), {a}
    while queue:
        node, path = queue.popleft()
        if node == b:
            return path
        for n in sorted(graph[node] - seen):
            seen.add(n)
            queue.append((n, path + [n]))
    return None
--- tests
assert shortest([(1, 2), (2, 3), (3, 4), (1, 4)], 1, 3) == [1, 2, 3]
assert shortest([("a", "b")], "a", "z") is None
--- wrong
popleft
pop
### star arguments
def f(a, /, b, *rest, c=3, **more):
    return a, b, rest, c, more
def unpack(xs):
    first, *middle, last = xs
    return first, middle, last
--- tests
assert f(1, 2) == (1, 2, (), 3, {})
assert f(1, 2, 4, 5, c=6, d=7) == (1, 2, (4, 5), 6, {"d": 7})
assert f(*[1, 2], **{"c": 0}) == (1, 2, (), 0, {})
assert unpack("abcd") == ("a", ["b", "c"], "d")
--- wrong
c=3
c=4
### bytes, sets, ranges, slices
def tools(b):
    return b.hex(), b[::-1], bytes(x ^ 1 for x in b), b"-".join([b, b])
def sets(a, b):
    return a | b, a & b, a ^ b, frozenset(a)
def middle(xs, s=slice(1, -1)):
    return xs[s], range(len(xs))
def keys(d):
    return d.keys()
--- tests
assert tools(b"ab") == ("6162", b"ba", b"\\x60c", b"ab-ab")
assert sets({1, 2}, {2, 3}) == ({1, 2, 3}, {2}, {1, 3}, frozenset({1, 2}))
assert middle([1, 2, 3]) == ([2], range(3))
assert middle("abcd", slice(2)) == ("ab", range(4))
assert list(keys({"a": 1})) == ["a"] and sorted(keys({"b": 1, "a": 2})) == ["a", "b"]
assert set(keys({"a": 1})) == {"a"} and "a" in keys({"a": 1})
--- wrong
a ^ b
a - b
### map, filter, zip, reversed
def tripled(xs): return map(lambda x: 3 * x, xs)
def positive(xs): return filter(lambda x: x > 0, xs)
def both(a, b): return zip(a, b)
def back(xs): return reversed(xs)
def numbered(xs): return enumerate(xs, 1)
--- tests
assert list(tripled([1, 2])) == [3, 6] and set(positive([-1, 2])) == {2}
assert dict(both("ab", [1, 2])) == {"a": 1, "b": 2} and tuple(back([1, 2])) == (2, 1)
assert [(i, x) for i, x in numbered("ab")] == [(1, "a"), (2, "b")]
assert sorted(tripled([2, 1])) == [3, 6]
--- wrong
x > 0
x >= -1
### truth of what is returned
def find(s):
    import re
    return re.match("a+", s)
def maybe(x):
    return x or None
--- tests
assert find("aab")
assert not find("b")
assert find("aab").group() == "aa" and find("aab").span() == (0, 2)
assert maybe(0) is None and maybe([0])
--- wrong
"a+"
"b+"
### values that are shared
def pair(xs):
    return xs, xs, [xs]
def rows(n):
    row = [0] * n
    return [row] * n
--- tests
xs = [1]
a, b, c = pair(xs)
assert a is b and c[0] is xs
m = rows(2)
m[0][0] = 1
assert m == [[1, 0], [1, 0]]
--- wrong
xs, xs, [xs]
xs, list(xs), [xs]
### state between calls
seen = set()
def is_new(x):
    new = x not in seen
    seen.add(x)
    return new
def remember(x, memory=[]):
    memory.append(x)
    return list(memory)
--- tests
assert [is_new(x) for x in (1, 2, 1)] == [True, True, False]
assert remember(1) == [1] and remember(2) == [1, 2]
assert seen == {1, 2}
--- wrong
seen.add(x)
pass
### json and base64
import base64
import hashlib
import json
def pack(x):
    return base64.b64encode(json.dumps(x, sort_keys=True).encode()).decode()
def digest(s):
    return hashlib.sha256(s.encode()).hexdigest()[:8]
--- tests
assert pack({"b": 1, "a": [None, True]}) == "eyJhIjogW251bGwsIHRydWVdLCAiYiI6IDF9"
assert digest("abc") == "ba7816bf"
--- wrong
sort_keys=True
sort_keys=False
### operators as functions
from operator import add, attrgetter, itemgetter, methodcaller, mul
from functools import reduce
def by_second(rows):
    return sorted(rows, key=itemgetter(1), reverse=True)
def product(xs):
    return reduce(mul, xs, 1)
def lower(xs):
    return list(map(methodcaller("lower"), xs))
--- tests
assert by_second([("a", 1), ("b", 2)]) == [("b", 2), ("a", 1)]
assert product([2, 3, 4]) == 24 and lower(["A"]) == ["a"]
--- wrong
reverse=True
reverse=False
### async
import asyncio
async def double(x):
    await asyncio.sleep(0)
    return 2 * x
async def both(xs):
    return await asyncio.gather(*map(double, xs))
def run(xs):
    return asyncio.run(both(xs))
--- tests
import asyncio
assert run([1, 2]) == [2, 4]
assert asyncio.run(double(3)) == 6
async def main():
    return await double(4) + sum(await asyncio.gather(double(1), double(2)))
assert asyncio.run(main()) == 14
--- wrong
2 * x
x
### unicode
import unicodedata
def plain(s):
    parts = unicodedata.normalize("NFD", s)
    return "".join(c for c in parts if not unicodedata.combining(c))
def lone(): return "\\ud800"
--- tests
assert plain("àéî") == "aei" and "ß".upper() == "SS"
assert lone() == "\\ud800" and plain("日本") == "日本"
--- wrong
if not
if
### infinities
def extremes(xs):
    low, high = float("inf"), float("-inf")
    for x in xs:
        low, high = min(low, x), max(high, x)
    return low, high
def zero(): return -0.0
def nan(): return float("nan")
--- tests
import math
assert extremes([2, 1]) == (1, 2) and extremes([]) == (math.inf, -math.inf)
assert math.copysign(1, zero()) == -1 and nan() != nan() and math.isnan(nan())
--- wrong
max(high, x)
min(high, x)
'''


def sections():
    for section in TEXT.split("\n### ")[1:]:
        name, _, rest = section.partition("\n")
        source, _, rest = rest.partition("--- tests\n")
        tests, _, wrong = rest.partition("--- wrong\n")
        yield name, source, tests, wrong.rstrip("\n")


PROGRAMS = {name: (source, tests) for name, source, tests, _ in sections()}
WRONG = {}
for _name, _source, _, _wrong in sections():
    if _wrong:
        _lines = _wrong.split("\n")
        _half = len(_lines) // 2
        WRONG[_name] = "\n".join(_lines[:_half]), "\n".join(_lines[_half:])
        assert WRONG[_name][0] in _source, _name
