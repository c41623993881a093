"""Reading a chain: where its answer y is."""

import re

MARK = re.compile(r"^[ \t*#]*(?:final )?answer\s*[*]*:[*]*[ \t]*", re.IGNORECASE | re.M)


def read_answer(text: str, verifier: str = "") -> str:
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
