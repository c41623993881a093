"""A step is one thing: as many texts, values and written marks, whatever the tokens.

With a tokenizer that splits as Llama 3's and Qwen's do, one token ends a sentence and
holds a blank line.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from ttslib import guides
from ttslib.chain import Chain
from ttslib.policy import Policy, classroom, load

X = "Tom has 3.\n"
TEXT = "First we add.\n\nThen we take away.\n\nSo it is five.\n\nAnswer: 5"
SPLIT = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"


@pytest.fixture(scope="module")
def policy():
    tokenizer = Tokenizer(models.BPE())
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    words = pre_tokenizers.Split(Regex(SPLIT), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, pieces])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = dict(special_tokens=["<s>", "</s>"], initial_alphabet=alphabet)
    trainer = trainers.BpeTrainer(vocab_size=400, **special)
    tokenizer.train_from_iterator([TEXT + " ab\n \n\n"] * 50, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>"
    )
    size = dict(hidden_size=32, intermediate_size=64, max_position_embeddings=256)
    heads = dict(num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2)
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=len(wrapped), **size, **heads)
    return Policy(LlamaForCausalLM(config), wrapped)


@pytest.fixture(scope="module")
def reward(policy):
    return guides.RewardModel(policy)


def written(policy, text: str, prefix="", finished=True) -> Chain:
    """``text`` as the policy would have drawn it."""
    tokens = policy.encode(X, prefix, text)[1]
    tokens += (policy.tokenizer.eos_token_id,) if finished else ()
    logp = tuple(np.linspace(-0.1, -3, len(tokens)))
    return Chain(X, text, tokens, logp, finished, prefix=prefix)


def marks(text: str) -> list[int]:
    return [int(digit) for digit in re.findall(r" \[(\d)\]", text)]


def plain(text: str) -> str:
    return re.sub(r" \[\d\]", "", text)


def test_a_blank_line_within_a_token_is_no_step(policy, reward):
    chain = written(policy, TEXT)
    texts = ["First we add.\n\n", "Then we take away.\n\n", "So it is five.\n\n"]
    assert policy.step_texts(chain) == [*texts, "Answer: 5"]
    values = [0, 0.2, 0.5, 1]
    noted = guides.with_values(chain, values, policy)
    assert noted == (
        "First we add. [0]\n\nThen we take away. [2]\n\nSo it is five. [4]\n\nAnswer: 5"
    )
    assert guides.with_values(chain, values) == noted
    assert guides.with_values(chain, values[:3]) == noted
    shown = guides.GenerativeVerifier(policy, sees_logp=True).shown(chain)
    assert plain(shown) == TEXT and len(marks(shown)) == 4
    assert shown.endswith("Answer: 5 [0]")
    (found,) = reward.steps([X], [chain])
    assert len(found) == 4


def test_a_blank_line_of_its_own_is_a_step(policy):
    tokens = sum((policy.pieces(t) for t in ("First we add.", "\n", "\n", "five")), ())
    chain = Chain(X, "First we add.\n\nfive", tokens, (-0.1,) * len(tokens))
    assert policy.step_texts(chain) == ["First we add.\n", "\n", "five"]
    noted = guides.with_values(chain, [0, 0.5, 1], policy)
    assert noted == "First we add. [0]\n [4]\nfive"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.sampled_from(
            "a;b.;.;\n;\n\n;.\n;.\n\n; ;  ;5;é;\r\n;\n ;Answer: 5".split(";")
        )
    ),
    st.sampled_from(["", "Given.\n", "Given.\n\nHalf a"]),
    st.booleans(),
)
def test_steps_values_and_marks_are_as_many(policy, parts, prefix, finished):
    chain = written(policy, "".join(parts), prefix, finished)
    ends, texts = policy.ends(chain), policy.step_texts(chain)
    assert len(texts) == len(ends) and "".join(texts) == chain.text
    assert all("\n" in text for text in texts[:-1])
    for t in range(len(ends)):
        assert policy.head(chain, t).text == "".join(texts[:t])
    values = np.arange(len(ends)) % 10 / 9
    noted = guides.with_values(chain, values, policy)
    assert plain(noted) == chain.full_text and noted.startswith(prefix)
    inner = len(texts) - (bool(texts) and "\n" not in texts[-1])
    assert marks(noted) == [i % 10 for i in range(inner)]
    shown = guides.GenerativeVerifier(policy, sees_logp=True).shown(chain)
    assert plain(shown) == chain.full_text and len(marks(shown)) == len(ends)


def test_the_stream_says_the_newest_value_after_each_step(policy):
    chain = written(policy, TEXT, finished=False)
    values = [0.0, 2 / 9, 5 / 9, 1.0]
    steps = guides.with_values(chain, values, policy).split("\n\n")
    for t in range(1, 4):
        begun = Chain(X, "\n\n".join(steps[:t]) + "\n\n")
        found, cost = guides.interleaved([X], [begun])
        assert found == pytest.approx([values[t - 1]]) and not cost.any()


def test_values_that_fit_no_reading_are_refused(policy):
    chain = written(policy, TEXT)
    for values in ([0.5], [0.5] * 9):
        for reader in (None, policy):
            with pytest.raises(ValueError, match=f"{len(values)} values"):
                guides.with_values(chain, values, reader)


@pytest.mark.parametrize("wrong", [1.5, -0.5, np.nan])
def test_values_are_one_digit(policy, wrong):
    """A digit more, and no reader would find it."""
    with pytest.raises(ValueError, match="within 0 to 1"):
        guides.with_values(written(policy, TEXT), [0.5, wrong, 0.5, 0.5])


def test_a_chain_without_log_p_has_no_least_likely_token(policy):
    chain = replace(written(policy, TEXT), logprobs=())
    with pytest.raises(ValueError, match="has no log p"):
        guides.min_token_prob(policy)([X], [chain])
    assert guides.GenerativeVerifier(policy, sees_logp=True).shown(chain) == TEXT


def test_a_chain_that_was_written_has_the_steps_of_its_lines():
    tiny = load("tiny")
    (problem, *_), pupil = classroom()
    for policy in (tiny, pupil):
        chain = Chain(problem.prompt, "a\nb\n\nAnswer: 5", prefix="c\n")
        assert policy.step_texts(chain) == ["a\n", "b\n", "\n", "Answer: 5"]


def test_a_chain_that_was_written_is_read_as_one_that_was_drawn(policy, reward):
    drawn = replace(written(policy, TEXT), logprobs=())
    texts = Chain(X, TEXT, finished=True), Chain(X, TEXT)
    values, same, open_ = reward.steps([X] * 3, [drawn, *texts])
    assert same == pytest.approx(values, abs=1e-6) and len(open_) == 4
    assert open_[:3] == pytest.approx(values[:3], abs=1e-6)


def test_a_pupils_steps_are_its_tokens():
    problems, pupil = classroom()
    for (chain,) in pupil.sample(problems, 1):
        texts = pupil.step_texts(chain)
        assert len(texts) == len(chain.tokens) and "".join(texts) == chain.text
        noted = guides.with_values(chain, np.linspace(0, 1, len(texts)), pupil)
        assert marks(noted) == [0, 3, 6]


def test_a_step_of_eos_alone_has_a_value_but_no_line(policy, reward):
    chain = written(policy, "First we add.\n")
    assert policy.step_texts(chain) == ["First we add.\n", ""]
    (values,) = reward.steps([X], [chain])
    assert guides.with_values(chain, [1, 0]) == "First we add. [9]\n"
    assert len(values) == 2
    begun = policy.head(chain, 1)
    assert policy.step_texts(begun) == ["First we add.\n"]
    assert guides.with_values(begun, [1]) == "First we add. [9]\n"
    (values,) = reward.steps([X], [begun])
    assert len(values) == 1
