"""The embedded base policy: what it reads, what it was taught, and with what."""

import json
import random

import pytest

from ttslib.problems import EMBEDDED, load, planted
from ttslib.tools import train_tiny

# How later chapters write: the one tokenizer must know every word. A sentence a line,
# as a capital in the middle of a line is another token, which few words have.
FORMATS = """Check the work.
Try again.
Attempt 2:
This is wrong, because 3 * 4 = 12.
So the answer is not 13.
Is it right? Yes
Is this step right? No
Step 2 is wrong.
Verdict: wrong
Verdict: Yes, the answer is correct.
Score: 7
Value: 0.75
6 - 2 = 4, left 4 5 9 Value: 8
Target: 24
Try 6 - 2 = 4, left 4 5 9
Next node: 4 5 9, too far.
Dead end.
Go back.
Goal reached: (6 - 2) * 5 + 4
No way from 4 5, go back to the start.
Hint: the answer is 146.
Wait, that is a mistake.
Let us try another way.
Option 1: start over, option 2: keep it.
Plan: hours, then made, then good.""".splitlines()


@pytest.fixture(scope="module")
def tokenizer():
    return train_tiny.make_tokenizer()


def known(tokenizer, text: str) -> bool:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return tokenizer.unk_token_id not in ids and tokenizer.decode(ids) == text


def test_every_chapters_formats_are_read_whole(tokenizer):
    texts = FORMATS + [planted.AGAIN]
    for name in EMBEDDED:
        for split in ("train", "test"):
            texts += [x.prompt + x.chain for x in load(name, split, 150)]
    texts += [prompt + chain for prompt, chain in train_tiny.examples(3000, seed=1)]
    assert [text for text in texts if not known(tokenizer, text)] == []


def test_the_shipped_tokenizer_is_the_lists(tokenizer):
    from transformers import AutoTokenizer

    shipped = AutoTokenizer.from_pretrained(train_tiny.HOME)
    assert shipped.get_vocab() == tokenizer.get_vocab()
    config = json.loads((train_tiny.HOME / "config.json").read_text())
    assert config["vocab_size"] == len(tokenizer)
    assert config["max_position_embeddings"] == train_tiny.CONTEXT
    assert config["num_key_value_heads"] == 1


def test_the_list_holds_no_token_twice():
    groups = json.loads(train_tiny.VOCABULARY.read_text(encoding="utf-8"))
    tokens = sum(groups.values(), [])
    assert len(tokens) == len(set(tokens))


def test_a_few_percent_are_second_attempts_at_a_story_of_the_train_split():
    """The share is 5 %; of 4,000 within four standard errors (false alarm 6e-5)."""
    prompts = [prompt for prompt, _ in train_tiny.examples(4000, seed=2)]
    second = [p for p in prompts if p.endswith(planted.AGAIN)]
    assert abs(len(second) / 4000 - 0.05) < 4 * (0.05 * 0.95 / 4000) ** 0.5
    assert all(p.count("\nAnswer: ") == 1 for p in second)


def test_right_first_attempts_are_mostly_kept_and_wrong_ones_sometimes_mended():
    """Of 3,000 pairs; bounds from KEPT and MENDED, five standard errors away.

    A right one that is not kept may still be told rightly anew, and a wrong one that
    is not mended may come out right by chance: both add to the shares.
    """
    rng, after = random.Random(0), {True: [], False: []}
    for _ in range(3000):
        _, p = train_tiny.story.make(rng, "easy")
        first, second = planted.retold(rng, p)
        answer = f"Answer: {p['gold']}"
        after[first.endswith("\n" + answer) or first == answer].append(
            second.endswith("\n" + answer) or second == answer
        )
    kept, mended = (sum(after[k]) / len(after[k]) for k in (True, False))
    assert planted.KEPT - 0.05 < kept < 1
    assert planted.MENDED - 0.06 < mended < planted.MENDED + 0.5
