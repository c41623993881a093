"""Adapters of peft: where they lie, what they are, and their way into a model."""

import json
from pathlib import Path

import torch


def adapter_folder(path: Path, name: str) -> Path:
    """Where below ``path`` adapter ``name`` lies: peft puts "default" at the top."""
    weights = "adapter_model.safetensors"
    if (path / name / weights).exists():
        return path / name
    if (path / weights).exists():
        return path
    others = sorted(p.parent for p in path.glob(f"*/{weights}"))
    if len(others) == 1:
        return others[0]
    if others:
        names = ", ".join(p.name for p in others)
        raise OSError(f"{path} holds adapters {names}, not {name!r}: name one of them")
    raise OSError(f"{path} holds no {weights}: save_adapter() writes one")


def adapter_config(path: Path, name: str):
    """peft's settings of the adapter in ``path``; OSError if they can't be read."""
    from peft import PeftConfig

    try:
        config = PeftConfig.from_pretrained(path)
    except Exception as error:
        raise OSError(f"the adapter in {path} can't be read ({error})") from error
    refuse_unserved(name, config)
    config.inference_mode = False
    return config


def refuse_unserved(name: str, config):
    """NotImplementedError unless the adapter acts in the layers, at every token."""
    if getattr(config, "alora_invocation_tokens", None):
        kind = "an activated LoRA, which begins to act within a prompt"
    elif config.is_prompt_learning:
        kind = "a learned prompt, which is not in the model's layers"
    else:
        return
    raise NotImplementedError(
        f"adapter {name!r} is {kind}: the policy can't serve it, use plain LoRA"
    )


def adapter_base(folder: Path) -> str:
    """The name of the base that the adapter in ``folder`` was trained on."""
    if (folder / "config.json").exists():
        why = "and a model of its own, which may have the adapter merged in"
        refuse_folder(folder, why)
    try:
        config = json.loads((folder / "adapter_config.json").read_text())
        base = config["base_model_name_or_path"] or ""
    except (ValueError, LookupError, TypeError) as error:
        why = f"whose adapter_config.json is damaged ({error!r})"
        refuse_folder(folder, why, error)
    if not base or Path(base).resolve() == folder.resolve():
        refuse_folder(folder, "which does not say where its base is")
    return base


def refuse_folder(folder: Path, why: str, cause=None):
    raise OSError(
        f"{folder} holds an adapter, {why}: load() the base by its own name, then give "
        "its load_adapter() a folder with the adapter alone"
    ) from cause


def put_adapter(model, name: str, config):
    """``model`` with a new adapter in its layers, in place of one of that name."""
    from peft import get_peft_model

    if not hasattr(model, "peft_config"):
        return get_peft_model(model, config, adapter_name=name)
    if name in model.peft_config:
        model.delete_adapter(name)
    model.add_adapter(name, config)
    return model


def read_adapter(model, path: Path, name: str):
    """Read the weights of adapter ``name``; ValueError if some are not there."""
    found = model.load_adapter(path, name, is_trainable=True)
    missing = [key for key in found.missing_keys if "vector_bank" not in key]
    if missing:  # peft would leave these random (a bank is shared: VB-LoRA)
        raise ValueError(f"it has no {', '.join(missing[:3])}")


def remove_adapter(model, name: str):
    """``model`` without adapter ``name``, and without peft if that was the only one."""
    if name not in getattr(model, "peft_config", {}):
        return model
    if len(model.peft_config) == 1:
        return model.unload()
    model.delete_adapter(name)
    return model


def untie(model):
    """Give the head weights of its own, where an adapter is on it or the embedding.

    Merged into weights that both share, the adapter of one would act in the other.
    """
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    if not any(hasattr(layer, "base_layer") for layer in (head, embedding)):
        return
    head = getattr(head, "base_layer", head)
    head.weight = torch.nn.Parameter(head.weight.detach().clone())
    model.config.tie_word_embeddings = False
