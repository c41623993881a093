"""Record a run anew: ``python -m ttslib.tools.records NAME``, in data/runs/NAME.json.

What the store has is not drawn or trained again, so a run that was killed goes on where
it was. ``--seeds`` counts the seeds of a run that has several.
"""

import argparse
import json

from ..chapters import ROOT
from ..provenance import made_with
from . import graders, guides, learning, tree, vstar, vstar_small

COLD = dict(temperature=0.6, max_tokens=160, stop=("\n\n", "Problem:"))
# name -> (scale, what records it, given the policy, the seeds and where to keep it)
RECORDS = {
    "small_coverage": ("small", lambda model, *_: covered(model)),
    "small_em": ("small", lambda model, *_: {"story-easy": learning.small_em(model)}),
    "variants": (
        "tiny",
        lambda model, n, _: named("countdown", learning.table, model, n),
    ),
    "reinforce": (
        "tiny",
        lambda model, n, _: named("story-easy", learning.reinforce, model, n),
    ),
    "process": ("tiny", lambda model, n, _: guides.process(model, n)),
    "guided": ("tiny", lambda model, *_: guides.guided(model)),
    "guided_training": (
        "tiny",
        lambda model, n, _: {"story-hard": guides.training(model, n)},
    ),
    "tree": ("tiny", lambda model, n, _: tree.tree(model, n)),
    "expert": ("tiny", lambda model, n, _: tree.expert(model, n)),
    "vstar": ("tiny", lambda model, n, keep: twice(model, n, keep)),
    "graders": (None, lambda *_: graders.record()),
    "vstar_small": ("small", lambda model, *_: vstar_small.small(model)),
}


def covered(model) -> dict:
    found = learning.coverage(model, learning.SETS, 32, seed=0, **COLD)
    return {"sampling": COLD | {"seed": 0}, "sets": found}


def named(problem_set: str, record, model, seeds: int) -> dict:
    return {problem_set: record(model, problem_set, seeds)}


def twice(model, seeds: int, keep) -> dict:
    from ttslib import policy

    return vstar.record(model, policy.load("tiny"), seeds, keep=keep)


def main(argv=None):
    from ttslib import policy

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=RECORDS)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args(argv)
    scale, record = RECORDS[args.name]
    model = policy.load(scale) if scale else None
    about = made_with(model)

    def keep(found: dict):
        path = ROOT / "data" / "runs" / f"{args.name}.json"
        sampling = {"sampling": found.pop("sampling")} if "sampling" in found else {}
        text = json.dumps({"provenance": about | sampling} | found)
        path.write_text(text + "\n", encoding="utf-8")

    keep(record(model, args.seeds, keep))


if __name__ == "__main__":
    main()
