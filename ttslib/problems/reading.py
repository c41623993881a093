"""Reading a chain: where its answer y is."""

import re

MARK = re.compile(r"^[ \t*#]*(?:final )?answer\s*[*]*:[*]*[ \t]*", re.IGNORECASE | re.M)


def read_answer(text: str) -> str:
    """y, ``""`` if the chain names none.

    What follows the last line that begins with ``Answer:`` (a program may take many
    lines), else the last ``\\boxed{…}``, else what follows GSM8K's ``####``.
    """
    if found := list(MARK.finditer(text)):
        return text[found[-1].end() :].strip()
    at = text.rfind("\\boxed{")
    if at >= 0:
        depth, start = 0, at + len("\\boxed")
        for i in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[i], 0)
            if depth == 0:
                return text[start + 1 : i].strip()
    if "####" in text:
        return text.rsplit("####", 1)[1].strip().split("\n")[0]
    return ""


def last_number(text: str) -> str:
    """The last number in ``text``: the usual way to read a model that names no answer.

    Chapter 03 says where it is used, as it accepts answers that were not given as such.
    """
    found = re.findall(r"-?\d[\d,]*(?:\.\d+)?", text)
    return found[-1].replace(",", "") if found else ""


# The four behaviours of the talk's slides 16 to 19, by the words that announce them,
# in the embedded policy's chains and in those of larger models.
BEHAVIOURS = {
    "outlining": r"^\s*(?:plan\b|outline\b|first, (?:let'?s|we|i) (?:list|break|need)"
    r"|let'?s break|(?:the )?steps? (?:are|to))",
    "planning": r"\b(?:option \d|alternatively|another (?:way|approach|option|idea)"
    r"|we (?:could|might) (?:also )?(?:try|use)|let'?s (?:consider|think about))",
    "backtracking": r"\b(?:go back|wait\b|actually,|hmm|(?:that'?s|this is) (?:wrong"
    r"|not right|a mistake|incorrect)|start (?:over|again)|let'?s try again)",
    "self-evaluation": r"\b(?:check\b|verify\b|double-check|does (?:this|that|it) "
    r"(?:work|make sense|hold|match)|is (?:this|that|it) (?:right|correct))",
}


def behaviours(text: str) -> dict[str, int]:
    """How many lines of a chain show each of the four behaviours.

    Words, not deeds: a line that says "check" counts whether or not it checks.
    """
    return {
        name: sum(bool(re.search(p, line, re.I)) for line in text.splitlines())
        for name, p in BEHAVIOURS.items()
    }
