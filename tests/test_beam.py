"""Beams and particles against trees whose every probability is known.

Seeds are fixed. Where chance could still fail a test, the false alarm that it had with
a free seed is said beside it; means of particles get five standard errors (6e-7).
"""

import math
from dataclasses import replace
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib import guides, problems, search
from ttslib.chain import lines
from ttslib.policy import Enumerable, baskets, classroom, load
from ttslib.problems import Problem
from ttslib.search import beam_search
from ttslib.verify import verify

_trees = run_path(str(Path(__file__).with_name("trees.py")))
world, table = _trees["world"], _trees["table"]
FREE = {"min": min, "product": math.prod, "last": lambda v: v[-1]}


def exact(policy, of=lambda v: v):
    """The guide that knows E[Ver]."""
    known: dict = {}

    def value(x, text):
        if (x.id, text) not in known:
            known[x.id, text] = of(policy.value(x, verify, text))
        return known[x.id, text]

    def guide(xs, chains):
        values = [value(x, c.text) for x, c in zip(xs, chains)]
        return np.array(values), np.zeros(len(chains), int)

    return guide


def texts(found) -> list[str]:
    return [node.chain.text for node in found.drawn]


class Watch:
    """A policy or a guide, and all that it was asked."""

    def __init__(self, of):
        self.of, self.calls, self.cost = of, [], 0

    def start(self, *args, **options):
        return self.of.start(*args, **options)

    def extend(self, chains, **options):
        out = self.of.extend(chains, **options)
        self.cost += sum(c.cost for c in out)
        self.calls.append(out)
        return out

    def __call__(self, xs, chains):
        self.calls.append([(x.id, c.text) for x, c in zip(xs, chains)])
        return self.of(xs, chains)


# --- beams ---------------------------------------------------------------------------
@pytest.mark.parametrize("aggregate", FREE)
def test_a_beam_that_holds_everything_finds_the_best_chain(aggregate):
    """A step is missed by 40 draws with chance 0.0015, which then needs to matter."""
    xs, policy = world(0, 1, 2)
    guide = table(7)
    found = beam_search(policy, xs, guide, 27 * 40, branch=40, aggregate=aggregate)
    for x, tree in zip(xs, found):
        best = -1.0
        for chain, _ in policy.chains(x):
            steps = lines(chain.text)
            heads = [
                replace(chain, text="".join(steps[: t + 1])) for t in range(len(steps))
            ]
            values = guide([x] * len(heads), heads)[0]
            best = max(best, FREE[aggregate](values.tolist()))
        assert max(tree.scores) == pytest.approx(best)
        everything = {chain.text for chain, _ in policy.chains(x)}
        assert {chain.text for chain in tree.finals} == everything


def test_with_the_exact_value_every_final_passes():
    """Greedy: it errs if all 16 draws of a step miss, 0.4^16 = 4e-7 at the hardest."""
    xs, policy = classroom(skill=0.6)
    for seed in range(20):
        found = beam_search(policy, xs, exact(policy), 16, branch=16, seed=seed)
        for x, tree in zip(xs, found):
            (final,) = tree.finals
            assert verify(x, final.answer) and tree.scores == [1.0]
    # the policy alone is right in half of its chains
    assert 0.4 < policy.value(xs[0], verify) < 0.6


def test_the_wrong_guide_loses_what_the_policy_had():
    xs, policy = classroom(skill=0.6)
    found = beam_search(policy, xs, exact(policy, lambda v: 1 - v), 16)
    assert not any(verify(x, c.answer) for x, f in zip(xs, found) for c in f.finals)


def test_one_child_a_step_is_one_chain():
    problem, policy = baskets()
    (tree,) = beam_search(policy, problem, table(0), 1, branch=1)
    assert [node.parent for node in tree.drawn] == [0, 1, 2, 3]
    assert len(tree.finals) == 1 and tree.tokens == 4 and tree.guided == 12
    assert tree.finals[0].text in {c.text for c, _ in policy.chains(problem)}
    (tree,) = beam_search(policy, problem, table(0), 1, resample=True)
    assert tree.weights == [1.0]


