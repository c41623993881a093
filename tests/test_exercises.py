"""Every solution is right by the check that a reader meets; wrong ones are not."""

import importlib.util
import re
from pathlib import Path

import pytest

from ttslib import exercises
from ttslib.tools.chapters import ROOT, chapters

HERE = Path(__file__).parent
NUMBERS = [path.name[:2] for path in chapters(ROOT / "notebooks")]


def references(number: str) -> dict:
    return importlib.import_module(f"ttslib.exercises.chapter_{number}").CHECKS


def wrong_answers(number: str) -> dict:
    path = HERE / "wrong_answers" / f"chapter_{number}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WRONG


@pytest.mark.parametrize("number", NUMBERS)
def test_every_solution_runs_and_is_right(number, monkeypatch):
    """The code of a solutions page, top to bottom, as a reader would paste it."""
    (page,) = (ROOT / "notebooks" / "solutions").glob(f"{number}_*.md")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(), re.S))
    results = {}

    def check(name, value, check=exercises.check):
        results[name] = check(name, value)
        return results[name]

    monkeypatch.setattr(exercises, "check", check)
    exec(compile(code, str(page), "exec"), {"__name__": "solutions"})
    assert not [r for r in results.values() if not r], "a solution is refused"
    assert sorted(results) == sorted(f"{number}.{i}" for i in references(number))


@pytest.mark.parametrize("number", NUMBERS)
def test_wrong_answers_get_a_hint(number):
    wrong = wrong_answers(number)
    assert sorted(wrong) == sorted(f"{number}.{i}" for i in references(number))
    for name, values in wrong.items():
        assert len(values) >= 2
        for value in values:
            said = exercises.check(name, value)
            assert not said and len(said.hint) > 20, (name, value, said)


def test_what_is_not_tried_raised_or_unknown_says_so():
    assert "not tried" in exercises.check(f"{NUMBERS[0]}.1", None).hint
    with pytest.raises(ValueError, match="no exercise '99.1'"):
        exercises.check("99.1", 1)
