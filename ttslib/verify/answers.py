"""The one reader of answers: where a chain's y is, in whatever dress it stands."""

import re

from .normalize import braces, hedged, number, strip_markup
from .source import read_source
from .value import BOLD, FORMULA, LONGEST, NUMBER, core, expression, option, prose

# --- where an answer stands ----------------------------------------------------------
ANSWER = "answer|réponse|respuesta|antwort|risposta|resposta|ответ|答案|回答|答え"
MARK = re.compile(
    rf"(?<![^\W_]|-)(?:{ANSWER})[ \t]*[*_]*[ \t]*[:：]+(?:[*_]+(?=\s))?"
    rf"|^[ \t>#*_]*(?:final )?(?:{ANSWER})[ \t*_]*$"
    r"|(?P<box>\\(?:boxed|beginboxed|fbox)\s*)"
    r"|#{4}:?(?=[ \t]*[-+\\$\d(])"
    r"|<(?P<tag>(?:final_)?answer)>",
    re.IGNORECASE | re.MULTILINE,
)
SAID = re.compile(
    r"\b(?:answer|correct (?:option|choice))\s*(?:=|\b(?:is|was|must be|should be)\b:?)"
    r"(?=\s*\S)"
    r"|^[ \t>*#]*(?:final )?answer[ \t]+(?:[-–—][ \t]+)?(?=[$\\\d½¼¾])",
    re.IGNORECASE | re.MULTILINE,
)
CHECK = re.compile(r"\b(?:check|verify|confirm)\w* (?:our|your|my|the|this) $", re.I)
HEADS = "question|problem|exercise|example|task|puzzle|user|human|student|instruction"
TOKEN = r"<\|[\w ]+\|>|</?s>|\[/?INST\]"
HEAD = rf"(?:(?:next|new) )?(?:{HEADS}|q)[ \t]*(?:\d+[ \t]*)?[:.：)]"
HEAD += rf"|(?:{HEADS})[ \t]+\d+[ \t]*$|(?:#+|\*+)[ \t]*(?:(?:next|new) )?(?:{HEADS})\b"
# A chain that corrects itself may ask, too: "Wait, how many were there?"
ITSELF = r"(?:wait|hm|but|hold|no\b|actually|let|so\b|(?:the )?(?:final )?answer)"
ASKS = rf"(?!{ITSELF})[^\n]*\b(?:what (?:is|are)|which of"
ASKS += r"|how (?:many|much|long|far|old))\b[^\n]*\?[ \t]*$|make \d+ from \d"
# A next question or turn: a line that is headed so, or that asks, or a control token.
NEXT = re.compile(rf"{TOKEN}|^[ \t>]*(?:{HEAD}|{ASKS})", re.IGNORECASE | re.MULTILINE)
# In code, a heading with a capital at the margin: no comment ("# Example"), no
# docstring ("    Example:"), no name ("q.append(1)", "task: str").
NEXT_IN_CODE = re.compile(
    rf"{TOKEN}|^(?:##+ ?)?(?:Q|{'|'.join(h.title() for h in HEADS.split('|'))})"
    r"[ \t]*(?:\d+[ \t]*)?[:.：](?=\s|$)",
    re.MULTILINE,
)
GAP = re.compile(rf"\n[ \t]*\n[ \t]*\n\s*(?!{ITSELF})\w", re.I)  # two blank lines
MOST = 200  # places that name an answer, from either end, that are looked at
# The chains of the embedded policy end in such a line, and name no other answer.
BARE = re.compile(r"-?\d[\d,]*(?:\.\d+)?\s*|[A-Za-z]\s*|[\d(][\d+*/() -]*[\d)]\s*")
MEASURE = re.compile(r"\d+ [A-Za-z]+(?:/[a-z]+\d?)?(?: [a-z]/?[a-z]?)?\s*")  # 12 kg m/s
OTHER = re.compile(r"[\\#<]|answer|antwort|respuesta|r[ie]sposta", re.IGNORECASE)
STEP = re.compile(
    r"^(?:[A-Z][^:\n]{0,40}: \d+(?: [-+*/] \d+)+|\d+ [-+*/] \d+ = \d+, left )",
    re.MULTILINE,
)


def read_answer(text: str, verifier: str = "") -> str:
    """y, ``""`` if the chain has none.

    It is what ``named_answer`` finds. Where nothing is named, it is the text itself if
    that is bare: a number, a formula, an option, a program; words must be named. For
    mathematics only, the last resort is the number or formula in which prose ends. A
    chain of steps (``Left: 36 - 4 = 32``) that is not at its ``Answer:`` has none.
    """
    if verifier != "program" and (quick := simple(text, verifier)):
        return quick
    answer = named_answer(text, verifier)
    return answer or (UNNAMED[verifier](text) if verifier in UNNAMED else "")