def test_a_step_draws_n_keeps_its_share_and_asks_once():
    xs, policy = world(3, 4, depth=4)
    watch, guide = Watch(policy), Watch(table(1))
    found = beam_search(watch, xs, guide, 12, branch=3)
    assert [len(call) for call in watch.calls][:2] == [24, 24]
    assert len(guide.calls) == len(watch.calls)  # one call a step, for both problems
    for call in guide.calls:
        assert len(set(call)) == len(call)
    assert sum(map(len, guide.calls)) == sum(len(f.drawn) for f in found)
    for tree in found:
        assert tree.guided == 3 * len(tree.drawn)
        assert len(set(texts(tree))) == len(tree.drawn)  # merged
        for depth in range(1, 4):
            level = [n for n in tree.drawn if len(n.chain.tokens) == depth]
            kept = [n.score for n in level if n.kept]
            assert len(kept) <= 4
            if len(kept) == 4:
                assert min(kept) >= max(n.score for n in level if not n.kept)
        assert all(tree.nodes[n.parent].kept for n in tree.drawn)


def test_a_finished_chain_stays_with_its_score_or_is_pushed_out():
    """Two ways to answer at once, one to go on: 16 draws miss one with 0.01."""
    tree = {
        "Answer: 1": (0.3, {}),
        "Answer: 2": (0.3, {}),
        "on\n": (0.4, {"Answer: 3": (1.0, {})}),
    }
    x = Problem("p", "test", "p", "3", "mathematics")
    worth = {"Answer: 1": 0.8, "Answer: 2": 0.2, "on\n": 0.5, "on\nAnswer: 3": 0.6}

    def guide(xs, chains):
        return [worth[c.text] for c in chains], [0] * len(chains)

    (found,) = beam_search(Enumerable({"p": tree}), x, guide, 16, branch=8)
    assert [c.answer for c in found.finals] == ["1", "3"]
    assert found.scores == [0.8, 0.6]
    assert found.tokens == 16 + 8  # nothing for the chain that had ended
    worth["on\nAnswer: 3"] = 0.9
    (found,) = beam_search(Enumerable({"p": tree}), x, guide, 8, branch=8)
    assert [c.answer for c in found.finals] == ["1"]  # went out of one place at once


def test_equal_scores_keep_the_first():
    xs, policy = world(5, depth=4)

    def same(xs, chains):
        return np.ones(len(chains)), np.zeros(len(chains))

    (tree,) = beam_search(policy, xs, same, 8, branch=4)
    for depth in range(1, 4):
        level = [n.kept for n in tree.drawn if len(n.chain.tokens) == depth]
        before = [n for n in tree.drawn if len(n.chain.tokens) < depth]
        width = 2 - sum(n.kept and n.chain.finished for n in before)
        assert level == [i < width for i in range(len(level))]


# --- groups, look-ahead --------------------------------------------------------------
def test_groups_never_mix():
    xs, policy = world(6, 7, depth=4)
    guide = Watch(table(2))
    for tree in beam_search(policy, xs, guide, 12, branch=3, groups=4):
        assert {n.group for n in tree.drawn} == {0, 1, 2, 3}
        for node in tree.drawn:
            assert node.parent == 0 or tree.nodes[node.parent].group == node.group
        for group in range(4):
            mine = [n for n in tree.drawn if n.group == group]
            for depth in range(1, 5):
                level = [n for n in mine if len(n.chain.tokens) == depth]
                assert sum(n.kept for n in level) <= 1
                assert sum(n.parent == 0 for n in level) <= 3
        # what two groups draw alike is a node in both, and the guide is asked once
        assert len(set(texts(tree))) < len(tree.drawn)
        assert tree.guided == 3 * len(set(texts(tree)))
    assert all(len(set(call)) == len(call) for call in guide.calls)


