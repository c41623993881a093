"""Plausible wrong answers to chapter 00's exercises: each has to get a hint."""

import re
from math import comb

WRONG = {
    "00.1": [10, 0.2829, 0.5, "twice", 1.28],
    "00.2": [
        lambda answer: "245" in answer,
        lambda answer: answer == "245",
        lambda answer: bool(re.fullmatch(r"\W*245\W*\d*", answer)),
        lambda answer: int(answer) == 245,
        lambda answer: True,
    ],
    "00.3": [
        lambda text: 0,
        lambda text: len(text.splitlines()) - len(set(text.splitlines())),
        lambda text: sum(text.count(line) > 1 for line in text.splitlines()),
        lambda text: len({s for s in text.split("\n") if text.count(s) > 1}),
    ],
    "00.4": [
        lambda n: n * comb(2 * n - 2, n - 1),
        lambda n: sum(comb(n - 1, j) ** 3 for j in range(n)),
        lambda n: n * sum(comb(n, j) ** 3 for j in range(n + 1)),
        12,
    ],
    "00.5": [2, 1, 16341804 / 4084441, float("inf")],
}
