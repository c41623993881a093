"""The weighted vote, against the plain one and by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttslib.chain import Chain
from ttslib.search.choose import best_of_n, majority_vote, weighted_vote


def chains(*answers) -> list[Chain]:
    return [Chain("x", text=f"Answer: {a}\n" if a else "no idea") for a in answers]


def test_a_trusted_minority_outvotes_the_crowd():
    drawn = chains("8", "8", "9", "", "9.0")
    assert weighted_vote(drawn, [0.1, 0.2, 0.3, 9, 0.3]) is drawn[2]
    assert weighted_vote(drawn, [1, 1, 0.5, 0, 0.5]) is drawn[0]
    # 9 and 9.0 are one ballot, however it is dressed; equal sums: first seen
    assert weighted_vote(drawn, [1, 1, 1, 0, 1]) is drawn[0]
    assert weighted_vote(drawn, [0] * 5) is drawn[0]
    assert weighted_vote(chains("", ""), [1, 1]) is None
    assert weighted_vote([], []) is None


@pytest.mark.parametrize("bad", [[-0.1, 1], [float("nan"), 1], [1], [1, 1, 1]])
def test_what_is_no_weight_is_refused(bad):
    with pytest.raises(ValueError):
        weighted_vote(chains("8", "9"), bad)


@given(st.lists(st.tuples(st.sampled_from(["", "7", "8", "9"]), st.integers(0, 5))))
def test_a_weight_is_so_many_equal_ballots(pool):
    drawn = chains(*(a for a, _ in pool))
    assert weighted_vote(drawn, [1] * len(pool)) is majority_vote(drawn)
    weights = [w for _, w in pool]
    if any(weights[i] for i, chain in enumerate(drawn) if chain.answer):
        many = [chain for chain, w in zip(drawn, weights) for _ in range(w)]
        won = weighted_vote(drawn, weights)
        total = lambda a: sum(w for b, w in pool if b == a)  # noqa: E731
        assert total(won.answer) == total(majority_vote(many).answer)


def test_with_one_chain_trusted_it_is_best_of_n():
    drawn = chains("7", "8", "8")
    values = {id(c): v for c, v in zip(drawn, [1, 0, 0])}
    assert weighted_vote(drawn, [1, 0, 0]) is best_of_n(drawn, lambda c: values[id(c)])
