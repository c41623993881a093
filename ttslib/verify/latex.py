"""An answer in the LaTeX that math-verify reads as a person means it.

Unicode signs, thousands, repeating decimals, mixed numbers, units, labelled equations,
numerals in another base, assignments and inequalities each have one form here, on the
gold side as on the other.
"""

import re
import unicodedata
from fractions import Fraction

from .normalize import SPOKEN, last_side, quantity, strip_markup

# --- signs of Unicode ----------------------------------------------------------------
SIGNS = {"√": r"\sqrt ", "∛": r"\sqrt[3] ", "∞": r"\infty ", "π": r"\pi "}
SIGNS |= {"≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap "}
SIGNS |= {"×": r"\times ", "·": r"\cdot ", "÷": r"\div "}
SIGNS |= {"∈": r"\in ", "±": r"\pm ", "θ": r"\theta ", "ℝ": r"\mathbb{R}"}
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ"
LOWERED = "₀₁₂₃₄₅₆₇₈₉"


def spelled(text: str) -> str:
    """``text`` with the signs that have no key on a keyboard as LaTeX has them.

    √51, x², 2π, a₁, an en dash for a minus. Signs that are read as part of a number
    (½, °, ×) stay.
    """
    if text.isascii():
        return text

    def power(match):
        digits = unicodedata.normalize("NFKC", match[0]).replace("−", "-")
        return f"{'^' if match[0][0] in RAISED else '_'}{{{digits}}}"

    text = re.sub(r"(?<!\d)[–−] ?(?=[\d.$\\(a-zA-Z√π∞])", "-", text)
    text = re.sub(rf"(?<=[\w)\]}}])(?:[{RAISED}]+|[{LOWERED}]+)", power, text)
    text = re.sub(r"(√|∛) ?(\d+(?:\.\d+)?|[a-zA-Zπ]|\(([^()]*)\))", rooted, text)
    return text.translate(str.maketrans(SIGNS)).strip()


def rooted(match) -> str:
    """The root of a number, a letter or what stands in brackets."""
    return f"{SIGNS[match[1]].strip()}{{{match[3] or match[2]}}}"


# --- one side ------------------------------------------------------------------------
def standard(text: str) -> str:
    """``text`` without markup and units, its numbers in the form that is read rightly.

    Thousands are joined (1{,}000\\pi is 1000\\pi, not the pair 1 and 0), a repeating
    decimal and a mixed number are fractions, a labelled equation is its last side.
    """
    text = spelled(last_side(strip_markup(text)))
    if (word := SPOKEN.fullmatch(text)) or (word := re.fullmatch(r"\{(.*)\}", text)):
        text = word[1].strip()
    text = re.sub(r"(?<=\d)(?:\{,\}|,?\\[!,:; ] ?)+(?=\d{3}(?!\d))", "", text)
    if not LISTED.search(text):
        text = THOUSANDS.sub(lambda match: match[0].replace(",", ""), text)
    return MIXED.sub(mixed, REPEATING.sub(repeating, text))


THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
LISTED = re.compile(  # a comma that may part a list's items: (1,200), 3, 400
    r"(?:[(\[,]|\\\{) *\d{1,3},\d{3}|\d,\d{3} *(?:[)\],]|\\\})|, "
)


REPEATING = re.compile(
    r"(?<![\d.])(?P<whole>\d*)\.(?P<before>\d*)"
    r"\\(?:overline|bar) *(?:\{ *(?P<a>\d+) *\}|(?P<b>\d))"
)


def repeating(match) -> str:
    """0.1\\overline{6} as the fraction that it is."""
    whole, before, block = match["whole"], match["before"], match["a"] or match["b"]
    value = Fraction(int((whole + before) or 0), 10 ** len(before))
    value += Fraction(int(block), (10 ** len(block) - 1) * 10 ** len(before))
    return f"\\frac{{{value.numerator}}}{{{value.denominator}}}"


MIXED = re.compile(
    r"(?<![\w.^{/])(\d+)(?: +(\d+) */ *(\d+)(?![\d/])"
    r"|[\\ ]*\\[dtc]?frac *(?:\{ *(\d+) *\} *\{ *(\d+) *\}|(\d) *(\d)))"
)


def mixed(match) -> str:
    """2\\frac{1}{2} and 2 1/2 as one fraction: read as a product they are 1."""
    whole, *parts = (int(part) for part in match.groups() if part)
    above, below = parts
    if not below or above >= below:
        return match[0]
    return f"\\frac{{{whole * below + above}}}{{{below}}}"


