"""Other people's models: what is drawn and scored is what their own forward says.

Small random models of a dozen architectures; the reference is a copy of the model that
never saw the engine, with plain attention, run over a whole chain at once.
"""

import copy
import dataclasses
import datetime

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, trainers

from ttslib import policy as policies
from ttslib.chain import Chain
from ttslib.policy import Policy

NATS = 1e-3
SIZE = dict(
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=0,
)
LONG = {"rope_type": "longrope", "factor": 4.0, "rope_theta": 10000.0}
LONG |= {"short_factor": [1.0] * 4, "long_factor": [4.0] * 4}
LONG |= {"original_max_position_embeddings": 40}
YARN = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 10000.0}
YARN |= {"original_max_position_embeddings": 16}
MODELS = {
    "llama": {},
    "llama, LongRoPE": dict(rope_parameters=LONG),
    "llama, YaRN": dict(rope_parameters=YARN),
    "mistral": dict(sliding_window=12),
    "qwen2": dict(use_sliding_window=True, sliding_window=12, max_window_layers=1),
    "qwen3": dict(head_dim=8),
    "gemma2": dict(head_dim=8, sliding_window=12, attn_logit_softcapping=2.0),
    "gemma3_text": dict(head_dim=8, sliding_window=12),
    "granite": dict(logits_scaling=8.0, attention_multiplier=0.5),
    "cohere2": dict(logit_scale=0.0625, sliding_window=12),
    "phi3": {},
    "phi3, LongRoPE": dict(rope_parameters=LONG, original_max_position_embeddings=40),
    "olmo2": {},
    "gpt2": {},
    "gpt_oss": dict(head_dim=8, num_local_experts=4, sliding_window=12),
    "mixtral": dict(num_local_experts=4),
    "qwen3_moe": dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16),
}
PROMPTS = ["Tom has 3 apples and buys 4 more.\n", "Ann has 5 pens.\n"]


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_STORE", str(tmp_path))


@pytest.fixture(scope="module")
def tokenizer():
    return transformers.AutoTokenizer.from_pretrained(policies.TINY)


def random_model(name: str, tokenizer):
    """Weights large enough that a wrong scale, window or angle shows."""
    torch.manual_seed(0)
    kind = name.split(",")[0]
    config = transformers.AutoConfig.for_model(
        kind, vocab_size=len(tokenizer), **copy.deepcopy(SIZE | MODELS[name])
    )
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1:
                p.normal_(0, 0.3)
    return model


def own_logp(model, policy, chain):
    """log p of a chain's tokens by one forward over prompt and chain."""
    ids, _ = policy.encode(chain.prompt, chain.prefix)
    row = torch.tensor([[*ids, *chain.tokens]])
    with torch.inference_mode():
        logp = model(input_ids=row).logits[0].float().log_softmax(-1)
    at = torch.arange(len(ids) - 1, row.shape[1] - 1)
    return logp[at, row[0, len(ids) :]].numpy()


def check(model, policy):
    """Samples, steps and scores against the model's own forward."""
    getattr(model, "get_base_model", lambda: model)().set_attn_implementation("eager")
    rows = policy.sample(PROMPTS, 3, max_tokens=20, fresh=True)
    stepped = [policy.start(x) for x in PROMPTS]
    while any(not c.finished and len(c.tokens) < 20 for c in stepped):
        stepped = policy.extend(stepped, max_tokens=20)
    for chain in [*sum(rows, []), *stepped]:
        true = own_logp(model, policy, chain)
        (scored,) = policy.logprob([chain.prompt], [chain])
        assert np.abs(true - chain.logprobs).max() < NATS
        assert np.abs(true - scored).max() < NATS
    # rows of unlike length together, as training scores them; a prompt is read once
    flat = [(c.prompt, c) for row in rows for c in row]
    assert policy.shares_prompt
    together = policy.logprob(*zip(*flat))
    for (_, chain), scored in zip(flat, together):
        assert np.abs(own_logp(model, policy, chain) - scored).max() < NATS


@pytest.mark.parametrize("name", MODELS)
def test_an_architecture_is_served_as_its_own_forward_says(name, tokenizer):
    model = random_model(name, tokenizer)
    policy = Policy(copy.deepcopy(model), tokenizer, name=name)
    check(model, policy)


