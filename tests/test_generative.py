"""The generative verifier: its value, its checks, the generator it leaves alone."""

from dataclasses import replace

import numpy as np
import pytest

from ttslib import policy, problems
from ttslib.guides.generative import GenerativeVerifier, judge_steps, teach
from ttslib.policy import Chain, Enumerable
from ttslib.problems import Problem

KNOWN = ("good", "bad")  # words that the tiny base has met
GREEDY = dict(temperature=0, max_tokens=150)
TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_STORE", str(tmp_path))


@pytest.fixture
def model():
    return policy.load("tiny")


@pytest.fixture(scope="module")
def stories():
    """Four stories, each with its own chain and a wrong one."""
    xs = problems.load("story-hard", "train", 4)
    chains = [Chain(x.prompt, text) for x in xs for text in (x.chain, slip(x.chain))]
    return [x for x in xs for _ in range(2)], chains, np.tile([1, 0], 4)


def slip(text):
    """A chain whose last result is off by one."""
    *steps, last, _ = text.split("\n")
    head, result = last.rsplit(" ", 1)
    wrong = int(result) + 1
    return "\n".join([*steps, f"{head} {wrong}", f"Answer: {wrong}"])


# --- exact ---------------------------------------------------------------------------
X = Problem("x", "story", "1 + 1?\n", "2", "mathematics")


def asked(yes, no):
    return {" Yes": (yes, {}), " No": (no, {}), " Maybe": (1 - yes - no, {})}


def test_the_value_is_the_share_of_yes_among_the_two_verdicts():
    tree = {
        "a\n": (0.5, {"Is it right?": (1.0, asked(0.3, 0.1))}),
        "b\n": (0.5, {"Is it right?": (1.0, asked(0.0, 0.0))}),
    }
    verifier = GenerativeVerifier(Enumerable({X.prompt: tree}))
    chains = [
        Chain(X.prompt, "a\n"),
        Chain(X.prompt, prefix="a\n"),
        Chain(X.prompt, "b\n"),
    ]
    values, tokens = verifier([X] * 3, chains)
    assert values[:2] == pytest.approx([0.75, 0.75]) and np.isnan(values[2])
    assert tokens.tolist() == [2, 2, 2]  # a step and the question


def test_the_value_with_checks_is_the_mean_over_those_drawn():
    """4,000 checks, within 5 standard errors: false alarm below 1e-6."""
    right = {"Is it right?": (1.0, asked(0.9, 0.1))}
    wrong = {"Is it right?": (1.0, asked(0.1, 0.4))}
    checks = {
        "1 + 1 = 2, Yes.\n": (0.6, {"\n": (1.0, right)}),
        "1 + 1 = 3, No.\n": (0.4, {"\n": (1.0, wrong)}),
    }
    tree = {"a\n": (1.0, {"Check:\n": (1.0, checks)})}
    n, mean, sd = 4000, 0.6 * 0.9 + 0.4 * 0.2, 0.7 * np.sqrt(0.6 * 0.4)
    verifier = GenerativeVerifier(Enumerable({X.prompt: tree}), check=True, n=n)
    (value,), (tokens,) = verifier([X], [Chain(X.prompt, "a")])
    assert abs(value - mean) < 5 * sd / np.sqrt(n)
    assert tokens == 2 + 4 * n  # a step, what asks for a check; the check, four lines


def test_each_step_is_judged_by_what_is_written_up_to_it():
    def guide(xs, chains):
        assert [c.text for c in chains] == ["a", "a\nb", "a\nb\nc"] and xs == [X] * 3
        return np.array([0.9, 0.2, 0.8]), np.zeros(3)

    assert judge_steps(guide, X, ["a", "b", "c"]).tolist() == [0.9, 0.2, 0.8]


# --- a language model ----------------------------------------------------------------
def test_one_reading_gives_what_logprob_gives(model, stories):
    xs, chains, _ = stories
    befores = [c.text + "\nIs it right?" for c in chains]
    words = (" good", " bad", " Yes")
    found = model.next_logprobs(xs * 2, befores * 2, words)
    for word, column in zip(words, found.T):
        true = model.logprob(xs, [word] * len(xs), prefix=befores)
        assert column[: len(xs)] == pytest.approx([p for (p,) in true], abs=1e-4)
        assert np.array_equal(column[: len(xs)], column[len(xs) :])
    longer = model.next_logprobs(xs[:1], befores[:1], (" good lamps",))
    true = model.logprob(xs[:1], [" good lamps"], prefix=befores[:1])
    assert longer[0, 0] == pytest.approx(sum(true[0]))


