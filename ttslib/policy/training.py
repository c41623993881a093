"""Gradient steps: guarded, repeatable, and resumable at the batch."""

import json
import math
import random
import time
from collections.abc import Callable

import torch

from ..chain import key_of
from .engine import store
from .engine.progress import ProgressBar
from .scoring import buckets


class Trainer:
    """AdamW on ``parameters``; its progress is kept in the store.

    ``about`` names all that decides the run. A run that was killed goes on from the
    last state that was written; a run that had ended takes no step. ``history`` has an
    entry for each step, also for one that had nothing to change.
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

    def step(self, loss: torch.Tensor | None, entry=None, rate: float = 1.0):
        """One step along -∇ ``loss`` [] at ``rate`` times the learning rate.

        A loss of None changes nothing. The history gets ``entry``, or else the loss.
        FloatingPointError where the loss or its gradient is not finite; the parameters
        then stay.
        """
        if loss is None:
            self.history.append(0.0 if entry is None else entry)
            return
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        size = torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        if not (loss.isfinite() and size.isfinite()):
            raise FloatingPointError(
                f"loss is {loss.item()} and its gradient {size.item()} at step "
                f"{len(self.history) + 1}: lower lr (now {self.lr:g}) or look at the "
                "examples' weights"
            )
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * rate
        self.optimizer.step()
        self.history.append(loss.item() if entry is None else entry)

    def run(self, sizes, take: Callable, *, every: int = 1, progress: bool = False):
        """``take(i)``, which calls :meth:`step` once, for each step i that is left.

        ``sizes`` [steps] are the tokens of each step, for the progress bar. The state
        is written between steps, after multiples of ``every`` only.
        """
        with ProgressBar(len(sizes), progress, unit="step") as tick:
            for at in range(len(self.history), len(sizes)):
                take(at)
                long_ago = time.monotonic() - self.last > store.EVERY
                if long_ago and (at + 1) % every == 0:
                    self.write()
                tick(sizes[at])
        self.write(finished=True)

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


def train(
    parameters,
    about: tuple,
    lengths: list[int],
    loss: Callable,
    *,
    fresh: bool,
    progress: bool,
    **settings,
) -> list:
    """Descend ``loss(rows)`` over batches of rows; its value at each step.

    ``lengths`` [rows] are in tokens: rows of like length share a batch. ``settings``
    are ``epochs`` (which may end within a pass), ``lr``, ``batch_tokens`` and ``seed``;
    in the order given they are part of the store's key, behind ``about``. The loss may
    be None, where no row of a batch has anything to teach. ValueError without rows
    or epochs.
    """
    if not lengths:
        raise ValueError("no examples to train on")
    if settings["epochs"] <= 0:
        raise ValueError(f"epochs is {settings['epochs']}: must be above 0")
    rng, lr = random.Random(settings["seed"]), settings["lr"]
    order = training_order(lengths, settings["batch_tokens"], settings["epochs"], rng)
    trainer = Trainer(parameters, (*about, *settings.values()), lr=lr, fresh=fresh)

    def take(at):
        trainer.step(loss(order[at]), rate=schedule(at, len(order)))

    sizes = [sum(lengths[i] for i in batch) for batch in order]
    trainer.run(sizes, take, progress=progress)
    return trainer.history


def training_order(
    lengths: list[int], size: int, epochs: float, rng
) -> list[list[int]]:
    """Batches of indices: :func:`buckets` anew for each pass, shuffled."""
    order: list = []
    for _ in range(math.ceil(epochs)):
        batch = buckets(lengths, size, rng)
        rng.shuffle(batch)
        order += batch
    return order[: max(1, round(len(order) * epochs / math.ceil(epochs)))]


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
