"""What was planted in the base policy: the faults and habits of its training chains.

Chapters say what was planted before they find it. ``tools/train_tiny`` draws the
examples by these shares.
"""

import random

from . import plans

# kind and level -> share of the examples
MIXTURE = {
    "story-easy": 0.295,
    "story-hard": 0.125,
    "countdown": 0.265,
    "program-easy": 0.095,
    "program-hard": 0.06,
    "science": 0.11,
    "second-easy": 0.03,
    "second-hard": 0.02,
}
# how a story's chain is written (plans.STYLES) -> share of the stories
STORY = dict(zip(plans.STYLES, (0.38, 0.10, 0.08, 0.05, 0.05, 0.05, 0.155, 0.135)))
# Misreadings that web text shares: label of a step -> (how often, what it becomes).
# Three of each fruit are counted once by most, so there the likeliest answer is wrong;
# some forget the first person in a sum of all.
MISREAD = {
    "Less": (0.6, lambda parts: [1, *parts[1:]]),
    "All": (0.3, lambda parts: parts[2:] if len(parts) == 5 else parts),
}
FAULTY = 0.25  # share of the other kinds' chains that are wrong
BACK = 0.06  # share of countdown chains that go back once
AGAIN = "Check the work.\n"  # what follows a first attempt
KEPT, MENDED = 0.8, 0.25  # shares of right and wrong first attempts


def attempt(rng: random.Random, plan: list) -> str:
    """A chain for the story of ``plan``, as the web would write it."""
    style = rng.choices(list(STORY), list(STORY.values()))[0]
    read = []
    for label, parts in plan:
        share, misread = MISREAD.get(label, (0, None))
        read.append((label, misread(parts) if rng.random() < share else parts))
    return plans.write(read, style, rng)


def retold(rng: random.Random, p: dict) -> tuple[str, str]:
    """A first and a second attempt: right ones are mostly kept, wrong ones mended now
    and then; the others are attempted anew.
    """
    first = attempt(rng, p["data"]["plan"])
    right = first.splitlines()[-1] == f"Answer: {p['gold']}"
    if rng.random() < (KEPT if right else MENDED):
        return first, first if right else p["chain"]
    return first, attempt(rng, p["data"]["plan"])
