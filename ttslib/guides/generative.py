"""r_ψ as a language model: its verdict is a word, and its value the word's probability.

Slide 46: GenRM (Zhang 2024) and Ankner 2024.
"""

from contextlib import contextmanager

import numpy as np

from ..chain import Chain
from ..problems.plans import fill, line, solve
from .stream import least, noted

CHECK = "Check:"  # the line before a written check


class GenerativeVerifier:
    """The policy as its own verifier, by a LoRA adapter ``name`` on the same weights.

    The question follows the chain, and the answer is ``words[0]`` or ``words[1]``. The
    value is p(yes) / (p(yes) + p(no)). With ``check`` the verifier first writes a check
    of the chain; the value is the mean over ``n`` drawn checks (GenRM-CoT's vote). If
    it ``sees_logp``, each step is shown with the p of its least likely token, in
    tenths. A chat model is asked in a turn of the user. Before :meth:`fit` the policy
    judges without an adapter. A call leaves the policy's active adapter as it was.

    The base must know the words: words that never occurred in its training share one
    embedding, so that no adapter can tell them apart.
    """

    def __init__(
        self,
        policy,
        *,
        name: str = "verifier",
        check: bool = False,
        n: int = 1,
        words: tuple[str, str] = ("Yes", "No"),
        ask: str = "Is it right?",
        sees_logp: bool = False,
        seed: int = 0,
        **sampling,
    ):
        self.policy, self.name, self.check, self.n = policy, name, check, n
        self.words, self.ask, self.sees_logp = words, ask, sees_logp
        self.seed, self.sampling = seed, sampling

    # --- asking ----------------------------------------------------------------------
    def shown(self, chain) -> str:
        """The chain's text, with the p of each step if the verifier sees it."""
        if not (self.sees_logp and chain.logprobs):
            return chain.full_text
        steps = zip(self.policy.step_texts(chain), least(self.policy, chain))
        marked = [noted(step, int(9.999 * np.exp(p))) for step, p in steps]
        return chain.prefix + "".join(marked)

    def before(self, chain) -> str:
        """The chain and the question, as the verifier reads them."""
        text = self.shown(chain).rstrip("\n")
        if not self.policy.chats:
            return text + (f"\n{CHECK}\n" if self.check else f"\n{self.ask}")
        asked = f"{self.ask} Say {' or '.join(self.words)}."
        if self.check:
            asked = f"Check it step by step. Then write: {asked}"
        return text + self.policy.user_turn(asked)

    def answers(self) -> tuple[str, ...]:
        """The words as they follow the question: a reply in a chat has no space."""
        space = "" if self.policy.chats and not self.check else " "
        return tuple(space + word for word in self.words)

    @property
    def fitted(self) -> bool:
        """Has the verifier an adapter of its own?"""
        return self.name in self.policy.adapters

    @contextmanager
    def own(self):
        """The policy with the verifier's adapter, if there is one."""
        if not self.fitted:
            yield
            return
        before = self.policy.adapter
        try:
            self.policy.switch(self.name)
            yield
        finally:
            self.policy.switch(before)

    def __call__(self, problems, chains) -> tuple[np.ndarray, np.ndarray]:
        """(value of each chain [chains], tokens that were read and drawn [chains]).

        The cost is the chain, the question, and each check once: a sampler sees the
        verdict's probability when it goes on from its check. As everywhere, prompts
        cost nothing. Equal chains are judged once.
        """
        asked = [(x.prompt, self.before(c)) for x, c in zip(problems, chains)]
        unique = {key: x for key, x in zip(asked, problems)}
        place = {key: i for i, key in enumerate(unique)}
        befores = [before for _, before in unique]
        with self.own():
            values, tokens = self.judge(list(unique.values()), befores)
        at = [place[key] for key in asked]
        return values[at], tokens[at]

    def judge(self, problems, befores) -> tuple[np.ndarray, np.ndarray]:
        """Value and cost of each text, with the active adapter."""
        tokens = np.array([len(self.policy.pieces(text)) for text in befores], int)
        if not self.check:
            return self.verdicts(problems, befores), tokens
        options = dict(seed=self.seed) | self.sampling
        if self.fitted:  # a check ends at a blank line
            options["stop"] = "\n\n"
        rows = self.policy.sample(problems, self.n, prefix=befores, **options)
        tokens += [sum(len(c.tokens) for c in row) for row in rows]
        ends = [b + self.end(c.text) for b, row in zip(befores, rows) for c in row]
        values = self.verdicts([x for x in problems for _ in range(self.n)], ends)
        return values.reshape(-1, self.n).mean(1), tokens

    def end(self, check: str) -> str:
        """A check up to its own verdict, if it gives one, and the question."""
        at = check.rfind(self.ask)
        return check[: at if at >= 0 else None].rstrip("\n") + f"\n\n{self.ask}"

    def verdicts(self, problems, befores) -> np.ndarray:
        """p(yes) / (p(yes) + p(no)) of the next word after each text; NaN where 0/0."""
        yes, no = self.policy.next_logprobs(problems, befores, self.answers()).T
        with np.errstate(invalid="ignore", over="ignore"):
            return 1 / (1 + np.exp(no - yes))

    # --- learning --------------------------------------------------------------------
    def fit(
        self,
        problems,
        chains,
        right,
        checks=None,
        *,
        rank: int = 16,
        emphasis: float = 10.0,
        seed: int = 0,
        **training,
    ) -> list[float]:
        """Train the adapter, from the base on; loss per step.

        ``right`` [chains] is Ver_x, or a chance from 0 to 1 where no check is written;
        both verdicts weigh the same in all. ``checks`` [chains] are texts to be written
        before the verdict, "" to leave a chain out; by default :func:`teach`'s, where
        they come to the right verdict. With a check, the words count ``emphasis``
        times, as they are few. Options as :meth:`ttslib.policy.Policy.fit`.
        """
        right = np.asarray(right, float)
        if not ((right >= 0) & (right <= 1)).all():
            raise ValueError("what is right is a verdict, or a chance from 0 to 1")
        if not self.check:
            checks = [""] * len(chains)
        elif checks is None:
            taught = [teach(x, c, self.words) for x, c in zip(problems, chains)]
            checks = [t if good == r else "" for (t, good), r in zip(taught, right)]
        share = np.array([right.mean(), 1 - right.mean()]).clip(1e-9)
        examples = []
        for x, chain, check, r in zip(problems, chains, checks, right, strict=True):
            if self.check and not check:
                continue
            asked = self.before(chain)
            for word, weight in zip(self.answers(), (r, 1 - r) / share / 2):
                if weight:
                    told = self.told(x, asked, check, word, emphasis)
                    examples.append((x, told[0], weight * told[1]))
        before = self.policy.adapter
        try:
            self.policy.attach(rank, 2 * rank, name=self.name, seed=seed)
            return self.policy.fit(examples, **training)
        finally:
            self.policy.switch(before)

    def told(self, problem, before: str, check: str, word: str, emphasis: float):
        """(check and verdict as they go on from ``before``, weights of the tokens).

        The question between them is given, not learned: it weighs nothing.
        """
        if not self.check:
            tokens = self.policy.encode(problem, before, word)[1]
            chain = Chain(problem.prompt, word, tokens, finished=True, prefix=before)
            return chain, np.ones(len(chain.tokens))
        head = self.end(check)[: -len(self.ask)]
        parts = [self.policy.pieces(text) for text in (head, self.ask, word)]
        words = {t for w in self.words for t in self.policy.pieces(f" {w}")}
        weights = [emphasis if t in words else 1.0 for part in parts for t in part]
        weights[len(parts[0]) : len(parts[0]) + len(parts[1])] = [0.0] * len(parts[1])
        text = head + self.ask + word
        tokens = sum(map(tuple, parts), ())
        chain = Chain(problem.prompt, text, tokens, finished=True, prefix=before)
        return chain, np.array(weights)


