"""p(y, z | x; θ) of a transformers model: draw chains, extend them, score them."""

import math
import uuid
from collections import Counter
from dataclasses import replace

import numpy as np
import torch

from ..chain import Chain, check_sampling, fork_index, key_of
from ..problems import Problem
from .engine import fingerprint
from .engine.decode import VERSION, Engine, Job
from .engine.progress import ProgressBar
from .engine.store import Entry, Writer
from .engine.tokens import Reader, positions
from .protocol import spread, summed_logprobs
from .scoring import (
    buckets,
    can_share_prompt,
    completion_logprobs,
    logprobs_by_prompt,
    next_token_logprobs,
)

PROCESS = uuid.uuid4().hex  # the ids of hooks are unique within a process


class LanguageModel(Reader):
    """A causal language model with its tokenizer; base weights are never changed."""

    def __init__(self, model, tokenizer, *, name="", max_tokens=None, rows=None):
        if hasattr(model, "peft_config") and not hasattr(model, "get_base_model"):
            raise NotImplementedError(
                "transformers has put an adapter into the model: give the base alone, "
                "and load_adapter() its folder"
            )
        limit = positions(model.config.get_text_config())
        size = model.get_input_embeddings().weight.shape[0]
        super().__init__(tokenizer, limit, size, name)
        self.model = model.eval()
        self.max_tokens = max_tokens or min(512, self.limit // 2)
        self.rows, self.fast = rows, True
        self.adapter = next(iter(self.active[0]), None)
        self._cached: dict = {}  # name: (what it was made of, what was made)

    @property
    def parameters(self) -> int:
        """P: a token costs 2·P operations."""
        return sum(p.numel() for p in self.base.parameters())

    @property
    def base(self):
        """The transformers model, with LoRA layers in it if there are adapters."""
        model = self.model
        return model.get_base_model() if hasattr(model, "peft_config") else model

    @property
    def engine(self) -> Engine:
        """The decoding engine, made anew when weights, adapter or settings change."""
        settings = fingerprint.settings(self.base, self.tokenizer)
        of = (*self.weight_versions, settings, self.active, self.hooks)
        options = dict(rows=self.rows, fast=self.fast)

        def make():
            return Engine(self.base, self.tokenizer, version=hash(of), **options)

        return self.cached("engine", (*of, *options.values()), make)

    def cached(self, what: str, of: tuple, make):
        """The last ``make()`` of this name if it was made ``of`` the same, or anew."""
        if self._cached.get(what, (None,))[0] != of:
            self._cached[what] = of, make()
        return self._cached[what][1]

    # --- drawing z, y ------------------------------------------------------------
    def sample(
        self,
        problems,
        n: int,
        *,
        prefix="",
        temperature: float = 1.0,
        top_p: float = 1.0,
        max_tokens: int | None = None,
        stop=(),
        seed: int = 0,
        fresh: bool = False,
        keep: bool = False,
        progress: bool = False,
    ) -> list[list[Chain]]:
        """``n`` chains z, y ~ p(· | x) for each problem (or prompt).

        ``prefix``, one or one per problem, is the chain's given beginning: a text, or
        a :class:`Chain` whose tokens, and kept KV if it has one, are gone on from. A
        returned chain has that text as ``prefix``, and only the tokens after it. Chain
        i of a problem depends on ``seed`` and i only. ``temperature`` 0 draws the
        likeliest token; ``top_p`` in (0, 1] is the nucleus' mass; ``max_tokens`` is the
        budget of a whole chain, the tokens of a begun one included: at its end nothing
        is drawn. A chain ends at a ``stop`` string, and its text before it. Chains that
        the store holds are not drawn again unless ``fresh``; ``keep`` returns each
        drawn chain's KV for :meth:`extend`. ValueError for arguments that make no
        sense.
        """
        problems, prefixes = spread(problems, prefix)
        stop = (stop,) if isinstance(stop, str) else tuple(stop or ())
        check_sampling(temperature, top_p, max_tokens, stop, n)
        seed, temperature, top_p = int(seed), float(temperature), float(top_p)
        out, jobs, place, entries, hashes = [], [], [], [], self.hashes()
        for problem, given in zip(problems, prefixes):
            ids, state = self.begun(problem, given)
            spent = len(given.tokens) if isinstance(given, Chain) else 0
            given = given.full_text if isinstance(given, Chain) else given
            budget = min((max_tokens or self.max_tokens) - spent, self.limit - len(ids))
            if budget < 1:  # the chain that it goes on from has used it up
                at = dict(prefix=given, seed=seed)
                out.append([self.start(problem, index=i, **at) for i in range(n)])
                entries.append(None)
                continue
            about = (*hashes, ids, temperature, top_p, budget, stop, seed)
            entries.append(Entry((VERSION, *about), fresh=fresh))
            known = entries[-1].chains
            out.append([known[i] if i in known else None for i in range(n)])
            own = dict(prompt=problem.prompt, prefix=given, verifier=problem.verifier)
            out[-1] = [c and replace(c, **own) for c in out[-1]]
            for i in range(n):
                if out[-1][i] is None:
                    key = key_of(ids, seed, i)
                    jobs.append(Job(ids, key, 0, budget, state, problem.id))
                    place.append((len(out) - 1, i, given))
        options = dict(temperature=temperature, top_p=top_p, stop=stop, keep=keep)
        with ProgressBar(len(jobs), progress) as tick, Writer(n) as writer:
            for j, drawn in self.engine.run(jobs, **options):
                p, i, given = place[j]
                chain = self.chain(problems[p], given, jobs[j], drawn, stop)
                out[p][i] = replace(chain, seed=seed, index=i)
                writer.add(entries[p], replace(out[p][i], state=None))
                tick(len(drawn.tokens))
        return out

    def begun(self, problem, prefix) -> tuple[tuple, object]:
        """(ids of prompt and prefix, their kept KV or None)."""
        if not isinstance(prefix, Chain):
            return self.encode(problem, prefix)[0], None
        if prefix.finished:
            raise ValueError(
                f"problem {problem.id}: its prefix is a chain that has ended"
            )
        ids = sum(self.row(problem, prefix, eos=False, any_length=True), ())
        if len(ids) >= self.limit:
            self.refuse_length(problem, "prefix", len(ids), self.limit - 1)
        return ids, prefix.state if prefix.prompt == problem.prompt else None

    def start(self, problem, *, prefix="", seed: int = 0, index: int = 0) -> Chain:
        """The empty chain, where step-by-step search begins."""
        x = Problem.of(problem)
        about = dict(seed=int(seed), index=index, prefix=prefix)
        return Chain(x.prompt, verifier=x.verifier, **about)

    def extend(
        self,
        chains: list[Chain],
        n: int | None = None,
        *,
        fork: int | None = None,
        temperature: float = 1.0,
        top_p: float = 1.0,
        max_tokens: int | None = None,
        keep: bool = True,
    ) -> list:
        """Extend ``chains`` by one step (to a line end or eos), from their kept KV.

        Without ``n`` a chain goes on with its own uniforms: extended until finished, it
        is what :meth:`sample` draws. With ``n``, each chain gives a list of n different
        children; ``fork`` numbers another set of them. A chain that is finished or has
        used up its budget comes back as it is, at cost 0.
        """
        check_sampling(temperature, top_p, max_tokens, n=n)
        branch = n is not None or fork is not None
        children = 1 if n is None else n
        out = [[chain] * children for chain in chains]
        jobs, place = [], []
        for c, chain in enumerate(chains):
            if chain.text and not chain.tokens:
                raise ValueError(
                    f"a chain of {chain.prompt!r} has a text but no tokens: give the "
                    "text as prefix of start()"
                )
            start, _ = self.encode(chain.prompt, chain.prefix)
            budget = min(max_tokens or self.max_tokens, self.limit - len(start))
            for j in range(children):
                index = fork_index(chain, fork or 0, j) if branch else chain.index
                out[c][j] = replace(chain, index=index, cost=0)
                if chain.finished or len(chain.tokens) >= budget:
                    continue
                at = len(chain.tokens)
                key = key_of(start, chain.seed, index)
                ids = start + chain.tokens
                left = budget - at
                jobs.append(Job(ids, key, at, left, chain.state, repr(chain.prompt)))
                place.append((c, j))
        options = dict(temperature=temperature, top_p=top_p, step=True, keep=keep)
        for i, drawn in self.engine.run(jobs, **options):
            c, j = place[i]
            tokens, at = chains[c].tokens + tuple(drawn.tokens), jobs[i].start
            out[c][j] = replace(
                out[c][j],
                text=self.read(tokens, jobs[i].ids[: len(jobs[i].ids) - at]),
                tokens=tokens,
                logprobs=chains[c].logprobs + tuple(drawn.logprobs),
                finished=drawn.finished,
                cost=len(drawn.tokens),
                state=drawn.state,
            )
        return out if n is not None else [row[0] for row in out]

    # --- scoring -----------------------------------------------------------------
    def logprob(
        self, problems, texts, *, prefix="", eos: bool = False, batch_tokens: int = 8192
    ) -> list[tuple[float, ...]]:
        """log p of each token of ``texts`` after their prompts; ``eos`` appends eos.

        A :class:`Chain` in place of a text is scored by its own tokens. A prompt is
        read once for all its texts, if the model allows it. ValueError for a text that
        is longer than the model reads.
        """
        problems, prefixes = spread(problems, prefix)
        if isinstance(texts, (str, Chain)):
            texts = [texts]
        asked = []
        for problem, given, text in zip(problems, prefixes, texts, strict=True):
            asked.append(self.row(problem, text, eos, given))
        if self.base.training:  # training was interrupted
            self.model.eval()
        rows, out = list(dict.fromkeys(asked)), {}  # equal rows are read once
        often = Counter(ids for ids, _ in rows)
        share = max(often.values(), default=1) > 1 and self.shares_prompt
        ways: tuple = (self.in_batches, []), (self.sharing, [])
        for row in rows:
            ways[share and often[row[0]] > 1][1].append(row)
        with torch.inference_mode():
            for how, part in ways:
                for batch, logp in how(part, batch_tokens):
                    out |= {part[i]: tuple(p.tolist()) for i, p in zip(batch, logp)}
        for problem, row in zip(problems, asked):
            if any(map(math.isnan, out[row])):
                raise FloatingPointError(
                    f"problem {problem.id}: the model's logits are not numbers: check "
                    "its weights and dtype"
                )
        return [out[row] for row in asked]

    def sharing(self, rows, batch_tokens: int):
        """As :meth:`in_batches`, but a prompt is read once for all its completions."""
        return logprobs_by_prompt(self.base, rows, batch_tokens)

    @property
    def shares_prompt(self) -> bool:
        """Can the model read a prompt once for several completions?"""
        of = fingerprint.settings(self.base, self.tokenizer), self.active, self.hooks
        return self.cached("shares", of, lambda: can_share_prompt(self.base))

    def in_batches(self, rows, batch_tokens: int):
        """Yield (indices, :meth:`token_logp` of these rows); like lengths together."""
        lengths = [len(ids) + len(tail) for ids, tail in rows]
        for batch in buckets(lengths, batch_tokens):
            yield batch, self.token_logp([rows[i] for i in batch])

    def token_logp(self, rows: list[tuple[tuple, tuple]]) -> list[torch.Tensor]:
        """log p [len(tail)] of each row's tail after its ids, with gradient."""
        return completion_logprobs(self.base, rows)

    def next_logprobs(self, problems, prefixes, texts) -> np.ndarray:
        """log p of each of ``texts`` behind each prefix: [prefixes, texts].

        One reading serves all texts where each is one token.
        """
        problems, prefixes = spread(problems, prefixes)
        rows = [self.encode(x, z)[0] for x, z in zip(problems, prefixes)]
        tails = [[self.pieces(text, ids) for text in texts] for ids in rows]
        if not rows or any(len(tail) != 1 for row in tails for tail in row):
            return summed_logprobs(self, problems, prefixes, texts)
        if self.base.training:  # training was interrupted
            self.model.eval()
        wanted = [[token for (token,) in row] for row in tails]
        return next_token_logprobs(self.base, rows, wanted)

    def row(
        self, problem, text, eos=True, prefix="", *, any_length: bool = False
    ) -> tuple[tuple, tuple]:
        """(ids before a completion, its ids); a :class:`Chain` has its own of both.

        ValueError where they are more than the model reads, unless ``any_length``.
        """
        if isinstance(text, Chain) and (text.tokens or not text.text):
            ids, tail = self.encode(problem, text.prefix)[0], text.tokens
        else:
            if isinstance(text, Chain):  # one that was written, not drawn
                prefix, text = text.prefix, text.text
            ids, tail = self.encode(problem, prefix, text)
            end = self.tokenizer.eos_token_id
            tail += (end,) if eos and end is not None else ()
        if len(ids) + len(tail) > self.limit and not any_length:
            self.refuse_length(problem, "completion", len(ids) + len(tail), self.limit)
        return ids, tail

    def length(self, problem, text) -> int:
        """Tokens of prompt and completion that :meth:`fit` reads in a pass."""
        return min(self.limit, sum(map(len, self.row(problem, text, any_length=True))))

    # --- what the store's keys are made of ---------------------------------------
    def weights_hash(self) -> str:
        """A hash of the base's weights and the tokenizer; adapters do not count."""

        def make():
            return fingerprint.weights(self.base, self.tokenizer, self.prefix)

        return self.cached("weights", self.weight_versions[:1], make)

    def hashes(self) -> tuple[str, str, str]:
        """Hashes of base, adapter and settings, which decide what is drawn."""

        def make():
            return "".join(fingerprint.adapter(self.model, n) for n in self.active[0])

        adapter = self.cached("adapter", (self.active, self.weight_versions[1]), make)
        if self.hooks:  # nothing tells what they do: share chains with no other
            adapter += f" {PROCESS} {self.hooks}"
        return (
            self.weights_hash(),
            adapter,
            fingerprint.settings(self.base, self.tokenizer),
        )

    @property
    def active(self) -> tuple[tuple[str, ...], bool]:
        return fingerprint.active_adapters(self.model)

    @property
    def hooks(self) -> tuple[int, ...]:
        return fingerprint.hooks(self.base)

    @property
    def prefix(self) -> str:
        """The beginning of the names of an adapter's parameters."""
        return getattr(getattr(self.model, "base_model", None), "prefix", "lora_")

    @property
    def weight_versions(self) -> tuple[tuple, tuple]:
        return fingerprint.weight_versions(self.base, self.prefix)

    def chain(self, problem, prefix, job: Job, drawn, stop=()) -> Chain:
        text = self.read(drawn.tokens, job.ids)
        if drawn.finished:
            ends = [at for s in stop if (at := text.find(s)) >= 0]
            text = text[: min(ends, default=len(text))]
        return Chain(
            prompt=problem.prompt,
            text=text,
            tokens=tuple(drawn.tokens),
            logprobs=tuple(drawn.logprobs),
            finished=drawn.finished,
            prefix=prefix,
            cost=len(drawn.tokens),
            verifier=problem.verifier,
            state=drawn.state,
        )
