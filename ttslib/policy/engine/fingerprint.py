"""Short texts that identify a model; the store's keys are made of them."""

import hashlib
import inspect
import json

import numpy as np
import torch

from ...chain import key_of


def weight_versions(base, prefix: str) -> tuple[tuple, tuple]:
    """(id, number of writes) of each tensor: of the base, and of its adapters.

    Anything computed from the weights is out of date once these differ.
    """
    found: tuple[list, list] = ([], [])
    for name, p in (*base.named_parameters(), *base.named_buffers()):
        found[not own(name, prefix)].append((id(p), p._version))
    return tuple(found[0]), tuple(found[1])


def weights(base, tokenizer, prefix: str) -> str:
    """A hash of the base's weights and the tokenizer; adapters do not count."""
    kept = {n: p for n, p in base.state_dict().items() if own(n, prefix)}
    kept |= dict(base.named_buffers())
    for wrapped in ("base_layer.", "original_module."):
        kept = {n.replace(wrapped, ""): p for n, p in kept.items()}
    return digest(kept, sorted(tokenizer.get_vocab().items()))


def adapter(model, name: str) -> str:
    """A hash of an adapter's tensors and settings."""
    from peft import get_peft_model_state_dict

    about = model.peft_config[name].to_dict()
    about.pop("base_model_name_or_path", None)
    tensors = get_peft_model_state_dict(
        model, adapter_name=name, save_embedding_layers=False
    )
    return digest(tensors, text_of(about))


def settings(base, tokenizer) -> str:
    """A hash of the configurations of model and generation: RoPE, scaling, eos."""
    about = base.config.to_dict()
    for name in ("_name_or_path", "transformers_version", "dtype"):
        about.pop(name, None)
    eos = eos_of(base)
    return f"{key_of(text_of(about), eos, tokenizer.eos_token_id):032x}"


def active_adapters(model) -> tuple[tuple[str, ...], bool]:
    """The adapters that the layers use now, and whether they are merged.

    :meth:`Policy.switch` sets them, and so may the owner of peft's model.
    """
    for layer in model.modules() if hasattr(model, "peft_config") else ():
        if isinstance(getattr(layer, "disable_adapters", None), bool):
            names = () if layer.disable_adapters else tuple(layer.active_adapters)
            return names, bool(getattr(layer, "merged", False))
    return (), False


def hooks(base) -> tuple[int, ...]:
    """The ids of the base's forward hooks, and of forwards that were replaced."""
    return tuple(
        id(hook)
        for module in base.modules()
        for kind in (module._forward_hooks, module._forward_pre_hooks, vars(module))
        for name, hook in kind.items()
        if kind is not vars(module) or name == "forward"
    )


def eos_of(model):
    """The end of a text by the model's generation settings: an id, several, or None."""
    settings = getattr(model, "generation_config", None)
    return getattr(settings, "eos_token_id", None)


def own(name: str, prefix: str) -> bool:
    """Does a parameter of this name belong to the base, not to an adapter?"""
    return prefix not in name and ".modules_to_save." not in name


def text_of(settings: dict) -> str:
    """Settings as JSON with sorted keys and sorted sets."""

    def default(value):
        return sorted(value) if isinstance(value, set) else str(value)

    return json.dumps(settings, sort_keys=True, default=default)


def digest(tensors: dict, *more) -> str:
    """A hash of named tensors."""
    out = hashlib.blake2b(repr(more).encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        out.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        out.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return out.hexdigest()


def function(f, seen: set | None = None) -> str:
    """What ``f`` does: its text, and all values and functions that it uses.

    A function of another module than its own counts by its name.
    """
    seen = seen if seen is not None else set()
    seen.add(f)
    try:
        text, code, held = inspect.getsource(f), f.__code__, [f.__defaults__]
        held += [f.__kwdefaults__, getattr(f, "__self__", None)]
        held += [cell.cell_contents for cell in f.__closure__ or ()]
        names = sorted(names_in(code) & f.__globals__.keys())
    except (AttributeError, OSError, TypeError, ValueError):  # typed at a prompt, …
        return repr(f)
    for value in held + [f.__globals__[name] for name in names]:
        if isinstance(value, torch.nn.Module):
            text += digest(value.state_dict(), repr(value))
        elif isinstance(value, np.ndarray | torch.Tensor):
            text += repr(value.tolist())  # in full
        elif inspect.isfunction(value) and value.__module__ == f.__module__:
            text += "" if value in seen else function(value, seen)
        elif inspect.ismodule(value) or isinstance(value, type):
            text += value.__name__
        elif inspect.isroutine(value):
            text += value.__qualname__
        else:
            text += repr(value)
    return text


def names_in(code) -> set[str]:
    """The names that a function looks up, those in its comprehensions included."""
    inner = [names_in(const) for const in code.co_consts if inspect.iscode(const)]
    return set(code.co_names).union(*inner)
