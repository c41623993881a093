"""Guides: labels by roll-outs, reward models, progress, values in the stream."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    MambaConfig,
    MambaForCausalLM,
)

from ttslib import guides, policy, problems
from ttslib.policy import classroom
from ttslib.verify import verify


@pytest.fixture(scope="module")
def model():
    return policy.load("tiny")


@pytest.fixture(scope="module")
def stories(model):
    """Twelve stories, four chains each, and random labels for their steps."""
    xs = problems.load("story-hard", "train", 12)
    rows = model.sample(xs, 4, seed=3)
    xs = [x for x in xs for _ in range(4)]
    chains = [chain for row in rows for chain in row]
    rng = np.random.default_rng(0)
    labels = [rng.random(len(model.ends(chain))) for chain in chains]
    return xs, chains, labels


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_STORE", str(tmp_path))
    return tmp_path


# --- a chain as prefix ---------------------------------------------------------------
def test_the_first_steps_of_a_chain_are_its_own_tokens(model, stories):
    for chain in stories[1]:
        ends = model.ends(chain)
        assert ends[-1] == len(chain.tokens) - 1
        for t in range(len(ends)):
            begun = model.head(chain, t)
            assert begun.tokens == chain.tokens[: len(begun.tokens)]
            assert chain.text.startswith(begun.text) and not begun.finished
            assert begun.text.count("\n") == t == len(model.ends(begun))
        assert model.head(chain, len(ends)).text == chain.text


def test_a_chain_goes_on_as_its_text_does_with_kept_kv_or_without(
    model, stories, store
):
    xs, chains, _ = (part[:6] for part in stories)
    begun = [model.head(chain, 2) for chain in chains]
    by_text = model.sample(xs, 3, prefix=[c.text for c in begun], fresh=True)
    by_chain = model.sample(xs, 3, prefix=begun, fresh=True)
    assert by_text == by_chain
    start = [model.start(x, seed=5, index=i) for i, x in enumerate(xs)]
    kept = model.extend(model.extend(start))
    xs, kept = zip(*[(x, c) for x, c in zip(xs, kept) if not c.finished])
    with_kv = model.sample(xs, 3, prefix=kept, fresh=True)
    without = [replace(chain, state=None) for chain in kept]
    read_again = model.sample(xs, 3, prefix=without, fresh=True)
    for row, other in zip(with_kv, read_again):
        assert [c.tokens for c in row] == [c.tokens for c in other]
    assert all(c.prefix == k.text for row, k in zip(with_kv, kept) for c in row)


def test_a_finished_chain_is_no_prefix(model, stories):
    xs, chains, _ = stories
    done = next(i for i, chain in enumerate(chains) if chain.finished)
    with pytest.raises(ValueError, match="has ended"):
        model.sample(xs[done], 1, prefix=chains[done])


# --- labels --------------------------------------------------------------------------
def test_labels_are_unbiased_and_the_last_step_is_the_verdict():
    """2,000 roll-outs a step, within 5 standard errors: false alarm below 1e-4."""
    (problem, *_), pupil = classroom()
    (chains,) = pupil.sample([problem], 8)
    n = 2000
    counts, tokens = guides.step_labels(pupil, [problem] * 8, chains, n, seed=1)
    seen = set()
    for chain, count in zip(chains, counts):
        assert count[-1] == n * bool(verify(problem, chain.answer))
        for t in range(1, len(count)):
            begun = pupil.head(chain, t)
            exact = pupil.value(problem, verify, begun.text)
            error = np.sqrt(max(exact * (1 - exact), 1e-9) / n)
            assert abs(count[t - 1] / n - exact) <= 5 * error + 1e-12
            seen.add((begun.text, 4 - t))
    # what chains begin with alike is rolled out once
    assert tokens == n * sum(left for _, left in seen)


def test_outcome_labels_are_the_last_of_the_process_labels():
    labels = guides.only_last([np.array([0.5, 0.25, 1.0]), np.array([0.0])])
    assert [np.isnan(v).tolist() for v in labels] == [[True, True, False], [False]]
    assert [v[-1] for v in labels] == [1.0, 0.0]


def test_a_provers_value_is_pass_at_k_of_the_same_roll_outs():
    (values,) = guides.prover_labels([np.array([0, 1, 8])], 8, 4)
    assert values == pytest.approx([0, 0.5, 1])


# --- reward models -------------------------------------------------------------------
def test_values_do_not_depend_on_company(model, stories):
    xs, chains, labels = stories
    reward = guides.RewardModel(model).fit(xs, chains, labels, epochs=1)
    together = reward.steps(xs, chains)
    assert [len(v) for v in together] == [len(v) for v in labels]
    for i in (0, 7, 20):
        (alone,) = reward.steps([xs[i]], [chains[i]])
        assert alone == pytest.approx(together[i], abs=1e-5)
    twice = reward.steps([xs[3]] * 2, [chains[3]] * 2)
    assert np.array_equal(twice[0], twice[1])
    values, tokens = reward(xs, chains)
    assert values == pytest.approx([v[-1] for v in together], abs=1e-5)
    assert tokens.tolist() == [len(chain.tokens) for chain in chains]


def test_what_is_trained_is_what_is_read(model, stories):
    """The loss by one forward over prompt and chain, the values by a kept prompt."""
    xs, chains, labels = stories
    reward = guides.RewardModel(model).fit(xs, chains, labels, epochs=1)
    rows = [reward.row(x, chain) for x, chain in zip(xs, chains)]
    loss = reward.loss(rows, labels).item()
    p, told = np.concatenate(reward.steps(xs, chains)), np.concatenate(labels)
    assert loss == pytest.approx(
        -np.mean(told * np.log(p) + (1 - told) * np.log(1 - p)), abs=1e-4
    )


def test_a_value_sees_only_what_lies_before_it(model, stories):
    xs, chains, labels = stories
    reward = guides.RewardModel(model).fit(xs, chains, labels, epochs=1)
    i = next(i for i, chain in enumerate(chains) if len(model.ends(chain)) > 3)
    begun = model.head(chains[i], 2)
    (part,), (whole,) = (
        reward.steps([xs[i]], [begun]),
        reward.steps([xs[i]], chains[i : i + 1]),
    )
    assert part == pytest.approx(whole[:2], abs=1e-5)


def test_only_a_model_that_sees_log_p_sees_log_p(model, stories):
    xs, chains, labels = stories
    doubted = [replace(c, logprobs=tuple(p - 2 for p in c.logprobs)) for c in chains]
    for sees in (True, False):
        reward = guides.RewardModel(model, sees_logp=sees)
        reward.fit(xs, chains, labels, epochs=1)
        before, after = reward.steps(xs, chains), reward.steps(xs, doubted)
        moved = max(abs(a - b).max() for a, b in zip(before, after))
        assert (moved > 1e-3) == sees


def test_it_learns_its_labels_and_leaves_the_policy_alone(model, stories):
    xs, chains, _ = stories
    before = model.logprob(xs[:3], chains[:3])
    labels = [np.linspace(0, 1, len(model.ends(chain))) for chain in chains]
    reward = guides.RewardModel(model).fit(xs, chains, labels, epochs=20)
    error = np.concatenate(reward.steps(xs, chains)) - np.concatenate(labels)
    assert np.abs(error).mean() < 0.1
    assert model.logprob(xs[:3], chains[:3]) == before
    assert model.adapter is None


def test_training_is_kept_and_goes_on_where_it_was_killed(model, stories, store):
    xs, chains, labels = stories
    whole = guides.RewardModel(model).fit(xs, chains, labels)
    (file,) = (store / "training").glob("*.safetensors")
    again = guides.RewardModel(model).fit(xs, chains, labels)
    assert again.history == whole.history
    assert np.array_equal(again.head.weight.detach(), whole.head.weight.detach())
    file.unlink()

    class Killed(guides.RewardModel):
        def loss(self, *args):
            if self.steps_left == 0:
                raise KeyboardInterrupt
            self.steps_left -= 1
            return super().loss(*args)

    from ttslib.policy import training as trainer

    killed = Killed(model)
    killed.steps_left = 3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer.store, "EVERY", 0.0)
        with pytest.raises(KeyboardInterrupt):
            killed.fit(xs, chains, labels)
    resumed = guides.RewardModel(model).fit(xs, chains, labels)
    assert resumed.history == pytest.approx(whole.history, abs=1e-5)


def test_a_second_training_goes_on_from_the_first(model, stories, store):
    """Its key holds the weights that it began with; what it became is kept, too."""
    xs, chains, labels = stories
    flat = [np.full(len(v), 0.5) for v in labels]
    afresh = guides.RewardModel(model).fit(xs, chains, labels, epochs=1)
    for _ in range(2):  # the second time both come from the store
        reward = guides.RewardModel(model).fit(xs, chains, flat, epochs=2)
        first = reward.head.weight.detach().clone()
        reward.fit(xs, chains, labels, epochs=1)
        assert reward.history != afresh.history
        assert not torch.equal(reward.head.weight, first)
        assert not torch.equal(reward.head.weight, afresh.head.weight)
    assert len(list((store / "training").glob("*.safetensors"))) == 3


def test_only_steps_with_a_label_teach(model, stories, store):
    xs, chains, labels = stories
    unknown = [np.full(len(v), np.nan) for v in labels]
    reward = guides.RewardModel(model)
    with pytest.raises(ValueError, match="no label is known"):
        reward.fit(xs, chains, unknown)
    with pytest.raises(ValueError, match="no examples"):
        reward.fit([], [], [])
    some = guides.RewardModel(model).fit(xs[:1], chains[:1], labels[:1], epochs=1)
    both = [labels[0], *unknown[1:]]
    one_each = dict(epochs=1, batch_tokens=1)
    reward.fit(xs, chains, both, **one_each)
    assert np.count_nonzero(reward.history) == 1
    assert max(reward.history) == pytest.approx(some.history[0], abs=1e-6)


@pytest.mark.parametrize("wrong", [-0.1, 1.5, np.inf])
def test_labels_are_chances(model, stories, wrong):
    xs, chains, labels = stories
    counts = [np.full(len(v), wrong) for v in labels]
    with pytest.raises(ValueError, match="within 0 to 1"):
        guides.RewardModel(model).fit(xs, chains, counts)


def other_model(name: str, tokenizer, **options):
    """A small causal model of a family, its weights far from 0."""
    size = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2)
    size |= dict(num_attention_heads=4, num_key_value_heads=2, head_dim=8)
    ids = dict(vocab_size=len(tokenizer), eos_token_id=2, pad_token_id=0)
    limit = dict(max_position_embeddings=512)
    config = AutoConfig.for_model(name, **size | ids | limit | options)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return model


OTHERS = {
    "gpt_oss": dict(num_local_experts=4, num_experts_per_tok=2, sliding_window=16),
    "gemma2": dict(attn_logit_softcapping=0.5, sliding_window=16),
    "mistral": dict(sliding_window=16),
    "qwen3": {},
}


@pytest.mark.parametrize("rank", [None, 4])
@pytest.mark.parametrize("name", OTHERS)
def test_values_are_those_of_the_models_own_attention(model, stories, name, rank):
    """Sinks and capped logits have no place in torch's attention; windows do."""
    xs, chains, _ = (part[:8] for part in stories)
    other = other_model(name, model.tokenizer, **OTHERS[name])
    reward = guides.RewardModel(policy.Policy(other, model.tokenizer), rank=rank)
    found = reward.steps(xs, chains)
    other.set_attn_implementation("eager")
    for x, chain, values in zip(xs, chains, found):
        row = reward.row(x, chain)
        with torch.no_grad():
            embedded = reward.embedded([(row.prompt + row.tokens, row.logp)])
            hidden = other.base_model(inputs_embeds=embedded, use_cache=False)[0]
            true = reward.head(hidden)[0, :, 0].sigmoid()
        at = [len(row.prompt) + end for end in row.ends]
        assert values == pytest.approx(true[at].tolist(), abs=1e-5)
    cached = guides.CachedRewardModel(reward, rows=3)
    cached(xs, [model.head(chain, 1) for chain in chains])
    for same, values in zip(cached.steps(xs, chains), found):
        assert same == pytest.approx(values, abs=1e-5)


