"""Where monty 1.4.0 runs Python unlike CPython, and what is done about it.

Most gaps raise an exception (``gap`` recognises them). Those that do not are met
in two ways. ``reject`` finds in the syntax tree what can't be trusted: lazy
iterators (monty makes lists of them) outside a place that uses them up at once,
special methods that monty ignores, identity of values, ``hasattr``. ``rewrite``
puts the rest in a form in which both agree, and makes visible what a run depends
on: the order of sets, and exceptions that the program caught.

Not seen: laziness or sets inside a string given to ``eval``; private-name
mangling; NaN in a container, which monty compares by identity; floats summed in
the order of a set.
"""

import ast
import builtins
import re

LAZY = {"map", "zip", "filter", "enumerate", "reversed"}
CONSUMERS = set(
    "list tuple set frozenset dict sorted sum min max any all Counter deque reduce"
    " zip map filter enumerate join extend update union intersection difference"
    " chain from_iterable fsum prod OrderedDict issubset issuperset".split()
)
STOPS_EARLY = {"any", "all", "zip"}
ORDERED = set(
    "list tuple iter enumerate zip map filter str repr format print join extend dict"
    " deque Counter OrderedDict reduce sorted min max chain permutations product"
    " combinations accumulate islice fromkeys next reversed from_iterable".split()
)
MUTATORS = set(
    "append add remove discard pop popleft popitem appendleft insert extend update"
    " clear sort reverse setdefault rotate subtract send shuffle heappush".split()
)
SPECIAL = set(
    "init eq repr str hash add radd sub rsub mul rmul truediv floordiv mod pow getitem"
    " setitem contains call iter next enter exit neg int index abs float".split()
)
REFUSED = {"hasattr", "id", "hash", "exec", "vars", "globals", "locals", "delattr"}
METHODS = {n for t in (str, list, dict, set) for n in dir(t) if n[0] != "_"}
GENUINE = re.compile(
    r"unsupported operand|is not iterable|non-iterable|object is not callable"
    r"|object is not subscriptable|missing \d+ required|takes .*positional argument"
    r"|not supported between|unexpected keyword|can only concatenate str|unhashable"
    r"|multiple values for|indices must be|does not support item|has no len\(\)"
    r"|sequence item \d+: expected|must be a string or a|object cannot be interpreted"
    r"|bad operand type|can't multiply sequence|not a container"
)

# What the sandbox gets first. round() to a digit must look at all digits of the
# double (monty scales and rounds: 2.675 gave 2.68); the rest serves rewrite().
PRELUDE = """
_tts_log = []
def _tts_each(x, isinstance=isinstance, kinds=(set, frozenset), list=list, len=len):
    if isinstance(x, kinds) and len(x) > 1:
        _tts_note("set")
        if _tts_order == 1:
            return list(x)[::-1]
        if _tts_order == 2:
            return list(x)[1:] + list(x)[:1]
    return x
def _tts_pop(x, isinstance=isinstance, set=set, list=list, len=len):
    if not isinstance(x, set) or len(x) < 2:
        return x.pop()
    _tts_note("set")
    value = list(x)[[0, -1, len(x) // 2][_tts_order]]
    x.remove(value)
    return value
def _tts_note(text, log=_tts_log, len=len):
    if text not in log and len(log) < 50:
        log.append(text)
def _tts_caught(error, type=type, str=str):
    _tts_note(str(type(error)) + str(error)[:300])
def _tts_round(round, isinstance, float, abs, format):
    def rounded(number, ndigits=None):
        if isinstance(number, float) and ndigits is not None and ndigits > 0:
            if abs(number) < 1e16:
                return float(format(number, "." + str(ndigits) + "f"))
        return round(number, ndigits)
    return rounded
round = _tts_round(round, isinstance, float, abs, format)
"""


def parse(source):
    """Syntax tree of ``source``; SyntaxError if CPython would not compile it."""
    try:
        tree = ast.parse(source)
        compile(source, "answer", "exec", dont_inherit=True)
    except ValueError as error:  # a null byte, or a lone surrogate
        raise SyntaxError(str(error)) from None
    return tree