@pytest.mark.parametrize("k", [1, 2])
def test_look_ahead_scores_the_chain_k_steps_on(k):
    xs, policy = world(8, 9, depth=4)
    guide = table(3)
    for x, tree in zip(xs, beam_search(policy, xs, guide, 8, lookahead=k)):
        cost = 0
        for node in tree.drawn:
            chain = node.chain
            for _ in range(k):
                (chain,) = policy.extend([chain])
                cost += chain.cost
            assert node.value == guide([x], [chain])[0][0]
        plain = sum(n.chain.cost for n in tree.drawn)
        assert tree.tokens >= plain + cost  # and what was merged


# --- particles -----------------------------------------------------------------------
WORTH = {
    "exact": lambda policy: exact(policy),
    "none": lambda policy: exact(policy, lambda v: 1.0),
    "bad": lambda policy: exact(policy, lambda v: 1.1 - v),
    "a table": lambda policy: table(4, least=0.2),
}
WAYS = [(name, {}) for name in WORTH]
WAYS += [("a table", dict(aggregate="product")), ("a table", dict(groups=2))]


@pytest.mark.parametrize("name, options", WAYS)
def test_particles_estimate_the_chance_to_pass_without_bias(name, options):
    xs, policy = classroom(skill=0.4)
    guide, draws = WORTH[name](policy), []
    for seed in range(200):
        found = beam_search(policy, xs, guide, 8, resample=True, seed=seed, **options)
        draws.append([[f.estimate(verify), sum(f.weights)] for f in found])
    draws = np.array(draws)
    for i, x in enumerate(xs):
        truth = np.array([policy.value(x, verify), 1.0])
        error = draws[:, i].std(0, ddof=1) / np.sqrt(len(draws)) + 1e-9
        off = abs(draws[:, i].mean(0) - truth) / error
        assert off[0] < 5
        # the exact value drops all that fail, and with them their weight
        assert off[1] < 5 or name == "exact"
    # 8 plain draws: 0.168 for p = 0.35; a guide that misleads costs, and stays unbiased
    spread = draws[:, 0, 0].std()
    assert spread > 0.3 if name == "bad" else name == "a table" or spread < 0.2


def test_a_particle_counts_for_what_it_stands():
    """Every answer's share is unbiased, finished early or not."""
    (x,), policy = world(11, depth=4)
    shares = []
    for seed in range(400):
        (tree,) = beam_search(
            policy, x, table(5, least=0.2), 6, resample=True, lookahead=1, seed=seed
        )
        right = [c.answer == "1" for c in tree.finals]
        shares.append([np.dot(tree.weights, right), sum(tree.weights)])
        assert len(tree.finals) == 6
    truth = [policy.answers(x)["1"], 1]
    error = np.std(shares, 0, ddof=1) / np.sqrt(len(shares))
    assert (abs(np.mean(shares, 0) - truth) < 5 * error).all()


def test_with_the_exact_value_all_particles_pass_and_weigh_the_same():
    """What is left to chance is the policy's next draw, not whom to keep."""
    xs, policy = classroom(skill=0.4)
    for seed in range(10):
        found = beam_search(policy, xs, exact(policy), 32, resample=True, seed=seed)
        for x, tree in zip(xs, found):
            assert all(verify(x, c.answer) for c in tree.finals)
            assert tree.weights == pytest.approx([tree.estimate(verify) / 32] * 32)


def test_survivors_are_drawn_in_proportion():
    """Systematic: a node survives floor or ceil of n · a_i times."""
    xs, policy = world(12, depth=2)
    guide = table(6)
    (tree,) = beam_search(policy, xs, guide, 50, resample=True, max_steps=1)
    mass = np.array([n.value for n in tree.drawn])
    times = np.bincount(tree.beams[0], minlength=51)[1:]
    assert (abs(times - 50 * mass / mass.sum()) < 1).all()
    assert [n.kept for n in tree.drawn] == (times > 0).tolist()
    assert len(tree.drawn) == 50 and tree.guided == 3 * len(set(texts(tree)))
    assert tree.finals == []  # nothing has finished after one step