# --- both sides ----------------------------------------------------------------------
BASED = re.compile(r"([0-9A-Fa-f]+)_ *\{? *(\d+|[a-z]+) *\}?")
BASES = "two three four five six seven eight nine ten eleven twelve".split()
UNLIKE = ("0", "1")  # what two answers are sent as that are known to differ


def alike(gold: str, answer: str) -> tuple[str, str]:
    """Both answers as they are compared: in :func:`standard` form, of one kind."""
    a, b = gold, answer
    if "\\frac" in a + b:  # 3/4 cup
        a, b = without_unit(a), without_unit(b)
    a, b = standard(a), standard(b)
    numerals = [BASED.fullmatch(SPOKEN.sub(r"\1", text)) for text in (a, b)]
    if all(numerals):  # a subscript is no index: math-verify drops it
        same = [(m[1].upper(), base(m[2])) for m in numerals]
        return ("1", "1") if same[0] == same[1] else UNLIKE
    sets = [assigned(text) for text in (a, b)]
    if any(sets):
        names = [found and [name for name, _ in found] for found in sets]
        if all(names) and names[0] != names[1]:
            return UNLIKE
        tuples = [found and f"({', '.join(v for _, v in found)})" for found in sets]
        return tuples[0] or a, tuples[1] or b
    if INTERVAL.search(a) or INTERVAL.search(b):
        return interval(a), interval(b)
    return a, b


def base(text: str) -> int:
    return (
        BASES.index(text) + 2 if text in BASES else int(text) if text.isdigit() else 0
    )


def without_unit(text: str) -> str:
    """A number with a unit without it, in plain digits; all else as it is."""
    value, unit = quantity(text) or (None, "%")
    dressed = unit != "%" and (unit or not text.isascii())
    return str(value) if dressed else text


def assigned(text: str) -> list[tuple[str, str]] | None:
    """(name, value) of ``y = 2, x = 1``, by name; None if it is no such list."""
    parts = re.split(r",|;|\\quad|(?:\\text\{)? *\band\b *\}?", text.strip("()"))
    pairs = [re.fullmatch(r"\s*([a-zA-Z])\s*=([^=,]+)", part) for part in parts]
    if len(parts) < 2 or not all(pairs):
        return None
    found = sorted((pair[1], pair[2].strip()) for pair in pairs)
    return found if len({name for name, _ in found}) == len(found) else None


INTERVAL = re.compile(r"^(?:\\left)?[(\[].*,.*[)\]]$|\\cup|\\infty", re.DOTALL)
ORDER = {"\\leq": "≤", "\\le": "≤", "\\geq": "≥", "\\ge": "≥", "<=": "≤", ">=": "≥"}
ORDER |= {"\\lt": "<", "\\gt": ">", "\\leqslant": "≤", "\\geqslant": "≥"}


def interval(text: str) -> str:
    """Inequalities of one letter as the interval they mean; all else as it is.

    ``2 < x \\le 5`` is (2, 5], ``x \\ge 2`` is [2, \\infty); with "or", a union.
    """
    signs = re.sub(
        "|".join(map(re.escape, sorted(ORDER, key=len, reverse=True))),
        lambda m: ORDER[m[0]],
        text,
    )
    out = []
    for part in re.split(r"(?:\\text\{)? *\bor\b *\}?", signs):
        bits = [bit.strip() for bit in re.split("([<>≤≥])", part)]
        if len(bits) == 3 and not re.fullmatch(r"[a-zA-Z]", bits[0]):
            bits = [bits[2], "<>≤≥"["><≥≤".index(bits[1])], bits[0]]  # 2 ≤ x
        if len(bits) == 3 and re.fullmatch(r"[a-zA-Z]", bits[0]):
            up = bits[1] in ">≥"
            low, high = (bits[2], r"\infty") if up else (r"-\infty", bits[2])
            left = "[" if bits[1] == "≥" else "("
            right = "]" if bits[1] == "≤" else ")"
        elif len(bits) == 5 and re.fullmatch(r"[a-zA-Z]", bits[2]):
            if bits[1] in ">≥" and bits[3] in ">≥":
                bits = bits[::-1]
                bits[1], bits[3] = ("<≤"[">≥".index(bits[k])] for k in (1, 3))
            if bits[1] not in "<≤" or bits[3] not in "<≤":
                return text
            low, high = bits[0], bits[4]
            left, right = "[("[bits[1] == "<"], "])"[bits[3] == "<"]
        else:
            return text
        out.append(f"{left}{low}, {high}{right}")
    return r" \cup ".join(out)