def test_a_model_that_keeps_a_state_is_refused_by_name(model):
    config = MambaConfig(
        vocab_size=len(model.tokenizer), hidden_size=32, num_hidden_layers=2
    )
    other = policy.Policy(MambaForCausalLM(config), model.tokenizer)
    with pytest.raises(NotImplementedError, match="MambaForCausalLM"):
        guides.RewardModel(other)


def test_other_labels_and_other_features_are_other_trainings(model, stories, store):
    xs, chains, labels = stories
    for sees, told in (
        (True, labels),
        (False, labels),
        (True, guides.only_last(labels)),
    ):
        guides.RewardModel(model, sees_logp=sees).fit(xs, chains, told, epochs=1)
    assert len(list((store / "training").glob("*.safetensors"))) == 3


def test_a_lora_reward_model_on_a_tuned_policy(stories, store):
    tuned = policy.load("tiny")
    xs, chains, labels = stories
    tuned.attach(r=4)
    tuned.fit(list(zip(xs, chains)), epochs=1)
    names = {n for n, _ in tuned.model.named_parameters()}
    reward = guides.RewardModel(tuned, rank=8)
    trained = [p for p in reward.parameters() if p.requires_grad]
    assert sum(p.numel() for p in trained) < 0.2 * tuned.parameters
    first = reward.fit(xs, chains, labels, epochs=4).history
    assert np.mean(first[-4:]) < np.mean(first[:4])
    assert {n for n, _ in tuned.model.named_parameters()} == names
    assert tuned.adapter == "default"
    # the copy began at the tuned weights, not at the base's
    tuned.switch(None)
    other = guides.RewardModel(tuned, rank=8)
    assert other.about != reward.about