def judge_steps(verifier, problem, steps: list[str]) -> np.ndarray:
    """The value of each step for ``verifier``, or a guide that reads text: [steps].

    A step is judged by all the text up to it (ProcessBench, Zheng 2024).
    """
    texts = ["\n".join(steps[: t + 1]) for t in range(len(steps))]
    chains = [Chain(problem.prompt, text) for text in texts]
    return verifier([problem] * len(steps), chains)[0]


# --- who teaches the checks ---------------------------------------------------------
def teach(problem, chain, words=("Yes", "No")) -> tuple[str, bool]:
    """(a check of ``chain``, its verdict) by a teacher who knows the story's plan.

    The plan (``problem.data["plan"]``) is the story's solution; GenRM's rationales are
    likewise written beside a reference solution. The check computes each step anew. The
    chain's own result follows in brackets, and then one of ``words``. The check ends at
    the first step that differs; a step that the chain skips has no mark.
    """
    plan, stated, out = problem.data["plan"], steps_of(chain), []
    results = solve(plan)
    for i, (label, parts) in enumerate(plan):
        true = line(label, fill(parts, results), results[i]).strip()
        at = [t for t, step in enumerate(stated) if step.startswith(f"{label}:")]
        if not at:
            out.append(f"{true}.")
            continue
        result, stated = stated[at[0]].split("=")[-1].strip(), stated[at[0] + 1 :]
        good = result == str(results[i])
        out.append(f"{true} ({result}), {words[not good]}.")
        if not good:
            return "\n".join(out) + "\n", False
    good = chain.answer == problem.gold
    out.append(f"Answer: {problem.gold} ({chain.answer}), {words[not good]}.\n")
    return "\n".join(out), good


def steps_of(chain) -> list[str]:
    """The steps of a story's chain, without those that it took back."""
    out: list[str] = []
    for step in chain.steps:
        if step == "Go back.":
            out = out[:-1]
        elif not step.startswith(("Plan:", "Check:", "Answer:")):
            out.append(step)
    return out
