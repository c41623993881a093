"""θ: LoRA adapters on a language model, and how they are trained."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from .engine.adapters import (
    adapter_config,
    adapter_folder,
    put_adapter,
    read_adapter,
    refuse_unserved,
    remove_adapter,
    untie,
)
from .language import LanguageModel
from .training import train


class Policy(LanguageModel):
    """A language model that can be tuned; its base weights are never changed."""

    def attach(
        self, r: int = 16, alpha: int = 32, *, name: str = "default", seed: int = 0
    ):
        """Add a LoRA adapter ``name`` to every linear layer but the head; activate it.

        It replaces an adapter of that name: training starts from the base again.
        """
        from peft import LoraConfig

        torch.manual_seed(seed)
        config = LoraConfig(
            r=r, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM"
        )
        self.model = put_adapter(self.model, name, config)
        self.switch(name)

    def switch(self, name: str | None):
        """Make adapter ``name`` the active one; None is the base."""
        have = self.adapters
        if name is None:
            if have:
                self.model.base_model.disable_adapter_layers()
        elif name not in have:
            raise ValueError(
                f"no adapter {name!r}: there are {sorted(have) or 'none'}; attach or "
                "load it first"
            )
        else:
            refuse_unserved(name, have[name])
            self.model.base_model.enable_adapter_layers()
            self.model.set_adapter(name)
        self.adapter = name
        self.retuned()

    @property
    def adapters(self) -> dict:
        """The settings of each adapter by its name; {} before the first."""
        return getattr(self.model, "peft_config", {})

    def changed(self):
        """The weights have changed: forget what was computed from them."""
        self._cached.clear()
        self.model.eval()

    def retuned(self):
        """Only adapters have changed: as :meth:`changed`, but keep the base's hash."""
        for what in ("engine", "adapter"):
            self._cached.pop(what, None)
        self.model.eval()

    def fit(
        self,
        examples,
        *,
        epochs: float = 1,
        lr: float = 2e-3,
        batch_tokens: int = 4096,
        seed: int = 0,
        eos: bool = True,
        fresh: bool = False,
        progress: bool = False,
    ) -> list[float]:
        """Train the active adapter on (problem, completion[, weight]); loss per step.

        The loss is the weighted mean of -log p over the completions' tokens; a weight
        is one number, or one for each token. Rows of like length share a batch;
        ``epochs`` may end within a pass. A completion may be a :class:`Chain`; what is
        longer than the model reads is cut off. What was trained is not trained again
        unless ``fresh``, and a run that was killed goes on at its batch.
        """
        trained, rows, weights = self.trained(), [], []
        for problem, text, *weight in examples:
            ids, tail = self.row(problem, text, eos, any_length=True)
            rows.append((ids, tail[: self.limit - len(ids)]))
            weights.append(as_weight(weight[0] if weight else 1.0, tail))

        def loss(batch):
            logp = self.token_logp([rows[i] for i in batch])
            terms = [weigh(p, weights[i]) for i, p in zip(batch, logp)]
            total, count = (sum(part) for part in zip(*terms))
            return total / count if count else None

        lengths = [len(ids) + len(tail) for ids, tail in rows]
        about = *self.hashes(), rows, weights
        settings = dict(epochs=epochs, lr=lr, batch_tokens=batch_tokens, seed=seed)
        settings |= dict(fresh=fresh, progress=progress)
        with self.tuning(dropout=True):
            return train(trained, about, lengths, loss, **settings)

    @contextmanager
    def tuning(self, *, dropout: bool = False):
        """While the active adapter changes; ``dropout`` as the model and it have it.

        Ratios and references need one and the same policy: losses that compare log p
        with an earlier one are trained without dropout.
        """
        self.model.train(dropout)
        try:
            yield
        finally:
            self.retuned()

    def trained(self) -> list[torch.nn.Parameter]:
        """The active adapter's parameters; ValueError where none is active."""
        if self.adapter is None:
            raise ValueError("no adapter is active: attach() one first")
        return [p for p in self.model.parameters() if p.requires_grad]

    def save_adapter(self, path):
        """Write the active adapter as safetensors."""
        if self.adapter is None:
            raise ValueError("no adapter is active: nothing to save")
        self.model.save_pretrained(path, selected_adapters=[self.adapter])

    def load_adapter(self, path, name: str = "default"):
        """Read an adapter that :meth:`save_adapter` wrote; it becomes active.

        A folder may hold several, each below its name; OSError if it is not clear
        which is meant. NotImplementedError for a kind that the policy can't serve.
        """
        path, active = adapter_folder(Path(path), name), self.adapter
        config = adapter_config(path, name)
        try:
            self.model = put_adapter(self.model, name, config)
            read_adapter(self.model, path, name)
            self.switch(name)
        except Exception as error:
            self.model = remove_adapter(self.model, name)
            self.switch(active if active != name else None)
            raise OSError(
                f"the adapter in {path} does not fit {self.name or 'the model'}, or is "
                f"damaged ({error}): load it on the base that it was trained on"
            ) from error

    def merge(self) -> "Policy":
        """A new policy with the active adapter in its weights; this one stays."""
        import copy

        if self.adapter is None:
            raise ValueError("no adapter is active: nothing to merge")
        merged = copy.deepcopy(self.model)
        untie(merged.get_base_model())
        policy = Policy(
            merged.merge_and_unload(),
            self.tokenizer,
            name=f"{self.name}+{self.adapter}",
            max_tokens=self.max_tokens,
            rows=self.rows,
        )
        policy.fast = self.fast
        return policy


def as_weight(weight, tail) -> float | tuple[float, ...]:
    """One weight for a completion, or one for each token of it."""
    if np.ndim(weight) == 0:
        return float(weight)
    if len(weight) != len(tail):
        raise ValueError(
            f"{len(weight)} weights for a completion of {len(tail)} tokens: give one "
            "for each (eos included), or one number"
        )
    return tuple(map(float, weight))


def weigh(logp: torch.Tensor, weight) -> tuple[torch.Tensor, float]:
    """(Σ w · -log p, Σ |w|) over a completion's tokens."""
    if isinstance(weight, float):
        return weight * -logp.sum(), abs(weight) * len(logp)
    w = torch.tensor(weight[: len(logp)]).to(logp)
    return -(w * logp).sum(), w.abs().sum().item()