@pytest.mark.parametrize("check", [False, True])
def test_a_fitted_verifier_tells_what_it_was_shown(model, stories, check):
    xs, chains, right = stories
    verifier = GenerativeVerifier(model, check=check, words=KNOWN, **GREEDY)
    before = verifier(xs[:2], chains[:2])[0]
    assert model.adapter is None and not hasattr(model.model, "peft_config")
    assert before.shape == (2,) and ((before >= 0) & (before <= 1)).all()
    history = verifier.fit(xs, chains, right, epochs=30, lr=5e-3, batch_tokens=512)
    assert history[-1] < history[0] / 4
    values, tokens = verifier(xs, chains)
    assert values[right == 1].min() > values[right == 0].max()
    sizes = np.array([len(model.pieces(c.text)) for c in chains])
    assert ((tokens > sizes + 40) == check).all() and (tokens > sizes).all()
    again, _ = verifier(xs, chains)
    assert np.array_equal(values, again)


def test_the_generator_is_left_as_it_was(model, stories):
    xs, chains, right = stories
    model.attach(4, 8, name="generator", seed=1)
    model.fit([(x, c.text) for x, c in zip(xs, chains)], epochs=1)
    start = [model.start(x, seed=2, index=i) for i, x in enumerate(xs)]
    alone = model.extend(model.extend(start))
    verifier = GenerativeVerifier(model, words=KNOWN, check=True)
    verifier.fit(xs, chains, right, rank=4, epochs=1)
    assert model.adapter == "generator" and model.active[0] == ("generator",)
    begun = model.extend(start)
    values, _ = verifier(xs, begun)  # between two steps, with kept KV
    assert model.adapter == "generator"
    assert [c.tokens for c in model.extend(begun)] == [c.tokens for c in alone]
    trained = [n for n, p in model.model.named_parameters() if p.requires_grad]
    assert trained and all("generator" in name for name in trained)
    model.switch(None)  # another generator: the verifier says the same
    assert np.allclose(verifier(xs, begun)[0], values, atol=1e-5)
    assert model.adapter is None
    with pytest.raises(ValueError, match="no examples"):
        verifier.fit([], [], [])
    with pytest.raises(ValueError, match="empty"):
        verifier([replace(X, prompt="")], [Chain("", "a")])
    assert model.adapter is None


def test_a_chat_model_is_asked_in_a_turn_of_the_user(model, stories):
    xs, chains, _ = stories
    model.tokenizer.chat_template = TEMPLATE
    verifier = GenerativeVerifier(model)
    before = verifier.before(chains[0])
    assert before == (
        chains[0].text + "<end><user>Is it right? Say Yes or No.<end><assistant>"
    )
    assert verifier.answers() == ("Yes", "No")
    values, _ = verifier(xs, chains)
    logp = [model.logprob(xs[:1], [w], prefix=[before])[0][0] for w in ("Yes", "No")]
    yes, no = np.exp(logp)
    assert values[0] == pytest.approx(yes / (yes + no), abs=1e-4)
    checked = GenerativeVerifier(model, check=True, n=2, max_tokens=8)
    assert checked.answers() == (" Yes", " No")
    assert np.isfinite(checked(xs[:3], chains[:3])[0]).all()


# --- the teacher ---------------------------------------------------------------------
def test_the_teacher_works_each_step_out_to_the_first_wrong_one():
    plan = [("One", [2, "+", 3]), ("More", ["#0", "*", 2]), ("More", ["#1", "-", 1])]
    x = Problem("x", "story", "?", "9", "mathematics", {"plan": plan})

    def taught(text):
        return teach(x, Chain("?", text, verifier="mathematics"))

    right = "One: 2 + 3 = 5\nMore: 5 * 2 = 10\nMore: 10 - 1 = 9\nAnswer: 9"
    one = "One: 2 + 3 = 5 (5), Yes.\n"
    check = f"{one}More: 5 * 2 = 10 (10), Yes.\nMore: 10 - 1 = 9 (9), Yes.\n"
    assert taught(right) == (check + "Answer: 9 (9), Yes.\n", True)
    off = taught(right.replace("Answer: 9", "Answer: 8"))
    assert off == (check + "Answer: 9 (8), No.\n", False)
    wrong = "One: 2 + 3 = 5\nMore: 5 * 2 = 11\nMore: 11 - 1 = 10\nAnswer: 10"
    assert taught(wrong) == (one + "More: 5 * 2 = 10 (11), No.\n", False)
    more = "More: 5 * 2 = 10"
    back = right.replace(more, f"More: 5 * 2 = 9\nGo back.\n{more}")
    styled = taught("Plan: one, then more.\n" + back)
    assert styled == (check + "Answer: 9 (9), Yes.\n", True)
    bare = "One: 2 + 3 = 5.\nMore: 5 * 2 = 10.\nMore: 10 - 1 = 9.\n"
    assert taught("Answer: 9") == (bare + "Answer: 9 (9), Yes.\n", True)
    assert taught("Answer: 8") == (bare + "Answer: 9 (8), No.\n", False)


def test_the_teacher_finds_what_is_wrong_with_a_chain(stories):
    xs, chains, right = stories
    found = [teach(x, replace(c, verifier=x.verifier))[1] for x, c in zip(xs, chains)]
    assert found == right.astype(bool).tolist()