def test_labels_that_do_not_fit_the_steps_are_refused(model, stories):
    xs, chains, labels = stories
    with pytest.raises(ValueError, match="labels for a chain of"):
        guides.RewardModel(model).fit(xs, chains, [v[:-1] for v in labels])


# --- the other guides ----------------------------------------------------------------
def test_roll_outs_value_open_chains_and_judge_finished_ones(store):
    """4,000 roll-outs, 5 standard errors: false alarm below 1e-5."""
    (problem, *_), pupil = classroom()
    chains = [pupil.start(problem)]
    for _ in range(4):
        chains.append(pupil.extend(chains[-1:])[0])
    values, tokens = guides.rollouts(pupil, 4000)([problem] * 5, chains)
    for value, cost, chain in zip(values, tokens, chains):
        exact = pupil.value(problem, verify, chain.text)
        assert abs(value - exact) <= 5 * np.sqrt(exact * (1 - exact) / 4000) + 1e-12
        assert cost == 4000 * (4 - len(chain.tokens))


def test_likelihood_is_the_least_likely_token_of_the_newest_step(model, stories):
    xs, chains, _ = stories
    values, tokens = guides.min_token_prob(model)(xs, chains)
    for value, chain in zip(values, chains):
        at = model.ends(chain)[-2] + 1 if len(model.ends(chain)) > 1 else 0
        assert value == pytest.approx(np.exp(min(chain.logprobs[at:])))
    assert not tokens.any()


