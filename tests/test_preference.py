"""Preferences: against the closed form of DPO's optimum, and against TRL's loss."""

import numpy as np
import pytest
import torch

from ttslib import learn
from ttslib import policy as policies
from ttslib.chain import Chain
from ttslib.policy import Policy
from ttslib.problems import load
from ttslib.search import Node, Tree


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_STORE", str(tmp_path))


@pytest.fixture(scope="module")
def worked():
    """(problem, a right chain as text, a wrong one) four times."""
    problems = load("story-easy", "train", 5)
    return [(x, x.chain, other.chain) for x, other in zip(problems, problems[1:])]


def noisy(seed=0, **options) -> Policy:
    """The tiny policy under an adapter that is not what it begins as."""
    policy = policies.load("tiny")
    policy.attach(r=4, **options)
    torch.manual_seed(seed)
    with torch.no_grad():
        for p in policy.trained():
            p.add_(0.05 * torch.randn_like(p))
    policy.retuned()
    return policy


def test_the_optimum_is_the_reference_tilted_by_the_reward():
    """Under Bradley-Terry preferences of a reward r the expected loss is stationary,
    and least, at π ∝ π_ref exp(r / β) (Rafailov 2023, equation 4).
    """
    beta, r = 0.3, torch.tensor([1.0, 0.2, -0.5, 0.0]).double()
    ref = torch.log_softmax(torch.tensor([0.1, 1.0, -0.3, 0.4]).double(), 0)
    a, b = torch.cartesian_prod(torch.arange(4), torch.arange(4)).T
    wins = torch.sigmoid(r[a] - r[b])

    def expected(theta):
        logp = torch.log_softmax(theta, 0)
        return (wins * learn.dpo_loss(logp[a], logp[b], ref[a], ref[b], beta)).sum()

    theta = (ref + r / beta).requires_grad_()
    (slope,) = torch.autograd.grad(expected(theta), theta)
    assert slope.abs().max() < 1e-12
    for seed in range(20):
        away = torch.randn(4, generator=torch.Generator().manual_seed(seed))
        assert expected(theta + 0.1 * away) > expected(theta)


def test_loss_agrees_with_trl(worked, tmp_path):
    """TRL tokenizes, pads and sums by itself; the policy differs from its reference."""
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")
    policy = noisy()
    rows = [{"prompt": x.prompt, "chosen": w, "rejected": z} for x, w, z in worked]
    trainer = trl.DPOTrainer(
        policy.merge().model,
        policies.load("tiny").model,
        args=trl.DPOConfig(
            str(tmp_path / "trl"),
            beta=0.1,
            per_device_train_batch_size=len(rows),
            report_to="none",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
        ),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=policy.tokenizer,
    )
    (batch,) = trainer.get_train_dataloader()
    with torch.no_grad():
        theirs = trainer.compute_loss(trainer.model, batch).item()

    def scores():
        xs, *chains = zip(*worked)
        told = [policy.logprob(xs, texts, eos=True) for texts in chains]
        return [torch.tensor([sum(p) for p in rows]) for rows in told]

    now = scores()
    policy.switch(None)
    ours = learn.dpo_loss(*now, *scores(), 0.1).mean().item()
    assert abs(ours - np.log(2)) > 0.01
    assert ours == pytest.approx(theirs, abs=1e-4)


def test_a_step_of_dpo_is_one_of_the_loss(worked):
    """The second step's loss is that of the log p after the first; a pair's chains
    are read once, so a pair that is there twice weighs twice.
    """
    policy, twice = noisy(), [*worked, worked[0]]

    def scores():
        xs, *chains = zip(*twice)
        told = [policy.logprob(xs, texts, eos=True) for texts in chains]
        return [torch.tensor([sum(p) for p in rows]) for rows in told]

    before, options = scores(), dict(beta=0.5, lr=1e-3, batch_tokens=10**6)
    first, second = learn.dpo(policy, twice, epochs=2, **options)
    assert first == pytest.approx(np.log(2), abs=1e-5)
    policy = noisy()
    assert learn.dpo(policy, twice, epochs=1, **options) == [first]
    after = learn.dpo_loss(*scores(), *before, 0.5).mean().item()
    assert second == pytest.approx(after, abs=1e-4)
    assert after < first - 0.01


