"""The decoding engine: many chains of many prompts in one batch.

Samples of a prompt share its prefill. Rows have lengths of their own, and a finished
chain makes room for another (``rows``). Any causal model runs by its own forward
(``kv`` says how); Llama has a fast path (``llama``).
"""

import numpy as np
import torch
from transformers.cache_utils import Cache, DynamicCache

from .fingerprint import eos_of
from .kv import SlotLayer, Slots, State
from .llama import FastLlama
from .rows import Job, Rows

VERSION = 2  # part of the store's key: raise it when the same seed draws differently
ROWS = 1024
# What a model may raise that can't be decoded step by step
UNFIT = (AttributeError, IndexError, RuntimeError, TypeError, ValueError)


def quantized(model) -> bool:
    return getattr(model, "hf_quantizer", None) is not None


def vocabulary_of(model) -> int:
    """The number of the tokens that ``model`` can read and draw."""
    return model.get_output_embeddings().weight.shape[0]


def is_oom(error: RuntimeError) -> bool:
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError) or (
        "out of memory" in text or "can't allocate memory" in text
    )


class Engine:
    """Draws :class:`Job` s from a causal model of transformers.

    ``rows`` caps the batch (default: what KV memory allows, at most 1,024). ``fast``
    False turns off the fast path for Llama; ``version`` stands for the weights.
    NotImplementedError for a model whose decoding would differ from its own forward.
    """

    def __init__(
        self, model, tokenizer, *, rows: int | None = None, fast=True, version: int = 0
    ):
        self.model, self.tokenizer, self.rows = model.eval(), tokenizer, rows
        self.version = version
        text = model.config.get_text_config()
        kinds = set(getattr(text, "layer_types", None) or [])
        if kinds - {"full_attention", "sliding_attention"}:
            self.refuse(
                f"has layers {sorted(kinds)}; KV is kept only for full_attention and "
                "sliding_attention"
            )
        if not getattr(model, "_supports_attention_backend", False):
            self.refuse("does not attend through AttentionInterface")
        self.fast, before = None, model.config._attn_implementation
        eos = eos_of(model)
        eos = eos if isinstance(eos, (list, tuple)) else [eos]
        size = vocabulary_of(model)
        eos = [e for e in [*eos, tokenizer.eos_token_id] if e is not None]
        self.eos = {e for e in eos if 0 <= e < size}  # some write -1 for none
        self.work = sum(p.numel() for p in model.parameters())
        self.like = None  # the KV of one position of one row
        self._flags: dict = {}  # of each stop: the whole vocabulary is decoded for it
        try:
            off = self.off()
            if off:
                self.refuse(f"decoded step by step is off by {off:.2g} nats")
        except BaseException as e:
            model.set_attn_implementation(before)
            if not isinstance(e, UNFIT) or isinstance(e, NotImplementedError):
                raise
            if isinstance(e, RuntimeError) and is_oom(e):
                raise
            self.refuse(f"does not decode step by step: {type(e).__name__}: {e}", e)
        if fast:
            self.shorten()

    def shorten(self):
        """Take the fast path for Llama, if it gives the same logits."""
        try:
            self.fast = FastLlama.of(self.model)
            if self.fast and self.off():
                self.fast = None
        except UNFIT:  # weights of several types, or no memory to double them
            self.fast = None

    def refuse(self, why: str, cause=None):
        raise NotImplementedError(
            f"{type(self.model).__name__} {why}: the decoding engine can't serve it, "
            "use another model"
        ) from cause

    @torch.inference_mode()
    def off(self) -> float:
        """Nats by which two decoded rows differ from the model's forward, or 0."""
        size = vocabulary_of(self.model)
        rows = [
            [(7 * i + 3 * r) % size for i in range(n)] for r, n in enumerate((4, 9))
        ]
        self.model.set_attn_implementation("eager")
        device = self.model.device
        truth = [self.model(torch.tensor([row], device=device)).logits for row in rows]
        self.model.set_attn_implementation("ttslib")
        states = self.prefill([tuple(row[:-2]) for row in rows])
        block = states[0].block
        self.like = block[:, :, :1, :, :1].clone()
        slots = Slots(2, 9, self.like)
        slots.load([0, 1], states)
        for back in (3, 2, 1):
            slots.aim(np.array([len(row) - back for row in rows]))
            fed = torch.tensor([row[-back] for row in rows], device=device)
            said = self.step(slots, fed).float().log_softmax(-1)
            for r in range(2):
                true = truth[r][0, -back].float().log_softmax(-1)
                if not self.agree(said[r], true):
                    return (said[r] - true).abs().max().item()
        return 0.0

    def agree(self, said, true) -> bool:
        """Do two distributions agree, as far as the weights' precision tells?"""
        if bool(true.isnan().any()):
            return True  # broken weights: Rows.step raises for them
        exact, seen = true.exp(), true.isfinite() | said.isfinite()
        said, true = said[seen], true[seen]
        if self.model.dtype != torch.float32 or quantized(self.model):
            return (said.exp() - exact[seen]).abs().sum().item() < 0.2
        return bool(((said - true).abs() <= 1e-3 + 1e-4 * true.abs()).all())

    def decode(self, ids) -> str:
        """``ids`` as text, special tokens and all spaces included."""
        return self.tokenizer.decode(ids, clean_up_tokenization_spaces=False)

    def flags(self, stop: tuple[str, ...]) -> np.ndarray:
        """Token ids [vocabulary] that may end a chain: eos, or the end of a stop."""
        if stop in self._flags:
            return self._flags[stop]
        out = np.zeros(max(vocabulary_of(self.model), len(self.tokenizer)), bool)
        out[list(self.eos)] = True
        if stop:
            ends = {s[-1] for s in stop}
            texts = [self.decode([i]) for i in range(len(out))]
            # A part of a character decodes to the replacement sign and may be the end.
            ends.add("\ufffd")
            out |= np.array([not ends.isdisjoint(text) for text in texts])
            if " " in ends:  # SentencePiece's space is lost in a piece alone
                pieces = self.tokenizer.convert_ids_to_tokens(list(range(len(out))))
                out |= np.array([(piece or "")[:1] == "▁" for piece in pieces])
        self._flags[stop] = out
        return out

    @torch.inference_mode()
    def prefill(self, prompts: list[tuple[int, ...]]) -> list[State | None]:
        """KV of all but the last token of each prompt; padding on the right."""
        if max(map(len, prompts)) == 1:
            return [None] * len(prompts)
        ids = torch.zeros(len(prompts), max(map(len, prompts)) - 1, dtype=torch.long)
        for row, prompt in zip(ids, prompts):
            row[: len(prompt) - 1] = torch.tensor(prompt[:-1])
        cache = DynamicCache()
        base = self.model.base_model  # no logits are needed
        base(input_ids=ids.to(self.model.device), cache=cache, use_cache=True)
        shapes = {t.shape for layer in cache.layers for t in (layer.keys, layer.values)}
        if len(shapes) > 1:
            self.refuse(f"keeps keys and values of unlike shapes {sorted(shapes)}")
        layers = [torch.stack([layer.keys, layer.values]) for layer in cache.layers]
        block = torch.stack(layers)
        return [
            State(None, block, i, 0, len(p) - 1, self.version) if len(p) > 1 else None
            for i, p in enumerate(prompts)
        ]

    def step(self, slots: Slots, tokens: torch.Tensor) -> torch.Tensor:
        """Logits [rows, vocabulary] after feeding one token to each row."""
        if self.fast:
            return self.fast.step(slots, tokens)
        mask = slots.bias[: slots.n, : slots.length]
        cache = Cache(layers=[SlotLayer(slots, i) for i in range(len(slots.kv))])
        return self.model(
            input_ids=tokens[:, None],
            position_ids=slots.pos[:, None],
            attention_mask=mask[:, None, None],
            cache=cache,
            use_cache=True,
        ).logits[:, -1]

    def room(self, size: int) -> int:
        """How many rows of ``size`` positions to keep at a time."""
        if self.rows:
            return self.rows
        bytes_ = self.like.numel() * size * self.like.element_size()
        budget = 3 * 2**30
        if self.model.device.type == "cuda":
            budget = torch.cuda.mem_get_info(self.model.device)[0] // 2
        return max(1, min(ROWS, budget // bytes_))

    def run(self, jobs: list[Job], **options):
        """Yield (i, Drawn) for each job as it ends. Options as for :class:`Rows`.

        When memory runs out, the rows are halved and unfinished chains drawn again.
        """
        if not jobs:
            return
        if self.model.training:  # training was interrupted
            self.model.eval()
        if self.model.config._attn_implementation != "ttslib":  # by its owner
            self.model.set_attn_implementation("ttslib")
        size = max(len(j.ids) + j.budget for j in jobs)
        rows = min(self.room(size), len(jobs))
        left = dict.fromkeys(range(len(jobs)))
        threads = torch.get_num_threads()
        while left:
            try:
                for i, drawn in Rows(self, jobs, list(left), rows, size, **options):
                    del left[i]
                    yield i, drawn
            except RuntimeError as error:
                if not is_oom(error) or rows == 1:
                    raise
                rows //= 2
                self.rows = rows
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
            finally:
                torch.set_num_threads(threads)