def test_particles_need_a_score_that_is_a_mass():
    xs, policy = classroom()
    with pytest.raises(ValueError, match="baskets: scores from -1 to -1.* 0 or more"):
        beam_search(policy, xs, exact(policy, lambda v: -1.0), 4, resample=True)
    with pytest.raises(ValueError, match="in proportion"):
        beam_search(policy, xs, exact(policy, lambda v: np.inf), 4, resample=True)
    (tree,) = beam_search(policy, xs[:1], exact(policy, lambda v: 0), 4, resample=True)
    assert tree.finals == [] and tree.estimate(verify) == 0.0


# --- seeds, faults, budgets ----------------------------------------------------------
SETTINGS = [{}, {"groups": 2}, {"lookahead": 1}, {"resample": True}]


@pytest.mark.parametrize("options", SETTINGS)
def test_a_search_depends_on_its_problem_and_seed_only(options):
    xs, policy = world(13, 14, 15, depth=4)
    together = beam_search(policy, xs, table(8), 8, seed=3, **options)
    again = beam_search(policy, xs, table(8), 8, seed=3, **options)
    alone = [beam_search(policy, x, table(8), 8, seed=3, **options)[0] for x in xs]
    for a, b, c in zip(together, again, alone):
        assert repr(a.nodes) == repr(b.nodes) == repr(c.nodes)
        assert a.beams == b.beams == c.beams
        assert (a.tokens, a.guided) == (b.tokens, b.guided) == (c.tokens, c.guided)
    other = beam_search(policy, xs, table(8), 8, seed=4, **options)
    assert [texts(f) for f in other] != [texts(f) for f in together]


@pytest.mark.parametrize("resample", [False, True])
def test_a_guide_that_is_not_a_number_is_named(resample):
    xs, policy = classroom()

    def guide(xs, chains):
        return [math.nan if "= 90" in c.text else 0.5 for c in chains], [0] * len(
            chains
        )

    for aggregate in ("min", "last"):
        with pytest.raises(ValueError, match=r"baskets/1: .*not a number.*= 90.*look"):
            beam_search(
                policy, xs, guide, 8, aggregate=aggregate, resample=resample, seed=1
            )
    with pytest.raises(ValueError, match="not a number"):
        beam_search(policy, xs, table(0), 8, aggregate=lambda v: math.nan)


class Tired(Enumerable):
    """It has two tokens a chain."""

    def extend(self, chains, **options):
        out = super().extend(chains, **options)
        pairs = zip(chains, out)
        return [b if len(a.tokens) < 2 else replace(a, cost=0) for a, b in pairs]


@pytest.mark.parametrize("options", SETTINGS)
def test_out_of_tokens_is_out_of_the_beam(options):
    xs, policy = classroom()
    tired = Tired(policy.trees)
    for tree in beam_search(tired, xs, table(0), 8, **options):
        assert max(len(n.chain.tokens) for n in tree.drawn) == 2
        assert tree.finals == tree.scores == tree.weights == []
        assert tree.estimate(verify) == 0.0
        assert search.majority_vote(tree.finals) is None
        assert search.weighted_vote(tree.finals, tree.scores) is None
    # who has finished before stays
    problem = Problem("p", "test", "p", "1", "mathematics")
    short = {"Answer: 1": (0.5, {}), "a\n": (0.5, {"b\n": (1, {"Answer: 1": (1, {})})})}

    def hasty(xs, chains):
        return [0.9 if c.finished else 0.5 for c in chains], [0] * len(chains)

    (tree,) = beam_search(Tired({"p": short}), problem, hasty, 8, **options)
    assert tree.finals and {c.text for c in tree.finals} == {"Answer: 1"}


def test_steps_may_be_limited():
    xs, policy = classroom()
    for tree in beam_search(policy, xs, table(0), 8, max_steps=3):
        assert max(len(n.chain.tokens) for n in tree.drawn) == 3
        assert tree.finals == [] and any(n.kept for n in tree.drawn)


