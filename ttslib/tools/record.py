"""Runs too big for CI, recorded once in data/runs: ``python -m ttslib.tools.record``.

Chapter 03 at scale small: samples of SmolLM2-135M-Instruct on stories and on GSM8K's
test questions (by hub id, or from TTS_DATA). What the store has is not drawn again, so
a run that was killed goes on where it was.
"""

import argparse
import datetime
import json
import platform
import time
from pathlib import Path

from ..problems import load
from ..problems.reading import last_number
from ..verify import judge
from .run import ROOT

RUNS = ROOT / "data" / "runs"
SETS = {"story-easy": 60, "gsm8k": 48}  # the first problems of each test split


def read(chain) -> str:
    """Many chains of a small model name no answer: then its last number counts."""
    return chain.answer or last_number(chain.text)


def provenance(model) -> dict:
    """What made a run: model, versions, hardware, date."""
    from importlib.metadata import version

    import torch

    packages = ("torch", "transformers", "numpy")
    device = platform.processor() or platform.machine()
    if model.model.device.type == "cuda":
        device = torch.cuda.get_device_name()
    return {
        "model": model.name,
        "weights": model.weights_hash(),
        "parameters": model.parameters,
        "versions": {name: version(name) for name in packages},
        "hardware": f"{device}, {torch.get_num_threads()} threads",
        "date": datetime.date.today().isoformat(),
    }


def coverage(model, sets: dict[str, int], n: int, **sampling) -> dict:
    """Which of ``n`` samples of each problem are right, by set, with their tokens."""
    out = {}
    for name, count in sets.items():
        problems = load(name, "test", count)
        rows, began = [], time.perf_counter()
        for problem in problems:  # one at a time: a killed run loses one at most
            rows += model.sample([problem], n, **sampling)
            print(f"{name}: {len(rows)} of {count}", flush=True)
        right = judge(problems, rows, read)
        out[name] = {
            "problems": [problem.id for problem in problems],
            "right": right.astype(int).tolist(),
            "tokens": sum(len(c.tokens) for row in rows for c in row),
            "named_an_answer": sum(bool(c.answer) for row in rows for c in row),
            "finished": sum(c.finished for row in rows for c in row),
            "seconds": round(time.perf_counter() - began),
        }
    return out


def main():
    from ttslib import policy

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", default="small")
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--temperature", type=float, default=0.6)
    parser.add_argument("--max-tokens", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RUNS / "small_coverage.json")
    args = parser.parse_args()
    model = policy.load(args.scale)
    sampling = {"temperature": args.temperature, "max_tokens": args.max_tokens}
    sampling["seed"] = args.seed
    sets = coverage(model, SETS, args.samples, **sampling)
    about = {"provenance": provenance(model) | {"sampling": sampling}, "sets": sets}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(about) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