def named_answer(text: str, verifier: str = "") -> str:
    """y where the text names it as its answer, without its dress; else ``""``.

    Named is what stands in ``<answer>``, after ``Answer:``, in a box, after ``####``;
    if there is none, after "the answer is". A program is named by its fence too, and a
    bare one by being one. Of several the last counts, as a chain may correct itself.
    But a base model runs on into a next question: from where that begins *after the
    first answer* (a line headed ``Question:``, ``Q:``, ``### Problem``, ``User:``; one
    that asks "How many …?"; two blank lines; a control token) nothing counts. Nor
    does a draft in ``<think>``.
    """
    text = settled(text)
    if verifier == "program" or not verifier and looks_like_code(text):
        return read_source(text, NEXT_IN_CODE)
    marks, said = (list(where.finditer(text)) for where in (MARK, SAID))
    marks = [
        m for m in marks if not CHECK.search(text[max(0, m.start() - 20) : m.start()])
    ]
    in_order = sorted([*marks, *said], key=re.Match.start)[:MOST]
    first = next((m for m in in_order if announced(m, text)), None)
    if first is None:
        return ""
    end = first.end() + len(announced(first, text))
    cuts = [m.start() for m in (p.search(text, end) for p in (NEXT, GAP)) if m]
    text = text[: min(cuts, default=None)]
    rank = [m for m in [*said, *marks] if m.end() <= len(text)][-MOST:]
    answer = next(filter(None, (announced(m, text) for m in reversed(rank))), "")
    return DRESS.get(verifier, core)(answer)


def typed_answer(text: str, verifier: str) -> str:
    """y as somebody types it: what it names, or the whole of it, without its dress."""
    if verifier == "program":  # whose reading knows the prompt that it goes on from
        return text
    return named_answer(text, verifier) or DRESS.get(verifier, strip_markup)(text)


def simple(text: str, verifier: str = "") -> str:
    """The answer, if a last line ``Answer: …`` has it bare, and nothing else names one.

    What ``named_answer`` finds too (a property test), in a tenth of its time.
    """
    head, mark, answer = text.rpartition("Answer: ")
    if not mark or head and head[-1] != "\n":
        return ""
    plain = BARE.fullmatch(answer)
    if verifier == "choice":
        plain = plain or MEASURE.fullmatch(answer)
    alone = plain and head.isascii() and not OTHER.search(head)
    return answer.strip() if alone else ""


THOUGHT = "think(?:ing)?|thoughts?|reason(?:ing)?|scratchpad|reflection"
DRAFT = re.compile(  # how a draft begins; gpt-oss: its channel's name, then the text
    rf"\s*(?:<(?:\w+:)?(?:{THOUGHT})>|◁think▷|<\|begin_of_thought\|>|\[THINK\]"
    r"|<\|channel\|>analysis|analysis(?=[A-Z\d\"'(*$\\])|analysis(?=.*assistantfinal))",
    re.DOTALL,
)
DRAFT_ENDS = re.compile(
    rf"</(?:\w+:)?(?:{THOUGHT})>|◁/think▷|<\|end_of_thought\|>|\[/THINK\]"
    r"|<\|channel\|>final<\|message\|>|assistantfinal"
)


def settled(text: str) -> str:
    """What follows the drafts; of a draft without an end, what it tags as answer."""
    if ends := list(DRAFT_ENDS.finditer(text)):
        return text[ends[-1].end() :]
    if DRAFT.match(text):
        return text[text.find("<answer>") :] if "<answer>" in text else ""
    return text


CODE = re.compile(
    r"^[ \t]*(?:```\w*$|(?:answer: *`?)?(?:def \w+\(|class \w+[:(]))", re.I | re.M
)


def looks_like_code(text: str) -> bool:
    """A fence, or a definition at the margin or after ``Answer:``."""
    return bool(CODE.search(text))


def announced(match: re.Match, text: str) -> str:
    """What ``match`` says is the answer, as it stands; ``""`` if nothing is there."""
    rest = text[match.end() : match.end() + LONGEST]
    if match.re is SAID:
        answer = first_line(rest)
        return answer if VALUE.match(answer) else ""
    if match["box"]:
        held = boxes(text, match)
        return f"${held}$" if held.endswith("!") else held  # a factorial, no emphasis
    if match["tag"]:
        return rest.partition(f"</{match['tag']}>")[0].strip()
    return first_line(rest)


VALUE = re.compile(  # a formula, something with a digit, or one word
    r"[^\w\n]*(?:\\|\d|[A-Za-z][^.\n]*[\d\\$]|[½¼¾]|\(?\w+\)?[.,!*`\"]*\s*(?:$|\n|[A-Z]))"
)


LEAD = re.compile(  # "Final Answer: The final answer is", and the answer stands below
    r"(?:(?:so|thus|hence|therefore|the|my|our|final|correct),? )*answer(?: is)?:?"
    r"[ \t]*(?=\n\s*\S)",
    re.IGNORECASE,
)