@pytest.mark.parametrize(
    "n, options, match",
    [
        (10, {}, "n is 10: .*multiple of branch · groups = 4 · 1, .* next is 12"),
        (8, {"groups": 4}, "n is 8: .*next is 16"),
        (9, {"groups": 2, "resample": True}, "n is 9: .*1 · 2"),
        (0, {}, "n is 0: must be a whole number, at least 1"),
        (8, {"branch": 0}, "branch is 0"),
        (8, {"groups": 1.5}, "groups is 1.5"),
        (8, {"lookahead": -1}, "lookahead is -1: .*least 0"),
        (8, {"max_steps": 0}, "max_steps is 0"),
        (8, {"aggregate": "mean"}, "'mean': must be one of min, product, last"),
    ],
)
def test_settings_that_make_no_sense(n, options, match):
    problem, policy = baskets()
    with pytest.raises(ValueError, match=match):
        beam_search(policy, problem, table(0), n, **options)


@given(
    seed=st.integers(0, 2**31),
    branch=st.integers(1, 4),
    survivors=st.integers(1, 3),
    groups=st.integers(1, 3),
    lookahead=st.integers(0, 2),
    resample=st.booleans(),
    max_steps=st.integers(1, 6),
)
@settings(max_examples=60, deadline=None)
def test_what_is_drawn_is_charged(
    seed, branch, survivors, groups, lookahead, resample, max_steps
):
    xs, policy = world(seed, seed + 1, depth=4)
    watch, n = Watch(policy), branch * survivors * groups
    options = dict(branch=branch, groups=groups, lookahead=lookahead, seed=seed)
    options |= dict(resample=resample, max_steps=max_steps)
    found = beam_search(watch, xs, table(seed), n, **options)
    assert sum(tree.tokens for tree in found) == watch.cost
    if resample and not lookahead:  # no node is merged with another
        costs = [sum(n.chain.cost for n in tree.drawn) for tree in found]
        assert [tree.tokens for tree in found] == costs
    for tree in found:
        known = sum(
            c.cost
            for call in watch.calls
            for c in call
            if c.prompt == tree.problem.prompt
        )
        assert tree.tokens == known
        assert all(node.parent < i for i, node in enumerate(tree.drawn, 1))
        assert len(tree.finals) <= (n if resample else survivors * groups)
        assert all(chain.finished for chain in tree.finals)
        for i, node in enumerate(tree.drawn, 1):
            path = tree.path(i)
            assert path[-1] is node and len(path) == len(node.chain.tokens)
            assert node.score == node.value and node.chain.state is None


# --- a language model ----------------------------------------------------------------
@pytest.mark.parametrize("options", [{}, {"groups": 2}, {"resample": True}])
def test_kept_state_draws_the_same(options):
    policy, xs = load("tiny"), problems.load("story-easy", n=3)
    guide = guides.min_token_prob(policy)
    kept, read = (
        beam_search(policy, xs, guide, 8, aggregate="min", keep=keep, **options)
        for keep in (True, False)
    )
    alone = [
        beam_search(policy, x, guide, 8, aggregate="min", **options)[0] for x in xs
    ]
    for a, b, c in zip(kept, read, alone):
        assert texts(a) == texts(b) == texts(c) and a.beams == b.beams == c.beams
        assert a.tokens == b.tokens == c.tokens
        assert a.scores == pytest.approx(b.scores, rel=1e-3)
        assert a.finals and not a.live


def test_a_language_models_budget_ends_a_beam():
    policy, xs = load("tiny"), problems.load("story-easy", n=2)
    guide = guides.min_token_prob(policy)
    for tree in beam_search(policy, xs, guide, 8, max_tokens=3):
        assert tree.finals == [] and not tree.live
        assert {len(n.chain.tokens) for n in tree.drawn} <= {1, 2, 3}
