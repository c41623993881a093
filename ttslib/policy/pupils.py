"""Enumerable pupils who solve the talk's story of the four baskets (slide 22)."""

from ..problems import Problem
from .enumerable import Enumerable


def baskets(skill: float = 0.6) -> tuple[Problem, Enumerable]:
    """The talk's worked example (slide 22) with a pupil who may err at each step.

    ``skill`` is the chance to take the lesser basket's difference three times, once a
    fruit, not once. Below 14/31 the wrong answer 150 is the likeliest.
    """
    (problem, *_), policy = classroom(skill)
    return problem, policy


def classroom(skill: float = 0.6) -> tuple[list[Problem], Enumerable]:
    """Three stories like the talk's, and a pupil with one mind about each choice.

    In the last of them the basket holds less *in all*, so that taking the difference
    once is right there: no pupil can be sure of every story, and learning ends within.
    """
    stories = [((9, 15, 14), 2, True), ((8, 10, 12), 3, True), ((5, 6, 7), 9, False)]
    problems, trees = [], {}
    for number, (fruits, less, each) in enumerate(stories):
        apples, oranges, bananas = fruits
        prompt = (
            f"There are 4 baskets. Each of the first 3 holds {apples} apples, "
            f"{oranges} oranges and {bananas} bananas. The last one holds {less} less "
            f"{'of each fruit' if each else 'in all'}. How many fruits are there?\n"
        )
        gold = str(4 * sum(fruits) - less * (3 if each else 1))
        name = f"baskets/{number}" if number else "baskets"
        problems.append(Problem(name, "story", prompt, gold, "mathematics"))
        trees[prompt] = pupil(fruits, less, skill)
    return problems, Enumerable(trees, tie=lambda tree: next(iter(tree)).split(":")[0])


def pupil(fruits: tuple[int, int, int], less: int, skill: float) -> dict:
    """The tree of a pupil who solves one story, each error with its chance."""

    def step(label, options, then):
        """options: (arithmetic, result, probability)."""
        return {f"{label}: {a} = {r}\n": (p, then(r)) for a, r, p in options}

    def three(one):
        right, wrong = (f"{one} * 3", one * 3, 0.9), (f"{one} * 4", one * 4, 0.1)
        return step("Three baskets", [right, wrong], lambda all3: last(one, all3))

    def last(one, all3):
        thrice = (f"{one} - {3 * less}", one - 3 * less, skill)
        once = (f"{one} - {less}", one - less, 1 - skill)
        return step("Last basket", [thrice, once], lambda r: total(all3, r))

    def total(all3, r):
        y = all3 + r
        return {f"Answer: {y}": (0.9, {}), f"Answer: {y + 10}": (0.1, {})}

    one, text = sum(fruits), " + ".join(map(str, fruits))
    return step("One basket", [(text, one, 0.85), (text, one - 1, 0.15)], three)