def first_line(text: str) -> str:
    """The first line with something in it; a displayed formula or a fence whole."""
    text = text.lstrip()
    if lead := LEAD.match(text):
        text = text[lead.end() :].lstrip()
    if NEXT.match(text):
        return ""
    for left, right in (("\\[", "\\]"), ("$$", "$$"), ("```", "```")):
        if text.startswith(left) and right in text[len(left) :]:
            return text[: text.index(right, len(left)) + len(right)]
    text = re.split(TOKEN, text.partition("\n")[0])[0].strip()
    text = re.sub(r"^(?:\*\*|__)\s+|\s+(?:\*\*|__)$", "", text)
    for mark in ("**", "__"):
        if text.count(mark) == 1 and text.endswith(mark):  # opened before "Answer:"
            text = text.removesuffix(mark)
    return text


def boxes(text: str, match: re.Match) -> str:
    """What the box at ``match`` holds, after those that it continues a list of."""
    if not box_at(text, match)[0]:
        return ""
    near = MARK.finditer(text, max(0, match.end() - LONGEST), match.end())
    opened = [m for m in near if m["box"]]
    answer, begins = "", None
    for box in reversed(opened):
        inside, end = box_at(text, box)
        between = text[end:begins] if begins else ","
        words = set(re.findall(r"[^\W\d_]+", between))
        joined = "," in between or words & {"and", "or"}
        if not inside or not joined or words - {"and", "or", "text", "quad", "qquad"}:
            break
        joint = " or " if "or" in words else ", "
        answer = inside + joint + answer if answer else inside
        begins = box.start()
    return answer


def box_at(text: str, match: re.Match) -> tuple[str, int]:
    """What a box holds, in braces or as one number or letter; and where it ends."""
    if text[match.end() : match.end() + 1] == "{":
        inside, end = braces(text, match.end() + 1)
        return inside.strip(), end
    one = re.match(r"[-+]?\d[\d.,]*\b|\w", text[match.end() :])
    return (one[0], match.end() + one.end()) if one else ("", match.end())


DOUBT = re.compile(
    r"(?:\b(?:or|least|most|than|not|to|between|maybe|perhaps)"
    r"|\d\S*(?: \w+)? (?:and|to)|\d *[-–]) *$",
    re.IGNORECASE,
)


LAST = re.compile(r"(?:\A|\n)A: *([^\n]*\d[^\n]*)\s*\Z")  # Q: …, A: 43


def last_value(text: str) -> str:
    """Where mathematics names no answer: a bare one, or the last number or formula.

    None of a chain of steps, and none that is in doubt ("42 or 43").
    """
    text = turn(settled(text))
    if labelled := LAST.search(text):
        return core(labelled[1])
    if STEP.search(text):
        return ""
    if answer := alone(text):
        return answer
    text = text[-LONGEST:]
    spans = rf"{FORMULA.pattern}|{BOLD.pattern}|{NUMBER.pattern}"
    found = [m for m in re.finditer(spans, text, re.DOTALL)]
    last = next((m for m in reversed(found) if re.search(r"[\d½¼¾]", m[0])), None)
    last = last or next(reversed(found), None)
    if last is None or DOUBT.search(text[: last.start()]) or hedged(last[0]):
        return ""
    return core(last[0])


def alone(text: str) -> str:
    """``text`` if it is an answer and nothing else: a number, a formula, a letter."""
    text = strip_markup(unfenced(turn(settled(text))))
    if "\n" in text or len(text) > LONGEST or MARK.search(text) or STEP.match(text):
        return ""
    if number(text) is not None or re.fullmatch(r"\(?\w\)?", text):
        return text
    words = FORMULA.sub("", text)
    told = prose(words) or words != text and re.search(r"(?!and\b|or\b)\b\w", words)
    return text if re.search(r"[\d\\^=<>+*/½¼¾]", text) and not told else ""


def unfenced(text: str) -> str:
    """What stands in a fence, if nothing stands around it."""
    text = text.strip()
    whole = re.fullmatch(r"(```|~~~)\w*\n([^\n]*)\n\1", text)
    return whole[2].strip() if whole else text


def turn(text: str) -> str:
    """``text`` up to where a next question or turn begins."""
    begins = len(text) - len(text.lstrip())
    after = NEXT.search(text, begins + 1)
    return text[: after.start()] if after else text


def bare(text: str) -> str:
    """An answer that stands alone, on one line that is no step; else ``""``."""
    text = unfenced(turn(settled(text)))
    first = text.partition("\n")[0]
    if "\n\n" in text and len(option(first)) == 1:  # a label, then why
        return first
    step = "\n" in text or "=" in text or re.match(r"[A-Z][a-z ]+: ", text)
    return "" if step else text


DRESS = {"choice": option, "countdown": expression}
UNNAMED = {
    "": alone,
    "mathematics": last_value,
    "choice": lambda text: option(bare(text)),
    "countdown": lambda text: expression(bare(text)),
}
