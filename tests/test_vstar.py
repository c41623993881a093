"""V-STaR's loop does what its parts do one by one; its record keeps every best-of-k."""

import numpy as np
import pytest

from ttslib import learn, policy, problems, stats
from ttslib.tools.records import vstar as record_vstar
from ttslib.verify import judge

TRAIN = dict(lr=2e-3, epochs=1)
DPO = dict(lr=5e-4, beta=1.0, epochs=1)


@pytest.fixture(scope="module")
def asked():
    return problems.load("story-easy", "train", 8)


@pytest.fixture(scope="module")
def looped(asked):
    model = policy.load("tiny")
    made = learn.v_star(model, asked, 4, iterations=2, generator=TRAIN, verifier=DPO)
    return model, *made


def test_the_loop_is_its_parts(asked, looped):
    """Algorithm 1 step by step: the same draws, the same generator and verifier."""
    model, verifier, rows, right, ledgers = looped
    other = policy.load("tiny")
    first = other.sample(asked, 4, seed=0)
    other.attach(seed=0)
    q = learn.e_step(asked, first, judge(asked, first), learn.capped(8))
    other.fit(q, seed=0, **TRAIN)
    both = [a + b for a, b in zip(first, other.sample(asked, 4, seed=1))]
    assert [[c.text for c in row] for row in rows] == [
        [c.text for c in row] for row in both
    ]
    assert np.array_equal(right, judge(asked, both))
    other.attach(seed=0)  # from the base again, on all so far
    q = learn.e_step(asked, both, judge(asked, both), learn.capped(8))
    other.fit(q, seed=1, **TRAIN)
    some = both[0]
    told = model.logprob([asked[0]] * len(some), some)
    again = other.logprob([asked[0]] * len(some), some)
    assert np.allclose(np.concatenate(told), np.concatenate(again), atol=1e-4)
    other.attach(name="verifier", seed=0)  # the base's, whatever the generator learned
    learn.dpo(other, learn.pairs(asked, both, judge(asked, both)), seed=0, **DPO)
    said = learn.loglikelihood(verifier, [asked[0]] * len(some), some)
    own = learn.loglikelihood(other, [asked[0]] * len(some), some)
    assert np.allclose(said, own, atol=1e-3)
    assert [spent["kept"] for spent in ledgers] == sorted(s["kept"] for s in ledgers)
    assert ledgers[-1]["kept"] == len(q)


def test_the_policy_ends_as_the_generator(asked, looped):
    model, verifier, rows, *_ = looped
    chain = [rows[0][0]]
    assert model.adapter == "default"
    generator = learn.loglikelihood(model, asked[:1], chain)
    assert not np.allclose(
        generator, learn.loglikelihood(verifier, asked[:1], chain), atol=1e-2
    )


def test_the_verifier_widens_the_gap_of_its_pairs(asked, looped):
    """Against the reference, the chosen rise more than the rejected on average."""
    _, verifier, rows, right, _ = looped
    told = learn.pairs(asked, rows, right)
    xs, chosen, rejected = zip(*told)
    base = policy.load("tiny")

    def ratio(chains):
        at = [learn.loglikelihood(who, xs, chains) for who in (verifier, base)]
        return at[0] - at[1]

    assert (ratio(chosen) - ratio(rejected)).mean() > 0


# --- the record ----------------------------------------------------------------------
def test_packed_verdicts_give_every_best_of_k():
    rng = np.random.default_rng(0)
    scores, right = rng.normal(size=(20, 64)), rng.random((20, 64)) < 0.3
    raw = bytes.fromhex(record_vstar.packed(scores, right))
    bits = np.unpackbits(np.frombuffer(raw, np.uint8)).reshape(20, 64)
    ks = np.arange(1, 65)
    place = np.broadcast_to(-np.arange(64), bits.shape)
    assert np.allclose(
        stats.best_at_k(place, bits, ks), stats.best_at_k(scores, right, ks)
    )


def test_lambda_is_the_least_that_is_best():
    """0.4 × score is needed for problem one; problem two loses its choice from 4 on."""
    own, score = np.array([[0.0, -0.4], [0.0, -4]]), np.array([[0.0, 1], [0, 1]])
    right = np.array([[False, True], [True, False]])
    value, row = record_vstar.best_lambda(own, score, right)
    assert value == min(x for x in record_vstar.LAMBDAS if x > 0.4)
    assert row[0] == 0.5 and max(row) == 1.0 and row[-1] == 0.5


def test_a_pool_asks_once_for_equal_chains(asked):
    model = policy.load("tiny")
    pool = record_vstar.Pool(model, asked, 16)
    seen = []

    def value(xs, chains):
        seen.extend((x.id, c.tokens) for x, c in zip(xs, chains))
        return [c.logprob for c in chains]

    assert np.array_equal(pool.each(value), pool.own["log p"])
    assert len(seen) == len(set(seen)) < pool.right.size