def test_training_is_kept_and_its_reference_is_where_it_began(worked):
    """A second run takes no step; one that was killed ends as the whole one does."""
    options = dict(epochs=4, batch_tokens=300)
    whole = noisy()
    losses = learn.dpo(whole, worked, fresh=True, **options)
    assert len(losses) > 6
    again = noisy()
    assert learn.dpo(again, worked, **options) == losses
    for a, b in zip(whole.trained(), again.trained()):
        assert torch.equal(a, b)
    killed, taken = noisy(), []

    def die(self, loss, *args, step=policies.Trainer.step, **more):
        if len(taken) == 5:
            self.write()
            raise KeyboardInterrupt
        taken.append(1)
        return step(self, loss, *args, **more)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(policies.Trainer, "step", die)
        learn.dpo(killed, worked, fresh=True, **options)
    resumed = noisy()
    assert learn.dpo(resumed, worked, **options) == pytest.approx(losses, abs=1e-5)


def test_pairs_are_all_of_a_few_different_chains():
    x, y, z = load("story-easy", "train", 3)
    a, b, c, d, e = (Chain("", text) for text in "abcde")
    row = [a, b, a, c, d, e]
    found = learn.pairs([x], [row], [[1, 0, 1, 0, 1, 0]], most=2)
    assert found == [(x, a, b), (x, a, c), (x, d, b), (x, d, c)]
    rows = [[a, a], [b, c], [a, b]]
    found = learn.pairs([x, y, z], rows, [[1, 1], [0, 0], [0, 1]])
    assert found == [(z, b, a)]
    with pytest.raises(ValueError):
        learn.pairs([x], [row], [[1]])


def grown(problem) -> Tree:
    """Under the root a (3 of 4), b (1 of 4), c (0 of 1); under a d (2 of 2), e (0 of
    1); under b f and g, alike."""
    told = {"a": (0, 4, 3), "b": (0, 4, 1), "c": (0, 1, 0), "ad": (1, 2, 2)}
    told |= {"ae": (1, 1, 0), "bf": (2, 2, 1), "bg": (2, 2, 1), "h": (0, 0, 0)}
    tree = Tree(problem, [Node(Chain(problem.prompt))])
    for text, (parent, n, w) in told.items():
        tree.add(Node(Chain(problem.prompt, text), parent, visits=n, wins=w))
    return tree


def test_a_tree_prefers_the_best_of_siblings_to_the_worst():
    (x,) = load("story-easy", "train", 1)

    def texts(**options):
        pairs = learn.tree_pairs([grown(x)], **options)
        assert all(problem is x for problem, *_ in pairs)
        return [(a.text, b.text) for _, a, b in pairs]

    assert texts() == [("a", "b")]
    assert texts(visits=1) == [("a", "c"), ("ad", "ae")]
    assert texts(visits=0) == texts(visits=1)  # what was never visited is not known
    assert texts(visits=1, margin=0.8) == [("ad", "ae")]
    assert texts(margin=0.6) == texts(visits=5) == []
    assert texts(margin=0) == [("a", "b")]  # equals are no preference


def test_what_a_pair_begins_with_has_no_say(worked):
    """The loss of two chains with one beginning is that of what follows it."""
    policy, x = noisy(), worked[0][0]
    parents = policy.extend([policy.start(x)])
    (children,) = policy.extend(parents, 8)
    (a, b), shared = [*{c.tokens: c for c in children}.values()][:2], parents[0].tokens
    now = policy.logprob([x, x], [a, b])
    policy.switch(None)
    ref = policy.logprob([x, x], [a, b])

    def loss(start):
        told = [torch.tensor(sum(p[start:])) for p in (*now, *ref)]
        return learn.dpo_loss(*told, 0.5).item()

    assert shared and a.tokens[: len(shared)] == b.tokens[: len(shared)] == shared
    assert loss(0) == pytest.approx(loss(len(shared)), abs=1e-5)
    assert abs(loss(0) - np.log(2)) > 1e-3


def test_likelihood_sums_to_one_over_all_chains():
    problem, pupil = policies.baskets()
    chains = [chain for chain, _ in pupil.chains(problem)]
    found = learn.loglikelihood(pupil, [problem] * len(chains), chains)
    assert found.shape == (len(chains),)
    assert np.exp(found).sum() == pytest.approx(1)


def test_arguments_that_make_no_sense(worked):
    policy, x = policies.load("tiny"), worked[0][0]
    with pytest.raises(ValueError, match="no adapter"):
        learn.dpo(policy, worked)
    policy.attach()
    with pytest.raises(ValueError, match="no examples"):
        learn.dpo(policy, [])
    with pytest.raises(ValueError, match="unlike texts"):
        learn.dpo(policy, [(x, Chain(x.prompt, "a", prefix="b"), Chain(x.prompt, "a"))])
