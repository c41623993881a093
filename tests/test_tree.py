"""Monte-Carlo tree search against trees whose every probability is known.

Seeds are fixed. Where chance could still fail a test, the false alarm that it had with
a free seed is said beside it.
"""

import math
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from runpy import run_path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib import guides, problems, search
from ttslib.policy import Enumerable, baskets, classroom, load
from ttslib.problems import Problem
from ttslib.search import mcts, puct, ucb
from ttslib.verify import verify

ALL = 64  # draws: a step of chance 0.2 is missed by all with 6e-7
_trees = run_path(str(Path(__file__).with_name("trees.py")))
world, table = partial(_trees["world"], least=0.2), _trees["table"]


def one(tree: dict, gold: str = "1") -> tuple[Problem, Enumerable]:
    return Problem("p", "test", "p", gold, "mathematics"), Enumerable({"p": tree})


def everything(tree) -> list:
    return tree.nodes


def picture(tree):
    """All that a search knows."""
    rows = [
        (
            n.chain,
            n.parent,
            n.prior,
            n.children,
            n.draws,
            n.visits,
            n.wins,
            n.evaluation,
        )
        for n in everything(tree)
    ]
    spent = tree.tokens, tree.guided, tree.simulations, tree.first, tree.rollouts
    return repr(rows), spent


class Watch(Enumerable):
    """It counts what it draws, and in how many calls."""

    def __init__(self, trees):
        super().__init__(trees)
        self.cost, self.extended, self.sampled = Counter(), [], []

    def extend(self, chains, n=None, **options):
        out = super().extend(chains, n, **options)
        self.extended.append(len(chains))
        for chain in out if n is None else sum(out, []):
            self.cost[chain.prompt] += chain.cost
        return out

    def sample(self, *args, **options):
        out = super().sample(*args, **options)
        self.sampled.append(len(out))
        for row in out:
            for chain in row:
                self.cost[chain.prompt] += len(chain.tokens)
        return out


def consistent(tree, said=None):
    """N and w of every node are its own judgements and its children's sums."""
    assert tree.simulations == tree.root.visits
    for i, node in enumerate(everything(tree)):
        below = [tree.nodes[j] for j in node.children]
        own = node.visits - sum(child.visits for child in below)
        worth = node.wins - sum(child.wins for child in below)
        assert all(child.parent == i for child in below)
        assert node.in_flight == 0
        assert not (node.closed and below)
        if node.closed:
            assert own == node.visits
        else:  # judged once, when it was first come to; the root never
            assert own == (i > 0 and node.visits > 0)
        assert worth == pytest.approx(own * node.evaluation if own else 0.0, abs=1e-9)
        assert 0 <= node.wins <= node.visits or said
        if said and own and not node.chain.finished:
            assert node.evaluation == said[node.chain.text]
        if below:
            assert sum(child.prior for child in below) == pytest.approx(1)
            assert len({child.chain.tokens for child in below}) == len(below)
            assert len(below) <= node.draws


# --- what it converges to ------------------------------------------------------------
@pytest.mark.parametrize("parallel", [1, 8])
def test_uct_converges_to_the_best_path(parallel):
    """The best chain passes, so the value is 1; most visits go the best way.

    64 draws miss a right step with 0.6^64 = 6e-15, and chance decides little else: what
    ended has one verdict, and each node one roll-out.
    """
    xs, policy = classroom(skill=0.4)
    options = dict(simulations=4000, branch=ALL, alpha=0.5, parallel=parallel)
    for x, tree in zip(xs, mcts(policy, xs, **options)):
        assert policy.value(x, verify) < 0.6 < 0.93 < tree.root.value
        best = tree.best()
        assert best[-1].chain.finished and verify(x, best[-1].chain.answer)
        above = tree.root
        for node in best:
            others = [tree.nodes[i] for i in above.children]
            right = [n for n in others if policy.value(x, verify, n.chain.text)]
            assert sum(n.visits for n in right) > 0.95 * above.visits
            above = node