def test_a_model_that_keeps_no_keys_and_values_reads_each_prompt_again(tokenizer):
    """Mamba: there is nothing to come back to. Scored all the same, and rightly."""
    config = transformers.MambaConfig(
        vocab_size=len(tokenizer), hidden_size=32, state_size=4, num_hidden_layers=2
    )
    torch.manual_seed(0)
    model = transformers.MambaForCausalLM(config).eval()
    policy = Policy(model, tokenizer, max_tokens=20)
    assert not policy.shares_prompt
    texts = ["3 + 4 = 7\n", "Answer: 7\n", "3 + 4 = 8\nAnswer: 8\n"]
    found = policy.logprob(PROMPTS[:1] * 3, texts)
    for text, scored in zip(texts, found):
        tail = policy.encode(PROMPTS[0], "", text)[1]
        chain = Chain(PROMPTS[0], text, tokens=tail)
        assert np.abs(own_logp(model, policy, chain) - scored).max() < NATS


def test_the_short_way_is_taken_only_for_what_it_knows(tokenizer):
    some = [name for name in MODELS if "llama" in name or "mistral" in name]
    ways = {n: Policy(random_model(n, tokenizer), tokenizer) for n in some}
    short = {n for n, p in ways.items() if p.engine.fast is not None}
    assert short == {"llama", "llama, YaRN"}
    hooked = ways["llama"]
    hooked.model.model.layers[0].register_forward_hook(lambda m, x, out: out * 2)
    hooked.changed()
    assert hooked.engine.fast is None


MLA = dict(q_lora_rank=8, kv_lora_rank=8, qk_rope_head_dim=4, qk_nope_head_dim=8)
MLA |= dict(v_head_dim=6, n_routed_experts=4, num_experts_per_tok=2, n_group=1)
MLA |= dict(topk_group=1, moe_intermediate_size=16, first_k_dense_replace=1)
REFUSED = {
    "deepseek_v3": MLA | dict(num_key_value_heads=4),
    "gemma4_text": dict(head_dim=8),
    "bloom": dict(n_head=4),
    "mamba": {},
    "qwen3_next": dict(head_dim=8, num_experts=4, moe_intermediate_size=16),
    # Their masks have a window that their attention is not told of.
    "phimoe": dict(num_local_experts=4, sliding_window=12),
    "qwen2_moe": dict(use_sliding_window=True, sliding_window=12, max_window_layers=2)
    | dict(num_experts=4, moe_intermediate_size=16, shared_expert_intermediate_size=16),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_served_is_refused_by_name(name, tokenizer, tmp_path):
    config = transformers.AutoConfig.for_model(
        name, vocab_size=len(tokenizer), **SIZE | REFUSED[name]
    )
    model = transformers.AutoModelForCausalLM.from_config(config)
    with pytest.raises(NotImplementedError, match=type(model).__name__):
        Policy(model, tokenizer).sample(PROMPTS, 1)
    model.save_pretrained(tmp_path / name)
    tokenizer.save_pretrained(tmp_path / name)
    with pytest.raises(NotImplementedError, match="another model"):
        policies.load(tmp_path / name)


ADAPTERS = {
    "LoRA": {},
    "rsLoRA": dict(use_rslora=True, lora_alpha=3),
    "DoRA": dict(use_dora=True),
    "LoRA with a bias": dict(lora_bias=True, target_modules=["q_proj"]),
    "LoRA on the head": dict(target_modules=["q_proj", "lm_head"]),
    "LoRA on the embedding": dict(target_modules=["q_proj", "embed_tokens"]),
    "modules_to_save": dict(target_modules=["q_proj"], modules_to_save=["lm_head"]),
    "a norm saved": dict(target_modules=["q_proj"], modules_to_save=["norm"]),
}


def adapted(kind: str, tokenizer, seed=0, name="llama"):
    """A model of peft with an adapter that is not what it began as."""
    import peft

    model = random_model(name, tokenizer)
    if ADAPTERS[kind].get("lora_bias"):
        proj = model.model.layers[0].self_attn.q_proj
        for layer in model.model.layers:
            layer.self_attn.q_proj = torch.nn.Linear(
                proj.in_features, proj.out_features, bias=True
            )
    options = {"target_modules": "all-linear", "r": 4} | ADAPTERS[kind]
    model = peft.get_peft_model(
        model, peft.LoraConfig(task_type="CAUSAL_LM", **options)
    )
    torch.manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p.add_(0.1 * torch.rand_like(p))
    return model.eval()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ADAPTERS)
