"""What a reader may plausibly answer in chapter 04, and should not."""

import random

from ttslib.guides import rollout_value
from ttslib.verify import verify


def ignores_the_prefix(policy, problem, prefix, n):
    return rollout_value(policy, [problem], [""], n, verify)[0][0]


def greedy(policy, problem, prefix, n):
    rows = policy.sample([problem], n, prefix=prefix, temperature=0)
    return sum(bool(verify(problem, chain.answer)) for chain in rows[0]) / n


def exact(policy, problem, prefix, n):
    return policy.value(problem, verify, prefix)


def any_passes(policy, problem, prefix, n):
    (row,) = policy.sample([problem], n, prefix=prefix)
    return float(any(verify(problem, chain.answer) for chain in row))


def children_of(policy, chain):
    return policy.extend([chain], 4)[0]


def first_child(policy, problem, chain):
    return children_of(policy, chain)[0]


RNG = random.Random(0)


def any_child(policy, problem, chain):
    return RNG.choice(children_of(policy, chain))


def likeliest_child(policy, problem, chain):
    return max(children_of(policy, chain), key=lambda child: child.logprob)


def by_value(policy, problem, chain):
    children = children_of(policy, chain)
    prefixes = [child.full_text for child in children]
    value, _, _ = rollout_value(policy, [problem] * 4, prefixes, 32, verify)
    return children, list(value)


def worst_child(policy, problem, chain):
    children, value = by_value(policy, problem, chain)
    return children[value.index(min(value))]


def its_place(policy, problem, chain):
    _, value = by_value(policy, problem, chain)
    return value.index(max(value))


def whole_chain(policy, problem, chain):
    return policy.sample([problem], 1, prefix=chain.full_text)[0][0]


WRONG = {
    "04.1": [20, 99, 101, 400],
    "04.2": [72, 74, 8, 72.5],
    "04.3": [0, 0.36, 0.462],
    "04.4": [ignores_the_prefix, greedy, exact, any_passes],
    "04.5": [
        first_child,
        any_child,
        likeliest_child,
        worst_child,
        its_place,
        whole_chain,
    ],
    "04.6": [0.035, 0.21, 0.02625],
}
