"""What a search or a guide asks of a policy: the same of a tree and of a model."""

import numpy as np
import pytest

from ttslib import policy as policies
from ttslib.policy import Enumerable, PolicyProtocol, baskets
from ttslib.problems import load


@pytest.fixture(scope="module")
def tiny():
    return policies.load("tiny")


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_STORE", str(tmp_path))


@pytest.fixture(params=["enumerable", "tiny"])
def case(request, tiny):
    """(policy, problem, texts that may follow a first step)."""
    if request.param == "enumerable":
        problem, policy = baskets()
        words = ("Three baskets: 38 * 3 = 114\n", "Three baskets: 38 * 4 = 152\n", "no")
        return policy, problem, words
    return tiny, load("story-easy", "test", 1)[0], (" 7", "Answer: 7\n", "")


def test_a_tree_and_a_language_model_satisfy_the_protocol(case):
    policy, *_ = case
    assert isinstance(policy, PolicyProtocol)
    assert not isinstance(object(), PolicyProtocol)


def test_next_logprobs_are_the_sums_of_logprob(case):
    policy, problem, words = case
    (chain,) = policy.extend([policy.start(problem)])
    prefixes = ["", chain.full_text, chain.full_text]
    found = policy.next_logprobs([problem] * 3, prefixes, words)
    assert found.shape == (3, len(words))
    for prefix, row in zip(prefixes, found):
        for word, logp in zip(words, row):
            (tokens,) = policy.logprob([problem], [word], prefix=prefix)
            assert logp == pytest.approx(sum(tokens), abs=1e-4)
    assert np.array_equal(found[1], found[2])
    assert policy.next_logprobs([], [], words).shape == (0, len(words))
    assert policy.next_logprobs([problem], [""], ()).shape == (1, 0)


def test_one_reading_serves_texts_of_one_token(tiny, monkeypatch):
    xs = load("story-easy", "test", 5)
    words = (" 7", " 3", " apples")
    slow = policies.protocol.summed_logprobs(tiny, xs, [x.chain for x in xs], words)
    monkeypatch.setattr(tiny, "logprob", None)
    fast = tiny.next_logprobs(xs, [x.chain for x in xs], words)
    assert fast == pytest.approx(slow, abs=1e-4)


def test_next_logprobs_of_a_tree_are_its_probabilities():
    tree = {"a\n": (0.25, {"b\n": (0.5, {}), "c\n": (0.5, {})}), "d\n": (0.75, {})}
    policy = Enumerable({"x": tree})
    found = np.exp(policy.next_logprobs(["x", "x"], ["", "a\n"], ["a\n", "b\n", "d\n"]))
    assert found == pytest.approx(np.array([[0.25, 0, 0.75], [0, 0.5, 0]]))


def test_steps_taken_one_by_one_are_the_chain_that_is_drawn(case):
    policy, problem, _ = case
    (whole,) = policy.sample([problem], 1, seed=5)[0]
    chains = [policy.start(problem, seed=5)]
    for _ in policy.ends(whole):
        chains = policy.extend(chains)
    assert chains[0].tokens == whole.tokens and chains[0].text == whole.text


def test_the_head_of_a_chain_goes_on_to_the_chain(case):
    policy, problem, _ = case
    (whole,) = policy.sample([problem], 1, seed=5)[0]
    ends = policy.ends(whole)
    assert ends[-1] == len(whole.tokens) - 1 and ends == sorted(set(ends))
    for t in range(len(ends)):
        head = policy.head(whole, t)
        assert head.tokens == whole.tokens[: ends[t - 1] + 1 if t else 0]
        assert whole.text.startswith(head.text) and not head.finished
    (last,) = policy.extend([policy.head(whole, len(ends) - 1)])
    assert last.tokens == whole.tokens


def test_a_reader_is_charged_for_pieces(case):
    policy, problem, _ = case
    (chain,) = policy.sample([problem], 1, seed=5)[0]
    assert len(policy.pieces(chain.text)) >= len(policy.ends(chain)) - 1
    assert policy.pieces("") == ()


def test_no_chains_are_asked_for(case):
    policy, problem, _ = case
    assert policy.sample([problem], 0) == [[]] and policy.sample([], 3) == []
    assert policy.extend([policy.start(problem)], 0) == [[]]
    assert policy.extend([], 3) == []


def test_problems_may_be_one_or_any_row_of_them(case):
    policy, problem, _ = case
    row = policy.sample([problem, problem], 2)
    assert policy.sample(iter([problem, problem]), 2) == row
    assert policy.sample(problem, 2) == row[:1]
    asked = np.array([problem.prompt])
    other = policy.sample(asked, 2, prefix=np.array([""]), seed=np.int64(0))
    assert [c.tokens for c in other[0]] == [c.tokens for c in row[0]]


def test_step_texts_are_the_text(case):
    policy, problem, _ = case
    (chain,) = policy.sample([problem], 1, seed=5)[0]
    steps = policy.step_texts(chain)
    assert "".join(steps) == chain.text and len(steps) == len(policy.ends(chain))
