"""The training loop's guards: dropout, weights of 0, gradients that overflow."""

import math

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

from ttslib import guides, learn
from ttslib import policy as policies
from ttslib.chain import Chain
from ttslib.policy import TINY, Policy, Trainer
from ttslib.problems import load


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_STORE", str(tmp_path))


@pytest.fixture
def dropping():
    """A GPT-2 with dropout, its adapter too, and four problems with two chains each."""
    tokenizer = AutoTokenizer.from_pretrained(TINY)
    torch.manual_seed(0)
    size = dict(n_positions=256, n_embd=32, n_layer=2, n_head=4)
    ids = dict(bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **size, **ids))
    policy, problems = Policy(model, tokenizer), load("story-easy", "train", 4)
    rows = policy.sample(problems, 2, max_tokens=40)
    policy.attach()
    for module in policy.model.modules():
        if "default" in getattr(module, "lora_dropout", {}):
            module.lora_dropout["default"] = torch.nn.Dropout(0.5)
    assert any(isinstance(m, torch.nn.Dropout) and m.p for m in model.modules())
    return policy, problems, rows


def test_preferences_are_learned_without_dropout(dropping):
    policy, problems, rows = dropping
    policy.model.train()  # as a loop of one's own leaves it
    pairs = [(x, a, b) for x, (a, b) in zip(problems, rows)]
    (first, *_) = learn.dpo(policy, pairs, epochs=1, lr=1e-9)
    assert first == pytest.approx(math.log(2), abs=1e-5)
    assert not policy.model.training


@pytest.mark.parametrize("method", learn.METHODS)
def test_a_first_step_is_on_the_policys_own_draws(method, dropping):
    """So the ratio is 1, and the policy is its own reference."""
    policy, problems, _ = dropping
    advantage, loss = learn.METHODS[method]
    ratios = []

    def watched(logp, old, advantages):
        ratios.append((logp - old).detach().exp())
        return loss(logp, old, advantages)

    def reward(problems, rows):
        return [[float(len(c.text) % 2) for c in row] for row in rows]

    options = dict(steps=1, n=4, batch=4, beta=0.1, lr=1e-9, reward=reward)
    (record,) = learn.policy_gradient(policy, problems, (advantage, watched), **options)
    assert torch.cat(ratios) == pytest.approx(1, abs=1e-3)
    assert record["kl"] == pytest.approx(0, abs=1e-5) and record["used"]


def test_supervised_training_keeps_dropout_and_leaves_it(dropping):
    policy, problems, rows = dropping
    examples = [(x, c) for x, row in zip(problems, rows) for c in row]

    def first(seed):
        torch.manual_seed(seed)
        return policy.fit(examples, lr=1e-9, fresh=True)[0]

    assert first(1) == first(1) != first(2)
    assert not policy.model.training


# --- what teaches nothing ------------------------------------------------------------
@pytest.fixture
def tuned():
    model = policies.load("tiny")
    model.attach(r=2)
    return model


def weights(policy) -> list:
    return [p.detach().clone() for p in policy.trained()]


def same(before, after) -> bool:
    return all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_weights_of_0_teach_nothing_and_tiny_ones_are_weights(tuned):
    problems, before = load("story-easy", "train", 4), weights(tuned)
    examples = [(x, x.chain) for x in problems]
    assert tuned.fit([(*e, 0) for e in examples]) == [0.0]
    assert tuned.fit([(*e, torch.zeros(())) for e in examples]) == [0.0]
    assert same(before, weights(tuned))
    (usual,) = tuned.fit(examples)
    tuned.attach(r=2)
    assert tuned.fit([(*e, 1e-12) for e in examples]) == pytest.approx([usual])
    tuned.attach(r=2)
    found = tuned.fit([(*e, -1) for e in examples])  # away from the examples
    assert found == pytest.approx([-usual])


def test_what_is_no_number_changes_nothing(tuned):
    (x,), before = load("story-easy", "train", 1), weights(tuned)
    for weight in (math.nan, math.inf):
        with pytest.raises(FloatingPointError, match="loss is nan"):
            tuned.fit([(x, x.chain, weight)])
    with pytest.raises(FloatingPointError, match="loss is nan"):
        learn.dpo(tuned, [(x, x.chain, "Answer: 1")], beta=math.nan)
    assert same(before, weights(tuned))


def test_a_gradient_that_overflows_is_not_followed():
    """A ratio beyond all floats: PPO's loss is a number, its gradient is none."""
    logp = torch.zeros(2, requires_grad=True)
    trainer = Trainer([logp], ("overflow",), lr=0.1)
    loss = learn.ppo_loss(logp, torch.tensor([-200.0, 0]), torch.ones(2)).sum()
    assert loss.isfinite()
    with pytest.raises(FloatingPointError, match="gradient nan at step 1"):
        trainer.step(loss)
    assert not logp.any() and trainer.history == []


def test_what_is_longer_than_the_model_reads(dropping):
    """Supervised training cuts it off; preferences and values say so."""
    policy, problems, _ = dropping
    x, long = problems[0], "Left: 36 - 4 = 32\n" * 40
    says = f"problem {x.id}: .* tokens; .* reads at most 256"
    assert policy.fit([(x, long)])
    with pytest.raises(ValueError, match=says):
        learn.dpo(policy, [(x, long, "Answer: 6")])
    chain = Chain(x.prompt, long, policy.pieces(long))
    for call in (guides.RewardModel(policy), guides.RewardModel(policy).steps):
        with pytest.raises(ValueError, match=says):
            call([x], [chain])


@pytest.mark.parametrize("epochs", [0, -1])
def test_training_needs_examples_and_epochs(tuned, epochs):
    (x,) = load("story-easy", "train", 1)
    with pytest.raises(ValueError, match="no examples"):
        tuned.fit([])
    with pytest.raises(ValueError, match="above 0"):
        tuned.fit([(x, x.chain)], epochs=epochs)
    tuned.switch(None)
    with pytest.raises(ValueError, match="no adapter"):
        tuned.fit([(x, x.chain)])


# --- rewards -------------------------------------------------------------------------
@pytest.mark.parametrize(
    "rewards, says",
    [
        ([[math.nan, 1], [0, 1]], ": rewards"),
        ([[None, 1], [0, 1]], ": rewards"),
        ([0, 1, 0, 1], "have shape"),
        (np.zeros((2, 3)), "have shape"),
    ],
)
def test_rewards_that_are_none_are_refused(rewards, says):
    problems, options = load("story-easy", "train", 2), dict(steps=1, n=2, batch=2)
    with pytest.raises(ValueError, match=says):
        learn.policy_gradient(
            policies.load("tiny"), problems, reward=lambda xs, rows: rewards, **options
        )


@pytest.mark.parametrize("wrong", [dict(batch=3), dict(n=0), dict(refresh=0)])
def test_sizes_that_make_no_sense(wrong):
    problems, options = load("story-easy", "train", 2), dict(steps=1, n=2, batch=2)
    with pytest.raises(ValueError, match="make no sense"):
        learn.policy_gradient(policies.load("tiny"), problems, **options | wrong)
