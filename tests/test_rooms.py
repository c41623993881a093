"""The order of the rooms: who may import whom, and who needs no torch."""

import ast
import subprocess
import sys

import pytest

from ttslib.tools.chapters import ROOT

# As ttslib/__init__ says: a room knows only those before it.
ORDER = (
    "problems verify chain stats policy guides search learn claims figures "
    "exercises tools"
).split()
LIGHT = "problems verify chain stats guides search claims figures policy".split()
HEAVY = {"torch", "transformers", "peft", "accelerate", "bitsandbytes", "safetensors"}
PACKAGE = ROOT / "ttslib"
FILES = sorted(
    p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or p.stem[0] != "_"
)


def name_of(path) -> list[str]:
    """['ttslib', 'policy', 'engine']; of a folder's face ['ttslib', 'policy']."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


def imported(path):
    """(names in full, whether at the top level) of each import in ``path``."""
    tree = ast.parse(path.read_text())
    here = name_of(path) if path.stem == "__init__" else name_of(path)[:-1]
    for node in ast.walk(tree):
        top = node in tree.body
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, top
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            for alias in node.names:
                yield ".".join([*base, alias.name]), top


@pytest.mark.parametrize("path", FILES, ids=lambda p: ".".join(name_of(p)[1:]))
def test_a_room_knows_only_those_before_it(path):
    room = name_of(path)[1]
    assert room in ORDER, f"{room}: give it its place in the order"
    for name, _ in imported(path):
        parts = name.split(".")
        if parts[0] != "ttslib" or len(parts) == 1:
            continue
        assert parts[1] in ORDER, f"{path.name} imports {name}, which is no room"
        assert ORDER.index(parts[1]) <= ORDER.index(room), f"{room} knows {name}"
        # within a room no file imports the room's face, which imports it
        assert parts[1] != room or len(parts) > 2 or path.parent == PACKAGE


def test_the_order_is_the_one_that_the_package_tells():
    assert ", ".join(ORDER) in " ".join((PACKAGE / "__init__.py").read_text().split())


def test_no_file_is_longer_than_a_reader_bears():
    sizes = {p: len(p.read_text().splitlines()) for p in FILES}
    bounds = {p: 400 if name_of(p)[1] == "tools" else 375 for p in FILES}
    assert not {p.name: n for p, n in sizes.items() if n > bounds[p]}


def test_machinery_lies_behind_its_rooms_door():
    """Tools may look inside; no room imports a tool."""
    for path in FILES:
        room = name_of(path)[1]
        if room == "tools":
            continue
        names = [name for name, _ in imported(path) if name.startswith("ttslib.")]
        assert not [n for n in names if n.startswith("ttslib.tools")], path
        if room != "verify":
            assert not [n for n in names if n.startswith("ttslib.verify.sandbox")], path
        if room != "policy":  # what a key is made of, learning names too
            inside = [n for n in names if n.startswith("ttslib.policy.engine")]
            assert all("fingerprint" in n for n in inside), path


@pytest.mark.parametrize("room", LIGHT)
def test_a_light_room_loads_no_torch(room):
    found = ["torch", "transformers", "peft"]
    script = (
        f"import sys, ttslib.{room}; print([n for n in {found} if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == "[]"


def test_light_rooms_reach_for_torch_only_inside_what_needs_it():
    for path in FILES:
        # these two hand torch's names on at their first use
        if name_of(path)[1] in set(LIGHT) - {"policy", "guides"}:
            names = {name.split(".")[0] for name, _ in imported(path)}
            assert not names & HEAVY, path


@pytest.mark.parametrize("room", [r for r in ORDER if (PACKAGE / r).is_dir()])
def test_a_face_says_what_its_room_is_for_and_hands_on_what_exists(room):
    import importlib

    face = importlib.import_module(f"ttslib.{room}")
    assert len(face.__doc__.strip()) > 40
    for name in getattr(face, "__all__", ()):
        assert getattr(face, name) is not None
