"""Guess and check against a pupil whose every probability is known.

A statistical test draws with a fixed seed; its tolerance is four standard errors, a
false alarm of 6e-5 had the seed been free.
"""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib import learn
from ttslib import policy as policies
from ttslib.chain import Chain
from ttslib.policy import Enumerable, Trainer, classroom
from ttslib.policy.engine import store
from ttslib.problems import Problem, load
from ttslib.verify import judge, verify


def objective(policy, problems) -> float:
    """Mean over problems of log p(Ver | x; θ), exactly."""
    return float(np.mean([np.log(policy.value(x, verify)) for x in problems]))


@given(skill=st.floats(0.05, 0.95))
@settings(max_examples=20, deadline=None)
def test_the_bound_touches_the_objective_and_never_falls(skill):
    problems, policy = classroom(skill)
    for _ in range(4):
        q, before = learn.posterior(policy, problems), objective(policy, problems)
        assert learn.bound(policy, q).mean() == pytest.approx(before)
        learn.m_step(policy, q)
        assert before - 1e-9 <= learn.bound(policy, q).mean()
        assert learn.bound(policy, q).mean() <= objective(policy, problems) + 1e-9


def test_em_climbs_to_the_optimum_in_closed_form():
    # two stories of three want the difference taken thrice: nothing else is in doubt
    problems, policy = classroom()
    for _ in range(60):
        learn.m_step(policy, learn.posterior(policy, problems))
    best = (2 * np.log(2 / 3) + np.log(1 / 3)) / 3
    assert objective(policy, problems) == pytest.approx(best, abs=1e-5)
    assert policy.value(problems[2], verify) == pytest.approx(1 / 3, abs=1e-3)


def test_rejection_samples_are_the_posterior():
    problems, policy = classroom()
    n = 20_000
    rows = policy.sample(problems, n)
    right = judge(problems, rows)
    exact = learn.posterior(policy, problems)
    for problem, row, good in zip(problems, rows, right):
        # every draw that passes, repetitions too: their shares are q's
        texts = [c.text for c, ok in zip(row, good) if ok]
        for _, chain, q in [e for e in exact if e[0] is problem]:
            error = np.sqrt(q * (1 - q) / len(texts))
            assert abs(texts.count(chain.text) / len(texts) - q) <= 4 * error


def test_weights_of_a_problem_share_one_and_of_none_kept_are_absent():
    problems, policy = classroom()
    rows = policy.sample(problems, 50)
    wrong = [c for c in rows[0] if not verify(problems[0], c.answer)]
    rows = [wrong, *rows[1:]]
    q = learn.e_step(problems, rows, judge_each(problems, rows), learn.verified)
    total = {x.id: sum(w for y, _, w in q if y is x) for x, *_ in q}
    assert total == pytest.approx({x.id: 1 for x in problems[1:]})


def chain(text: str, logprob: float = -1.0) -> Chain:
    return Chain("x\n", f"{text}\nAnswer: {text[-1]}", (0,), (logprob,), True)


ROWS = [chain("a 1", -3), chain("a 1", -3), chain("b 1", -1), chain("c 2", -0.5)]
RIGHT = [True, True, True, False]


@pytest.mark.parametrize(
    "keep, expected",
    [
        (learn.verified, ["a 1", "a 1", "b 1"]),
        (learn.capped(9), ["a 1", "b 1"]),
        (learn.capped(1), ["a 1"]),
        (learn.likeliest, ["b 1"]),
        (learn.above(0.3), ["b 1"]),
        (learn.above(0), ["a 1", "b 1"]),
        (learn.confident, ["c 2"]),
        (learn.voted, ["a 1", "b 1"]),
    ],
)
def test_what_is_kept(keep, expected):
    assert [c.steps[0] for c in keep(ROWS, RIGHT)] == expected
    # of nothing nothing is kept, and a chain without an answer is never confident
    assert keep([], []) == []
    assert keep([Chain("x\n", "mm")], [False]) == []


def judge_each(problems, rows):
    return [judge([x], [row])[0] for x, row in zip(problems, rows)]


NOTHING = {"drawn": 0, "trained": 0}


def run(policy, problems, n, **options):
    return list(learn.guess_and_check(policy, problems, n, **options))


@pytest.mark.parametrize("restart", [True, False])
def test_the_loop_restarts_or_goes_on(restart):
    """Restarted, the last M-step decides alone; else what it does not teach stays."""
    problems, tied = classroom()
    policy = Enumerable(tied.trees)  # what is learned of one story is of that one only
    seen = []

    def keep(chains, right):
        """All of the first iteration; in the second nothing of the first story."""
        seen.append(chains)
        skip = len(seen) > 3 and chains[0].prompt == problems[0].prompt
        return [] if skip else learn.verified(chains, right)

    run(policy, problems, 50, keep=keep, restart=restart)
    base = tied.value(problems[0], verify)
    expected = base if restart else 1
    assert policy.value(problems[0], verify) == pytest.approx(expected)
    assert policy.value(problems[1], verify) == pytest.approx(1)


def test_ledger_counts_draws_once_and_what_was_kept():
    problems, policy = classroom()
    keeps = [learn.above(0), learn.above(0.8)]
    ledgers = run(policy, problems, 40, keep=keeps, iterations=2, restart=False)
    assert [(r["draws"], r["step"]) for r in ledgers] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]
    assert [r["drawn"] > 0 for r in ledgers] == [True, False, True, False]
    assert ledgers[0]["kept"] > ledgers[1]["kept"] > 0
    assert ledgers[2]["passed"] > ledgers[0]["passed"]


def test_nothing_verified_stops_and_says_so():
    problems, policy = classroom()
    impossible = [Problem("no", "story", problems[0].prompt, "7", "mathematics")]
    with pytest.warns(UserWarning, match="iteration 1: of 1 × 5 chains none is kept"):
        assert run(policy, impossible, 5) == []


