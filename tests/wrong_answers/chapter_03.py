"""Wrong answers to chapter 03's exercises; each must get a hint."""


def adds(xs):
    return sum(xs)


def last_number(answer, gold):
    import re

    return re.findall(r"-?\d+", answer)[-1:] == [str(gold)]


def runs_it(answer, gold):
    return answer.strip(" $").isdigit() and eval(answer.strip(" $")) == gold


WRONG = {
    "03.1": [1 - 0.7**4, 1 / 6, "1/2"],
    "03.2": ["def f(xs):\n    return sum(xs)", "def f(xs):\n    return max(xs)", adds],
    "03.3": [last_number, runs_it, lambda answer, gold: float(answer) == gold],
    "03.4": [100, 7, 1000],
    "03.5": [
        lambda p, e: 1 - e,
        lambda p, e: p / (p + e),
        lambda p, e: p,
        lambda p, e: 1.0,
    ],
}