def test_uct_leaves_a_fair_policy_behind_as_its_regret_does():
    """Regret over simulations: 1 - w/N falls like ln N / N (Auer 2002, theorem 1)."""
    step = {"Answer: 1": (0.5, {}), "Answer: 2": (0.5, {})}
    x, policy = one(step)
    lost = {}
    for n in (100, 1000, 10000):
        (tree,) = mcts(policy, x, simulations=n, branch=ALL, alpha=1.0)
        lost[n] = n - tree.root.wins
        wrong = next(m for m in tree.drawn if m.chain.answer == "2")
        assert lost[n] == wrong.visits
        # the wrong arm is tried while √(ln n / N) > 1 + √(ln n / n): N < ln n
        assert lost[n] <= math.log(n) + 1
    assert lost[100] < lost[1000] < lost[10000]


@pytest.mark.parametrize("guided", [False, True])
def test_with_priors_alone_the_root_is_worth_what_the_policy_is(guided):
    """α so large that w/N says nothing: N follows p, and w/N tends to E[Ver]."""
    xs, policy = world(1, 2, 3)
    guide = table(0) if guided else None
    options = dict(score=puct, alpha=1e9, branch=ALL, simulations=2000)
    for x, tree in zip(xs, mcts(policy, xs, guide, **options)):
        for node in everything(tree):
            below = [tree.nodes[i] for i in node.children]
            known = policy.below(x, node.chain.text)
            if below:  # all steps are there, and their priors are the policy's p
                p = {child.chain.text: child.prior for child in below}
                true = {node.chain.text + s: q for s, (q, _) in known.items()}
                assert p == pytest.approx(true)
                counts = [child.visits for child in below]
                assert counts == shares([c.prior for c in below], sum(counts))
        # each node on the way is judged once, which is no draw of an answer
        off = tree.root.value - policy.value(x, verify)
        assert abs(off) < len(tree.drawn) / 2000 < 0.04


def shares(p: list[float], n: int) -> list[int]:
    """n seats, each to the largest p / (1 + seats): D'Hondt's, the first of equals."""
    seats = [0] * len(p)
    for _ in range(n):
        at = max(range(len(p)), key=lambda i: p[i] / (1 + seats[i]))
        seats[at] += 1
    return seats


def test_the_scores_are_the_papers():
    assert ucb(3.0, 4, 10, 0.5) == pytest.approx(0.75 + 0.5 * (math.log(10) / 4) ** 0.5)
    assert ucb(0.0, 0, 10, 0.5) == math.inf
    assert puct(3.0, 4, 9, 0.5, 0.2) == pytest.approx(0.75 + 0.5 * 0.2 * 3 / 5)
    assert puct(0.0, 0, 9, 0.5, 0.2) == pytest.approx(0.5 * 0.2 * 3)
    # w/N = 1 is beaten by an unvisited step once N_parent > (2 / (α P))²
    assert puct(0.0, 0, 17, 1.0, 0.25) > 1.0 > puct(0.0, 0, 15, 1.0, 0.25)


def test_eight_simulations_by_hand():
    """Two steps a and b; a says 0.25, b 0.5, and what follows says what its step does.

    α = 1, all of N, w and the choice worked out on paper.
    """
    deep = {"c\n": (1.0, {"Answer: 1": (1.0, {})})}
    x, policy = one({"a\n": (0.5, deep), "b\n": (0.5, deep)})
    worth = {"a": 0.25, "b": 0.5}

    def guide(xs, chains):
        return [worth[c.text[0]] for c in chains], [1] * len(chains)

    trees = search.init_trees(policy, x)
    visits = []
    for _ in range(6):
        before = {n.chain.text: n.visits for n in trees[0].nodes}
        search.simulate(policy, trees, guide, branch=ALL, verify=None)
        after = {n.chain.text: n.visits for n in trees[0].nodes}
        went = [t for t in after if after[t] > before.get(t, 0)]
        visits.append(max(went, key=len))
    # 1, 2: each step once. 3: N = 2: √ln 2 is the same for both, and b has 0.5
    # against 0.25. 4: a 0.25 + √(ln 3 / 1) = 1.30, b 0.5 + √(ln 3 / 2) = 1.24.
    # 5: both were twice there, so b. 6: N = 5: a 0.25 + √(ln 5 / 2) = 1.15,
    # b 0.5 + √(ln 5 / 3) = 1.23.
    assert sorted(visits[:2]) == ["a\n", "b\n"]
    ends = ["Answer: 1"]
    assert visits[2:] == [
        "b\nc\n",
        "a\nc\n",
        "b\nc\n" + ends[0],
        "b\nc\n" + ends[0],
    ]
    (tree,) = trees
    a, b = (next(n for n in tree.drawn if n.chain.text == s) for s in ("a\n", "b\n"))
    assert (a.visits, a.wins, b.visits, b.wins) == (2, 0.5, 4, 2.0)
    assert (tree.root.visits, tree.root.wins) == (6, 2.5)
    assert tree.guided == 5  # the answer's second visit asks nobody


