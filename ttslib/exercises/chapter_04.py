"""Chapter 04, roll-outs: what a right solution does."""

from math import isclose


def n_worst(value) -> str:
    if float(value) == 100:
        return ""
    if float(value) > 100:
        return "that is enough, but fewer do: where is p(1 - p) largest?"
    return "too few: at that n the value 1/2 has a standard error above 0.05"


def n_silent(value) -> str:
    from ..stats import wilson

    if float(value) != int(value) or value < 1:
        return "a whole number of roll-outs is asked for, one or more"
    if wilson(0, int(value))[2] >= 0.05:
        return f"too few: after {int(value)} failures the interval reaches 5 % or more"
    if wilson(0, int(value) - 1)[2] < 0.05:
        return "that is enough, but one roll-out less would do as well"
    return ""


def v37(value) -> str:
    from ..policy import baskets
    from ..verify import verify

    problem, policy = baskets()
    exact = policy.value(problem, verify, "One basket: 9 + 15 + 14 = 37\n")
    if isclose(float(value), exact, abs_tol=5e-4):
        return ""
    if isclose(float(value), 0, abs_tol=5e-4):
        return "not lost yet: a second error can cancel the first, find that path"
    return "go from the leaves up: each value is the mean of the next ones"


LOST = (
    "One basket: 9 + 15 + 14 = 38\n"
    "Three baskets: 38 * 3 = 114\n"
    "Last basket: 38 - 2 = 36\n"
)


def roll_out(function) -> str:
    """Within five standard errors of the exact value, at each of five prefixes."""
    from ..policy import baskets
    from ..verify import verify

    problem, policy = baskets()
    steps = LOST.splitlines(keepends=True)
    prefixes = ["".join(steps[:t]) for t in range(4)]
    prefixes.append(steps[0].replace("38", "37"))
    for prefix in prefixes:
        exact = policy.value(problem, verify, prefix)
        found = float(function(policy, problem, prefix, 1000))
        if abs(found - exact) > 5 * (exact * (1 - exact) / 1000) ** 0.5:
            after = prefix.splitlines()[-1] if prefix else "nothing"
            return (
                f"after {after!r}: {found:.3f} is not what 1,000 roll-outs from there "
                "should give; does every one of them begin with the prefix?"
            )
    few = [float(function(policy, problem, prefixes[2], n)) * n for n in (1, 2, 3)]
    if any(abs(c - round(c)) > 1e-9 for c in few) or few[0] not in (0, 1):
        return "with n = 1 the mean must be 0 or 1: draw n roll-outs, no more, no fewer"
    return ""


# what a step may be: (its probability, its value); the better one is not always likely
FORKS = (((0.6, 0.2), (0.4, 0.8)), ((0.5, 0.8), (0.5, 0.2)))


def crossings():
    """(policy, problem, chain, value of the best child), ten of them.

    Of the four children that ``extend`` draws two are good (0.8) and two bad (0.2),
    every other time a bad one first. Some chains have a prefix, or steps, already.
    """
    from ..policy import Enumerable
    from ..problems import Problem

    for case in range(10):
        prompt = f"Which way, number {case}?\n"
        fork = {
            f"Way {i}\n": (p, {"Answer: 7": (v, {}), "Answer: 8": (1 - v, {})})
            for i, (p, v) in enumerate(FORKS[case % 4 // 2])
        }
        late, given = case % 3 == 1, case % 3 == 2
        tree = {"We walk.\n": (1.0, fork)} if late or given else fork
        policy = Enumerable({prompt: tree})
        problem = Problem(f"way/{case}", "story", prompt, "7", "mathematics")
        prefix = "We walk.\n" if given else ""
        for index in range(1000):
            chain = policy.start(problem, prefix=prefix, index=index)
            if late:
                (chain,) = policy.extend([chain])
            (children,) = policy.extend([chain], 4)
            values = [worth(policy, problem, child) for child in children]
            if values.count(0.8) == 2 and values[0] == (0.2, 0.8)[case % 2]:
                break
        yield policy, problem, chain, 0.8


def worth(policy, problem, child) -> float:
    from ..verify import verify

    return round(policy.value(problem, verify, child.full_text), 6)


def lookahead(function) -> str:
    for policy, problem, chain, best in crossings():
        child = function(policy, problem, chain)
        if not hasattr(child, "prefix"):
            return "return the child itself, a Chain, and not its place or its value"
        if len(child.steps) != len(chain.steps) + 1:
            return "the child must be one step longer than the chain, no more, no less"
        if worth(policy, problem, child) < best:
            return (
                f"{problem.prompt.strip()!r}: a better child was among the four; value "
                "each by roll-outs from its own prefix + text"
            )
    return ""


def half(value) -> str:
    exact = 0.3 * 0.7 * (1 / 8 + 1 / 24) / 2
    if isclose(float(value), exact, rel_tol=1e-3):
        return ""
    if isclose(float(value), 2 * exact, rel_tol=1e-3):
        return "that is the mean of the squared difference itself: half of it is asked"
    return "the two are independent, so variances add: which variance has each mean?"


CHECKS = {
    "1": n_worst,
    "2": n_silent,
    "3": v37,
    "4": roll_out,
    "5": lookahead,
    "6": half,
}
