"""The verifier as a reward function for TRL's trainers."""

from collections.abc import Callable

from ..verify import read_answer, verify


def trl_reward(problems) -> Callable:
    """The verifier as a reward function of TRL's trainers; the rewards are 0 or 1.

    Prompts and completions are texts, or conversations: lists of messages. A problem is
    found by its prompt, the last message of the user: KeyError for a prompt that none
    of them has.
    """
    known = {x.prompt: x for x in problems}

    def verifier(prompts, completions, **columns) -> list[float]:
        asked = [known[said(prompt, "user")] for prompt in prompts]
        answers = [
            read_answer(said(completion, "assistant"), x.verifier)
            for x, completion in zip(asked, completions, strict=True)
        ]
        return [float(bool(verify(x, y))) for x, y in zip(asked, answers)]

    return verifier


def said(conversation, role: str) -> str:
    """A text as it is; of a list of messages the last one's that ``role`` has said.

    A message's content is a text, or a list of parts: those of type text count.
    """
    if isinstance(conversation, str):
        return conversation
    contents = [m["content"] for m in conversation if m["role"] == role]
    content = (contents[-1] if contents else None) or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if part["type"] == "text")