# --- counts --------------------------------------------------------------------------
WAYS = [
    dict(),
    dict(parallel=8),
    dict(score=puct, alpha=0.3),
    dict(score=puct, alpha=2.0, widen=3.0, parallel=5),
    dict(widen=2.0, branch=1),
    dict(branch=1),
    dict(alpha=0.0),
]


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize("guided", [False, True])
def test_counts_are_own_judgements_and_the_childrens_sums(options, guided):
    xs, policy = world(4, 5, depth=4)
    known, guide = {}, table(1)

    def watched(xs, chains):
        values, cost = guide(xs, chains)
        for x, chain, value in zip(xs, chains, values):
            assert known.setdefault((x.id, chain.text), value) is value, "asked twice"
        return values, cost

    found = mcts(policy, xs, watched if guided else None, simulations=150, **options)
    for x, tree in zip(xs, found):
        said = {text: v for (name, text), v in known.items() if name == x.id}
        consistent(tree, said)
        assert tree.simulations == 150
        assert tree.guided == 3 * len(said)
        for node in tree.drawn:
            if node.chain.finished and node.visits:
                assert node.evaluation == float(bool(verify(x, node.chain.answer)))
        if not guided:
            judged = [n for n in tree.drawn if n.visits and not n.closed]
            assert len(tree.rollouts) == len(judged)
            for chain in tree.rollouts:
                assert chain.finished and chain.answer in policy.answers(x)
            # each roll-out goes on from a node, and says what the node was told
            right = sum(bool(verify(x, chain.answer)) for chain in tree.rollouts)
            assert sum(n.evaluation for n in judged) == right


@pytest.mark.parametrize("score", [ucb, puct])
def test_virtual_loss_spreads_a_round_and_leaves_nothing(score):
    """Eight at once go eight ways; one at a time all go where the value is."""
    steps = {f"{i}\n": (0.125, {"Answer: 1": (1.0, {})}) for i in range(8)}
    x, policy = one(steps)

    def guide(xs, chains):
        return [1.0] * len(chains), [0] * len(chains)

    trees = search.init_trees(policy, x)
    search.simulate(policy, trees, guide, branch=2 * ALL, score=score, parallel=8)
    (tree,) = trees
    assert [n.visits for n in tree.drawn] == [1] * 8
    consistent(tree)
    watch = Watch(policy.trees)
    (tree,) = mcts(watch, x, guide, branch=4, score=score, simulations=64, parallel=8)
    consistent(tree)
    assert tree.simulations == 64
    assert len(watch.extended) < 24


def test_all_problems_advance_together():
    xs, policy = world(4, 5, 6, 7, depth=4)
    watch = Watch(policy.trees)
    found = mcts(watch, xs, simulations=20, alpha=0.5)
    assert len(watch.sampled) <= 20 and len(watch.extended) <= 2 * 20
    assert max(watch.sampled) == 4 and watch.extended[0] == 16
    assert [tree.simulations for tree in found] == [20] * 4


