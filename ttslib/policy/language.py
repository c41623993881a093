"""p(y, z | x; θ) of a transformers model: read, draw, extend by a step, score."""

import hashlib
from dataclasses import replace

import torch

from ..chain import Chain, fork_index, key_of
from .engine import VERSION, Engine, Job
from .store import Entry, Writer

INSTRUCTION = (
    "Solve the problem. Write one short step a line. "
    "Then end with a line that says 'Answer: ' and the answer."
)


class LanguageModel:
    """A causal language model with its tokenizer; base weights are never changed."""

    def __init__(self, model, tokenizer, *, name="", max_tokens=None, rows=None):
        self.model, self.tokenizer, self.name = model.eval(), tokenizer, name
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        self.limit = limit or 2**20
        self.max_tokens = max_tokens or min(512, self.limit // 2)
        self.rows, self.fast = rows, True
        self._engine = self._weights = self._adapter_hash = self.adapter = None
        self._ids: dict = {}

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
        if self._engine is None:
            self._engine = Engine(
                self.base, self.tokenizer, rows=self.rows, fast=self.fast
            )
        return self._engine

    # --- reading x ---------------------------------------------------------------
    def format(self, problem) -> str:
        """The prompt as the model reads it: instructed and in its chat template."""
        prompt = problem if isinstance(problem, str) else problem.prompt
        if not prompt.strip():
            who = getattr(problem, "id", "") or repr(prompt)
            raise ValueError(f"problem {who}: its prompt is empty")
        if not self.tokenizer.chat_template:
            return prompt
        return self.tokenizer.apply_chat_template(
            [{"role": "user", "content": f"{INSTRUCTION}\n\n{prompt.strip()}"}],
            tokenize=False,
            add_generation_prompt=True,
        )

    def encode(self, problem, prefix: str = "", text: str = "") -> tuple[tuple, tuple]:
        """(ids of prompt and prefix, ids of text)."""
        formatted = self.format(problem)
        chat = bool(self.tokenizer.chat_template)
        if formatted not in self._ids:
            self._ids[formatted] = tuple(
                self.tokenizer(formatted, add_special_tokens=not chat)["input_ids"]
            )
        ids = self._ids[formatted] + self.pieces(prefix)
        if len(ids) >= self.limit:
            who = getattr(problem, "id", "") or repr(formatted[:40])
            raise ValueError(
                f"problem {who}: prompt and prefix are {len(ids)} tokens; "
                f"{self.name or 'the model'} reads at most {self.limit - 1}, so that "
                "one can be drawn: shorten it"
            )
        return ids, self.pieces(text)

    def pieces(self, text: str) -> tuple[int, ...]:
        if not text:
            return ()
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

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

        ``prefix``, one string or one per problem, is the chain's given beginning.
        Chain i of a problem depends on ``seed`` and i only. What the store has is not
        drawn again unless ``fresh``; ``keep`` returns each drawn chain's KV, from
        which :meth:`extend` goes on.
        """
        problems, prefixes = spread(problems, prefix)
        stop = (stop,) if isinstance(stop, str) else tuple(stop)
        out, jobs, place, entries = [], [], [], []
        for problem, given in zip(problems, prefixes):
            ids, _ = self.encode(problem, given)
            budget = min(max_tokens or self.max_tokens, self.limit - len(ids))
            name = getattr(problem, "id", "") or f"prompt {problem!r}"
            about = (*self.hashes(), ids, temperature, top_p, budget, stop, seed)
            entries.append(Entry((VERSION, *about), fresh=fresh))
            out.append([entries[-1].chains.get(i) for i in range(n)])
            for i in range(n):
                if out[-1][i] is None:
                    key = key_of(ids, seed, i)
                    jobs.append(Job(ids, key, 0, budget, None, name))
                    place.append((len(out) - 1, i))
        options = dict(temperature=temperature, top_p=top_p, stop=stop, keep=keep)
        with bar(len(jobs), progress) as tick, Writer(n) as writer:
            for j, drawn in self.engine.run(jobs, **options):
                p, i = place[j]
                out[p][i] = self.chain(problems[p], prefixes[p], drawn, seed, i)
                writer.add(entries[p], replace(out[p][i], state=None))
                tick(len(drawn.tokens))
        return out

    def start(self, problem, *, prefix="", seed: int = 0, index: int = 0) -> Chain:
        """The empty chain, where step-by-step search begins."""
        prompt = problem if isinstance(problem, str) else problem.prompt
        return Chain(prompt, seed=seed, index=index, prefix=prefix)

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
            tokens = chains[c].tokens + tuple(drawn.tokens)
            out[c][j] = replace(
                out[c][j],
                text=self.tokenizer.decode(tokens, skip_special_tokens=True),
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

        A :class:`Chain` in place of a text is scored by its own tokens.
        """
        problems, prefixes = spread(problems, prefix)
        if isinstance(texts, (str, Chain)):
            texts = [texts]
        rows = []
        for problem, given, text in zip(problems, prefixes, texts, strict=True):
            rows.append(self.row(problem, text, eos, given))
        out: list = [()] * len(rows)
        with torch.inference_mode():
            for batch, logp in self.in_batches(rows, batch_tokens):
                for i, row in zip(batch, logp):
                    out[i] = tuple(row.tolist())
        return out

    def in_batches(self, rows, batch_tokens: int):
        """(indices, :meth:`token_logp` of these rows), rows of like length together."""
        lengths = [len(ids) + len(tail) for ids, tail in rows]
        for batch in buckets(lengths, batch_tokens):
            yield batch, self.token_logp([rows[i] for i in batch])

    def token_logp(self, rows: list[tuple[tuple, tuple]]) -> list[torch.Tensor]:
        """log p [len(tail)] of each row's tail after its ids, with gradient."""
        width = max(len(ids) + len(tail) for ids, tail in rows)
        pad = self.tokenizer.pad_token_id or 0
        tokens = torch.full((len(rows), width), pad)
        for row, (ids, tail) in zip(tokens, rows):
            row[: len(ids) + len(tail)] = torch.tensor(ids + tail)
        tokens = tokens.to(self.model.device)
        # Padding is on the right, where a causal model does not look.
        hidden = self.base.base_model(input_ids=tokens, use_cache=False)[0]
        head = self.base.get_output_embeddings()
        out = []
        at = [torch.arange(len(i) - 1, len(i) + len(t) - 1) for i, t in rows]
        flat = torch.cat([hidden[r, a] for r, a in enumerate(at)])
        target = torch.cat([tokens[r, a + 1] for r, a in enumerate(at)])
        logits = head(flat).float()
        softcap = getattr(self.base.config, "final_logit_softcapping", None)
        if softcap:
            logits = softcap * torch.tanh(logits / softcap)
        logp = torch.log_softmax(logits, -1).gather(-1, target[:, None])[:, 0]
        out = list(logp.split([len(tail) for _, tail in rows]))
        return out

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
        if self._weights is None:
            tensors = {
                name.replace("base_layer.", ""): p
                for name, p in self.base.state_dict().items()
                if "lora_" not in name
            }
            self._weights = fingerprint(
                tensors, sorted(self.tokenizer.get_vocab().items())
            )
        return self._weights

    def hashes(self) -> tuple[str, str]:
        if self._adapter_hash is None:
            self._adapter_hash = ""
            if self.adapter is not None:
                mark = f".{self.adapter}."
                tensors = {
                    name: p
                    for name, p in self.model.state_dict().items()
                    if "lora_" in name and mark in name
                }
                config = self.model.peft_config[self.adapter]
                self._adapter_hash = fingerprint(tensors, config.lora_alpha)
        return self.weights_hash(), self._adapter_hash

    def chain(self, problem, prefix, drawn, seed, index) -> Chain:
        return Chain(
            prompt=problem if isinstance(problem, str) else problem.prompt,
            text=self.tokenizer.decode(drawn.tokens, skip_special_tokens=True),
            tokens=tuple(drawn.tokens),
            logprobs=tuple(drawn.logprobs),
            finished=drawn.finished,
            seed=seed,
            index=index,
            prefix=prefix,
            cost=len(drawn.tokens),
            state=drawn.state,
        )


def fingerprint(tensors: dict, *more) -> str:
    """A hash of named tensors."""
    out = hashlib.blake2b(repr(more).encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        out.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        out.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return out.hexdigest()


def buckets(lengths: list[int], size: int, rng=None) -> list[list[int]]:
    """Indices in batches of at most ``size`` tokens, padding included, long first.

    ``rng`` shuffles rows of the same length.
    """
    order = sorted(
        range(len(lengths)), key=lambda i: (-lengths[i], rng.random() if rng else i)
    )
    out, batch = [], []
    for i in order:
        if batch and (len(batch) + 1) * lengths[batch[0]] > size:
            out.append(batch)
            batch = []
        batch.append(i)
    return out + [batch] if batch else out


def spread(problems, prefix) -> tuple[list, list[str]]:
    """One prefix for each problem."""
    problems = list(problems) if isinstance(problems, (list, tuple)) else [problems]
    prefixes = [prefix] * len(problems) if isinstance(prefix, str) else list(prefix)
    if len(prefixes) != len(problems):
        raise ValueError(f"{len(problems)} problems but {len(prefixes)} prefixes")
    return problems, prefixes


class bar:
    """A progress bar over chains that shows tokens a second; silent unless asked."""

    def __init__(self, total: int, shown: bool, unit: str = "chain"):
        from tqdm.auto import tqdm

        self.tqdm = tqdm(total=total, unit=unit, disable=not shown)
        self.tokens = 0

    def __enter__(self):
        return self.tick

    def tick(self, tokens: int):
        self.tokens += tokens
        self.tqdm.update()
        if not self.tqdm.disable and self.tqdm.n % 64 == 0:
            seconds = max(1e-9, self.tqdm.format_dict["elapsed"])
            self.tqdm.set_postfix_str(f"{self.tokens / seconds:,.0f} tokens/s")

    def __exit__(self, *_):
        self.tqdm.close()
