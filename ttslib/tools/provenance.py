"""What a recorded run was made with."""

import datetime
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import torch

PACKAGES = ("torch", "transformers", "peft", "numpy")


def made_with(model=None) -> dict:
    """Versions, hardware, how busy it was and the date; of a ``model`` its weights."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    name = re.search(r"model name\s*: (.*)", text)
    about = {
        "versions": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "cpu": name[1] if name else platform.processor() or platform.machine(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
        "date": datetime.date.today().isoformat(),
    }
    if model is not None:
        about |= {
            "model": model.name,
            "weights": model.weights_hash(),
            "parameters": model.parameters,
        }
    return about