def test_identical_chains_are_said():
    problems, policy = classroom(skill=1 - 1e-9)
    surest = max(policy.chains(problems[0]), key=lambda pair: pair[1])[0]
    rows = [[surest] * 4] * 3
    right = [[True] * 4] * 3
    q = learn.e_step(problems[:1] * 3, rows, right, lambda chains, right: chains[:1])
    with pytest.warns(UserWarning, match="3 of 3 problems are the same"):
        learn.warn_if_idle(0, rows, 4, q)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learn.warn_if_idle(0, [[surest]] * 3, 1, q)  # a single draw says nothing


def test_hints_teach_what_the_policy_never_draws():
    problems, policy = classroom(skill=1e-6)
    first = problems[:1]
    chains = [c for c, _ in policy.chains(first[0]) if verify(first[0], c.answer)]
    with pytest.warns(UserWarning, match="hints"):
        run(policy, first, 2, iterations=1)
    run(policy, first, 2, iterations=1, hint=lambda *_: ([chains[:1]], NOTHING))
    assert policy.value(first[0], verify) == pytest.approx(1)


def test_a_hint_is_the_problem_with_an_answer_in_sight():
    problem = load("countdown", n=1)[0]
    seen = learn.hinted(problem, "1 + 2")
    assert seen.prompt == problem.prompt + "Answer: 1 + 2\n"
    assert seen.gold == problem.gold


# --- the language model --------------------------------------------------------------
@pytest.fixture
def stories():
    return load("story-easy", "train", 12)


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_STORE", str(tmp_path))


def test_a_fit_that_was_killed_goes_on_at_its_batch(stories, monkeypatch):
    """It ends where one that was not ends, bit by bit, and is not repeated."""
    monkeypatch.setattr(store, "EVERY", 0.0)
    examples = [(x, x.chain) for x in stories]
    options = dict(epochs=4, batch_tokens=400, seed=3)

    def tuned(stop=None, **more):
        model = policies.load("tiny")
        model.attach(seed=1)
        steps, step = [], Trainer.step

        def counted(self, *args, **kwargs):
            if len(steps) == stop:
                raise KeyboardInterrupt
            steps.append(1)
            step(self, *args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "step", counted)
            losses = model.fit(examples, **options, **more)
        return losses, model.hashes(), len(steps)

    whole = tuned(fresh=True)
    assert whole[2] > 6
    for path in (store.folder() / "training").iterdir():
        path.unlink()
    with pytest.raises(KeyboardInterrupt):
        tuned(stop=5)
    resumed = tuned()
    assert resumed == (*whole[:2], whole[2] - 5)
    assert tuned() == (*whole[:2], 0)
    # a damaged record is made again, and says so
    (file,) = (store.folder() / "training").iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.warns(UserWarning, match="damaged"):
        assert tuned() == whole


def test_a_loss_that_is_not_finite_is_named_and_changes_nothing(stories):
    model = policies.load("tiny")
    model.attach()
    before = model.hashes()
    with pytest.raises(FloatingPointError, match="step 1: lower lr"):
        model.fit([(stories[0], stories[0].chain, float("nan"))])
    assert model.hashes() == before


def test_attaching_again_starts_from_the_base(stories):
    model = policies.load("tiny")
    base = model.logprob(stories[:1], [stories[0].chain])[0]
    model.attach(seed=0)
    empty = model.hashes()
    model.fit([(x, x.chain) for x in stories], lr=1e-2)
    assert model.logprob(stories[:1], [stories[0].chain])[0] != pytest.approx(base)
    model.attach(seed=0)
    assert model.hashes() == empty
    assert model.logprob(stories[:1], [stories[0].chain])[0] == pytest.approx(base)


def test_hindsight_is_learned_once_and_draws_anew_for_the_failed(stories):
    model = policies.load("tiny")
    rows = model.sample(stories, 2)
    right = judge(stories, rows)
    hint = learn.rationalization(3, stories[:4], draws=2)
    more, spent = hint(model, stories, rows, right, 0)
    assert spent["trained"] > 0 and spent["drawn"] > 0
    assert [len(row) for row in more] == [0 if any(g) else 3 for g in right]
    assert model.adapter is None
    model.attach()
    hinted = model.hashes()
    again, spent = hint(model, stories, rows, right, 1)
    assert spent == NOTHING and model.adapter == "default" and model.hashes() == hinted
    texts = [[[c.text for c in row] for row in side] for side in (more, again)]
    assert texts[0] != texts[1]


def test_hinted_chains_are_judged_like_the_others(stories):
    problems, policy = classroom(skill=1e-6)
    chains = [c for c, _ in policy.chains(problems[0])]
    rows, right, ledger = learn.draw_and_verify(
        policy, problems[:1], 2, hint=lambda *_: ([chains], NOTHING)
    )
    assert [len(row) for row in rows] == [2 + len(chains)]
    assert right[0][2:] == [bool(verify(problems[0], c.answer)) for c in chains]
    assert ledger["passed"] == np.mean(right[0][:2])  # of those without a hint


def test_training_budget_is_in_tokens(stories, monkeypatch):
    """What is read while training is the budget, to within a batch."""
    model, read = policies.load("tiny"), []

    def counted(rows):
        read.append(sum(len(ids) + len(tail) for ids, tail in rows))
        return policies.Policy.token_logp(model, rows)

    monkeypatch.setattr(model, "token_logp", counted)
    (ledger,) = run(model, stories, 4, iterations=1, budget=5_000, batch_tokens=500)
    assert ledger["trained"] == pytest.approx(5_000, abs=1)
    assert sum(read) == pytest.approx(5_000, abs=500)
