"""What a line that names an answer says: the value in it, without its dress.

For mathematics :func:`core`, for countdown :func:`expression`, for a choice
:func:`option`.
"""

import re

from .latex import spelled
from .normalize import HEDGE, SCALE, SPOKEN, number, strip_markup

FORMULA = re.compile(
    r"\$\$[^$]+\$\$|\$(?!\s)[^$\n]+?(?<!\s)\$|\$\s[^$\n]+\s\$|\\\(.+?\\\)|\\\[.+?\\\]",
    re.DOTALL,
)
BOLD = re.compile(r"(?<![\w)*])(\*\*|__|`{1,3})(?=\S)(.+?)(?<=\S)\1(?![\w(*])")
LONGEST = 4_000  # characters of an answer; those from the end, where none is named

VERB = re.compile(r"\b(?:is|are|was|equals|equal to|gives)\b")
NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.^])[-+−]?[$€£]?(?:\d+ \d+/\d+|\d[\d,]*(?:\.\d+)?(?:/\d+)?|\.\d+"
    r"|[½¼¾⅓⅔])(?: ?%)?|-?\\[dtc]?frac *\{[^{}]+\} *\{[^{}]+\}"
)
GOES_ON = r"\s*(?:[-+*/^=<>·×)\]]|\\(?:cdot|times|div|le|ge|pm|[dt]?frac)\b)"
STOP = re.compile(  # no stop: "6! = 720", a factorial
    rf"({FORMULA.pattern})|(?<!\\)(?<!Rs)(?<!sq)(?:[.?]|!(?!{GOES_ON}))"
    r"(?=\s|$)(?!\W*or\b)|。",
    re.DOTALL,
)
SINCE = re.compile(r",? \(?(?:because|since)\b|, (?:so|as|which|but)\b| [–—] (?=[a-z])")


def core(text: str) -> str:
    """The value in a line that names it: without comment, emphasis, "x is"."""
    text = spelled(" ".join(plain(text).split()))
    text = re.sub(r"^(?:therefore|thus|hence|so|then|indeed),? ", "", text)
    text = strip_markup(SINCE.split(first_sentence(text))[0])
    if number(text) is not None:
        return text
    outside = FORMULA.sub(" ", text)
    if found := list(VERB.finditer(text)):
        after = text[found[-1].end() :]
        if re.search(r"[\d\\]", after):
            return core(after)
    if not prose(outside):
        return text
    parts = FORMULA.findall(text) or NUMBER.findall(text)
    rest = FORMULA.sub(" ", text) if FORMULA.search(text) else NUMBER.sub(" ", text)
    if len(parts) == 1 and not re.search(r"\d", rest):
        if not HEDGE.search(rest) and not SCALE.search(rest):
            return strip_markup(parts[0])
    return text


def plain(text: str) -> str:
    """``text`` without the marks of markdown and HTML for emphasis."""
    return re.sub(r"</?(?:b|i|em|strong|code|p|br) ?/?>", "", BOLD.sub(r"\2", text))


def first_sentence(text: str) -> str:
    """``text`` up to its first full stop that is in no formula and no number."""
    ends = (m.start() for m in STOP.finditer(text) if not m[1] and m.start())
    return text[: next(ends, None)]


FUNCTIONS = re.compile(r"\b(?:a?(?:rc)?(?:sin|cos|tan)|log|ln|exp|sqrt|abs|mod|pi)\b")


def prose(text: str) -> bool:
    """Are there two words? In a formula, a number, a name there are not."""
    text = SPOKEN.sub(" ", re.sub(r"\\(?:begin|end)\{\w+\}|\\[a-zA-Z]+", " ", text))
    words = re.findall(r"[^\W\d_]+", FUNCTIONS.sub(" ", text))
    lengths = sorted(map(len, words), reverse=True)
    told = len(words) > 1 and (lengths[0] > 2 or lengths[1] > 1)  # xy + a is no prose
    return told or any(len(w) > 1 and not w.isascii() for w in words) or ": " in text


def expression(text: str) -> str:
    """The arithmetic in a line, with the signs of a keyboard; else the line."""
    text = strip_markup(SINCE.split(plain(text[:LONGEST]))[0])[:500]
    for sign, ours in KEYBOARD.items():
        text = text.replace(sign, ours)
    text = re.sub(r"\\[dtc]?frac *\{([^{}]+)\} *\{([^{}]+)\}", r"(\1)/(\2)", text)
    text = re.sub(r"\\[dtc]?frac *(\d) *(\d)", r"(\1)/(\2)", text)
    text = strip_markup(re.sub(r"(?<=[\d)]) ?[xX] ?(?=[\d(])", " * ", text))
    sides = [side.strip() for side in text.split("=")]
    text = next((side for side in sides if re.search(r"[\d)] *[-+*/]", side)), text)
    runs = re.findall(r"[\d(][\d\s.+\-*/^%!()]*[\d)!]", text)
    runs = [run for run in runs if re.search(r"[-+*/]", run)]
    rest = text.replace(runs[0], " ", 1) if len(runs) == 1 else text
    whole = not re.search(r"[\d+*/^()]|- *\w\b", rest)
    return runs[0].strip() if runs and whole else text


KEYBOARD = {"×": "*", "·": "*", "∙": "*", "÷": "/", "−": "-", "–": "-", "\\times": "*"}
KEYBOARD |= {
    "\\cdot": "*",
    "\\div": "/",
    "\\left": "",
    "\\right": "",
    "[": "(",
    "]": ")",
}
KEYBOARD |= {"\\,": " ", "\\ ": " ", "$": ""}


OPTION_LABEL = re.compile(
    r"(?:(?:the )?(?:correct )?(?:option|choice)(?: is)?:? )?"
    r"[(\[]?([A-Za-z]|\d)[)\]]?(?:[).:,]|$|(?= (?:because|since|as|[-–])[ $]))",
    re.IGNORECASE,
)


def option(text: str) -> str:
    """The label of an option, or what else a line says."""
    text = strip_markup(plain(text[:LONGEST]))
    label = OPTION_LABEL.match(text)
    rest = text[label.end() :] if label else ""
    other = re.search(r"\b(?:or|and)\b|\([A-Za-z]\)|\b[A-Z][).]", rest)
    if label and not other and not rest[:1].strip():
        return label[1]
    labels = set(re.findall(r"\(([A-Z])\)", text))
    sure = len(labels) == 1 and not re.search(r"\b(?:not|or|n?either)\b", text)
    return labels.pop() if sure else text
