"""Reading a program: where its source text is in what a model wrote."""

import ast
import re
import textwrap
import warnings
from functools import lru_cache

FENCE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<mark>```|~~~)[^\n`]*\n(?P<code>.*?)"
    r"(?:^[ \t]*(?P=mark)[^\n]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)
NAMED = re.compile(
    r"^[ \t>*#]*(?:final )?answer[ \t*]*:(?:\*\*)? ?", re.IGNORECASE | re.MULTILINE
)
# What a line of code begins with, at the margin unless it goes on from a prompt.
CODE = re.compile(
    r"^(?:[ \t]+\S|(?:async )?def |class |@\w|(?:from|import|return|for|while|if|with"
    r"|try|raise|assert|lambda|global|del|pass)\b|[\w.\[\]]+ *(?:[-+*/]?=[^=]|\())",
    re.MULTILINE,
)
DEFINES = re.compile(
    r"^[ \t]*(?:(?:async )?def (?!test_|check\b)|class )", re.MULTILINE
)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SHOWS = re.compile(r"(?:main|(?:run_)?(?:tests?|checks?|demos?|examples?))(?:_|$)|Test")
TOP = re.compile(r"^(?=\S)", re.MULTILINE)
LONGEST = 20_000  # characters of code that is parsed here: a tree takes 1 KB a line


def read_source(text: str, following: re.Pattern) -> str:
    """The code that is fenced, or named by ``Answer:``; else the text if code.

    Of several blocks those count that make up the program: see :func:`joined`.
    ``following`` matches where a next question begins: after the first code, what
    comes then does not count. Indentation is kept.
    """
    start = len(text) - len(text.lstrip())
    if CODE.match(text, text.rfind("\n", 0, start) + 1):  # it begins with its code
        if match := following.search(text, start + 1):
            text = text[: match.start()]
    found = sorted(candidates(text))
    if found:
        begins, ends, _ = found[0]
        if match := following.search(text, ends or begins):
            text = text[: match.start()]
            found = sorted(candidates(text))
        return joined([code for *_, code in found])
    if match := following.search(text, start + 1):
        text = text[: match.start()]
    text = trimmed(text)
    return text if CODE.search(text) else ""


def joined(codes: list[str]) -> str:
    """The program that is spread over blocks of code, without tests and demonstrations.

    It ends with the last block that defines something. An earlier block belongs to it
    if it defines something that no later block defines anew, or binds a name that a
    later block needs.
    """
    blocks = [Block(code) for code in codes]
    rank = [b.defines and not b.shows for b in blocks], [b.is_body for b in blocks]
    rank += ([b.defines for b in blocks], [True] * len(blocks))
    row = next(filter(any, rank))
    last = len(row) - 1 - row[::-1].index(True)
    kept = [blocks[last]]
    bound, needed = set(kept[0].binds), set(kept[0].needs)
    for block in reversed(blocks[:last] if kept[0].tree else []):
        wanted = needed if "*" in block.binds else block.binds & needed
        new = wanted | (set() if block.shows else block.defined)
        if new - bound:
            kept.insert(0, block)
            bound |= block.binds
            needed |= block.needs
    return "\n\n".join(block.code for block in kept)


class Block:
    """A block of code; ``shows``: does it only test or show what others define?"""

    def __init__(self, code: str):
        self.code, self.is_body = code, code[:1] in (" ", "\t")
        small = len(code) <= LONGEST and not self.is_body
        self.tree = ast.parse(code) if small and parses(code) else None
        body = self.tree.body if self.tree else []
        definitions = [x for x in body if isinstance(x, DEFINITIONS)]
        self.defines = bool(DEFINES.search(code))
        self.shows = bool(definitions) and all(map(is_test, definitions))
        self.defined = {x.name for x in definitions}
        self.binds, self.needs = set(self.defined), set()
        for node in [n for x in body for n in ast.walk(x)]:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self.needs.add(node.id)
        for node in [n for x in body if x not in definitions for n in ast.walk(x)]:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.binds.add(node.id)
            if isinstance(node, ast.alias):
                self.binds.add(node.asname or node.name.partition(".")[0])


def is_test(node) -> bool:
    """Is this function or class one that tests or demonstrates?"""
    bases = {ast.unparse(base) for base in getattr(node, "bases", ())}
    return bool(SHOWS.match(node.name)) or any(b.endswith("TestCase") for b in bases)


def candidates(text: str):
    """(begin, end, code) of each fence and of what stands after each ``Answer:``.

    The end of what is only named is unknown, 0.
    """
    fences = [match for match in FENCE.finditer(text) if CODE.search(match["code"])]
    for match in fences:
        code = re.sub(f"^{match['indent']}", "", match["code"], flags=re.MULTILINE)
        yield match.start(), match.end(), trimmed(code)
    inside = [match.span() for match in fences]
    marks = [m for m in NAMED.finditer(text) if not any(covers(s, m) for s in inside)]
    for match, after in zip(marks, [*marks[1:], None]):
        end = after.start() if after else len(text)
        named = text[match.end() : end]
        fenced = any(match.end() <= begin < end for begin, _ in inside)
        code = trimmed(named)
        if not fenced and CODE.search(code):
            yield match.start(), 0, code


def covers(span: tuple[int, int], match: re.Match) -> bool:
    return span[0] <= match.start() < span[1]


def trimmed(text: str) -> str:
    """``text`` without blank lines around it and without lines that are no code.

    Prose goes, and a stop string at the end ("\\ndef"), a line at the margin at a time,
    until what is left can be parsed. What never can is given back whole.
    """
    text = re.sub(r"\A(?:[ \t]*\n)+|\s*(?:`+)?\s*\Z", "", text)
    text = text[1:] if text[:1] == "`" != text[1:2] else text  # `def f(x): …`
    if len(text) > LONGEST or parses(text):
        return text
    text = re.split(r"^[ \t]*(?:```|~~~)", text, maxsplit=1, flags=re.MULTILINE)[0]
    starts = [match.start() for match in TOP.finditer(text)]
    first = DEFINES.search(text)
    prose = first and not re.match(r"[ \t]", text) and not CODE.match(text)
    for start in (0, first.start()) if prose else (0,):
        for end in [len(text), *reversed(starts[-200:])]:
            part = text[start:end].rstrip()
            if part and CODE.search(part) and parses(part):
                return part
    dedented = textwrap.dedent(text).rstrip()
    return dedented if parses(dedented) else text.rstrip()


@lru_cache(maxsize=1_000)
def parses(code: str) -> bool:
    """Is it a program, or the body of a function that goes on from its prompt?"""
    if code[:1] in (" ", "\t"):
        code = "def _():\n" + code
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
