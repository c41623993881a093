"""Resolve what pyproject.toml asks for: ``make lock``.

pip (25.1 or newer) resolves the library with the group ``dev``; run it on the oldest
Python that is supported. requirements.lock gets each package with its version, and
environment.yml the same for conda. A version stays as long as it fits: delete its line
to take the newest, or the whole file to take all anew. Only the standard library is
imported here.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
CONDA = ROOT / "environment.yml"
# On Linux, torch from the index requires these, each at one version; the build for the
# CPU does not. So torch pins them, not the lock.
OF_TORCH = re.compile(r"nvidia-|cuda-|triton$")
HEAD = """\
# Every package that the library and its group dev need, at the version that is tested.
# `make lock` writes this file. It constrains an installation:
#   pip install -c requirements.lock -e . --group dev
"""
CONDA_HEAD = """\
# `make lock` writes this file from requirements.lock.
#   conda env create -f environment.yml
#   pip install --no-deps --group no-deps -e .
name: ttslib
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def resolve() -> list[str]:
    """Lines name==version by name, which is normalized; no local version (+cpu)."""
    kept = ["-c", str(LOCK)] if LOCK.exists() else []
    asked = ["--editable", str(ROOT), "--group", f"{ROOT / 'pyproject.toml'}:dev"]
    report = ["--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    pip = [sys.executable, "-m", "pip", "install", *report, *kept, *asked]
    done = subprocess.run(pip, stdout=subprocess.PIPE, text=True, check=True)
    versions = {}
    for package in json.loads(done.stdout)["install"]:
        name = re.sub(r"[-_.]+", "-", package["metadata"]["name"]).lower()
        if name != "ttslib" and not OF_TORCH.match(name):
            versions[name] = package["metadata"]["version"].split("+")[0]
    return [f"{name}=={versions[name]}" for name in sorted(versions)]


def conda(lines: list[str]) -> str:
    """environment.yml of the lock's ``lines``."""
    return CONDA_HEAD + "".join(f"      - {line}\n" for line in lines)


def main():
    lines = resolve()
    LOCK.write_text(HEAD + "".join(f"{line}\n" for line in lines))
    CONDA.write_text(conda(lines))


if __name__ == "__main__":
    main()
