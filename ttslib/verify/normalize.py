"""What an answer says without its dress: emphasis, LaTeX, units, "about".

``number`` is the value of a plain number as people write it; ``normal`` is a form by
which all else may be compared letter by letter.
"""

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache

LONGEST = 200  # characters of a number, dress and all
PLAIN = re.compile(r"([+-]?)(\d+|\d{1,3}(?:,\d{3})+)?(?:\.(\d+)?)?(?:\s*/\s*(\d+))?")
PAIRS = ("**", "__", "```", "`", "$$", "$", '"', "'", "*", "_")
BRACKETS = (("\\(", "\\)"), ("\\[", "\\]"), ("“", "”"), ("\\left(", "\\right)"))
SPOKEN = re.compile(  # words within a formula
    r"\\(?:text(?:bf|it|rm|normal)?|mbox|math(?:rm|bf)|operatorname)\s*\{([^{}]*)\}"
)
# Words by which a number is not simply the value meant: "42 or 43", "at least 5".
HEDGE = re.compile(
    r"(?<![\\\w])(?:and|or|to|of|than|least|most|between|from|not|but|n?either|nor|if"
    r"|under|over|perhaps|maybe|up|below|above|except|excluding|besides|without|apart)"
    r"(?!\w)",
    re.IGNORECASE,
)
OPEN = re.compile(  # several numbers or labels, of which one may be meant; or a bound
    r"\d\S*(?: [^\W\d]+){0,3},? (?:(?:or|to)(?: \w+){0,2} \W*\d|or (?:more|less|so)\b)"
    r"|\bbetween\b.*\d.*\band\b.*\d"
    r"|^(?:at (?:least|most)|(?:more|less|fewer|greater) than|up to|over|under|above"
    r"|below|not|maybe|perhaps|n?either)\b.*\d"
    r"|^(?:either )?\(?[A-Z]\)?(?:,? (?:or|and) \(?[A-Z]\)?)+$"
)
SPAN = re.compile(r"\D*?(\d+)\s*(?:[-–—]|±|\\pm)\s*(\d+)\D*")
SCALE = re.compile(  # words and signs that make another number of it
    r"\b(?:half|thirds?|quarters?|dozens?|hundreds?|thousands?|[mbtr]+illions?|squared"
    r"|cubed|factorial|plus|minus|times|divided|root|pi|e|i|infinity|mod|sqrt|sin|cos"
    r"|tan|log|ln|exp|base|remainder|x)\b|[百千万億亿]",
    re.IGNORECASE,
)


END = re.compile(r"(?<!\\)(?:[.,;?\\]|(?<![\w)])!)\Z")  # but 5! is a factorial
BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


def strip_markup(text: str) -> str:
    """``text`` without what stands around it: emphasis, dollars, a box, a full stop.

    What is strip_markup stays as it is.
    """
    while True:
        before, text = text, text.strip()
        if END.search(text):
            text = text[:-1]
        elif text and unicodedata.category(text[-1]) == "So" and text[-1] != "°":
            text = text[:-1]  # a tick, a smile
        elif SPOKEN.fullmatch(text):
            text = SPOKEN.fullmatch(text)[1]
        elif text.startswith("\\boxed{") and braces(text, 7)[1] == len(text):
            text = text[7:-1]
        else:
            text = unwrapped(text)
        if text == before:
            return text


def unwrapped(text: str) -> str:
    """What one pair of marks around all of ``text`` holds; else ``text``."""
    for left, right in (*((mark, mark) for mark in PAIRS), *BRACKETS):
        if text.startswith(left) and text.endswith(right):
            inner = text[len(left) : -len(right)]
            if inner.strip() and not (left in inner or right in inner):
                return inner
    return text


def braces(text: str, at: int) -> tuple[str, int]:
    """What the braces opened just before ``at`` hold, and where they have closed."""
    depth = 1
    for match in BRACE.finditer(text, at, at + 4_000):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return text[at : match.start()], match.end()
    return "", len(text) + 1


# --- numbers -------------------------------------------------------------------------
def number(text: str) -> Fraction | None:
    """The value of a plain number, dressed or not; None of all else.

    ``-1,234.5``, ``3/4``, ``$12.``, ``**29 dollars**``, ``3 1/2 hours``, ``about 5 %``
    (5), ``x = 5``, ``28 + 32 = 60``. None of "5 hours and 30 minutes", "42 or 43".
    """
    found = quantity(text)
    return found and found[0]


def quantity(text: str) -> tuple[Fraction, str] | None:
    """(value, unit) of a plain number, None of all else; a unit unsaid is ``""``."""
    return parse_quantity(text) if len(text) <= LONGEST else None


