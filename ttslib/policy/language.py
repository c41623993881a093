"""p(y, z | x; θ) of a transformers model: read, draw, extend by a step, score."""

import uuid
from collections import Counter
from dataclasses import replace

import torch

from ..chain import Chain, check_sampling, fork_index, key_of
from ..problems import Problem
from .engine import fingerprint
from .engine.decode import VERSION, Engine, Job
from .engine.progress import ProgressBar
from .engine.store import Entry, Writer
from .engine.tokens import Reader, positions
from .scoring import buckets, shared, shares_prompt, tails

PROCESS = uuid.uuid4().hex  # hooks are named within it


class LanguageModel(Reader):
    """A causal language model with its tokenizer; base weights are never changed."""

    def __init__(self, model, tokenizer, *, name="", max_tokens=None, rows=None):
        super().__init__(tokenizer, positions(model.config.get_text_config()), name)
        self.model = model.eval()
        self.max_tokens = max_tokens or min(512, self.limit // 2)
        self.rows, self.fast = rows, True
        self.adapter = next(iter(self.active[0]), None)
        self._cached: dict = {}  # what was made of the weights, and of which

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
        """Made anew where weights, adapter or configuration are not what they were."""

        def make():
            return Engine(self.base, self.tokenizer, rows=self.rows, fast=self.fast)

        settings = fingerprint.settings(self.base, self.tokenizer)
        of = (
            *self.weight_versions,
            settings,
            self.active,
            self.hooks,
            self.rows,
            self.fast,
        )
        return self.cached("engine", of, make)

    def cached(self, what: str, of: tuple, make):
        """What ``make()`` gave last time, if it was made of the same."""
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
        a :class:`Chain` that goes on from its very tokens, and its kept KV if it has
        one. What comes back has its text as ``prefix``, and only the tokens after it.
        Chain i of a problem depends on ``seed`` and i only. ``temperature`` 0 is the
        likeliest token, ``top_p`` in (0, 1] the nucleus' mass, ``max_tokens`` the
        budget; at a ``stop`` string a chain ends, and its text before it. What the
        store has is not drawn again unless ``fresh``; ``keep`` returns each drawn
        chain's KV, from which :meth:`extend` goes on. ValueError for arguments that
        make no sense.
        """
        problems, prefixes = spread(problems, prefix)
        stop = (stop,) if isinstance(stop, str) else tuple(stop)
        check_sampling(temperature, top_p, max_tokens, stop)
        seed, temperature, top_p = int(seed), float(temperature), float(top_p)
        out, jobs, place, entries, hashes = [], [], [], [], self.hashes()
        for problem, given in zip(problems, prefixes):
            ids, state = self.begun(problem, given)
            given = given.full_text if isinstance(given, Chain) else given
            budget = min(max_tokens or self.max_tokens, self.limit - len(ids))
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
        """(ids of prompt and prefix, KV that was kept of them or None)."""
        if not isinstance(prefix, Chain):
            return self.encode(problem, prefix)[0], None
        if prefix.finished:
            raise ValueError(
                f"problem {problem.id}: its prefix is a chain that has ended"
            )
        ids = self.encode(problem, prefix.prefix)[0] + prefix.tokens
        if len(ids) >= self.limit:
            self.encode(problem, prefix.full_text)  # raises, as it says why
        return ids, prefix.state

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
        """``chains`` one step (to a line end or eos) further, from their kept KV.

        Alone, a chain goes on with its own uniforms: extended until finished, it is
        what :meth:`sample` draws. With ``n``, a list of n different children for each
        chain; ``fork`` numbers another set of them. A chain that is finished or has
        used up its budget comes back as it is, at cost 0.
        """
        check_sampling(temperature, top_p, max_tokens)
        branch = n is not None or fork is not None
        out = [[chain] * (n or 1) for chain in chains]
        jobs, place = [], []
        for c, chain in enumerate(chains):
            start, _ = self.encode(chain.prompt, chain.prefix)
            budget = min(max_tokens or self.max_tokens, self.limit - len(start))
            for j in range(n or 1):
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
        """log p of each token of ``texts`` after their prompts; ``eos`` appends it.

        A :class:`Chain` in place of a text is scored by its own tokens. A prompt is
        read once for all its texts, where the model lets.
        """
        problems, prefixes = spread(problems, prefix)
        if isinstance(texts, (str, Chain)):
            texts = [texts]
        asked = []
        for problem, given, text in zip(problems, prefixes, texts, strict=True):
            asked.append(self.row(problem, text, eos, given))
        if self.base.training:  # training was interrupted
            self.model.eval()
        rows, out = list(dict.fromkeys(asked)), {}  # what is asked twice is read once
        often = Counter(ids for ids, _ in rows)
        often = (
            often if max(often.values(), default=1) > 1 and self.shares_prompt else {}
        )
        ways: tuple = (self.in_batches, []), (self.sharing, [])
        for row in rows:
            ways[often.get(row[0], 1) > 1][1].append(row)
        with torch.inference_mode():
            for how, part in ways:
                for batch, logp in how(part, batch_tokens):
                    out |= {part[i]: tuple(p.tolist()) for i, p in zip(batch, logp)}
        return [out[row] for row in asked]

    def sharing(self, rows, batch_tokens: int):
        """:meth:`in_batches`, but a prompt is read once for all that follows it."""
        return shared(self.base, rows, batch_tokens)

    @property
    def shares_prompt(self) -> bool:
        """Can the model read a prompt once for several completions?"""
        of = fingerprint.settings(self.base, self.tokenizer), self.active, self.hooks
        return self.cached("shares", of, lambda: shares_prompt(self.base))

    def in_batches(self, rows, batch_tokens: int):
        """(indices, :meth:`token_logp` of these rows), rows of like length together."""
        lengths = [len(ids) + len(tail) for ids, tail in rows]
        for batch in buckets(lengths, batch_tokens):
            yield batch, self.token_logp([rows[i] for i in batch])

    def token_logp(self, rows: list[tuple[tuple, tuple]]) -> list[torch.Tensor]:
        """log p [len(tail)] of each row's tail after its ids, with gradient."""
        return tails(self.base, rows)

    def row(self, problem, text, eos=True, prefix="") -> tuple[tuple, tuple]:
        """(ids before a completion, its ids); a :class:`Chain` has its own of both."""
        if isinstance(text, Chain):
            ids, tail = self.encode(problem, text.prefix)[0], text.tokens
        else:
            ids, tail = self.encode(problem, prefix, text)
            tail += (self.tokenizer.eos_token_id,) if eos else ()
        return ids, tail

    def length(self, problem, text) -> int:
        """Tokens of prompt and completion together: what a pass over them reads."""
        return sum(map(len, self.row(problem, text)))

    # --- what the store's keys are made of ---------------------------------------
    def weights_hash(self) -> str:
        """Of the base's weights and the tokenizer, whatever adapters there are."""

        def make():
            return fingerprint.weights(self.base, self.tokenizer, self.prefix)

        return self.cached("weights", self.weight_versions[:1], make)

    def hashes(self) -> tuple[str, str, str]:
        """Of base, adapter and configuration: all that decides what is drawn."""

        def make():
            return "".join(fingerprint.adapter(self.model, n) for n in self.active[0])

        adapter = self.cached("adapter", (self.active, self.weight_versions[1]), make)
        if self.hooks:  # what they do is not known: theirs alone
            adapter += f" {PROCESS} {self.hooks}"
        return (
            self.weights_hash(),
            adapter,
            fingerprint.settings(self.base, self.tokenizer),
        )

    @property
    def active(self) -> tuple[tuple[str, ...], bool]:
        """The adapters that the layers use now, and whether they are merged.

        :meth:`switch` sets them; so may who owns the model of peft.
        """
        adapted = hasattr(self.model, "peft_config")
        for layer in self.model.modules() if adapted else ():
            if isinstance(getattr(layer, "disable_adapters", None), bool):
                names = () if layer.disable_adapters else tuple(layer.active_adapters)
                return names, bool(getattr(layer, "merged", False))
        return (), False

    @property
    def hooks(self) -> tuple[int, ...]:
        """What else takes part in a forward."""
        return tuple(
            id(hook)
            for module in self.base.modules()
            for kind in (module._forward_hooks, module._forward_pre_hooks)
            for hook in kind.values()
        )

    @property
    def prefix(self) -> str:
        """How the names of an adapter's parameters begin."""
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


def spread(problems, prefix) -> tuple[list, list[str]]:
    """One prefix for each problem."""
    problems = problems if isinstance(problems, (list, tuple)) else [problems]
    problems = [Problem.of(x) for x in problems]
    one = isinstance(prefix, (str, Chain))
    prefixes = [prefix] * len(problems) if one else list(prefix)
    if len(prefixes) != len(problems):
        raise ValueError(f"{len(problems)} problems but {len(prefixes)} prefixes")
    return problems, prefixes
