"""Policy gradients against exact ones, and TRL driven by the same reward."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ttslib import learn
from ttslib import policy as policies
from ttslib.policy import Trainer
from ttslib.policy.engine import fingerprint, store
from ttslib.problems import load
from ttslib.verify import judge


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_STORE", str(tmp_path))


def test_the_expected_loss_has_the_gradient_of_the_expected_reward():
    """Exactly, over three chains of a softmax policy, with any constant baseline."""
    r = torch.tensor([1.0, 0.0, 0.5])
    for loss in (learn.reinforce_loss, learn.ppo_loss):
        theta = torch.tensor([0.2, -0.4, 0.9], requires_grad=True)
        logp = torch.log_softmax(theta, 0)
        (exact,) = torch.autograd.grad((logp.exp() * r).sum(), theta, retain_graph=True)
        p = logp.exp().detach()
        expected = (p * loss(logp, logp.detach(), r - 0.3)).sum()
        (found,) = torch.autograd.grad(expected, theta)
        assert torch.allclose(found, -exact, atol=1e-6)


def test_clipping_stops_paying_outside_and_keeps_punishing():
    old = torch.zeros(4)
    logp = torch.tensor([0.5, -0.5, 0.5, -0.5], requires_grad=True)
    advantage = torch.tensor([1.0, -1.0, -1.0, 1.0])
    learn.ppo_loss(logp, old, advantage).sum().backward()
    assert (logp.grad != 0).tolist() == [False, False, True, True]


def test_divergence_is_that_of_kl_in_expectation():
    p, q = torch.tensor([0.2, 0.5, 0.3]), torch.tensor([0.4, 0.4, 0.2])
    found = learn.divergence(p.log(), q.log())
    assert (found >= 0).all()
    assert torch.allclose((p * found).sum(), (p * (p / q).log()).sum())


def test_advantages():
    r = np.array([[1.0, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]])
    group = learn.grpo_advantage(r)
    assert group.tolist() == [[1, -1, 1, -1], [0] * 4, [0] * 4]
    others = (r.sum() - r) / (r.size - 1)
    assert np.allclose(learn.leave_one_out_advantage(r), r - others)


ADVANTAGES = (learn.grpo_advantage, learn.leave_one_out_advantage)


@given(
    st.integers(1, 6),
    st.integers(1, 20),
    st.floats(-1e6, 1e6),
    st.sampled_from([np.float64, np.float32]),
)
def test_equal_rewards_are_no_signal_whatever_they_round_to(groups, n, value, dtype):
    rewards = np.full((groups, n), value, dtype)
    for advantage in ADVANTAGES:
        assert not advantage(rewards).any()


@given(st.lists(st.integers(0, 9), min_size=2, max_size=9), st.permutations(range(9)))
def test_sums_of_the_same_parts_are_equal_rewards(parts, order):
    """Their order rounds them otherwise; what differs beside them is still seen."""
    parts = [part / 10 for part in parts]
    mixed = sum(parts[i] for i in order if i < len(parts))
    group = np.array([[sum(parts), mixed] * 3])
    for advantage in ADVANTAGES:
        assert not advantage(group).any()
    both = np.vstack([group, [[0.0, 1, 0, 1, 0, 1]]])
    assert learn.grpo_advantage(both)[1].tolist() == [-1, 1, -1, 1, -1, 1]
    assert not learn.grpo_advantage(both)[0].any()


def test_a_reward_that_is_the_mean_has_no_advantage():
    rewards = np.array([[0.1, 0.2, 0.3], [0.3, 0.1, -0.1], [-0.2, 0.3, -0.1]])
    found = learn.grpo_advantage(rewards)
    assert np.count_nonzero(found) == 7 and found[0, 1] == found[1, 1] == 0
    assert found[2] == pytest.approx([-0.9258, 1.3887, -0.4629], abs=1e-4)


@given(
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=2, max_size=8),
    st.floats(0.01, 100),
    st.floats(-100, 100),
)
def test_grpo_has_no_unit_and_no_zero(group, unit, zero):
    group = np.array([group])
    plain, other = (learn.grpo_advantage(r) for r in (group, unit * group + zero))
    assert np.allclose(plain, other, atol=1e-6)


def test_equal_fractions_move_nothing():
    model, problems = policies.load("tiny"), load("story-easy", "train", 2)
    options = dict(steps=1, n=6, batch=2, reward=lambda xs, rows: np.full((2, 6), 0.1))
    for method in learn.METHODS:
        with pytest.warns(UserWarning, match="nothing was learned"):
            (record,) = learn.policy_gradient(model, problems, method, **options)
        assert record["used"] == 0


def test_steps_without_signal_change_nothing_and_are_logged():
    model = policies.load("tiny")
    problems = load("story-easy", "train", 4)

    def same(problems, rows):
        return np.ones((len(rows), len(rows[0])))

    with pytest.warns(UserWarning, match="nothing was learned"):
        history = learn.policy_gradient(
            model, problems, steps=2, n=2, batch=2, reward=same
        )
    assert [r["used"] for r in history] == [0, 0]
    found = model.logprob(problems[:1], [problems[0].chain])[0]
    base = policies.load("tiny").logprob(problems[:1], [problems[0].chain])[0]
    assert found == pytest.approx(base)


def test_a_reward_that_can_be_had_is_learned_and_a_run_is_not_repeated():
    """No false alarm: the seed is fixed and the gain large."""
    model = policies.load("tiny")
    problems = load("story-easy", "train", 40)

    def short(problems, rows):
        return np.array([[float(len(c.tokens) < 25) for c in row] for row in rows])

    options = dict(steps=8, n=8, batch=8, reward=short, lr=5e-3)
    history = learn.policy_gradient(model, problems, "GRPO", **options)
    first, last = (np.mean(history[i]["rewards"]) for i in (0, -1))
    assert last > first + 0.2
    after = model.hashes()
    assert learn.policy_gradient(model, problems, "GRPO", **options) == history
    assert model.hashes() == after


@pytest.mark.parametrize("shared", [dict(epochs=2), dict(refresh=2)])
def test_a_run_that_was_killed_goes_on_at_its_draw(shared, tmp_path, monkeypatch):
    """Killed within a draw that several steps share, it ends where a whole one does."""
    problems = load("story-easy", "train", 12)
    options = dict(steps=4, n=4, batch=3, lr=5e-3, **shared)

    def tuned(where, stop=None):
        monkeypatch.setenv("TTS_STORE", str(tmp_path / where))
        monkeypatch.setattr(store, "EVERY", 0.0)
        model, steps, step = policies.load("tiny"), [], Trainer.step

        def counted(self, *args, **kwargs):
            if len(steps) == stop:
                raise KeyboardInterrupt
            steps.append(1)
            step(self, *args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "step", counted)
            history = learn.policy_gradient(model, problems, "PPO", **options)
        return history, model.hashes(), len(steps)

    whole = tuned("a")
    with pytest.raises(KeyboardInterrupt):
        tuned("b", stop=3)
    assert tuned("b") == (*whole[:2], whole[2] - 2)


def test_another_reward_is_another_run():
    """Whether it differs in its text or only in what it closes over."""
    model = policies.load("tiny")
    problems = load("story-easy", "train", 8)

    def longer(least):
        def reward(problems, rows):
            return np.array([[float(len(c.tokens) > least) for c in r] for r in rows])

        return reward

    def shorter(problems, rows):
        return np.array([[float(len(c.tokens) < 40) for c in r] for r in rows])

    found = set()
    for reward in (longer(30), longer(40), shorter):
        learn.policy_gradient(model, problems, reward=reward, steps=2, n=4, batch=4)
        found.add(model.hashes())
    assert len(found) == 3


def helped(x):
    return x + LEAST


LEAST = 30


class Longer:
    """A reward with a state of its own."""

    def __init__(self, least):
        self.least = least

    def __repr__(self):
        return f"Longer({self.least})"

    def reward(self, problems, rows):
        return [[float(len(c.tokens) > self.least) for c in row] for row in rows]


def test_a_reward_is_known_by_all_that_it_uses(monkeypatch):
    """Also by names in its comprehensions, and by weights, which no repr shows."""

    def reward(problems, rows):
        return [[helped(len(c.tokens)) for c in row] for row in rows]

    def by(value):
        return fingerprint.function(lambda problems, rows: value)

    before = fingerprint.function(reward)
    assert before == fingerprint.function(reward) and "return x + LEAST" in before
    monkeypatch.setitem(globals(), "LEAST", 31)
    assert fingerprint.function(reward) != before
    assert fingerprint.function(Longer(1).reward) == fingerprint.function(
        Longer(1).reward
    )
    one, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    many, more = np.zeros(9999), np.zeros(9999)
    more[5000] = 1
    for a, b in ((one, other), (many, more), (Longer(1), Longer(2)), (1, 2)):
        assert by(a) == by(a) != by(b)


def test_a_method_may_be_given_as_its_two_parts():
    model = policies.load("tiny")
    problems = load("story-easy", "train", 8)
    options = dict(steps=2, n=4, batch=4, fresh=True)
    named = learn.policy_gradient(model, problems, "GRPO", **options), model.hashes()
    parts = learn.METHODS["GRPO"]
    assert (
        learn.policy_gradient(model, problems, parts, **options),
        model.hashes(),
    ) == named


def test_beta_holds_problems_without_an_advantage_too():
    model = policies.load("tiny")
    problems = load("story-easy", "train", 4)

    def same(problems, rows):
        return np.ones((len(rows), len(rows[0])))

    with pytest.warns(UserWarning, match="nothing was learned"):
        history = learn.policy_gradient(
            model, problems, steps=1, n=2, batch=2, reward=same, beta=0.1
        )
    assert history[0]["used"] == 0 and history[0]["kl"] == pytest.approx(0, abs=1e-6)


def test_trl_reward_is_the_verifier():
    problems = load("story-easy", "train", 3)
    reward = learn.trl_reward(problems)
    prompts = [x.prompt for x in problems]
    assert reward(prompts, [x.chain for x in problems]) == [1.0] * 3
    assert reward(prompts, ["Answer: -1"] * 3) == [0.0] * 3
    with pytest.raises(KeyError):
        reward(["?"], ["Answer: 1"])


def test_trl_reward_takes_conversations():
    problems = load("story-easy", "train", 2)
    reward = learn.trl_reward(problems)
    system = {"role": "system", "content": "Think."}
    prompts = [[system, {"role": "user", "content": x.prompt}] for x in problems]
    parts = [{"type": "text", "text": "Answer: "}, {"type": "image"}]
    parts += [{"type": "text", "text": problems[1].gold}]
    for contents, said in (
        ([x.chain for x in problems], [1.0, 1.0]),
        ([f"Answer: **{problems[0].gold}**\n\nGood luck!", parts], [1.0, 1.0]),
        (["Answer: -1", None], [0.0, 0.0]),
    ):
        replies = [[{"role": "assistant", "content": c}] for c in contents]
        assert reward(prompts, replies, completion_ids=[[1], [2]]) == said
    prompts[0] = [{"role": "user", "content": [{"type": "text", "text": "?"}]}]
    with pytest.raises(KeyError):
        reward(prompts, replies)


def test_trl_trains_the_tiny_model_on_our_reward(tmp_path):
    trl = pytest.importorskip("trl")
    from datasets import Dataset

    model = policies.load("tiny")
    problems = load("story-easy", "train", 8)
    arguments = trl.GRPOConfig(
        output_dir=str(tmp_path / "out"),
        max_steps=2,
        per_device_train_batch_size=8,
        num_generations=4,
        max_completion_length=64,
        report_to=[],
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
    )
    trainer = trl.GRPOTrainer(
        model=model.model,
        reward_funcs=learn.trl_reward(problems),
        args=arguments,
        train_dataset=Dataset.from_list([{"prompt": x.prompt} for x in problems]),
        processing_class=model.tokenizer,
    )
    trainer.train()
    rewards = [row["reward"] for row in trainer.state.log_history if "reward" in row]
    assert len(rewards) == 2 and all(0 <= r <= 1 for r in rewards)
    rows = model.sample(problems, 2)
    assert judge(problems, rows).shape == (8, 2)
