"""The decoding engine: many chains of many prompts in one batch.

Rows share their prompt's prefill, have lengths of their own, and are replaced as they
finish. A token is drawn by inverse CDF from its chain's own uniforms, so a chain does
not depend on the batch it was drawn in (up to floating-point ties).

Any causal model runs by its own forward (``kv`` says how); Llama has a shorter way
(``llama``).
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from transformers.cache_utils import Cache, DynamicCache

from ...chain import uniforms
from ..drawing import draw
from .kv import SlotLayer, Slots, State
from .llama import FastLlama

VERSION = 2  # part of the store's key: raise it when the same seed draws differently
ROWS = 1024
PREFILL = 8192  # tokens of prompts read at a time
# What a model that can't be decoded step by step may raise
UNFIT = (AttributeError, IndexError, RuntimeError, TypeError, ValueError)
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


def quantized(model) -> bool:
    return getattr(model, "hf_quantizer", None) is not None


def is_oom(error: RuntimeError) -> bool:
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError) or (
        "out of memory" in text or "can't allocate memory" in text
    )


class Engine:
    """Draws :class:`Job` s from a causal model of transformers.

    ``rows`` caps the batch (default: what KV memory allows, at most 1,024); ``fast``
    False forgoes the short way for Llama. A model that it would not decode as the
    model's own forward does is refused: NotImplementedError.
    """

    def __init__(self, model, tokenizer, *, rows: int | None = None, fast: bool = True):
        self.model, self.tokenizer, self.rows = model.eval(), tokenizer, rows
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
        eos = getattr(model.generation_config, "eos_token_id", None)
        eos = eos if isinstance(eos, list) else [eos]
        self.eos = {e for e in [*eos, tokenizer.eos_token_id] if e is not None}
        self.work = sum(p.numel() for p in model.parameters())
        self.like = None  # the KV of one position of one row
        self._flags: dict = {}  # all of a vocabulary is decoded for them: once
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
        """Take the short way for Llama, where it leads to the same."""
        try:
            self.fast = FastLlama.of(self.model)
        except RuntimeError as error:  # it doubles the weights
            if not is_oom(error):
                raise
        if self.fast and self.off():
            self.fast = None

    def refuse(self, why: str, cause=None):
        raise NotImplementedError(
            f"{type(self.model).__name__} {why}: the decoding engine can't serve it, "
            "use another model"
        ) from cause

    @torch.inference_mode()
    def off(self) -> float:
        """Nats by which two decoded rows differ from the model's forward; 0: not."""
        size = self.model.get_output_embeddings().weight.shape[0]
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
            return True  # broken weights: drawing from them says so
        exact, seen = true.exp(), true.isfinite() | said.isfinite()
        said, true = said[seen], true[seen]
        if self.model.dtype != torch.float32 or quantized(self.model):
            return (said.exp() - exact[seen]).abs().sum().item() < 0.2
        return bool(((said - true).abs() <= 1e-3 + 1e-4 * true.abs()).all())

    def flags(self, stop: tuple[str, ...]) -> np.ndarray:
        """Token ids [vocabulary] that may end a chain: eos, or the end of a stop."""
        if stop in self._flags:
            return self._flags[stop]
        size = self.model.get_output_embeddings().weight.shape[0]
        out = np.zeros(max(size, len(self.tokenizer)), bool)
        out[list(self.eos)] = True
        if stop:
            ends = {s[-1] for s in stop}
            texts = self.tokenizer.batch_decode([[i] for i in range(len(out))])
            # a piece of a character decodes to the replacement sign: may be the end
            ends.add("\ufffd")
            out |= np.array([not ends.isdisjoint(text) for text in texts])
            if " " in ends:  # SentencePiece's, which a piece alone loses
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
            State(None, block, i, 0, len(p) - 1) if len(p) > 1 else None
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
        """Yield (i, Drawn) for each job as it ends. Options as in :meth:`drain`.

        Out of memory halves the rows and draws again what was in flight.
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
                for i, drawn in self.drain(jobs, list(left), rows, size, **options):
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

    def drain(
        self,
        jobs: list[Job],
        todo: list[int],
        rows: int,
        size: int,
        temperature: float = 1.0,
        top_p: float = 1.0,
        stop: tuple[str, ...] = (),
        step: bool = False,
        keep: bool = False,
        ignore_eos: bool = False,
    ):
        """Draw jobs ``todo`` in a batch of ``rows``.

        ``step`` ends a chain at the first line end; ``keep`` returns its KV.
        """
        device = self.model.device
        flags = self.flags((*stop, "\n") if step else tuple(stop))
        if ignore_eos:
            flags = np.zeros_like(flags)
        width = max(j.budget for j in jobs)
        # Prompts of like length are read together and decoded together.
        queue = deque(sorted(todo, key=lambda i: (len(jobs[i].ids), jobs[i].ids)))
        prompts: dict = {}  # prefilled and not yet given to all of its samples
        given: dict = {}  # the KV that a live job began with
        slots = None
        live: list[int] = []  # the job of each row
        pos, count, budget = np.zeros((3, rows), int)
        tokens = np.zeros((rows, width), int)
        logprobs = np.zeros((rows, width))
        draws = np.zeros((rows, width), np.float32)
        last = torch.zeros(rows, dtype=torch.long, device=device)
        threads = torch.get_num_threads()
        while queue or live:
            if queue and (not live or rows - len(live) >= max(1, rows // 16)):
                new = [
                    queue.popleft() for _ in range(min(rows - len(live), len(queue)))
                ]
                states = self.states([jobs[i] for i in new], prompts)
                if keep:
                    given.update(zip(new, states))
                if slots is None:
                    slots = Slots(rows, size, self.like)
                at = list(range(len(live), len(live) + len(new)))
                with torch.inference_mode():
                    slots.load(at, states)
                    last[at] = torch.tensor([jobs[i].ids[-1] for i in new]).to(device)
                for r, i in zip(at, new):
                    job = jobs[i]
                    pos[r], count[r], budget[r] = len(job.ids) - 1, 0, job.budget
                    draws[r, : job.budget] = uniforms(
                        job.key, job.start, job.start + job.budget
                    )
                live += new
            n = len(live)
            span = np.arange(n)
            if threads > 1 and device.type == "cpu":
                wanted = 1 if n * self.work < SMALL else threads
                if wanted != torch.get_num_threads():
                    torch.set_num_threads(wanted)
            with torch.inference_mode():
                slots.aim(pos[:n])
                u = torch.from_numpy(draws[span, count[:n]]).to(device)
                logits = self.step(slots, last[:n])
                last[:n], lp = draw(logits, u, temperature, top_p)
                drawn, lp = last[:n].cpu().numpy(), lp.cpu().numpy()
            if np.isnan(lp).any():
                bad = jobs[live[int(np.isnan(lp).argmax())]]
                raise FloatingPointError(
                    f"the model's logits are not numbers after token "
                    f"{len(bad.ids) + int(count[int(np.isnan(lp).argmax())])} of "
                    f"{bad.name or bad.ids!r}: check its weights and dtype"
                )
            tokens[span, count[:n]], logprobs[span, count[:n]] = drawn, lp
            count[:n] += 1
            pos[:n] += 1
            done, finished = [], {}
            for r in np.flatnonzero(flags[drawn] | (count[:n] == budget[:n])).tolist():
                token = int(drawn[r])
                told = jobs[live[r]].ids, tokens[r, : count[r]], stop
                ended = token in self.eos or bool(stop) and self.stopped(*told)
                ended = ended and not ignore_eos
                line = step and flags[token] and "\n" in self.tokenizer.decode([token])
                if ended or line or count[r] == budget[r]:
                    done.append(r)
                    finished[r] = ended
            if not done:
                continue
            kept = [None] * len(done)
            if keep:
                parents = [given.pop(live[r]) for r in done]
                with torch.inference_mode():
                    kept = slots.save(done, parents, pos[done])
            for r, state in zip(done, kept):
                yield (
                    live[r],
                    Drawn(
                        tokens[r, : count[r]].tolist(),
                        logprobs[r, : count[r]].tolist(),
                        finished[r],
                        state,
                    ),
                )
            # The last rows move into the places of those that ended.
            stay = n - len(done)
            gone = set(done)
            to = [r for r in done if r < stay]
            source = [r for r in range(stay, n) if r not in gone]
            with torch.inference_mode():
                slots.move(to, source)
                last[to] = last[source]
            for array in (pos, count, budget, tokens, logprobs, draws):
                array[to] = array[source]
            for a, b in zip(to, source):
                live[a] = live[b]
            del live[stay:]

    def states(self, jobs: list[Job], prompts: dict) -> list[State | None]:
        """The KV to begin with, prefilled once for all samples of a prompt.

        ``prompts`` holds that of the last jobs: samples of a prompt come in a row.
        """
        old = dict(prompts)
        prompts.clear()
        need = {job.ids: None for job in jobs if job.state is None}
        batch: list = []
        for ids in need:
            if ids in old:
                prompts[ids] = old[ids]
                continue
            if (len(batch) + 1) * len(ids) > PREFILL and batch:
                prompts.update(zip(batch, self.prefill(batch)))
                batch = []
            batch.append(ids)
        if batch:
            prompts.update(zip(batch, self.prefill(batch)))
        return [job.state or prompts[job.ids] for job in jobs]

    def stopped(self, ids, tokens, stop) -> bool:
        """Is a stop string in ``tokens`` after ``ids``? It may be a special token."""
        before = list(ids[-8:])
        head = self.tokenizer.decode(before)
        text = self.tokenizer.decode([*before, *tokens])
        text = text[len(head) :] if text.startswith(head) else text
        return any(s in text for s in stop)
