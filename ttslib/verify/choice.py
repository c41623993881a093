"""Multiple choice: the letter or the text of an option, wherever the answer has it."""

import re

from .verdict import Verdict

WRONG = r"(?:not\b|wrong|incorrect|false|n't)"
NEGATION = re.compile(
    r"\b(?:not?|never|neither|nor|cannot|without|except|instead|rather)\b|n't\b", re.I
)


def unmarked(text: str) -> str:
    return " ".join(re.sub(r"[*`$\\]", "", text).split()).strip(" .")


def named(options: dict, answer: str) -> set[str]:
    """The labels that ``answer`` names, as a label or else by an option's text.

    A label counts before a text: an option's text may be another one's label.
    """
    text = unmarked(answer)
    texts = {label: unmarked(option) for label, option in options.items()}
    if found := by_label(list(options), text, texts):
        return found
    for form in (str, str.lower):  # options may differ in case only: CC or Cc
        same = {label for label, option in texts.items() if form(option) == form(text)}
        if same:
            return same
    return by_text(texts, text, str) or by_text(texts, text, str.lower)


def by_label(labels: list, text: str, texts: dict) -> set[str]:
    """The labels that stand apart as such: alone, in brackets, at the head of a line.

    "B", "(B)", "B) copper", "Option B is correct", "B, because A is wrong". Whoever
    hedges ("A or B", "C) or A)") names both.
    """
    upper = {label.lower(): label for label in labels}
    text = text.lower()
    one = "|".join(re.escape(label) for label in upper)
    if text in {option.lower() for option in texts.values()} - upper.keys():
        return set()  # the text of an option that looks like a sentence with a label
    kind = r"(?:(?:the )?(?:correct )?(?:option|choice|answer)(?: is)?:? )?"
    pair = rf"(?<!\w)({one})\)?,? (?:or|and) (?:option |choice )?\(?({one})(?!\w)"
    if both := {upper[m] for found in re.findall(pair, text) for m in found}:
        return both
    head = rf"{kind}\(?({one})(?:[).:,;]+(?=\s|$)|(?=$| (?:is|because|since|as|-|–) ))"
    found = re.match(head, text)
    if found and not re.match(rf" is (?:the )?{WRONG}", text[found.end() :]):
        rest = text[found.end() :]
        if not re.match(rf" *\(?(?:{one})(?:[).:,]|$)", rest) or is_text(rest, texts):
            return {upper[found[1]]}
    apart = (
        rf"(?<!\w)\(({one})\)",
        rf"\b(?:option|choice|answer)(?: is)?:? \(?({one})(?!\w)(?! [a-z])",
        rf"\b(?:option|choice|answer)(?: is)?:? \(?({one})[).:,]",
        rf"^\(?({one})[).:](?=\s)",
    )
    return {
        upper[m[1]]
        for pattern in apart
        for m in re.finditer(pattern, text)
        if not re.search(r"\bnot (?:the )?(?:option |choice )?$", text[: m.start()])
        and not re.match(rf"\)? (?:is|was) (?:the )?{WRONG}", text[m.end() :])
    }


def is_text(rest: str, texts: dict) -> bool:
    return rest.strip(" .") in {option.lower() for option in texts.values()}


def by_text(texts: dict, text: str, form) -> set[str]:
    """The options whose text occurs: of those within one another the longest counts.

    None where the rest denies it ("It will not increase").
    """
    rest, found = form(text), set()
    for label, option in sorted(texts.items(), key=lambda item: -len(item[1])):
        pattern = rf"(?<![\w.]){re.escape(form(option))}(?![\w/]|\.\w)"
        if option and re.search(pattern, rest):
            found.add(label)
            rest = re.sub(pattern, " ", rest)
    return set() if NEGATION.search(rest) else found


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