def test_an_adapter_is_served_as_its_own_forward_says(kind, tokenizer, tmp_path):
    model = adapted(kind, tokenizer)
    model.save_pretrained(tmp_path / "adapter")
    if kind == "LoRA with a bias":  # its base is not the plain one
        policy = Policy(copy.deepcopy(model), tokenizer)
        policy.switch("default")
    else:
        policy = Policy(random_model("llama", tokenizer), tokenizer)
        policy.load_adapter(tmp_path / "adapter")
    check(model, policy)
    assert (policy.engine.fast is not None) == (kind in ("LoRA", "rsLoRA"))
    with model.disable_adapter():
        policy.switch(None)
        check(model, policy)


@pytest.mark.filterwarnings("ignore")
def test_two_adapters_keep_their_weights_and_their_chains(tokenizer, tmp_path):
    kinds = {
        "first": adapted("LoRA", tokenizer, 1),
        "second": adapted("DoRA", tokenizer),
    }
    policy = Policy(random_model("llama", tokenizer), tokenizer)
    for name, model in kinds.items():
        model.save_pretrained(tmp_path / name)
        policy.load_adapter(tmp_path / name, name)
    drawn = {}
    for name, model in [*kinds.items(), *kinds.items()]:
        policy.switch(name)
        check(model, policy)
        chains = policy.sample(PROMPTS, 2, max_tokens=20)
        assert drawn.setdefault(name, chains) == chains
    assert drawn["first"] != drawn["second"]
    policy.save_adapter(tmp_path / "both")
    policy.switch("first")
    policy.save_adapter(tmp_path / "both")
    other = Policy(random_model("llama", tokenizer), tokenizer)
    other.load_adapter(tmp_path / "both", "second")
    again = other.sample(PROMPTS, 2, max_tokens=20)
    assert [[c.tokens for c in row] for row in again] == [
        [c.tokens for c in row] for row in drawn["second"]
    ]
    with pytest.raises(OSError, match="first, second"):
        other.load_adapter(tmp_path / "both", "third")


def test_a_chain_ends_where_longrope_would_change_its_angles(tokenizer):
    policy = Policy(random_model("phi3, LongRoPE", tokenizer), tokenizer)
    assert policy.limit == 40
    (chain,) = policy.sample(PROMPTS[:1], 1, max_tokens=60)[0]
    ids, _ = policy.encode(PROMPTS[0])
    assert len(ids) + len(chain.tokens) <= 40


