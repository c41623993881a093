"""A problem as the ids that a model reads, and ids as text."""

import datetime
import math
from dataclasses import replace

from ...chain import lines
from ...problems import Problem

INSTRUCTION = (
    "Solve the problem. Write one short step a line. "
    "Then end with a line that says 'Answer: ' and the answer."
)
# Templates that write the date write this one: a seed draws the same chain tomorrow.
TODAY = datetime.date(2024, 7, 26)


class Reader:
    """A tokenizer with its template, for a model of ``limit`` positions.

    ``vocabulary`` is the number of the model's embeddings.
    """

    def __init__(self, tokenizer, limit: int, vocabulary=math.inf, name: str = ""):
        self.tokenizer, self.limit, self.name = tokenizer, limit, name
        self.vocabulary = vocabulary
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
        if not self.chats:
            return x.prompt
        return self.talk([("user", f"{INSTRUCTION}\n\n{x.prompt.strip()}")])

    @property
    def chats(self) -> bool:
        """Does the model expect turns of a user?"""
        return bool(self.tokenizer.chat_template)

    def user_turn(self, asked: str) -> str:
        """What stands between a chain of a chat model and its answer to ``asked``."""
        mark = "~chain~"
        text = self.talk([("user", mark), ("assistant", mark), ("user", asked)])
        return text.split(mark)[-1]

    def talk(self, turns: list[tuple[str, str]]) -> str:
        """(role, content) of each turn in the chat template, up to the next reply.

        ValueError if the template, which is a program, fails or leaves a turn out.
        """
        why = "it leaves a turn out"
        # Some templates, of models that see images too, want a list of parts.
        for form in (str, lambda text: [{"type": "text", "text": text}]):
            try:
                text = self.tokenizer.apply_chat_template(
                    [{"role": role, "content": form(said)} for role, said in turns],
                    tokenize=False,
                    add_generation_prompt=True,
                    chat_template=dated(self.tokenizer.get_chat_template()),
                )
                if all(said in text for _, said in turns):
                    return text
            except Exception as error:
                why = error
        raise ValueError(
            f"the chat template of {self.name or 'the model'} can't write "
            f"{turns[-1][1][-60:]!r} ({why}): give it another chat_template, "
            "or None for bare prompts"
        )

    def encode(self, problem, prefix: str = "", text: str = "") -> tuple[tuple, tuple]:
        """(ids of prompt and prefix, ids of text)."""
        formatted = self.format(problem)
        chat = self.chats
        if formatted not in self._ids:
            ids = self.tokenizer(formatted, add_special_tokens=not chat)["input_ids"]
            if not chat and ids[-1:] == [self.tokenizer.eos_token_id] and len(ids) > 1:
                ids = ids[:-1]  # some end every text; a prompt goes on
            self._ids[formatted] = self.embeddable(tuple(ids))
        ids = self._ids[formatted]
        ids += self.pieces(prefix, ids)
        if not ids:
            who = Problem.of(problem).id
            raise ValueError(f"problem {who}: its prompt has no token")
        if len(ids) >= self.limit:  # one token at least is to be drawn
            self.refuse_length(problem, "prefix", len(ids), self.limit - 1)
        return ids, self.pieces(text, ids)

    def refuse_length(self, problem, what: str, length: int, limit: int):
        raise ValueError(
            f"problem {Problem.of(problem).id}: prompt and {what} are {length} tokens; "
            f"{self.name or 'the model'} reads at most {limit} of them: shorten it"
        )

    def pieces(self, text: str, after: tuple[int, ...] = ()) -> tuple[int, ...]:
        """``text`` as tokens that go on from ``after``.

        SentencePiece tokenizers put a space before a text that stands alone. Such a
        text is tokenized behind an anchor, a token that does not merge with it.
        """
        if not text:
            return ()

        def ids(text):
            found = tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])
            return self.embeddable(found)

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

    def embeddable(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """``ids`` as they are; ValueError for a token that has no embedding."""
        if max(ids, default=0) >= self.vocabulary:
            token = self.tokenizer.convert_ids_to_tokens(max(ids))
            raise ValueError(
                f"{self.name or 'the model'} has {self.vocabulary} embeddings and none "
                f"for {token!r}, id {max(ids)}: take the tokenizer that it was trained "
                "with, or resize its embeddings and train them"
            )
        return ids

    def ends(self, chain) -> list[int]:
        """Where in ``chain.tokens`` each of its steps ends: [steps] places.

        A step ends with a token that holds a line feed, as :meth:`extend` stops there
        too. The last step ends with the chain.
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
        """The text of ``tokens`` behind ``after``; special tokens are left out."""
        options = dict(skip_special_tokens=True, clean_up_tokenization_spaces=False)
        if not self.strips:
            return self.tokenizer.decode(tokens, **options)
        # The first piece would lose its space if it were decoded alone.
        before = list(after[-8:])
        head = self.tokenizer.decode(before, **options)
        both = self.tokenizer.decode([*before, *tokens], **options)
        if head and both.startswith(head):
            return both[len(head) :]
        return self.tokenizer.decode(tokens, **options)


def dated(template: str) -> str:
    """``template`` with TODAY in place of today's date.

    A macro in the template shadows transformers' function ``strftime_now``.
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

    LongRoPE uses other angles for texts beyond the original length. A chain that
    crosses it would change in the middle, so the limit is the original length.
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
    """Does decoding pieces one by one lose spaces that decoding them together keeps?"""
    for text in ("a b", "1 2", "x = 1"):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        alone = tokenizer(" ", add_special_tokens=False)["input_ids"]
        if tokenizer.decode(ids) != "".join(tokenizer.decode([i]) for i in ids):
            return True
        if tokenizer.decode([*ids, *alone]) == tokenizer.decode(ids):
            return True
    return False