def test_progress_is_the_change_of_the_provers_value(model, stories):
    xs, chains, labels = stories
    value = guides.RewardModel(model).fit(xs, chains, labels, epochs=1)
    prover = guides.RewardModel(model, seed=1).fit(xs, chains, labels, epochs=1)
    found, tokens = guides.process_advantage(value, prover, 0.5)(xs, chains)
    for i in (0, 5):
        v, m = value.steps(xs, chains)[i], prover.steps(xs, chains)[i]
        gained = m[-1] - (m[-2] if len(m) > 1 else 0)
        assert found[i] == pytest.approx(v[-1] + 0.5 * gained, abs=1e-6)
    assert tokens.tolist() == [2 * len(chain.tokens) for chain in chains]


def test_values_are_written_behind_steps_and_read_from_them(model, stories):
    xs, chains, _ = stories
    i = next(i for i, c in enumerate(chains) if len(c.steps) == 6 and c.finished)
    values = [0, 0.2, 0.5, 0.8, 1]
    text = guides.with_values(chains[i], values)
    said = [line.rsplit(" [")[-1].rstrip("]") for line in text.split("\n")[:-1]]
    assert said == ["0", "2", "4", "7", "9"]
    plain = "\n".join(line.split(" [")[0] for line in text.split("\n"))
    assert plain == chains[i].text
    lines = text.split("\n")
    for t in (1, 3):
        begun = replace(chains[i], text="\n".join(lines[:t]) + "\n", finished=False)
        value, cost = guides.interleaved([xs[i]], [begun])
        assert value[0] == round(9 * values[t - 1]) / 9 and cost[0] == 0
    ended = replace(chains[i], text=text)
    assert guides.interleaved([xs[i]], [ended])[0][0] == 1
    silent = replace(chains[i], finished=False, text=lines[0] + "\nMore: 1 + 1 = 2\n")
    assert guides.interleaved([xs[i]], [silent])[0][0] == 0


def test_the_policy_learns_to_write_values(store):
    """Values that the step's place decides are written where they were taught."""
    tuned = policy.load("tiny")
    xs = problems.load("story-easy", "train", 40)
    rows = tuned.sample(xs, 2)
    asked = [x for x in xs for _ in range(2)]
    chains = [chain for row in rows for chain in row]
    values = [np.linspace(0, 1, len(c.steps) - 1) for c in chains]
    tuned.attach()
    guides.learn_values(
        tuned, asked, chains, values, epochs=8, lr=5e-3, batch_tokens=512
    )
    found = tuned.sample(xs[:20], 2, seed=9)
    texts = [c.text for row in found for c in row]
    lines = [line for text in texts for line in text.split("\n")[:-1]]
    assert np.mean([" [" in line for line in lines]) > 0.9
    first = [text.split("\n")[0] for text in texts]
    assert np.mean([line.endswith("[0]") for line in first]) > 0.7