def fraction(sign, whole, decimals, below) -> Fraction | None:
    """The number with these digits; None if there are none, or 0 below the line."""
    if not whole and not decimals or below is not None and int(below) == 0:
        return None
    value = Fraction(f"{(whole or '0').replace(',', '')}.{decimals or '0'}")
    return (-1 if sign == "-" else 1) * value / int(below or 1)


QUANTITY = re.compile(
    r"""(?: (?: a\ total\ of | about | approximately | around | roughly | exactly | only
              | just | ≈ | ~ | \\approx ) [ ]* )*
    (?P<sign> [+-]? ) [ ]*
    (?P<money> (?:US)?\$ | [€£¥₹] | (?: USD | EUR | GBP | Rs\.? ) [ ] )? [ ]*
    (?P<inner_sign> [+-]? ) [ ]*                                     # $-5
    (?P<whole> \d{1,3} (?:,\d{3})+ | 0*\d+ (?:,\d{3})* )?
    (?: \. (?P<decimals> \d* ) )?
    (?: [ ]* / [ ]* (?P<below> \d+ )                                # 3/4
      | (?: [ ]+ | (?<=\d)- ) (?P<above> \d+ ) [ ]* / [ ]* (?P<part> \d+ )  # 3 1/2
    )?
    (?! [\d,.]\d )
    (?P<rest> .* )                                                  # the unit
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
SUM = re.compile(r"(?:[\d\s.,+\-*/×÷·()!^{}%$]|\\times|\\cdot|\\div|\\[dt]?frac)+")
TIMES = {"dozen": 12, "hundred": 100, "thousand": 1000}
TIMES |= {"million": 10**6, "billion": 10**9, "trillion": 10**12}
MANY = re.compile(rf" *({'|'.join(TIMES)})\b")
VARIABLE = re.compile(r"\s*[A-Za-z](?:_\w|_\{\w+\})?\s*")


@lru_cache(maxsize=10_000)
def parse_quantity(text: str) -> tuple[Fraction, str] | None:
    """``quantity`` of a short text: of the many that repeat, computed once."""
    match = PLAIN.fullmatch(text)
    if match and text.isascii():
        value = fraction(*match.groups())
        return None if value is None else (value, "")
    text = tidy(last_side(strip_markup(text)))
    if "=" in text:
        left, _, text = text.partition("=")
        if VARIABLE.fullmatch(text):
            left, text = text, left
        if not VARIABLE.fullmatch(left):
            return None
    match = QUANTITY.fullmatch(text.strip())
    if not match:
        return None
    value = fraction("", match["whole"], match["decimals"], match["below"])
    money, part, rest = (match["money"] or "").strip(), match["part"], match["rest"]
    if value is not None and (many := MANY.match(rest)):
        value, rest = value * TIMES[many[1]], rest[many.end() :]
    named = unit(rest) if value is not None else None
    if named is None or money and named.partition(" ")[0] in DISTANCES:
        return None
    if part:
        if match["decimals"] is not None or int(part) == 0:
            return None
        value += Fraction(int(match["above"]), int(part))
    value = -value if "-" in (match["sign"], match["inner_sign"]) else value
    return value, named or UNITS.get(money, money)


WORD = r"[^\W\d_](?:[^\W\d_]|['’-])*"
LABEL = re.compile(rf"{WORD}(?: {WORD})*")


def last_side(text: str) -> str:
    """The result of ``Cost = 10 × 4 = 40``: labels and sums stand before it."""
    *before, last = text.split("=")
    for side in before:
        words = SPOKEN.sub(r" \1 ", side).strip(" $\\")
        label = LABEL.fullmatch(words) and len(words) > 2
        total = SUM.fullmatch(side) and re.search(r"\d\D*[-+*/×÷·!^\\]", side)
        if not label and not total:  # "7 = 11a + c" has no result
            return text
    return last.strip() if before and re.search(r"\w", last) else text


def tidy(text: str) -> str:
    """A number's LaTeX and its rarer characters in plain ones."""
    if not text.isascii():
        text = re.sub("[¼-¾⅐-⅞]", lambda m: f" {m[0]}", text)
        text = text.translate({ord("²"): "^2", ord("³"): "^3", ord("°"): " degrees"})
        text = unicodedata.normalize("NFKC", text).replace("⁄", "/").replace("−", "-")
    if "\\" in text or "{" in text:
        text = re.sub(r"\\[dtc]?frac *(\d) *(\d)(?!\d)", r" \1/\2", text)
        text = re.sub(r"\\[dtc]?frac *\{ *(\d+) *\} *\{? *(\d+) *\}?", r" \1/\2", text)
        text = re.sub(r"(?<=\d)(?:\{,\}|,?\\[!,] *)+(?=\d{3}(?!\d))", ",", text)
        text = re.sub(r"\^ *\{? *\\circ *\}?", " degrees", SPOKEN.sub(r" \1", text))
        text = re.sub(r"\\[ ,;!]|\\quad", " ", text)
        text = re.sub(r"\\([%$])", r"\1", text)
        text = re.sub(r"(?<=[a-z])\^\{(\d)\}", r"^\1", text)  # of a unit: cm^{2}
    text = re.sub(r"\$([^$]*)\$", r"\1", text)
    text = re.sub(r"(?<![\w)])[(\[{](\d+)[)\]}](?![\w(])", r"\1", text)
    text = re.sub(r"^(?:minus|negative) (?=\d)", "-", text, flags=re.IGNORECASE)
    return re.sub(r"(?<![\d.]\d\d\d)(?<=\d) (?=\d{3}(?:[ .,]|\Z))", ",", text)


# --- units ---------------------------------------------------------------------------
UNITS = {
    name: names.split()[0]
    for names in (
        "m meter metre, cm centimeter centimetre, mm millimeter millimetre, inch inche,"
        "km kilometer kilometre, foot feet ft, yard yd, mile mi, g gram, kg kilogram,"
        "mg milligram, pound lb, ounce oz, l L liter litre, ml mL milliliter, gallon,"
        "cup, s sec second, min minute, h hr hour, day, week, month, year, degree,"
        "dollar $ USD US$, cent, euro € EUR, £ GBP, ¥, ₹, N, J, W, V, Hz, Pa, kW, mph"
    ).split(",")
    for name in names.split()
}
DISTANCES = {"m", "cm", "mm", "km", "foot"}
WORDS = re.compile(r"[^\W\d_][^\W\d_'’]*\.?(?:\^?\d\b)?|[$€£]")


def unit(text: str) -> str | None:
    """The unit that follows a number, in one form; None if it is no unit.

    Words, of which a short one must be known; only a known one may touch the number.
    """
    if not (text := text.removesuffix(".")).strip():
        return ""
    if percent := re.match(r" *(?:%|(?:percent|percentage|pct)\b)", text):
        return None if re.search(r"[^\w\s]|\d", text[percent.end() :]) else "%"
    words = WORDS.findall(text)
    other = re.sub(r"\b(?:of|times)\b", "", text)  # 5 of them, 5 times: it is 5
    rest = WORDS.sub("", text).strip(" -/,'’().")
    if rest or not words or HEDGE.search(other) or SCALE.search(other):
        return None
    first = words[0].partition("^")[0].rstrip(".")
    known = first in UNITS or first.lower().removesuffix("s") in UNITS
    touches = text[0] not in " -("
    alone = len(first) == 1 and "^" not in words[0] and "/" not in text
    if touches and first.isascii() and first.isalpha() and (alone or not known):
        return None  # 5x, 2m: a product
    if not known and len(words) == 1 and len(first) < 3 and first.isascii():
        return None
    return " ".join(singular(word) for word in words)


def singular(word: str) -> str:
    """One form of a unit: ``hrs``, ``Hours`` and ``h`` are ``h``."""
    name, power, n = word.rstrip(".").partition("^")
    if name not in UNITS:
        name = name.lower().removesuffix("s")
    return UNITS.get(name, name) + power + n


def same_unit(a: str, b: str) -> bool:
    """Do two units agree? One may be unsaid, and only known ones can differ."""
    if not a or not b or "%" in (a, b):
        return True
    known = set(UNITS.values())
    a, b = a.split(), b.split()
    return not (a[0].split("^")[0] in known and b[0].split("^")[0] in known) or (
        a[0] == b[0]
    )


# --- all else ------------------------------------------------------------------------
def hedged(text: str) -> bool:
    """Does it leave open which number is meant: "42 or 43", "5-7", "at least 5"?"""
    text = " ".join(SPOKEN.sub(r" \1 ", text[:LONGEST]).split())
    if span := SPAN.fullmatch(text):
        return "-" not in text or int(span[1]) < int(span[2])
    return bool(OPEN.search(text)) and not re.search(r"[=<>\\]", text)


def normal(text: str) -> str:
    """A form in which equal answers that are no plain numbers mostly agree.

    Without dress, spaces and the variants of LaTeX's commands; words without case. A
    program is left as it is. A hedge has no form, ``""``.
    """
    if "\n" in text:
        return text.strip("\n")
    text = strip_markup(text)
    if hedged(text):
        return ""
    if option := re.fullmatch(r"\(?([A-Za-z])[).:]*", text):
        return option[1].upper()
    text = SPOKEN.sub(r"\1", text)
    text = re.sub(r"\\(left|right|[,;! ]|q?quad)(?![a-z])", "", text)
    text = re.sub(r"\\[dtc]frac", r"\\frac", text)
    if re.fullmatch(r"[^\W\d_][^\W\d_]+(?:[\s'-]+[^\W\d_]+)*", text):
        return " ".join(text.split()).casefold()
    return re.sub(r"\$|(?<!\d)\s+|\s+(?!\d)", "", text)
