"""The fast path for Llama: one token for each row, with as few operations as possible.

Norm weights, the softmax's scale and LoRA deltas are folded into fused matrices;
attention is two batched products. This pays for tiny models, where the overhead of each
operation counts (``make bench``). Tests tie it to the model's own forward.
"""

import math

import torch
import torch.nn.functional as F
from transformers.activations import ACT2FN
from transformers.models.llama import modeling_llama as llama

# The fast path knows these parts; a model with any other part takes the general path.
LLAMA_PARTS = {
    llama.LlamaModel,
    llama.LlamaDecoderLayer,
    llama.LlamaAttention,
    llama.LlamaMLP,
    llama.LlamaRMSNorm,
    llama.LlamaRotaryEmbedding,
    torch.nn.ModuleList,
    torch.nn.Embedding,
    torch.nn.Linear,
    torch.nn.SiLU,
}
LLAMA_PARTS.add(type(ACT2FN["silu"]))
ROPES = {"default", "linear", "llama3", "yarn"}  # the same at any length


def is_plain(module) -> bool:
    """Does ``module`` hold only LLAMA_PARTS, and plain LoRA on its projections?"""
    if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
        return False
    for name, part in module.named_children():
        if is_lora(part):
            plain = type(part.base_layer) is torch.nn.Linear and name[-5:] == "_proj"
            if not plain or part.lora_variant or any(part.lora_bias.values()):
                return False
        elif type(part) not in LLAMA_PARTS or not is_plain(part):
            return False
    return True


def is_lora(part) -> bool:
    """Is ``part`` peft's LoRA layer? Told by name, as importing peft takes seconds."""
    kind = type(part)
    return (kind.__module__, kind.__name__) == ("peft.tuners.lora.layer", "Linear")


def dense(layer) -> tuple[torch.Tensor, torch.Tensor | None]:
    """(weight, bias) of a linear layer, its active LoRA adapters added."""
    base = getattr(layer, "base_layer", layer)
    weight = base.weight.detach()
    if base is not layer and not layer.disable_adapters and not layer.merged:
        for name in layer.active_adapters:
            if name in layer.lora_A:
                weight = weight + layer.get_delta_weight(name).to(weight.dtype)
    return weight, base.bias


class FastLlama:
    """Copies of a Llama's weights: make a new one when the weights change."""

    @classmethod
    def of(cls, model) -> "FastLlama | None":
        """None for a model that the fast path can't compute."""
        if type(model) is not llama.LlamaForCausalLM or not is_plain(model):
            return None
        kind = model.config.rope_parameters.get("rope_type", "default")
        return cls(model) if kind in ROPES else None

    @torch.no_grad()
    def __init__(self, model):
        config, body = model.config, model.model
        self.eps = config.rms_norm_eps
        self.heads, self.groups = config.num_attention_heads, config.num_key_value_heads
        self.dim, self.width = body.layers[0].self_attn.head_dim, config.hidden_size
        # One more column of the residual stream holds √(width · eps). RMSNorm is then
        # a division by the row's length, up to the factor √width.
        embed = body.embed_tokens.weight
        self.short = embed.dtype == torch.float32
        self.embed = F.pad(embed, (0, 8))
        self.embed[:, self.width] = math.sqrt(self.width * self.eps)
        self.scale = math.sqrt(self.width) if self.short else 1.0
        self.head = model.lm_head.weight * body.norm.weight * self.scale
        self.layers = [self.fuse(layer) for layer in body.layers]
        at = torch.arange(config.max_position_embeddings, device=embed.device)
        cos, sin = body.rotary_emb(embed, at[None])
        # The first half of the sines takes over rotate_half's minus sign.
        half = self.dim // 2
        sin = torch.cat([-sin[..., :half], sin[..., half:]], -1)
        self.rope = torch.stack([cos[0], sin[0]])[:, :, None]  # [2, positions, 1, dim]

    def fuse(self, layer):
        attn, mlp = layer.self_attn, layer.mlp
        scale = (attn.scaling, 1, 1)
        qkv = [dense(m) for m in (attn.q_proj, attn.k_proj, attn.v_proj)]
        up = [dense(m) for m in (mlp.gate_proj, mlp.up_proj)]
        fused = torch.cat([w * s for (w, _), s in zip(qkv, scale)])
        bias = [b * s for (_, b), s in zip(qkv, scale) if b is not None]
        up_bias = [b for _, b in up if b is not None]
        o, o_bias = dense(attn.o_proj)
        down, down_bias = dense(mlp.down_proj)
        norms = [m.weight * self.scale for m in (layer.input_layernorm,)]
        norms += [layer.post_attention_layernorm.weight * self.scale]
        return (
            fused * norms[0],
            torch.cat(bias) if bias else None,
            o.t(),
            o_bias,
            torch.cat([w for w, _ in up]) * norms[1],
            torch.cat(up_bias) if up_bias else None,
            down.t(),
            down_bias,
        )

    def norm(self, x):
        """RMSNorm without its weights, of the residual stream [rows, width + 8]."""
        if self.short:
            x = x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
            return x[:, : self.width]
        return F.rms_norm(x[:, : self.width], (self.width,), eps=self.eps)

    def step(self, slots, tokens: torch.Tensor) -> torch.Tensor:
        """Logits [rows, vocabulary] after ``tokens`` [rows] at ``slots.pos``."""
        n, g, d = len(tokens), self.groups, self.dim
        rotated = self.heads + g
        cos, sin = self.rope[:, slots.pos]
        x = F.embedding(tokens, self.embed)
        stream = x[:, : self.width]  # each block adds to it in place
        for i, (qkv, qkv_b, o, o_b, up, up_b, down, down_b) in enumerate(self.layers):
            h = F.linear(self.norm(x), qkv, qkv_b).view(n, rotated + g, d)
            qk, v = h[:, :rotated], h[:, rotated:]
            qk = torch.addcmul(qk * cos, qk.roll(d // 2, -1), sin)
            slots.put(i, qk[:, self.heads :], v)
            q = qk[:, : self.heads].reshape(n * g, self.heads // g, d)
            scores = torch.bmm(q, slots.keys[i])
            if slots.mask is not None:
                scores.view(n, self.heads, -1).add_(slots.mask[:, None])
            h = torch.bmm(scores.softmax(-1), slots.values[i])
            add(stream, h.view(n, self.heads * d), o, o_b)
            gate, h = F.linear(self.norm(x), up, up_b).chunk(2, -1)
            add(stream, F.silu(gate) * h, down, down_b)
        return F.linear(self.norm(x), self.head)


def add(stream, h, weight, bias):
    """Add ``h`` @ ``weight`` + ``bias`` to ``stream`` in place."""
    stream.addmm_(h, weight)
    if bias is not None:
        stream.add_(bias)
