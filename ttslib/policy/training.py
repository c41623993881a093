"""Gradient steps: guarded, repeatable, and resumable at the batch."""

import json
import math
import time

import torch

from ..chain import key_of
from .engine import store
from .engine.progress import ProgressBar


class Trainer:
    """AdamW on ``parameters``; where it stands is kept in the store.

    ``history`` has an entry for each step, also for one that had nothing to change. A
    run that is about the same (``about`` names all that decides it) goes on where an
    earlier one was killed, and takes no step at all where that came to its end.
    """

    def __init__(self, parameters, about: tuple, *, lr: float, fresh: bool = False):
        self.trained, self.lr = list(parameters), lr
        self.optimizer = torch.optim.AdamW(self.trained, lr=lr, weight_decay=0.0)
        name = f"{key_of(about):032x}"
        self.path = store.folder() / "training" / f"{name}.safetensors"
        self.history: list = []
        self.last = time.monotonic()
        found = None if fresh else store.read_file(self.path, unpack)
        if found is not None:
            self.restore(*found)

    def step(self, loss: torch.Tensor, entry=None, rate: float = 1.0):
        """One step along -∇ ``loss`` [] at ``rate`` times the learning rate.

        The history gets ``entry``, or the loss. FloatingPointError where the loss is
        not finite; the parameters are then what they were.
        """
        value, at = loss.item(), len(self.history) + 1
        if not math.isfinite(value):
            raise FloatingPointError(
                f"loss is {value} at step {at}: lower lr (now {self.lr:g}) or look at "
                "the examples' weights"
            )
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.history.append(value if entry is None else entry)

    def run(self, order, loss, lengths, *, progress: bool = False):
        """The steps that are left: one on ``loss(batch)`` for each batch of ``order``.

        A loss of None is nothing to change. ``lengths`` are each row's tokens, for the
        progress bar.
        """
        with ProgressBar(len(order), progress, unit="step") as tick:
            for at in range(len(self.history), len(order)):
                value = loss(order[at])
                if value is None:
                    self.history.append(0.0)
                else:
                    self.step(value, rate=schedule(at, len(order)))
                self.keep()
                tick(sum(lengths[i] for i in order[at]))
        self.write(finished=True)

    def keep(self):
        """Write, where the last time is long ago: a killed run resumes here."""
        if time.monotonic() - self.last > store.EVERY:
            self.write()

    def write(self, *, finished: bool = False):
        """Parameters, the optimizer's moments until it is ``finished``, history."""
        tensors = {f"p{i}": p.detach() for i, p in enumerate(self.trained)}
        if not finished:
            for i, p in enumerate(self.trained):
                state = self.optimizer.state.get(p, {})
                tensors |= {f"{name}{i}": value for name, value in state.items()}
        store.write_file(self.path, pack(tensors, self.history))
        self.last = time.monotonic()

    def restore(self, tensors: dict, history: list):
        self.history = history
        with torch.no_grad():
            for i, p in enumerate(self.trained):
                p.copy_(tensors[f"p{i}"])
                if f"step{i}" in tensors:
                    names = ("step", "exp_avg", "exp_avg_sq")
                    state = {name: tensors[f"{name}{i}"] for name in names}
                    moved = {k: v.to(p.device) for k, v in state.items() if k != "step"}
                    self.optimizer.state[p] = state | moved


def pack(tensors: dict, history: list) -> bytes:
    from safetensors.torch import save

    tensors = {name: t.cpu().contiguous() for name, t in tensors.items()}
    return json.dumps(history).encode() + b"\n" + save(tensors)


def unpack(payload: bytes) -> tuple[dict, list]:
    from safetensors.torch import load

    head, rest = payload.split(b"\n", 1)
    return load(rest), json.loads(head)


def schedule(step: int, steps: int) -> float:
    """Warm up over a twentieth of the steps, then decay to 10 %."""
    warm = min(1, (step + 1) / max(1, steps // 20))
    return warm * (1 - 0.9 * step / steps)
