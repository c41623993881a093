"""Drawn chains are kept on disk, so that none is drawn twice. No torch.

Each (policy, prompt, sampling arguments, seed) has a folder named by the hash of these,
so an entry never goes out of date. A file holds a checksum and its payload. It is
written atomically: a killed run loses only what it had not yet written. Training keeps
its results in the same way (:mod:`ttslib.policy.training`).
"""

import base64
import contextlib
import hashlib
import json
import os
import time
import uuid
import warnings
from pathlib import Path

import numpy as np

from ...chain import Chain, key_of

EVERY = 20.0  # seconds between writes of problems that are not complete


def folder() -> Path:
    """``$TTS_STORE``, or a folder in the user's cache."""
    home = os.environ.get("TTS_STORE") or Path.home() / ".cache" / "ttslib"
    return Path(home).expanduser()


def to_base64(values, dtype: str) -> str:
    return base64.b64encode(np.asarray(values, dtype).tobytes()).decode()


def from_base64(text: str, dtype: str) -> list:
    return np.frombuffer(base64.b64decode(text), dtype).tolist()


def read_file(path: Path, parse):
    """``parse(payload)`` of a file from :func:`write_file`; None if there is no file.

    A damaged file counts as no file, with a warning.
    """
    try:
        line, payload = path.read_bytes().split(b"\n", 1)
        if line.decode() != checksum(payload):
            raise ValueError("its checksum differs")
        return parse(payload)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        warnings.warn(
            f"store entry {path} is damaged ({error}): made again", stacklevel=3
        )
        return None


def write_file(path: Path, payload: bytes) -> bool:
    """Write ``payload`` with its checksum; False, with a warning, if it can't be.

    A reader sees the old file or the new one. The store only saves time, so a full or
    read-only disk is no error.
    """
    new = path.with_name(f"{path.name}.{uuid.uuid4().hex}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            new.write_bytes(checksum(payload).encode() + b"\n" + payload)
            os.replace(new, path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    except OSError as error:
        warnings.warn(
            f"the store can't be written ({error}): what was made is not kept; point "
            "TTS_STORE to a folder with room",
            stacklevel=3,
        )
        return False
    return True


class Entry:
    """The chains of one prompt, by sample index; ``about`` is all that decided them.

    An entry is a folder in which no process changes another's file. If two processes
    or two hosts draw at the same time, their files lie side by side and are read
    together. A new file replaces those that its writer had read: it holds their chains.
    """

    def __init__(self, about: tuple, *, fresh: bool = False):
        name = f"{key_of(about):032x}"
        self.path = folder() / name[:2] / name[2:]
        self.files, self.old = self.read()
        self.chains: dict[int, Chain] = {} if fresh else dict(self.old)
        self.dirty = False

    def read(self) -> tuple[list[Path], dict[int, Chain]]:
        """The files of this entry, and all chains in them."""
        while True:
            files, chains = self.present(), {}
            for path in files:
                chains |= read_file(path, lambda p: chains_of(json.loads(p))) or {}
            if all(path.exists() for path in files):  # else a writer replaced one
                return files, chains

    def present(self) -> list[Path]:
        try:
            names = os.listdir(self.path)
        except OSError:
            return []
        return [self.path / n for n in sorted(names) if n.endswith(".json")]

    def add(self, chain: Chain):
        self.chains[chain.index] = chain
        self.dirty = True

    def write(self):
        if not self.dirty:
            return
        chains = self.old | self.chains
        payload = json.dumps(columns_of(chains), ensure_ascii=False).encode()
        path = self.path / f"{checksum(payload)}.json"
        if write_file(path, payload):
            for old in self.files:
                if old != path:
                    with contextlib.suppress(OSError):
                        old.unlink()
            self.files = [path]
        self.dirty = False


class Writer:
    """Writes an entry once it has ``n`` chains, and all entries every 20 seconds."""

    def __init__(self, n: int):
        self.n, self.entries, self.last = n, {}, time.monotonic()

    def add(self, entry: Entry, chain: Chain):
        entry.add(chain)
        self.entries[id(entry)] = entry
        if all(i in entry.chains for i in range(self.n)):
            self.entries.pop(id(entry)).write()
        if time.monotonic() - self.last > EVERY:
            self.flush()

    def flush(self):
        for entry in self.entries.values():
            entry.write()
        self.entries.clear()
        self.last = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.flush()


def checksum(payload: bytes) -> str:
    return hashlib.blake2b(payload, digest_size=16).hexdigest()


def columns_of(chains: dict[int, Chain]) -> dict:
    """The chains as columns; one string holds all their numbers, which loads fast."""
    rows = [chains[i] for i in sorted(chains)]
    one = rows[0]
    return {
        "prompt": one.prompt,
        "prefix": one.prefix,
        "seed": one.seed,
        "index": [c.index for c in rows],
        "text": [c.text for c in rows],
        "finished": [int(c.finished) for c in rows],
        "length": [len(c.tokens) for c in rows],
        "tokens": to_base64([t for c in rows for t in c.tokens], "<i4"),
        "logprobs": to_base64([p for c in rows for p in c.logprobs], "<f4"),
    }


def chains_of(data: dict) -> dict[int, Chain]:
    """The chains that :func:`columns_of` wrote; ValueError if lengths disagree."""
    tokens = from_base64(data["tokens"], "<i4")
    logprobs = from_base64(data["logprobs"], "<f4")
    prompt, prefix, seed = data["prompt"], data["prefix"], data["seed"]
    out, at = {}, 0
    columns = zip(data["index"], data["text"], data["finished"], data["length"])
    for index, text, finished, length in columns:
        stop = at + length
        out[index] = Chain(
            prompt,
            text,
            tuple(tokens[at:stop]),
            tuple(logprobs[at:stop]),
            bool(finished),
            seed,
            index,
            prefix,
            length,
        )
        at = stop
    if at != len(tokens):
        raise ValueError(f"{len(tokens)} tokens where the lengths say {at}")
    return out