def gap(error, tree):
    """Why ``error`` (an exception) is the interpreter's own lack, or "" if it isn't."""
    return _gap(type(error).__name__, str(error), tree)


def noted(entry, tree):
    """As ``gap``, for a line of the sandbox's log: "<class 'X'>message"."""
    name, _, text = entry.removeprefix("<class '").partition("'>")
    return _gap(name.rpartition(".")[2], text, tree)


def _gap(name, text, tree):
    own = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    classes = {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    genuine = True
    if name in ("NotImplementedError", "PatternError", "error"):
        genuine = text in own or (name == "NotImplementedError" and not text)
    elif name in ("ImportError", "ModuleNotFoundError", "PermissionError"):
        genuine = False
    elif name == "SyntaxError" or text.startswith("Internal error in monty"):
        genuine = False
    elif name in ("NameError", "UnboundLocalError"):
        match = re.match(r"name '(\w+)'", text)
        genuine = not (match and hasattr(builtins, match[1]))
    elif name == "AttributeError":
        match = re.match(r"(?:type object )?'(\w+)'(?: object)? has no .*'(\w+)'", text)
        kind = getattr(builtins, match[1], None) if match else None
        genuine = bool(match) and (
            match[1] in classes | {"NoneType"}
            or (isinstance(kind, type) and not hasattr(kind, match[2]))
        )
    elif name == "TypeError":
        genuine = text in own or (
            bool(GENUINE.search(text)) and not re.search(r"typing|'type'|\+=", text)
        )
    elif name in ("ValueError", "LookupError", "RuntimeError"):
        genuine = not re.search(r"pow\(\)|unknown encoding|not supported|4300", text)
    return "" if genuine else f"the interpreter lacks this: {name}: {text[:150]}"


def _name(func):
    """The last part of a call's name: f for f(…), m for x.m(…)."""
    return getattr(func, "id", None) or getattr(func, "attr", None)


def _base(node):
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return getattr(node, "id", None)


def _names(node):
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _stored(node):
    """Names that ``node`` binds: assignments, definitions, arguments, imports."""
    found = set()
    for n in ast.walk(node):
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
            found.add(n.id)
        elif isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(n.name)
        elif isinstance(n, ast.arg):
            found.add(n.arg)
        elif isinstance(n, ast.alias):
            found.add((n.asname or n.name).partition(".")[0])
        elif isinstance(n, ast.ExceptHandler) and n.name:
            found.add(n.name)
    return found


def _mutated(nodes, spare=()):
    """Names whose values the nodes change in place, or rebind step by step."""
    found = set()
    for n in (n for node in nodes for n in ast.walk(node)):
        if isinstance(n, ast.Call) and _name(n.func) in MUTATORS:
            found.add(_base(n.func))
            found |= {_base(a) for a in n.args[:1] if isinstance(n.func, ast.Name)}
        elif isinstance(n, (ast.Subscript, ast.Attribute)):
            if not isinstance(n.ctx, ast.Load):
                if getattr(getattr(n, "slice", None), "id", None) not in spare:
                    found.add(_base(n))
        elif isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load):
            found.add(n.id)
    return found - {None}


