"""x as a model reads it, and its tokens as text."""

import datetime
from dataclasses import replace

from ...chain import lines
from ...problems import Problem

INSTRUCTION = (
    "Solve the problem. Write one short step a line. "
    "Then end with a line that says 'Answer: ' and the answer."
)
# Templates that write the date get this one, so that a seed means the same tomorrow.
TODAY = datetime.date(2024, 7, 26)


class Reader:
    """A tokenizer with its template, for a model that reads ``limit`` tokens."""

    def __init__(self, tokenizer, limit: int, name: str = ""):
        self.tokenizer, self.limit, self.name = tokenizer, limit, name
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        self.strips = strips(tokenizer)
        self._ids: dict = {}
        self._ends_line: dict[int, bool] = {}

    def format(self, problem) -> str:
        """The prompt as the model reads it: instructed and in its chat template."""
        x = Problem.of(problem)
        if not x.prompt.strip():
            raise ValueError(f"problem {x.id}: its prompt is empty")
        if not self.tokenizer.chat_template:
            return x.prompt
        return self.tokenizer.apply_chat_template(
            [{"role": "user", "content": f"{INSTRUCTION}\n\n{x.prompt.strip()}"}],
            tokenize=False,
            add_generation_prompt=True,
            chat_template=dated(self.tokenizer.get_chat_template()),
        )

    @property
    def chats(self) -> bool:
        """Does the model expect turns of a user?"""
        return bool(self.tokenizer.chat_template)

    def user_turn(self, asked: str) -> str:
        """What stands between a chain of a chat model and its answer to ``asked``."""
        mark = "~chain~"
        talk = [("user", mark), ("assistant", mark), ("user", asked)]
        text = self.tokenizer.apply_chat_template(
            [{"role": role, "content": content} for role, content in talk],
            tokenize=False,
            add_generation_prompt=True,
        )
        return text.split(mark)[-1]

    def encode(self, problem, prefix: str = "", text: str = "") -> tuple[tuple, tuple]:
        """(ids of prompt and prefix, ids of text)."""
        formatted = self.format(problem)
        chat = bool(self.tokenizer.chat_template)
        if formatted not in self._ids:
            ids = self.tokenizer(formatted, add_special_tokens=not chat)["input_ids"]
            if not chat and ids[-1:] == [self.tokenizer.eos_token_id] and len(ids) > 1:
                ids = ids[:-1]  # some end every text; a prompt goes on
            self._ids[formatted] = tuple(ids)
        ids = self._ids[formatted]
        ids += self.pieces(prefix, ids)
        if len(ids) >= self.limit:
            who = Problem.of(problem).id
            raise ValueError(
                f"problem {who}: prompt and prefix are {len(ids)} tokens; "
                f"{self.name or 'the model'} reads at most {self.limit - 1}, so that "
                "one can be drawn: shorten it"
            )
        return ids, self.pieces(text, ids)

    def pieces(self, text: str, after: tuple[int, ...] = ()) -> tuple[int, ...]:
        """``text`` as tokens that go on from ``after``.

        Tokenizers of SentencePiece's kind put a space before a text that stands alone:
        then it is read behind a line end, or another token that does not merge with it.
        """
        if not text:
            return ()

        def ids(text):
            return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

        alone = ids(text)
        if self.read(alone, after) == text:
            return alone
        for anchor in ("\n", ".", "0", "a"):
            head, both = ids(anchor), ids(anchor + text)
            if both[: len(head)] == head:
                tail = both[len(head) :]
                if self.read(tail, after) == text:
                    return tail
        return alone

    def ends(self, chain) -> list[int]:
        """Where in ``chain.tokens`` each of its steps ends: [steps] places.

        A step ends with a token that holds a line feed, where :meth:`extend` stops too;
        the last one ends with the chain.
        """
        known, last = self._ends_line, len(chain.tokens) - 1
        for token in set(chain.tokens) - known.keys():
            known[token] = "\n" in self.tokenizer.decode([token])
        return [i for i, t in enumerate(chain.tokens) if known[t] or i == last]

    def step_texts(self, chain) -> list[str]:
        """The text of each step of ``chain``: [steps], one for each of :meth:`ends`.

        Together they are its text. A step's token may hold a blank line besides
        (".\\n\\n"), or begin the next line; a step of eos alone is "".
        """
        if not chain.tokens:
            return lines(chain.text)
        ids, cuts = self.encode(chain.prompt, chain.prefix)[0], [0]
        for end in self.ends(chain)[:-1]:  # a cut character's other half follows it
            cuts.append(len(self.read(chain.tokens[: end + 1], ids).rstrip("\ufffd")))
        cuts.append(len(chain.text))
        return [chain.text[a:b] for a, b in zip(cuts, cuts[1:])]

    def head(self, chain, t: int):
        """The first ``t`` steps of ``chain``, as a chain that goes on."""
        size = ([-1, *self.ends(chain)])[t] + 1
        tokens, ids = chain.tokens[:size], self.encode(chain.prompt, chain.prefix)[0]
        return replace(
            chain,
            text=self.read(tokens, ids),
            tokens=tokens,
            logprobs=chain.logprobs[:size],
            finished=False,
            state=None,
        )

    def read(self, tokens, after: tuple[int, ...] = ()) -> str:
        """The text of ``tokens`` that go on from ``after``, without special ones."""
        options = dict(skip_special_tokens=True, clean_up_tokenization_spaces=False)
        if not self.strips:
            return self.tokenizer.decode(tokens, **options)
        # decoded alone, the first piece would lose its space
        before = list(after[-8:])
        head = self.tokenizer.decode(before, **options)
        both = self.tokenizer.decode([*before, *tokens], **options)
        if head and both.startswith(head):
            return both[len(head) :]
        return self.tokenizer.decode(tokens, **options)


def dated(template: str) -> str:
    """A template that writes TODAY where it would write today's date.

    transformers hands no function on to a template, so it gets a macro of that name.
    """
    if "strftime_now" not in template:
        return template
    date = "format"
    for code in "%a %A %b %B %d %H %I %j %m %M %p %S %y %Y".split():
        date += f" | replace('{code}', '{TODAY.strftime(code)}')"
    return (
        f"{{% macro strftime_now(format) %}}{{{{ {date} }}}}{{% endmacro %}}{template}"
    )


def positions(config) -> int:
    """How many tokens a model reads, prompt and chain together.

    LongRoPE turns by other angles where a text is longer than the model was first
    trained on; a chain would change in the middle, so it ends there.
    """
    ropes = getattr(config, "rope_parameters", None) or {}
    ropes = [ropes, *(r for r in ropes.values() if isinstance(r, dict))]
    limits = [getattr(config, "max_position_embeddings", None)]
    limits += [
        rope.get("original_max_position_embeddings")
        or getattr(config, "original_max_position_embeddings", None)
        for rope in ropes
        if rope.get("rope_type") == "longrope"
    ]
    return min((limit for limit in limits if limit), default=2**20)


def strips(tokenizer) -> bool:
    """Do pieces decoded one by one lose spaces that they have together?"""
    for text in ("a b", "1 2", "x = 1"):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        alone = tokenizer(" ", add_special_tokens=False)["input_ids"]
        if tokenizer.decode(ids) != "".join(tokenizer.decode([i]) for i in ids):
            return True
        if tokenizer.decode([*ids, *alone]) == tokenizer.decode(ids):
            return True
    return False