def sentencepiece():
    """A tokenizer of Llama 2's kind: a space before a text, the first one dropped."""
    made = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    marks = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    made.normalizer = normalizers.Sequence(marks)
    special = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256))]
    text = ["def f(x):\n    return x + 1\n", "Step 1: add\nStep 2: stop é\n"] * 20
    made.train_from_iterator(
        text, trainers.BpeTrainer(vocab_size=360, special_tokens=special)
    )
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    made.decoder = decoders.Sequence([*parts, decoders.Strip(" ", 1, 0)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>"
    )


@pytest.mark.parametrize(
    "text", ["    return x", "return x", "Step 2: stop", " é", "\n", "\n    x", "1"]
)
def test_a_completion_is_read_in_context(text):
    tokenizer = sentencepiece()
    policy = Policy(random_model("llama", tokenizer), tokenizer)
    prompt = "def f(x):\n"
    ids, tail = policy.encode(prompt, "", text)
    assert tokenizer.decode([*ids, *tail]) == prompt + text
    given, more = policy.encode(prompt, text, " + 1")
    assert tokenizer.decode([*given, *more]) == prompt + text + " + 1"


def test_no_chain_loses_its_first_space():
    tokenizer = sentencepiece()
    policy = Policy(random_model("llama", tokenizer), tokenizer)
    prompt = "def f(x):\n"
    ids, _ = policy.encode(prompt)
    (chains,) = policy.sample([prompt], 64, max_tokens=8)
    stepped = policy.extend([policy.start(prompt, index=i) for i in range(64)])
    for chain in [*chains, *stepped]:
        whole = tokenizer.decode([*ids, *chain.tokens], skip_special_tokens=True)
        assert whole == prompt + chain.text


def test_a_stop_string_ends_a_chain_and_is_not_in_its_text():
    policy = policies.load("tiny")
    prompt = "Tom has 3 apples and buys 4 more.\n"
    (free,) = policy.sample([prompt], 1, max_tokens=40)[0]
    for at in (5, 10):
        stop = free.text[at : at + 3]
        (chain,) = policy.sample([prompt], 1, max_tokens=40, stop=stop)[0]
        assert chain.finished and stop not in chain.text
        assert chain.text == free.text[: free.text.index(stop)]
        assert free.tokens[: len(chain.tokens)] == chain.tokens


@pytest.mark.parametrize(
    "options, said",
    [
        (dict(top_p=0), "top_p is 0"),
        (dict(top_p=1.5), "top_p is 1.5"),
        (dict(top_p=float("nan")), "top_p is nan"),
        (dict(temperature=-1), "temperature is -1"),
        (dict(temperature=float("nan")), "temperature is nan"),
        (dict(temperature=float("inf")), "temperature is inf"),
        (dict(max_tokens=0), "max_tokens is 0"),
        (dict(max_tokens=-3), "max_tokens is -3"),
        (dict(stop=""), "stop string is empty"),
        (dict(stop=["\n", ""]), "stop string is empty"),
    ],
)
def test_arguments_that_make_no_sense_are_named(options, said):
    policy = policies.load("tiny")
    with pytest.raises(ValueError, match=said):
        policy.sample(PROMPTS, 1, **options)
    if "stop" not in options:
        with pytest.raises(ValueError, match=said):
            policy.extend([policy.start(PROMPTS[0])], **options)


DATED = (
    "{% if strftime_now is defined %}{% set d = strftime_now('%d %b %Y') %}"
    "{% else %}{% set d = 'no date' %}{% endif %}Today: {{ d }}\n"
    "{% for m in messages %}{{ m.content }}\n{% endfor %}"
)


def test_a_template_that_writes_the_date_gets_a_fixed_one():
    policy = policies.load("tiny")
    policy.tokenizer.chat_template = DATED
    assert policy.format("Tom has 3 apples.").startswith("Today: 26 Jul 2024\n")
    assert datetime.date.today().strftime("%Y") not in policy.format("Tom")


def test_what_made_a_chain_is_in_its_key():
    """A model whose configuration changed is not served the chains from before."""
    policy, prompt = policies.load("tiny"), PROMPTS[0]

    def hashes():
        return policy.hashes()

    seen = [hashes()]
    (chain,) = policy.sample([prompt], 1, max_tokens=40)[0]
    policy.base.generation_config.eos_token_id = [2, chain.tokens[3]]
    seen.append(hashes())
    assert len(policy.sample([prompt], 1, max_tokens=40)[0][0].tokens) == 4
    body = policy.base.model
    body.config.rope_parameters = {"rope_type": "default", "rope_theta": 50.0}
    body.rotary_emb = type(body.rotary_emb)(body.config)
    seen.append(hashes())
    with torch.no_grad():
        body.embed_tokens.weight[5] += 1  # in place, and nobody was told
    seen.append(hashes())
    policy.attach(r=2)
    seen.append(hashes())
    policy.model.peft_config["default"].lora_alpha = 7
    policy.changed()
    seen.append(hashes())
    with torch.no_grad():
        policy.trained()[0].add_(1)
    seen.append(hashes())
    assert len(set(seen)) == len(seen)
    drawn = policy.sample([prompt], 2, max_tokens=40)
    assert drawn == policy.sample([prompt], 2, max_tokens=40, fresh=True)


def test_a_model_of_peft_is_the_one_that_its_layers_are(tokenizer):
    """Handed over with its adapter, or switched off by its owner: never the base's."""
    model = adapted("LoRA", tokenizer)
    policy = Policy(model, tokenizer)
    base = Policy(random_model("llama", tokenizer), tokenizer)
    assert policy.adapter == "default" and policy.hashes() != base.hashes()
    check(model, policy)
    with model.disable_adapter():
        assert policy.hashes() == base.hashes()
        check(model, policy)
    mine, plain = (p.sample(PROMPTS, 4, max_tokens=20) for p in (policy, base))
    assert [c.tokens for c in mine[0]] != [c.tokens for c in plain[0]]


def test_hooks_and_foreign_attention_are_seen(tokenizer):
    policy = Policy(random_model("mistral", tokenizer), tokenizer)
    before = policy.sample(PROMPTS, 4, max_tokens=30)
    policy.base.set_attn_implementation("sdpa")
    again = policy.sample(PROMPTS, 4, max_tokens=30, fresh=True)
    assert [c.tokens for c in again[0]] == [c.tokens for c in before[0]]
    layer = policy.base.model.layers[0].mlp
    hook = layer.register_forward_hook(lambda module, x, out: out * 0)
    hooked = policy.sample(PROMPTS, 4, max_tokens=30)
    assert [c.tokens for c in hooked[0]] != [c.tokens for c in before[0]]
    hook.remove()
    assert policy.sample(PROMPTS, 4, max_tokens=30) == again


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", ["lm_head", "embed_tokens"])
def test_merged_the_adapter_of_a_tied_head_acts_once(target):
    policy = policies.load("tiny")
    import peft

    config = peft.LoraConfig(target_modules=["q_proj", target], task_type="CAUSAL_LM")
    model = peft.get_peft_model(policy.base, config)
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p.add_(0.1 * torch.rand_like(p))
    tuned = Policy(model, policy.tokenizer, max_tokens=40)
    merged = tuned.merge()
    chains = sum(tuned.sample(PROMPTS, 2), [])
    told = [p.logprob([c.prompt for c in chains], chains) for p in (tuned, merged)]
    for a, b in zip(*told):
        assert np.abs(np.subtract(a, b)).max() < NATS


@pytest.mark.parametrize("name", ["gemma2", "gpt_oss", "mistral"])
def test_a_model_that_was_served_still_generates_as_it_did(name, tokenizer):
    model = random_model(name, tokenizer)
    ids = torch.tensor([Policy(model, tokenizer).encode(PROMPTS[0])[0]])
    options = dict(max_new_tokens=12, do_sample=False, pad_token_id=0)
    model.set_attn_implementation("eager")
    before = model.generate(ids, **options)
    policy = Policy(model, tokenizer)
    policy.sample(PROMPTS, 1, max_tokens=4, fresh=True)
    assert torch.equal(model.generate(ids, **options), before)


def test_kept_kv_of_a_long_prompt_goes_into_a_short_one(tokenizer):
    policy = Policy(random_model("llama", tokenizer), tokenizer)
    long, short = "Ann has 5 pens. " * 5 + "\n", "Ann has 5 pens.\n"
    _, chain = policy.extend([policy.start(long), policy.start(short)], max_tokens=4)
    (kept,) = policy.extend([chain], 2, max_tokens=12)
    (read,) = policy.extend([dataclasses.replace(chain, state=None)], 2, max_tokens=12)
    assert [c.tokens for c in kept] == [c.tokens for c in read]


def test_a_stored_chain_has_the_prompt_that_it_was_asked_with():
    policy = policies.load("tiny")
    given = "Ann: 5 + 2 = 7\n"
    policy.sample([PROMPTS[1]], 1, prefix=given)
    (chain,) = policy.sample([PROMPTS[1] + given], 1, seed=np.int64(0))[0]
    assert (chain.prompt, chain.prefix) == (PROMPTS[1] + given, "")


def test_a_special_token_may_be_a_stop_string():
    policy = policies.load("tiny")
    (free,) = policy.sample(PROMPTS[:1], 1, max_tokens=40)[0]
    token = free.tokens[5]
    piece = policy.tokenizer.convert_ids_to_tokens(token)
    policy.tokenizer.add_special_tokens({"additional_special_tokens": [piece]})
    policy.changed()
    (chain,) = policy.sample(PROMPTS[:1], 1, max_tokens=40, stop=piece)[0]
    assert chain.tokens == free.tokens[: free.tokens.index(token) + 1]