def reject(tree, known=()):
    """Why monty can't be trusted with this program, or ""; ``known``: names given."""
    parent = {c: p for p in ast.walk(tree) for c in ast.iter_child_nodes(p)}
    bound = _stored(tree)
    lazy_names = LAZY - bound
    defs = {
        n.name: n
        for n in ast.walk(tree)
        if isinstance(n, (ast.FunctionDef, ast.Lambda)) and hasattr(n, "name")
    }
    impure = {n for n, d in defs.items() if _impure(d)}
    changed = True
    while changed:
        more = {n for n, d in defs.items() if _calls(d) & impure} - impure
        impure |= more
        changed = bool(more)
    # next() or iter() on anything but a generator expression made on the spot
    stepped = any(
        isinstance(n, ast.Call)
        and getattr(n.func, "id", None) in ("next", "iter")
        and not (n.args and isinstance(n.args[0], ast.GeneratorExp))
        for n in ast.walk(tree)
    )

    def quiet(node):
        """No side effect in the element of a lazy iterator."""
        inner = [n for n in ast.walk(node) if n is not node]
        return not (
            any(isinstance(n, (ast.NamedExpr, ast.Await)) for n in inner)
            or any(isinstance(n, ast.Call) and _name(n.func) in MUTATORS for n in inner)
            or _names(node) & impure
            or {n.attr for n in inner if isinstance(n, ast.Attribute)} & impure
        )

    def used_up(node, fresh=True):
        """The lazy iterator ``node`` is consumed where it stands, with no surprise."""
        p = parent[node]
        if isinstance(p, ast.Call) and node in p.args:
            name = _name(p.func)
            if isinstance(p.func, ast.Name) and name in bound - _imported(tree):
                return False
            if name in ("min", "max") and len(p.args) > 1:
                return False
            if name in ("map", "filter") and node is p.args[0]:
                return False
            if name == "next":
                return isinstance(node, ast.GeneratorExp) and node is p.args[0]
            return name in CONSUMERS
        if isinstance(p, ast.For) and node is p.iter:
            spare = ()
            if _name(getattr(node, "func", None)) == "enumerate":
                spare = {getattr(n, "id", None) for n in getattr(p.target, "elts", [])}
                spare = {getattr(getattr(p.target, "elts", [None])[0], "id", None)}
            touched = _mutated(p.body, spare) - _stored(p.target)
            linked = _alias(tree, _names(node))
            return not (touched & linked or _calls_in(p.body) & impure)
        if isinstance(p, ast.comprehension) and node is p.iter:
            return quiet(parent[p])
        if isinstance(p, ast.Assign) and node is p.value and fresh:
            if all(isinstance(t, (ast.Tuple, ast.List)) for t in p.targets):
                return True
            return len(p.targets) == 1 and once(p)
        if isinstance(p, ast.Starred):
            return True
        return (
            isinstance(p, ast.Compare)
            and node is p.comparators[-1]
            and isinstance(p.ops[-1], (ast.In, ast.NotIn))
        )

    def scope(node, kinds):
        while node in parent and not isinstance(node, kinds):
            node = parent[node]
        return node

    def once(assign):
        """``x = map(…)`` with one later use of x, in the same block, that eats it."""
        if not isinstance(assign.targets[0], ast.Name):
            return False
        name = assign.targets[0].id
        blocks = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.Module)
        home = scope(assign, blocks)
        uses = [n for n in ast.walk(home) if isinstance(n, ast.Name) and n.id == name]
        loads = [n for n in uses if isinstance(n.ctx, ast.Load)]
        loops = (ast.For, ast.While, *blocks)
        comps = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, *loops)
        if len(uses) != 2 or len(loads) != 1 or not isinstance(home, ast.FunctionDef):
            return False
        where = parent[loads[0]]
        start = where
        if isinstance(where, (ast.For, ast.comprehension)):
            start = parent[where]
            if isinstance(where, ast.comprehension):
                if parent[where].generators[0] is not where:
                    return False
                start = parent[start]
        return (
            scope(start, comps) is scope(assign, loops)
            and used_up(loads[0], fresh=False)
            and not _mutated([home]) & _names(assign.value) - _stored(assign.value)
        )

    lazies = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.GeneratorExp)
        or (isinstance(n, ast.Call) and getattr(n.func, "id", None) in lazy_names)
    ]
    for node in lazies:
        what = "a generator expression"
        if isinstance(node, ast.Call):
            what = f"{node.func.id}()"
        where = f"line {node.lineno}: {what}, a list in this interpreter, "
        if not used_up(node):
            return where + "is not used up at once"
        if not quiet(node):
            return where + "has side effects"
        if stepped:
            return where + "meets next() or iter()"
    for node in ast.walk(tree):
        line = f"line {getattr(node, 'lineno', 0)}: "
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            p = parent.get(node)
            called = isinstance(p, ast.Call) and p.func is node
            if node.id in REFUSED - bound:
                return line + f"{node.id}() is unlike CPython's"
            if node.id in lazy_names and not called:
                return line + f"{node.id} as a value"
            if node.id == "getattr" and called and len(p.args) != 2:
                return line + "getattr() with a default is unlike CPython's"
            if node.id == "type" and called and len(p.args) != 1:
                return line + "a class made by type()"
        names = [getattr(node, k, None) for k in ("name", "attr", "id")]
        for name in names:
            if isinstance(name, str) and name[:2] == name[-2:] == "__" != name:
                if name[2:-2] not in SPECIAL | {"name"}:
                    return line + f"{name} may be ignored"
        if isinstance(node, ast.Compare) and any(
            isinstance(o, (ast.Is, ast.IsNot)) for o in node.ops
        ):
            sides = [node.left, *node.comparators]
            if not any(_singleton(s) for s in sides):
                return line + "identity of values is unlike CPython's"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for a in [*ast.walk(node.args), node]:
                note = getattr(a, "annotation", None) or getattr(a, "returns", None)
                if note is not None:
                    unknown = _names(note) - bound - set(dir(builtins)) - set(known)
                    if unknown:
                        return line + f"annotation of unknown name {min(unknown)}"
        if isinstance(node, ast.Call) and _base(node.func) in ("re", "regex"):
            if node.args and _name(node.func) in "split sub findall finditer compile":
                if _may_be_empty(node.args[0]):
                    return line + "a pattern that may match nothing"
    return ""


