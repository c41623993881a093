"""What the repository says of itself, compared with what is so."""

import importlib.metadata
import importlib.util
import re
import statistics
import subprocess
import sys

import pytest
import yaml

from ttslib.tools.chapters import PICTURE, ROOT, chapters, first_picture

LIGHT = ("problems", "verify", "store", "stats", "claims", "figures")
SECONDS = 0.3


def pins(name: str) -> list[str]:
    lines = (
        line.split("#")[0].strip() for line in (ROOT / name).read_text().split("\n")
    )
    return [line for line in lines if line]


def targets() -> list[str]:
    return re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)


def test_conda_and_pip_read_the_same_pins():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (pip,) = [entry["pip"] for entry in conda if isinstance(entry, dict)]
    assert pip == pins("requirements.txt")


@pytest.mark.parametrize(
    "pin",
    [p for end in ("", "-nodeps", "-trl") for p in pins(f"requirements{end}.txt")],
)
def test_what_is_installed_is_what_is_pinned(pin):
    name, version = pin.split("==")
    # a local version (torch's +cpu) is the same release, built for other hardware
    assert importlib.metadata.version(name).split("+")[0] == version


def test_help_lists_every_target():
    command = ["make", "--no-print-directory", "-C", str(ROOT)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^make (\w+) +\S", said, re.M) == targets()
    phony = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.M)[1]
    assert phony.split() == targets()


def test_commands_of_the_readme_exist():
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("no README yet")
    named = re.findall(r"(?:^|`)make +([a-z]+)\b", readme.read_text(), re.M)
    assert named and set(named) <= set(targets())


def test_the_picture_of_the_readme_is_the_chapters():
    chapter = ROOT / "notebooks" / "03_verifiers.ipynb"
    assert PICTURE.read_bytes() == first_picture(chapter)
    assert "(data/coverage.png)" in (ROOT / "README.md").read_text()


def test_the_readme_lists_every_chapter_and_every_link_leads_somewhere():
    readme = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\(([^)#]+)\)", readme)
    assert not [link for link in links if not (ROOT / link).exists()]
    assert [ROOT / x for x in links if x.endswith(".ipynb")] == chapters(
        ROOT / "notebooks"
    )


def test_the_workflow_only_calls_ci_run():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]


def test_import_is_fast_and_loads_no_torch():
    found = [m for m in LIGHT if importlib.util.find_spec(f"ttslib.{m}")]
    modules = ", ".join(["ttslib", *(f"ttslib.{m}" for m in found)])
    script = (
        f"import time; t = time.perf_counter(); import {modules};"
        "print(time.perf_counter() - t); import sys; print('torch' in sys.modules)"
    )

    def measure():
        run = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        seconds, torch = run.stdout.split()
        assert torch == "False", f"torch is loaded by importing {modules}"
        return float(seconds)

    medians = []  # of three, up to three times: another process may hold the cores
    while len(medians) < 3 and not (medians and medians[-1] < SECONDS):
        medians.append(statistics.median(measure() for _ in range(3)))
    assert min(medians) < SECONDS, f"{min(medians):.2f} s to import {modules}"
