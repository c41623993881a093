"""Multiple choice: the letter or the text of an option, wherever the answer has it."""

import re

from .answers import option as dressless
from .verdict import Verdict


def plain(text: str) -> str:
    return " ".join(re.sub(r"[*`$\\]", "", text).split()).strip(" .").lower()


def named(options: dict, answer: str) -> set[str]:
    """The labels that ``answer`` names. A label must stand apart as one: alone, in
    brackets, before ``)``, ``:`` or ``.``, or after "answer is" or "option"."""
    text = plain(dressless(answer))
    texts = {label: plain(option) for label, option in options.items()}
    for label, option in texts.items():
        if text == option:
            return {label}
    labels = "|".join(re.escape(label.lower()) for label in options)
    upper = {label.lower(): label for label in options}
    if found := re.fullmatch(rf"\(?({labels})[).:]?", text):
        return {upper[found[1]]}
    patterns = (
        rf"^\(?({labels})[).:](?=\s)",
        rf"\(({labels})\)",
        rf"\b(?:option|choice|answer)(?: is)?:? \(?({labels})\b(?! \w)",
        rf"\b(?:option|choice|answer)(?: is)?:? \(?({labels})[).:,]",
    )
    found = {upper[m] for p in patterns for m in re.findall(p, text)}
    # "C) or A)", "option A or option B": who hedges names both
    hedge = rf"\b({labels})\)? (?:or|and) (?:option |choice )?\(?({labels})\b"
    found |= {upper[m] for pair in re.findall(hedge, text) for m in pair}
    if found:
        return found
    # By text: of options within one another ("2 m" in "12 m") the longest counts.
    rest, found = text, set()
    for label, option in sorted(texts.items(), key=lambda o: -len(o[1])):
        pattern = rf"(?<![\w.]){re.escape(option)}(?![\w/]|\.\w)"
        if option and re.search(pattern, rest):
            found.add(label)
            rest = re.sub(pattern, " ", rest)
    return found


def choice(problem, answer: str) -> Verdict:
    """data: ``options``, label → text. Two options named at once have *failed*."""
    found = named(problem.data["options"], answer)
    if found == {problem.gold}:
        return Verdict("passed")
    if len(found) > 1:
        return Verdict("failed", f"names several options: {', '.join(sorted(found))}")
    if not found:
        return Verdict("failed", "names none of the options")
    return Verdict("failed", f"chose {found.pop()}, not {problem.gold}")