def early(tree):
    """True where laziness may stop short: an error there may be monty's alone."""
    return any(
        isinstance(n, ast.GeneratorExp)
        or (
            isinstance(n, ast.Call)
            and _name(n.func) in ("map", "filter", "count", "cycle")
            and n.args[:1] != []
        )
        or (isinstance(n, ast.Call) and _name(n.func) in ("cycle", "repeat"))
        for n in ast.walk(tree)
    )


def _imported(tree):
    names = (n.names for n in ast.walk(tree) if isinstance(n, ast.ImportFrom))
    return {a.asname or a.name for group in names for a in group}


def _calls_in(nodes):
    return {c for node in nodes for c in _calls(node)}


def _calls(node):
    return {_name(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}


def _impure(function):
    body = function.body if isinstance(function.body, list) else [function.body]
    fresh = {
        n.id
        for stmt in body
        for n in ast.walk(stmt)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    shared = any(
        isinstance(n, (ast.Global, ast.Nonlocal)) for s in body for n in ast.walk(s)
    )
    return shared or bool(_mutated(body) - fresh) or "next" in _calls_in(body)


def _alias(tree, names):
    """``names`` and all that plain assignments tie to them."""
    pairs = [
        (t.id, s)
        for n in ast.walk(tree)
        if isinstance(n, ast.Assign)
        for t in n.targets
        if isinstance(t, ast.Name)
        for s in [_base(n.value)]
        if s
    ]
    found = set(names)
    for _ in pairs:
        for pair in pairs:
            if found & set(pair):
                found |= set(pair)
    return found


def _singleton(node):
    if isinstance(node, ast.Constant):
        return node.value is None or isinstance(node.value, bool)
    return isinstance(node, ast.Call) and _name(node.func) == "type"


def _may_be_empty(node):
    if not (isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))):
        return True
    try:
        return re._parser.parse(node.value).getwidth()[0] == 0
    except (re.error, RecursionError, OverflowError):
        return True


