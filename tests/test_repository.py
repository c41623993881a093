"""What the repository says of itself, compared with what is so."""

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ttslib.tools import lock
from ttslib.tools.chapters import PICTURE, ROOT, chapters, first_picture

LIGHT = ("problems", "verify", "stats", "claims", "figures")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DEPENDENCIES = PYPROJECT["project"]["dependencies"]
# where `make lock` runs
LINUX = {"platform_system": "Linux", "sys_platform": "linux", "os_name": "posix"}
OLDEST = LINUX | {"python_version": "3.11", "python_full_version": "3.11.0"}


def pins() -> dict[str, str]:
    """What requirements.lock holds: versions by normalized name."""
    lines = lock.LOCK.read_text().splitlines()
    return dict(line.split("==") for line in lines if line[0] != "#")


def asked(group: str) -> list[Requirement]:
    """A dependency group of pyproject.toml, with the groups that it includes."""
    found = []
    for entry in PYPROJECT["dependency-groups"][group]:
        more = isinstance(entry, dict)
        found += asked(entry["include-group"]) if more else [Requirement(entry)]
    return found


def direct() -> list[Requirement]:
    """What pyproject.toml asks for: the library, its extras, and the group dev."""
    extras = sum(PYPROJECT["project"]["optional-dependencies"].values(), [])
    found = [*map(Requirement, DEPENDENCIES + extras), *asked("dev")]
    return [r for r in found if r.name != "ttslib"]


def targets() -> list[str]:
    return re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)


def test_the_lock_holds_what_is_asked_for_and_whatever_that_requires():
    """As on Linux with Python 3.11, and without CUDA, whose libraries torch pins."""
    locked = pins()
    todo, seen = direct(), set()
    while todo:
        need = todo.pop()
        name = canonicalize_name(need.name)
        assert locked[name] in need.specifier, f"{need}, but {locked[name]} is locked"
        if (name, *need.extras) in seen:
            continue
        seen.add((name, *need.extras))
        for line in importlib.metadata.requires(name) or []:
            more = Requirement(line)
            needed = not more.marker or any(
                more.marker.evaluate(OLDEST | {"extra": e}) for e in ["", *need.extras]
            )
            if needed and not lock.OF_TORCH.match(more.name):
                todo.append(more)
    assert {name for name, *_ in seen} == set(locked), "make lock"


def test_the_lock_names_packages_and_versions_and_nothing_of_this_machine():
    text = lock.LOCK.read_text()
    entries = [line for line in text.splitlines() if line[0] != "#"]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][a-z0-9.]*", e) for e in entries)
    assert list(pins()) == sorted(pins()) and len(pins()) == len(entries)
    assert not [name for name in pins() if lock.OF_TORCH.match(name)]


def test_the_lock_keeps_names_and_releases_of_what_pip_resolves(monkeypatch):
    found = "Sphinx 9.0.4, ruamel.yaml.clib 1, torch 2.13.0+cpu, ttslib 0.1.0, a_b 2"
    found += ", nvidia-cublas 13.0, cuda-bindings 13.0, triton 3.7, tritonclient 2"
    pairs = [dict(zip(("name", "version"), p.split())) for p in found.split(", ")]
    report = json.dumps({"install": [{"metadata": pair} for pair in pairs]})
    done = subprocess.CompletedProcess([], 0, stdout=report)
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: done)
    assert " ".join(lock.resolve()) == (
        "a-b==2 ruamel-yaml-clib==1 sphinx==9.0.4 torch==2.13.0 tritonclient==2"
    )


def test_conda_and_pip_read_the_same_pins():
    lines = [f"{name}=={version}" for name, version in pins().items()]
    assert lock.CONDA.read_text() == lock.conda(lines), "make lock"
    conda = yaml.safe_load(lock.CONDA.read_text())["dependencies"]
    assert conda[-1] == {"pip": lines}


def test_what_is_installed_is_what_is_pinned():
    wanted = pins() | {r.name: str(r.specifier)[2:] for r in asked("no-deps")}
    # a local version (torch's +cpu) is the same release, built for other hardware
    found = {
        canonicalize_name(d.name): d.version.split("+")[0]
        for d in importlib.metadata.distributions()
    }
    for need in direct() + asked("no-deps"):
        assert canonicalize_name(need.name) in found
    # another Python or system may do without some of the rest
    both = set(found) & set(wanted)
    assert {n: found[n] for n in both} == {n: wanted[n] for n in both}


def imports(path):
    """Names of the modules that a file imports, relative imports left out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


def test_what_the_library_imports_is_declared():
    """Only its tools may use what is for the repository, such as the group docs."""
    packages = importlib.metadata.packages_distributions()
    library = {canonicalize_name(Requirement(line).name) for line in DEPENDENCIES}
    repository = {canonicalize_name(r.name) for r in direct() + asked("no-deps")}
    for path in (ROOT / "ttslib").rglob("*.py"):
        known = repository if "tools" in path.parts else library
        for name in imports(path):
            top = name.split(".")[0]
            found = set(map(canonicalize_name, [top, *packages.get(top, [])]))
            installed = top in packages and top not in ("ttslib", "setuptools")
            assert not installed or found & known, f"{path} imports {name}"


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
    same = PICTURE.read_bytes() == first_picture(chapter)  # no diff of two pictures
    assert same, "make chapters writes data/coverage.png"
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


def test_importing_the_light_rooms_loads_only_numpy():
    """Whatever else they need they import where it is used: a bare import is fast."""
    modules = ", ".join(f"ttslib.{room}" for room in LIGHT)
    script = f"import sys; old = set(sys.modules); import {modules}; "
    script += "print(*{m.partition('.')[0] for m in set(sys.modules) - old})"
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split()) - sys.stdlib_module_names
    assert {m for m in loaded if m in importlib.metadata.packages_distributions()} == {
        "numpy",
        "ttslib",
    }
