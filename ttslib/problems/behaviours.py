"""The four behaviours of the talk, counted by the words that announce them."""

import re

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