class _Rewrite(ast.NodeTransformer):
    """Iteration goes through _tts_each, pop() through _tts_pop, handlers report."""

    def __init__(self, modules):
        self.modules = modules
        self.count = 0

    def each(self, node):
        plain = (ast.Constant, ast.JoinedStr, ast.List, ast.ListComp, ast.Lambda)
        if isinstance(node, plain) or (
            isinstance(node, ast.Call) and getattr(node.func, "id", None) == "range"
        ):
            return node
        return ast.Call(ast.Name("_tts_each", ast.Load()), [node], [])

    def visit_For(self, node):
        self.generic_visit(node)
        node.iter = self.each(node.iter)
        return node

    def visit_comprehension(self, node):
        self.generic_visit(node)
        node.iter = self.each(node.iter)
        return node

    def visit_Starred(self, node):
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            node.value = self.each(node.value)
        return node

    def visit_FormattedValue(self, node):
        self.generic_visit(node)
        node.value = self.each(node.value)
        return node

    def visit_Assign(self, node):
        self.generic_visit(node)
        if any(isinstance(t, (ast.Tuple, ast.List)) for t in node.targets):
            if not isinstance(node.value, ast.Tuple):
                node.value = self.each(node.value)
        return node

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Add):
            node.value = self.each(node.value)
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Mod) and not isinstance(node.right, ast.Tuple):
            if isinstance(node.left, (ast.Constant, ast.JoinedStr)):
                node.right = self.each(node.right)
        return node

    def visit_Call(self, node):
        node.args = [self.method(a) for a in node.args]
        for k in node.keywords:
            k.value = self.method(k.value)
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute):
            if node.func.attr == "pop" and not node.args and not node.keywords:
                return ast.Call(ast.Name("_tts_pop", ast.Load()), [node.func.value], [])
        if getattr(node.func, "id", None) == "next" and node.args:
            if isinstance(node.args[0], ast.GeneratorExp):
                iterator = ast.Call(ast.Name("iter", ast.Load()), node.args[:1], [])
                node.args = [iterator, *node.args[1:]]
        ties = node.keywords or _name(node.func) not in ("sorted", "min", "max")
        if _name(node.func) in ORDERED and ties:
            node.args = [
                a if isinstance(a, ast.Starred) else self.each(a) for a in node.args
            ]
        return node

    def method(self, node):
        """``key=d.get`` and ``map(str.strip, …)``: monty has no such values."""
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
            return node
        owner, name = node.value.id, node.attr
        if name not in METHODS or owner in self.modules:
            return node
        source = f"lambda *a: {owner}.{name}(*a)"
        if owner in ("str", "list", "dict", "set"):
            source = f"lambda s, *a: s.{name}(*a)"
        return ast.parse(source, mode="eval").body

    def visit_Delete(self, node):
        steps = []
        for t in node.targets:
            if not isinstance(t, ast.Subscript):
                return self.generic_visit(node)
            if isinstance(t.slice, ast.Slice):
                t.ctx = ast.Store()
                steps.append(ast.Assign([t], ast.List([], ast.Load()), lineno=0))
            else:
                pop = ast.Attribute(t.value, "pop", ast.Load())
                steps.append(ast.Expr(ast.Call(pop, [t.slice], [])))
        return [self.visit(s) for s in steps]

    def visit_ExceptHandler(self, node):
        self.generic_visit(node)
        if node.name is None:
            self.count += 1
            node.name = f"_tts_error{self.count}"
        node.type = node.type or ast.Name("BaseException", ast.Load())
        note = f"_tts_caught({node.name})"
        node.body = [*ast.parse(note).body, *node.body]
        return node

    def visit_ImportFrom(self, node):
        return ast.Pass() if node.module == "__future__" else node

    def visit_arg(self, node):
        node.annotation = None
        return node


def rewrite(tree):
    """``tree`` as source text for the sandbox; run PRELUDE there first."""
    modules = {
        (a.asname or a.name).partition(".")[0]
        for n in ast.walk(tree)
        if isinstance(n, ast.Import)
        for a in n.names
    }
    copy = _Rewrite(modules).visit(ast.parse(ast.unparse(tree)))
    return ast.unparse(ast.fix_missing_locations(copy))