@given(
    seed=st.integers(0, 2**31),
    branch=st.integers(1, 5),
    widen=st.sampled_from([0.0, 1.0, 3.0]),
    parallel=st.integers(1, 9),
    simulations=st.integers(1, 60),
    score=st.sampled_from([ucb, puct]),
    budget=st.sampled_from([math.inf, 1, 25]),
    guided=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_what_is_drawn_is_charged(
    seed, branch, widen, parallel, simulations, score, budget, guided
):
    xs, policy = world(seed, seed + 1, depth=4)
    watch = Watch(policy.trees)
    options = dict(
        branch=branch, widen=widen, parallel=parallel, seed=seed, score=score
    )
    options |= dict(simulations=simulations, tokens=budget)
    guide = table(seed) if guided else None
    for x, tree in zip(xs, mcts(watch, xs, guide, **options)):
        consistent(tree)
        assert tree.tokens == watch.cost[x.prompt]
        assert tree.simulations == simulations or tree.tokens >= budget
        assert all(n.parent < i for i, n in enumerate(tree.nodes))
        assert all(n.chain.state is None for n in everything(tree))
        for i, node in enumerate(tree.drawn, 1):
            path = tree.path(i)
            assert path[-1] is node and len(path) == len(node.chain.tokens)
        for node in everything(tree):
            # granted before its last visits: at most, and at least before this round
            if node.draws:
                most = max(branch, int(widen * math.sqrt(node.visits)))
                least = max(
                    branch, int(widen * math.sqrt(max(0, node.visits - parallel)))
                )
                assert least <= node.draws <= most


# --- children ------------------------------------------------------------------------
def test_equal_steps_are_one_and_share_out_the_prior():
    x, policy = baskets(skill=0.5)
    (tree,) = mcts(policy, x, branch=ALL, simulations=40)
    for node in everything(tree):
        if node.children:
            below = [tree.nodes[i] for i in node.children]
            assert node.draws == ALL and len(below) == 2
            known = policy.below(x, node.chain.text)
            shown = {n.chain.text.removeprefix(node.chain.text): n for n in below}
            assert {s: n.prior for s, n in shown.items()} == pytest.approx(
                {s: p for s, (p, _) in known.items()}
            )
    # of draws that fell on two of three steps, each has its share of their p
    (x,), policy = world(9)
    first, seen = policy.below(x, ""), set()
    for seed in range(20):
        (tree,) = mcts(policy, x, branch=2, simulations=1, seed=seed)
        p = [first[n.chain.text][0] for n in tree.drawn]
        assert [n.prior for n in tree.drawn] == pytest.approx([q / sum(p) for q in p])
        seen.add(len(p))
    assert seen == {1, 2}  # 20 of one kind: 0.5^20 or so


@pytest.mark.parametrize("branch, c", [(1, 0.5), (2, 1.0), (4, 3.0)])
def test_widening_grants_draws_by_the_root_of_the_visits(branch, c):
    """Draws are made when a simulation comes by: with N visits before it."""
    xs, policy = world(4, depth=4)
    trees, seen = search.init_trees(policy, xs), 0
    for n in range(200):
        search.simulate(policy, trees, table(2), branch=branch, widen=c)
        assert trees[0].root.visits == n + 1
        assert trees[0].root.draws == max(branch, int(c * math.sqrt(n)))
        seen = max(seen, trees[0].root.draws)
    assert seen == max(branch, int(c * math.sqrt(199)))
    for node in trees[0].nodes:
        if node.draws:
            # its first visit is its own judgement, the next one asks for children
            assert node.draws == max(branch, int(c * math.sqrt(node.visits - 1)))


def test_widening_finds_what_fixed_branching_never_draws():
    """A step of chance 0.02 among 4 draws: missed with 0.92; by 3·√2000 = 134, 0.07."""
    wrong = {f"Answer: {i}": (0.07, {}) for i in range(2, 16)}
    x, policy = one(wrong | {"Answer: 1": (0.02, {})})
    fixed, wide = (
        mcts(policy, x, simulations=2000, widen=widen, seed=0)[0] for widen in (0, 3.0)
    )
    assert fixed.first is None and fixed.tokens == 4 and len(fixed.nodes) <= 4
    assert wide.first is not None and wide.root.value > 0.5


# --- seeds ---------------------------------------------------------------------------
@pytest.mark.parametrize("guided", [False, True])
@pytest.mark.parametrize("options", WAYS)
def test_a_tree_depends_on_its_problem_and_seed_only(options, guided):
    xs, policy = world(13, 14, 15, depth=4)
    options = options | dict(simulations=40, seed=3)
    guide = table(8) if guided else None
    together, again = (mcts(policy, xs, guide, **options) for _ in range(2))
    alone = [mcts(policy, x, guide, **options)[0] for x in xs]
    other = mcts(policy, xs, guide, **options | dict(seed=4))
    assert [*map(picture, together)] == [*map(picture, again)] == [*map(picture, alone)]
    assert [*map(picture, together)] != [*map(picture, other)]


# --- when it ends, faults ------------------------------------------------------------
class Tired(Enumerable):
    """It has ``left`` tokens a chain."""

    left = 2

    def extend(self, chains, **options):
        out = super().extend(chains, **options)
        pairs = zip(chains, out)
        return [
            b if len(a.tokens) < self.left else replace(a, cost=0) for a, b in pairs
        ]


@pytest.mark.parametrize("guided", [False, True])
def test_a_root_that_cannot_go_on_is_worth_nothing(guided):
    xs, policy = classroom()
    tired = Tired(policy.trees)
    tired.left = 0
    for tree in mcts(tired, xs, table(0) if guided else None, simulations=9):
        assert tree.drawn == tree.finished == tree.best() == [] and tree.first is None
        assert tree.tokens == tree.guided == 0
        assert (tree.root.visits, tree.root.value) == (1, 0.0)
        consistent(tree)


def test_a_chain_out_of_tokens_is_worth_nothing_from_then_on():
    xs, policy = classroom()
    for tree in mcts(Tired(policy.trees), xs, table(0), simulations=60):
        stuck = [n for n in tree.drawn if len(n.chain.tokens) == 2]
        again = [n for n in stuck if n.visits > 1]
        assert again and tree.simulations == 60 and tree.first is None
        for node in stuck:  # the guide judged it when it was new: once
            assert node.closed == (node.visits > 1) and not node.chain.finished
            values, _ = table(0)([tree.problem], [node.chain])
            assert node.wins == (values[0] if node.visits else 0.0)


def test_one_child_only():
    x, policy = one({"a\n": (1.0, {"b\n": (1.0, {"Answer: 1": (1.0, {})})})})
    for score in (ucb, puct):
        (tree,) = mcts(policy, x, simulations=5, score=score)
        consistent(tree)
        # duplicates all: 4 draws, one child, three levels, and two roll-outs
        assert [n.visits for n in tree.drawn] == [5, 4, 3]
        assert [n.prior for n in tree.drawn] == [1.0] * 3
        assert tree.tokens == 3 * 4 + 2 + 1
        assert tree.root.value == 1.0
        assert tree.first == (4 + 2, 0, 1)
        assert [n.chain.text for n in tree.best()] == [n.chain.text for n in tree.drawn]


def test_no_chain_that_passes():
    xs, policy = world(16, 17)
    xs = [replace(x, gold="7") for x in xs]
    for score in (ucb, puct):
        for x, tree in zip(xs, mcts(policy, xs, simulations=300, stop=True)):
            consistent(tree)
            assert tree.first is None and tree.root.value == 0.0
            assert tree.simulations == 300, score
            assert {c.answer for c in tree.finished} <= policy.answers(x).keys()


@pytest.mark.parametrize("guided", [False, True])
def test_it_stops_at_the_first_that_passes(guided):
    xs, policy = classroom(skill=0.4)
    guide = table(3) if guided else None
    whole = mcts(policy, xs, guide, simulations=200)
    for full, tree in zip(whole, mcts(policy, xs, guide, simulations=200, stop=True)):
        assert tree.first == full.first == (tree.tokens, tree.guided, tree.simulations)
        assert tree.simulations < 200 == full.simulations
        assert any(verify(tree.problem, c.answer) for c in tree.finished)


def test_a_budget_below_the_branching_draws_one_round():
    xs, policy = world(1, 2, depth=4)
    for tree in mcts(policy, xs, table(0), branch=8, tokens=3):
        assert tree.tokens == 8 and tree.simulations == 1
        consistent(tree)


def test_one_simulation():
    xs, policy = world(1, 2, depth=4)
    for tree in mcts(policy, xs, simulations=1):
        assert [n.visits for n in tree.drawn].count(1) == 1
        assert tree.root.visits == 1 and len(tree.best()) == 1
        consistent(tree)


def test_a_guide_that_is_not_a_number_is_named():
    xs, policy = classroom()

    def guide(xs, chains):
        return [math.nan if "= 90" in c.text else 0.5 for c in chains], [0] * len(
            chains
        )

    with pytest.raises(ValueError, match=r"baskets/1: .*not a number.*= 90.*look"):
        mcts(policy, xs, guide)


@pytest.mark.parametrize(
    "options, match",
    [
        ({"branch": 0}, "branch is 0: must be a whole number, at least 1"),
        ({"branch": 1.5}, "branch is 1.5"),
        ({"parallel": 0}, "parallel is 0: .*at least 1"),
        ({"widen": -1}, "widen is -1: must be a number, 0 or more"),
        ({"alpha": math.nan}, "alpha is nan"),
        ({"alpha": math.inf}, "alpha is inf"),
        ({"simulations": 0}, "simulations is 0"),
        ({"simulations": 2.5}, "simulations is 2.5"),
        ({"tokens": 0}, "tokens 0: .*needs some"),
        ({"tokens": math.nan}, "tokens nan"),
        ({"verify": None}, "neither guide nor verify: give one"),
    ],
)
def test_settings_that_make_no_sense(options, match):
    problem, policy = baskets()
    with pytest.raises(ValueError, match=match):
        mcts(policy, problem, **options)


class Held:
    """A state of KV, as :class:`ttslib.policy.engine.kv.State`."""

    def __init__(self, block, parent=None):
        self.block, self.parent = block, parent


class Block:
    """The KV of chains that were drawn together, 10 bytes each."""

    def __init__(self, rows):
        self.rows = rows

    def untyped_storage(self):
        return self

    def nbytes(self):
        return 10 * self.rows


class Keeping(Enumerable):
    """Each call's chains have their states in one block; all roots in another."""

    root = Held(Block(1))

    def extend(self, chains, **options):
        block = Block(len(chains))
        return [
            replace(new, state=Held(block, old.state or self.root))
            for old, new in zip(chains, super().extend(chains, **options))
        ]


def test_kv_is_kept_for_open_nodes_and_counted_once():
    deep = {"c\n": (1.0, {"Answer: 1": (1.0, {})})}
    x, policy = one({"a\n": (0.5, deep), "b\n": (0.5, deep)})
    y = replace(x, id="q", prompt="q")
    policy = Keeping(policy.trees | {"q": policy.trees["p"]})
    trees = search.init_trees(policy, [x, y])
    assert search.kv_bytes(trees) == 0
    blocks = []
    for _ in range(6):
        search.simulate(policy, trees, table(0), branch=3)
        nodes = [n for tree in trees for n in tree.drawn]
        assert all((n.chain.state is None) == n.chain.finished for n in nodes)
        states = [n.chain.state for n in nodes if n.chain.state]
        blocks = {s.block for s in states} | {Keeping.root.block}
        assert search.kv_bytes(trees) == sum(10 * block.rows for block in blocks)
    # two problems' children of one round lie in one block, which each of them keeps
    assert (
        sum(map(search.kv_bytes, trees))
        > search.kv_bytes(trees)
        > search.kv_bytes(trees[0])
    )
    assert search.kv_bytes(mcts(policy, [x, y], table(0))) == 0, "let go at the end"


def test_no_problem_no_tree():
    _, policy = baskets()
    assert mcts(policy, []) == []


# --- the reference of the bench ------------------------------------------------------
def test_llm_reasoners_searches_as_the_bench_says():
    """Its tree of one path, and of two: a verdict sends it the right way."""
    from ttslib.tools import one_path

    x, policy = one({"a\n": (1.0, {"b\n": (1.0, {"Answer: 1": (1.0, {})})})})
    watch = Watch(policy.trees)
    assert one_path.search(watch, [x, x], 5) == (2 * 4, 2 * 12)
    assert watch.extended == [1] * 6, "one node at a time"
    ends = {"Answer: 1": (0.5, {}), "Answer: 2": (0.5, {})}
    x, policy = one({"a\n": (0.5, ends), "b\n": (0.5, ends)})
    assert one_path.search(policy, [x], 50, branch=ALL) == (1 + 2 + 4, 3 * ALL)
    chance = guides.rollouts(policy, 1)
    assert one_path.search(policy, [x], 1, branch=ALL, guide=chance)[0] == 5


# --- a language model ----------------------------------------------------------------
@pytest.mark.parametrize("parallel", [1, 4])
def test_kept_state_draws_the_same(parallel):
    policy, xs = load("tiny"), problems.load("countdown", n=3)
    options = dict(simulations=12, parallel=parallel, guide=guides.reachable())
    kept, read = (mcts(policy, xs, keep=keep, **options) for keep in (True, False))
    alone = [mcts(policy, x, **options)[0] for x in xs]
    for a, b, c in zip(kept, read, alone):
        shown = [
            [(n.chain.text, n.visits, n.wins, n.draws) for n in everything(tree)]
            for tree in (a, b, c)
        ]
        assert shown[0] == shown[1] == shown[2]
        assert a.tokens == b.tokens == c.tokens
        assert all(n.chain.state is None for n in everything(a))
        consistent(a)
