"""The exact guide of countdown: against brute force over all games and expressions."""

import random
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib import guides, problems
from ttslib.chain import Chain
from ttslib.problems import countdown
from ttslib.stats import wilson

NUMBERS = st.lists(st.integers(1, 15), min_size=1, max_size=4)


def games(numbers):
    """{what is left at the end: its chance}, by playing every game there is."""
    if len(numbers) == 1:
        return {numbers[0]: Fraction(1)}
    out, n = {}, len(numbers)
    for i, j in permutations(range(n), 2):  # each pair twice, as `play` samples it
        options = countdown.moves(numbers[i], numbers[j])
        rest = [v for k, v in enumerate(numbers) if k not in (i, j)]
        for *_, r in options:
            for end, p in games([r, *rest]).items():
                share = p / len(options) / (n * (n - 1))
                out[end] = out.get(end, 0) + share
    return out


@given(NUMBERS.filter(lambda v: len(v) < 4), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_the_chance_is_that_of_all_games_and_0_where_none_gets_there(numbers, target):
    ends = games(numbers)
    for end in (target, min(ends), max(ends)):
        exact = float(ends.get(end, 0))
        assert countdown.chance(numbers, end) == pytest.approx(exact, abs=1e-12)
        assert (countdown.chance(numbers, end) > 0) == (end in ends)
    total = sum(countdown.chance(numbers, end) for end in ends)
    assert total == pytest.approx(1)


def test_the_chance_of_four_numbers():
    """All of 1 problem's games, and 20,000 of random play: false alarm below 1e-4."""
    numbers, target = [3, 12, 13, 4], 22
    ends = games(numbers)
    exact = countdown.chance(numbers, target)
    assert exact == pytest.approx(float(ends[target]), abs=1e-12) and exact > 0
    rng, n = random.Random(0), 20_000
    hits = sum(countdown.play(rng, numbers)[2] == target for _ in range(n))
    assert abs(hits / n - exact) < 4 * np.sqrt(exact * (1 - exact) / n)
    assert countdown.chance(numbers[::-1], target) == exact


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_what_a_right_line_leaves_is_what_is_left(seed):
    _, fields = countdown.make(random.Random(seed))
    rest = tuple(sorted(fields["data"]["numbers"]))
    *steps, answer = fields["chain"].split("\n")
    for step in steps:
        assert countdown.chance(rest, fields["data"]["target"]) > 0
        rest = countdown.left(rest, step)
    assert rest == (fields["data"]["target"],)
    assert countdown.left(rest, answer) is None


@pytest.mark.parametrize(
    "step, rest",
    [
        ("6 - 2 = 4, left 4 5 9", (4, 5, 9)),
        ("6 - 2 = 4, left 9 5 4", (4, 5, 9)),
        ("2 + 6 = 8, left 8 5 9", (5, 8, 9)),
        ("6 / 2 = 3, left 3 5 9", (3, 5, 9)),
        ("6 - 2 = 5, left 5 5 9", None),  # wrong arithmetic
        ("2 - 6 = 4, left 4 5 9", None),  # wrong way round
        ("5 / 2 = 2, left 2 6 9", None),  # not whole
        ("7 - 2 = 5, left 5 5 9", None),  # a number that is not there
        ("6 - 6 = 0, left 0 5 9", None),  # one number used twice
        ("6 - 2 = 4, left 4 5", None),  # what is left, wrong
        ("6 - 2 = 4", None),  # and not told
        ("6 - 2 = 4, left 4 5 9 ", None),
        ("Answer: 6 - 2", None),
        ("", None),
    ],
)
def test_a_line_is_a_move_or_wrong(step, rest):
    assert countdown.left((2, 5, 6, 9), step) == rest


def test_the_last_move_leaves_nothing_to_list():
    assert countdown.left((5, 6), "6 * 5 = 30") == (30,)
    assert countdown.left((5, 6), "6 * 5 = 30, left 30") == (30,)
    assert countdown.left((15, 15), "15 * 15 = 225") is None, "above LARGEST"
    assert countdown.left((14, 15), "15 * 14 = 210") is None


def asked(numbers, target):
    data = dict(numbers=numbers, target=target)
    return problems.Problem("p", "countdown", "", "", "countdown", data)


def worth(guide, problem, *texts, finished=False):
    chains = [Chain(problem.prompt, text=text, finished=finished) for text in texts]
    values, tokens = guide([problem] * len(chains), chains)
    assert tokens.tolist() == [0] * len(chains)
    return values.tolist()


def test_the_guide_knows_what_can_still_be_reached():
    x, texts = asked([2, 5, 6, 9], 20), [""]
    graded = guides.reachable(graded=True)
    for a, b, rest in countdown.number_pairs((2, 5, 6, 9)):
        for op, m, n, r in countdown.moves(a, b):
            more = " ".join(map(str, (r, *rest)))
            texts.append(f"{m} {op} {n} = {r}, left {more}\n")
    values = worth(guides.reachable(), x, *texts)
    assert set(values) == {0.0, 1.0}
    for text, value, share in zip(texts, values, worth(graded, x, *texts)):
        rest = [int(n) for n in text.partition("left ")[2].split()] or [2, 5, 6, 9]
        exact = games(rest).get(20, 0)
        assert value == (exact > 0) and share == pytest.approx(float(exact))


def test_a_wrong_line_is_worth_nothing_until_it_goes_back():
    x = asked([3, 12, 13], 22)
    guide = guides.reachable()
    right, wrong = "13 + 12 = 25, left 25 3\n", "13 + 12 = 26, left 26 3\n"
    lost = "12 + 3 = 15, left 15 13\n"  # 28, 2, 195
    assert worth(guide, x, "", right, lost, wrong) == [1, 1, 0, 0]
    assert worth(guide, x, right + "25 - 3 = 22\n", wrong + "26 - 4 = 22\n") == [1, 0]
    back = wrong + "Go back.\n"
    assert worth(guide, x, back, back + right, back + lost) == [1, 1, 0]
    told = Chain("", prefix="13 + 12 = 25, left", text=right.partition("left")[2])
    assert guide([x], [told])[0] == [1], "a prefix is of the chain"


def test_a_finished_chain_is_worth_its_verdict():
    x = asked([3, 12, 13], 22)
    answers = "13 + 12 - 3", "13 + 12 + 3", "13 + 12 - 3 + 0", ""
    texts = [f"12 - 3 = 9, left 9 13\nAnswer: {answer}" for answer in answers]
    for guide in (guides.reachable(0.5), guides.reachable(graded=True)):
        assert worth(guide, x, *texts, finished=True) == [1, 0, 0, 0]


def test_noise_flips_its_share_the_same_ones_each_time():
    """2,000 problems: the interval misses with a chance of 1e-4."""
    texts, exact = [f"{i} + 1 = {i + 1}, left {i + 1} 1\n" for i in range(2, 2002)], 0.0
    x = asked([1, 1, 1], 3)
    quiet, noisy = guides.reachable(), guides.reachable(0.2)
    assert set(worth(quiet, x, *texts)) == {exact}
    flipped = np.array(worth(noisy, x, *texts)) != exact
    _, low, high = wilson(flipped.sum(), len(texts), z=3.9)
    assert low < 0.2 < high
    assert np.array_equal(flipped, np.array(worth(noisy, x, *texts)) != exact)
    other = np.array(worth(guides.reachable(0.2, seed=1), x, *texts)) != exact
    assert not np.array_equal(flipped, other)
    assert set(worth(guides.reachable(1.0), x, *texts)) == {1.0}
    with pytest.raises(ValueError, match="graded"):
        guides.reachable(0.1, graded=True)
