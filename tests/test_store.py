"""The store: several writers, a full disk, a Stop button; chains survive them all."""

import contextlib
import itertools
import math
import os
import resource
import signal
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from ttslib import learn
from ttslib import policy as policies
from ttslib.chain import Chain
from ttslib.policy.engine import store
from ttslib.problems import load
from ttslib.tools.chapters import ROOT

PROMPTS = ["Tom has 3 apples and buys 4 more.\n", "Ann has 5 pens.\n"]


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_STORE", str(tmp_path))


@pytest.fixture(scope="module")
def policy():
    return policies.load("tiny")


def chain(i: int) -> Chain:
    return Chain("x", f"chain {i}", (i,), (-0.5,), True, 0, i, cost=1)


WRITER = """
import sys
from ttslib.chain import Chain
from ttslib.policy.engine import store
from ttslib.problems import load
first, last = map(int, sys.argv[1:])
for i in range(first, last):
    entry = store.Entry(("shared",))
    entry.add(Chain("x", f"chain {i}", (i,), (-0.5,), True, 0, i, cost=1))
    entry.write()
"""


def test_two_processes_that_share_an_entry_lose_nothing():
    command = [sys.executable, "-c", WRITER]
    ranges = [("0", "60"), ("60", "120"), ("120", "180")]
    runs = [subprocess.Popen([*command, *r], cwd=ROOT) for r in ranges]
    assert [run.wait() for run in runs] == [0, 0, 0]
    found = store.Entry(("shared",)).chains
    assert found == {i: chain(i) for i in range(180)}


def test_threads_that_share_an_entry_lose_nothing():
    def write(i):
        entry = store.Entry(("shared",))
        entry.add(chain(i))
        entry.write()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(100)))
    entry = store.Entry(("shared",))
    assert entry.chains == {i: chain(i) for i in range(100)}
    entry.add(chain(100))
    entry.write()
    assert len(list(entry.path.iterdir())) == 1  # what was read is written together


def test_what_is_drawn_afresh_replaces_its_like_and_nothing_else():
    entry = store.Entry(("a",))
    for i in range(3):
        entry.add(chain(i))
    entry.write()
    fresh = store.Entry(("a",), fresh=True)
    assert fresh.chains == {}
    fresh.add(Chain("x", "other", (7,), (-0.1,), True, 0, 1, cost=1))
    fresh.write()
    found = store.Entry(("a",)).chains
    assert [found[i].text for i in range(3)] == ["chain 0", "other", "chain 2"]


def test_two_threads_may_sample_at_once(policy):
    alone = policy.sample(PROMPTS, 8, max_tokens=40, seed=5, fresh=True)
    with ThreadPoolExecutor(2) as pool:
        tasks = [
            pool.submit(policy.sample, PROMPTS, 8, max_tokens=40, seed=5)
            for _ in range(4)
        ]
        for task in tasks:
            drawn = task.result()
            assert [[c.tokens for c in r] for r in drawn] == [
                [c.tokens for c in r] for r in alone
            ]


@contextlib.contextmanager
def full_disk():
    """No file may grow beyond 200 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_costs_a_warning_and_no_chain(policy, tmp_path):
    with pytest.warns(UserWarning, match="TTS_STORE"), full_disk():
        rows = policy.sample(PROMPTS[:1], 8, max_tokens=40)
    assert len(rows[0]) == 8
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_a_store_that_is_no_folder_costs_a_warning(policy, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TTS_STORE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="TTS_STORE"):
        rows = policy.sample(PROMPTS[:1], 4, max_tokens=40)
    assert len(rows[0]) == 4
    policy.attach(r=2)
    with pytest.warns(UserWarning, match="TTS_STORE"):
        policy.fit([(PROMPTS[0], "Answer: 7")])
    policy.switch(None)


@contextlib.contextmanager
def stop_at(last: float):
    """A Stop button that is pressed at the call of the ``last``-th Python function.

    Yields the list of what was called (its code) so far.
    """
    calls = []

    def press(frame, event, _):
        if event == "call":
            calls.append(frame.f_code)
            if len(calls) == last:
                raise KeyboardInterrupt

    sys.setprofile(press)
    try:
        yield calls
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("part", [0.001, 0.05, 0.3, 0.6, 0.9])
def test_stop_leaves_store_and_engine_right(policy, part):
    """Wherever the Stop button hits, the next cell's chains are the right ones."""
    options = dict(seed=9, max_tokens=60)
    truth = policy.sample(PROMPTS, 200, fresh=True, **options)
    with stop_at(math.inf) as calls:
        policy.sample(PROMPTS, 200, fresh=True, **options)
    os.environ["TTS_STORE"] += "/interrupted"
    with pytest.raises(KeyboardInterrupt), stop_at(int(part * len(calls))):
        policy.sample(PROMPTS, 200, fresh=True, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is damaged
        again = policy.sample(PROMPTS, 200, **options)
    assert [[c.tokens for c in r] for r in again] == [
        [c.tokens for c in r] for r in truth
    ]


def test_training_that_is_stopped_leaves_the_policy_ready(policy, monkeypatch):
    """Also one whose model has dropout: it draws and scores in eval mode again."""
    policy.attach(r=2)

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    rows = policy.sample(PROMPTS, 2, max_tokens=20)
    monkeypatch.setattr("ttslib.policy.training.Trainer.step", stop)
    rewards = itertools.cycle([0.0, 1.0])
    with pytest.raises(KeyboardInterrupt):
        learn.policy_gradient(
            policy,
            load("story-easy", "train", 4),
            steps=1,
            n=2,
            batch=2,
            reward=lambda xs, rows: [[next(rewards) for _ in row] for row in rows],
        )
    policy.model.train()  # as a loop of one's own leaves it
    assert policy.sample(PROMPTS, 2, max_tokens=20, fresh=True) == rows
    assert not policy.base.training
    policy.switch(None)
