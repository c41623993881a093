"""The rows of a decoding batch: jobs are admitted, stepped and retired.

A token is drawn by inverse CDF from its chain's own uniforms, so a chain does not
depend on the batch it was drawn in (up to floating-point ties).
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch

from ...chain import uniforms
from ..drawing import draw
from .kv import Slots, State

PREFILL = 8192  # tokens of prompts read at a time
SMALL = 12e6  # products of a step below which a second thread costs more than it gives


@dataclass(frozen=True)
class Job:
    """A chain to be drawn: ``ids`` read so far, draws of ``key`` from ``start`` on."""

    ids: tuple[int, ...]
    key: int
    start: int
    budget: int
    state: State | None = None
    name: str = ""


@dataclass(frozen=True)
class Drawn:
    """What was drawn for a job; ``state`` is its KV, if it was to be kept."""

    tokens: list[int]
    logprobs: list[float]
    finished: bool
    state: State | None


class Rows:
    """Draws the jobs ``todo`` in at most ``rows`` rows of ``size`` positions.

    Row r draws for job ``live[r]``; rows 0 to len(live) - 1 are in use. Iterating
    yields (i, Drawn) as job i ends. ``step`` ends a chain at its first line end;
    ``keep`` returns its KV; ``ignore_eos`` draws every chain to its budget.
    """

    def __init__(
        self,
        engine,
        jobs: list[Job],
        todo: list[int],
        rows: int,
        size: int,
        *,
        temperature: float = 1.0,
        top_p: float = 1.0,
        stop: tuple[str, ...] = (),
        step: bool = False,
        keep: bool = False,
        ignore_eos: bool = False,
    ):
        self.engine, self.jobs, self.device = engine, jobs, engine.model.device
        self.sampling = temperature, top_p
        self.stop, self.one_step = stop, step
        self.keep, self.ignore_eos = keep, ignore_eos
        self.may_end = engine.flags((*stop, "\n") if step else tuple(stop))
        if ignore_eos:
            self.may_end = np.zeros_like(self.may_end)
        # Prompts of like length are read together and decoded together.
        self.queue = deque(sorted(todo, key=lambda i: (len(jobs[i].ids), jobs[i].ids)))
        self.live: list[int] = []
        self.prompts: dict = {}  # KV of the prompts that were admitted last
        self.initial: dict = {}  # KV that each live job began with
        self.slots = Slots(rows, size, engine.like, engine.version)
        self.threads = torch.get_num_threads()
        width = max(job.budget for job in jobs)
        self.position, self.count, self.budget = np.zeros((3, rows), int)
        self.tokens = np.zeros((rows, width), int)
        self.logprobs = np.zeros((rows, width))
        self.uniforms = np.zeros((rows, width), np.float32)
        self.last = torch.zeros(rows, dtype=torch.long, device=self.device)

    def __iter__(self):
        while self.queue or self.live:
            self.admit()
            token = self.step()
            yield from self.retire(token)

    # --- admit -----------------------------------------------------------------------
    def admit(self):
        """Give free rows to jobs of the queue, a sixteenth of all rows at a time."""
        rows, n = len(self.count), len(self.live)
        if not self.queue or (n and rows - n < max(1, rows // 16)):
            return
        new = [self.queue.popleft() for _ in range(min(rows - n, len(self.queue)))]
        jobs = [self.jobs[i] for i in new]
        states = self.states(jobs)
        if self.keep:
            self.initial.update(zip(new, states))
        at = list(range(n, n + len(new)))
        with torch.inference_mode():
            self.slots.load(at, states)
            self.last[at] = torch.tensor([job.ids[-1] for job in jobs]).to(self.device)
        for r, job in zip(at, jobs):
            self.position[r], self.count[r] = len(job.ids) - 1, 0
            self.budget[r], stop = job.budget, job.start + job.budget
            self.uniforms[r, : job.budget] = uniforms(job.key, job.start, stop)
        self.live += new

    def states(self, jobs: list[Job]) -> list[State | None]:
        """The KV that each job begins with; a prompt is read once for its samples.

        The queue holds the samples of a prompt one behind the other, so only the
        prompts of this and the last admission are kept. KV of other weights or of
        another adapter is not used.
        """
        kept = [
            job.state and job.state.version == self.engine.version and job.state
            for job in jobs
        ]
        old, self.prompts = self.prompts, {}
        batch: list = []
        for ids in dict.fromkeys(job.ids for job, kv in zip(jobs, kept) if not kv):
            if ids in old:
                self.prompts[ids] = old[ids]
                continue
            if (len(batch) + 1) * len(ids) > PREFILL and batch:
                self.prompts.update(zip(batch, self.engine.prefill(batch)))
                batch = []
            batch.append(ids)
        if batch:
            self.prompts.update(zip(batch, self.engine.prefill(batch)))
        return [kv or self.prompts[job.ids] for job, kv in zip(jobs, kept)]

    # --- step ------------------------------------------------------------------------
    def step(self) -> np.ndarray:
        """Draw one token for each live row: [rows]."""
        n = len(self.live)
        at = np.arange(n), self.count[:n]
        self.choose_threads(n)
        with torch.inference_mode():
            self.slots.aim(self.position[:n])
            u = torch.from_numpy(self.uniforms[at]).to(self.device)
            logits = self.engine.step(self.slots, self.last[:n])
            self.last[:n], logp = draw(logits, u, *self.sampling)
            token, logp = self.last[:n].cpu().numpy(), logp.cpu().numpy()
        if np.isnan(logp).any():
            self.raise_not_a_number(int(np.isnan(logp).argmax()))
        self.tokens[at], self.logprobs[at] = token, logp
        self.count[:n] += 1
        self.position[:n] += 1
        return token

    def choose_threads(self, n: int):
        """One thread for a step that is too small for more (on a CPU)."""
        if self.threads > 1 and self.device.type == "cpu":
            wanted = 1 if n * self.engine.work < SMALL else self.threads
            if wanted != torch.get_num_threads():
                torch.set_num_threads(wanted)

    def raise_not_a_number(self, row: int):
        job = self.jobs[self.live[row]]
        raise FloatingPointError(
            f"the model's logits are not numbers after token "
            f"{len(job.ids) + int(self.count[row])} of {job.name or job.ids!r}: check "
            "its weights and dtype"
        )

    # --- retire ----------------------------------------------------------------------
    def retire(self, token: np.ndarray):
        """Yield (i, Drawn) of each chain that ends with this token; free its row."""
        n = len(token)
        full = self.count[:n] == self.budget[:n]
        done, finished = [], []
        for r in np.flatnonzero(self.may_end[token] | full).tolist():
            ended = not self.ignore_eos and self.ended(r, int(token[r]))
            if ended or full[r] or self.ends_step(int(token[r])):
                done.append(r)
                finished.append(ended)
        if not done:
            return
        states = self.saved(done) if self.keep else [None] * len(done)
        for r, ended, state in zip(done, finished, states):
            tokens = self.tokens[r, : self.count[r]].tolist()
            logprobs = self.logprobs[r, : self.count[r]].tolist()
            yield self.live[r], Drawn(tokens, logprobs, ended, state)
        self.free(done)

    def ended(self, row: int, token: int) -> bool:
        """Has the row's chain come to eos, or to a stop string?

        A stop string may be a special token, and may begin in a token before.
        """
        if token in self.engine.eos or not self.stop:
            return token in self.engine.eos
        decode = self.engine.decode
        before = list(self.jobs[self.live[row]].ids[-8:])
        head = decode(before)
        text = decode([*before, *self.tokens[row, : self.count[row]]])
        text = text[len(head) :] if text.startswith(head) else text
        return any(s in text for s in self.stop)

    def ends_step(self, token: int) -> bool:
        return (
            self.one_step
            and bool(self.may_end[token])
            and "\n" in self.engine.decode([token])
        )

    def saved(self, done: list[int]) -> list[State | None]:
        """The KV of rows ``done``, behind what their jobs began with."""
        parents = [self.initial.pop(self.live[r]) for r in done]
        with torch.inference_mode():
            return self.slots.save(done, parents, self.position[done])

    def free(self, done: list[int]):
        """Move the last rows into the places of those that are done."""
        stay, gone = len(self.live) - len(done), set(done)
        to = [r for r in done if r < stay]
        source = [r for r in range(stay, len(self.live)) if r not in gone]
        with torch.inference_mode():
            self.slots.move(to, source)
            self.last[to] = self.last[source]
        arrays = self.position, self.count, self.budget
        for array in (*arrays, self.tokens, self.logprobs, self.uniforms):
            array[to] = array[source]
        for a, b in zip(to, source):
            self.live[a] = self.live[b]
        del self.live[stay:]
