"""Weights, adapters and tokenizers as people have them: served rightly, or refused."""

import dataclasses
import json
import shutil

import numpy as np
import peft
import pytest
import torch
import transformers

from ttslib import policy as policies
from ttslib.chain import Chain
from ttslib.policy import Policy

PROMPT = "Tom has 3 apples and buys 4 more.\n"
SIZE = dict(
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    bos_token_id=1,
    eos_token_id=2,
)
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_STORE", str(tmp_path / "store"))


@pytest.fixture
def tokenizer():
    return transformers.AutoTokenizer.from_pretrained(policies.TINY)


def llama(tokenizer, kind=transformers.LlamaForCausalLM, **more):
    torch.manual_seed(0)
    config = transformers.LlamaConfig(**SIZE | dict(vocab_size=len(tokenizer)) | more)
    model = kind(config)
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1:
                p.normal_(0, 0.3)
    return model


def saved(folder, model, tokenizer) -> str:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def drawn(policy, **options):
    (row,) = policy.sample([PROMPT], 3, max_tokens=20, fresh=True, **options)
    return [c.tokens for c in row]


def check(policy):
    """What is drawn has the log p that is scored; returns the tokens."""
    (row,) = policy.sample([PROMPT], 3, max_tokens=20, fresh=True)
    for chain, logp in zip(row, policy.logprob([PROMPT] * 3, row)):
        assert np.abs(np.subtract(chain.logprobs, logp)).max() < 1e-3
    return [c.tokens for c in row]


# --- folders -------------------------------------------------------------------------
@pytest.mark.parametrize("own_tokenizer", [False, True])
def test_a_folder_of_an_adapter_is_its_base_with_it(tmp_path, own_tokenizer):
    policy = policies.load("tiny")
    policy.attach()
    policy.fit([(PROMPT, "Answer: 7")], epochs=3, lr=1e-2)
    policy.save_adapter(tmp_path)
    if own_tokenizer:
        policy.tokenizer.save_pretrained(tmp_path)
    other = policies.load(tmp_path)
    assert other.hashes() == policy.hashes() and other.adapter == "default"
    assert other.max_tokens == policy.max_tokens and other.name == str(tmp_path)
    assert check(other) == drawn(policy)
    other.switch(None)
    assert drawn(other) == drawn(policies.load("tiny"))


def rewrite(file, **changes):
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize(
    "fault", ["no base", "base gone", "both", "no weights", "cut off", "no JSON"]
)
def test_a_folder_of_an_adapter_that_cannot_be_had_says_what_to_do(tmp_path, fault):
    policy = policies.load("tiny")
    policy.attach(r=2)
    policy.save_adapter(tmp_path)
    config, weights = (
        tmp_path / f"adapter_{name}" for name in ("config.json", "model.safetensors")
    )
    if fault == "no base":
        rewrite(config, base_model_name_or_path=None)
    elif fault == "base gone":
        rewrite(config, base_model_name_or_path=str(tmp_path / "gone"))
    elif fault == "both":  # with the adapter merged in, or without: nobody can tell
        for file in policies.TINY.iterdir():
            shutil.copy(file, tmp_path)
    elif fault == "no weights":
        weights.unlink()
    elif fault == "cut off":
        weights.write_bytes(weights.read_bytes()[:400])
    else:
        config.write_text("{")
    with pytest.raises(OSError, match=r"adapter.*load\(\) the base.*load_adapter\(\)"):
        policies.load(tmp_path)


def test_a_base_with_adapters_in_folders_below_is_the_base(tmp_path, tokenizer):
    policy = Policy(llama(tokenizer), tokenizer)
    plain = drawn(policy)
    folder = saved(tmp_path, policy.model, tokenizer)
    policy.attach(name="verifier")
    policy.save_adapter(folder)
    assert (
        policies.load(folder).adapter is None and drawn(policies.load(folder)) == plain
    )


def test_a_model_with_an_adapter_of_transformers_is_refused(tmp_path, tokenizer):
    policy = policies.load("tiny")
    policy.attach(r=2)
    policy.save_adapter(tmp_path)
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    with pytest.raises(NotImplementedError, match="adapter.*load_adapter"):
        Policy(model, tokenizer)


@pytest.mark.parametrize(
    "kind", [transformers.LlamaModel, transformers.LlamaForSequenceClassification]
)
def test_weights_without_a_head_are_not_given_a_random_one(tmp_path, tokenizer, kind):
    folder = saved(tmp_path, llama(tokenizer, kind), tokenizer)
    with pytest.raises(OSError, match="lm_head"):
        policies.load(folder)


def test_a_tied_head_is_not_missing(tmp_path, tokenizer):
    folder = saved(tmp_path, llama(tokenizer, tie_word_embeddings=True), tokenizer)
    check(policies.load(folder))


# --- adapters that can't be served ---------------------------------------------------
def adapter(folder, model, config):
    torch.manual_seed(1)
    model = peft.get_peft_model(model, config)
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p.add_(0.1 * torch.rand_like(p))
    model.save_pretrained(folder)
    return folder


LORA = peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear")
PROMPT_TUNING = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)


def renamed(folder):
    """As a compiled model's adapter is saved: peft finds none of its weights."""
    from safetensors.torch import load_file, save_file

    file = folder / "adapter_model.safetensors"
    tensors = load_file(file)
    save_file({k.replace("model.model", "model._orig_mod.model"): v
               for k, v in tensors.items()}, file)  # fmt: skip


@pytest.mark.parametrize("attached", [False, True])
@pytest.mark.parametrize("fault", ["another base", "other names", "learned prompt"])
def test_a_refused_adapter_leaves_the_policy_as_it_was(
    tmp_path, tokenizer, fault, attached
):
    policy = Policy(llama(tokenizer), tokenizer)
    if attached:
        policy.attach(r=2, name="mine")
        policy.fit([(PROMPT, "Answer: 7")], lr=1e-2)
    before, hashes, active = drawn(policy), policy.hashes(), policy.adapter
    config = PROMPT_TUNING if fault == "learned prompt" else LORA
    size = dict(hidden_size=64) if fault == "another base" else {}
    folder = adapter(tmp_path / "adapter", llama(tokenizer, **size), config)
    if fault == "other names":
        renamed(folder)
    with pytest.raises((OSError, NotImplementedError), match="adapter"):
        policy.load_adapter(folder)
    assert policy.adapter == active and policy.hashes() == hashes
    assert check(policy) == before
    policy.attach(r=2)
    policy.fit([(PROMPT, "Answer: 7")])
    check(policy)


# --- tokenizers and templates --------------------------------------------------------
def test_a_token_without_an_embedding_is_named(tokenizer):
    tokenizer.add_tokens(["<think>"])
    policy = Policy(llama(tokenizer, vocab_size=len(tokenizer) - 1), tokenizer)
    for call in (
        lambda: policy.sample(["Tom <think> has"], 1),
        lambda: policy.sample([PROMPT], 1, prefix="<think>"),
        lambda: policy.logprob([PROMPT], ["<think> 7"]),
    ):
        with pytest.raises(ValueError, match="none for '<think>'"):
            call()
    check(policy)


def test_neither_eos_nor_padding(tokenizer):
    tokenizer.eos_token = tokenizer.pad_token = None
    model = llama(tokenizer)
    model.generation_config.eos_token_id = None
    policy = Policy(model, tokenizer)
    assert all(len(tokens) == 20 for tokens in drawn(policy))
    logp = policy.logprob([PROMPT], ["Answer: 7"], eos=True)
    assert logp == policy.logprob([PROMPT], ["Answer: 7"])
    policy.attach(r=2)
    assert np.isfinite(policy.fit([(PROMPT, "Answer: 7")])).all()


@pytest.mark.parametrize("eos", [[2, 99_999], [2, -1], (2, 5), 99_999])
def test_an_eos_that_is_no_token_ends_nothing(tokenizer, eos):
    model = llama(tokenizer)
    plain = drawn(Policy(model, tokenizer))
    model.generation_config.eos_token_id = eos
    found = drawn(Policy(model, tokenizer))
    if eos != (2, 5):
        assert found == plain
    check(Policy(model, tokenizer))


MESSAGES = "{% for m in messages %}"
TEMPLATES = {
    "raises": "{{ raise_exception('only a system turn') }}",
    "is broken": MESSAGES,
    "reads what is not there": "{{ messages[0].content.a.b }}",
    "drops the problem": "Hello!",
}


@pytest.mark.parametrize("fault", TEMPLATES)
def test_a_template_that_cannot_write_the_problem_is_named(tokenizer, fault):
    tokenizer.chat_template = TEMPLATES[fault]
    policy = Policy(llama(tokenizer, max_position_embeddings=256), tokenizer)
    with pytest.raises(ValueError, match=r"chat template.*buys 4 more"):
        policy.sample([PROMPT], 1)


def test_a_template_that_wants_parts_gets_them(tokenizer):
    part = "{% for part in m.content %}{{ part.text }}\n{% endfor %}"
    tokenizer.chat_template = f"{MESSAGES}{part}{{% endfor %}}"
    policy = Policy(llama(tokenizer, max_position_embeddings=256), tokenizer)
    assert PROMPT.strip() in policy.format(PROMPT)
    assert policy.user_turn("Right?") == "\nRight?\n"


def test_spaces_before_a_stop_are_there(tokenizer):
    """Some tokenizers clean " ." up to "." when they decode."""
    policy = policies.load("tiny")
    (free,) = policy.sample([PROMPT], 1, max_tokens=40)[0]
    stop = free.text[10:14]
    policy.tokenizer.clean_up_tokenization_spaces = True
    (chain,) = policy.sample([PROMPT], 1, max_tokens=40, stop=stop, fresh=True)[0]
    assert chain.text == free.text[: free.text.index(stop)] and chain.finished


# --- lengths -------------------------------------------------------------------------
def test_what_is_longer_than_the_model_reads_is_refused_and_fit_cuts_it(tokenizer):
    policy = Policy(llama(tokenizer), tokenizer, name="short")
    ids, _ = policy.encode(PROMPT)
    room = policy.limit - len(ids)
    tokens = tuple(range(3, 3 + room))
    full, over = (
        Chain(PROMPT, "x", t, tuple([0.0] * len(t))) for t in (tokens, (*tokens, 3))
    )
    assert len(policy.logprob([PROMPT], [full])[0]) == room
    text = "Answer: 7\n" * 30
    said = rf"apples.* {policy.limit + 1} tokens; short reads at most {policy.limit}"
    with pytest.raises(ValueError, match=said):
        policy.logprob([PROMPT], [over])
    with pytest.raises(ValueError, match="prompt and completion are .* tokens"):
        policy.logprob([PROMPT], [text])
    with pytest.raises(ValueError, match="prompt and prefix are .* tokens"):
        policy.sample([PROMPT], 1, prefix=full)
    policy.attach(r=2)
    assert np.isfinite(policy.fit([(PROMPT, text)])).all()
    assert policy.length(PROMPT, text) == policy.limit


def test_a_chain_that_was_written_counts_as_its_text():
    """Its tokens are not known: not a chain of no tokens, with log p 0."""
    policy = policies.load("tiny")
    chain = Chain(PROMPT, "Left: 3 + 4 = 7\n", prefix="Go back.\n")
    (logp,) = policy.logprob([PROMPT], [chain])
    assert logp == policy.logprob([PROMPT], [chain.text], prefix=chain.prefix)[0]
    (row,) = policy.sample([PROMPT], 1, prefix=chain)
    (same,) = policy.sample([PROMPT], 1, prefix=chain.full_text)
    assert row[0].tokens == same[0].tokens
    with pytest.raises(ValueError, match="prefix of start"):
        policy.extend([chain])


# --- weights that change -------------------------------------------------------------
@pytest.mark.parametrize("change", ["a buffer", "a forward"])
def test_what_changes_a_forward_changes_the_chains(tokenizer, change):
    policy = Policy(llama(tokenizer), tokenizer)
    before, hashes = drawn(policy), policy.hashes()
    body = policy.base.model
    if change == "a buffer":
        body.rotary_emb.inv_freq.mul_(0.1)
    else:
        own = body.layers[0].mlp.forward
        body.layers[0].mlp.forward = lambda x: 0 * own(x)
    assert policy.hashes() != hashes
    assert check(policy) != before


@pytest.mark.parametrize("change", ["weights", "adapter", "problem"])
def test_kept_kv_serves_only_what_made_it(tokenizer, change):
    """KV of other weights, of another adapter or of another prompt is not used."""
    policy = Policy(llama(tokenizer), tokenizer)
    policy.attach(r=4)
    policy.fit([(PROMPT, "Answer: 7")], epochs=5, lr=1e-1)
    policy.switch(None)
    (chain,) = policy.sample([PROMPT], 1, max_tokens=5, keep=True)[0]
    assert chain.state is not None and not chain.finished
    prompt = PROMPT
    if change == "weights":
        with torch.no_grad():
            policy.base.model.embed_tokens.weight.mul_(1.5)
    elif change == "adapter":
        policy.switch("default")
    else:
        prompt = "Ann has 5 pens.\n"
    bare = dataclasses.replace(chain, state=None)
    for call in (
        lambda c: policy.sample([prompt], 1, prefix=c, fresh=True)[0],
        lambda c: policy.extend([c], max_tokens=30),
    ):
        (a,), (b,) = call(chain), call(bare)
        assert a.tokens == b.tokens
        assert np.abs(np.subtract(a.logprobs, b.logprobs)).max() < 1e-4
    if change == "adapter":  # back on the base it serves again, as it is
        policy.switch(None)
        (child,) = policy.extend([chain], max_tokens=30)
        assert root(child.state) is root(chain.state)


def root(state):
    return root(state.parent) if state.parent else state


def test_scores_that_are_no_numbers_are_refused(tokenizer):
    model = llama(tokenizer)
    with torch.no_grad():
        model.lm_head.weight[7] = torch.nan
    with pytest.raises(FloatingPointError, match="apples.* not numbers"):
        Policy(model, tokenizer).logprob([PROMPT], ["Answer: 7"])


@pytest.mark.parametrize("n", [-1, 1.5])
def test_a_number_of_chains_that_makes_no_sense(n):
    problem, tree = policies.baskets()
    for policy in (tree, policies.load("tiny")):
        with pytest.raises(ValueError, match=f"n is {n}"):
            policy.sample([problem], n)


def test_the_store_may_be_named_from_home(tmp_path, monkeypatch):
    from ttslib.policy.engine import store

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TTS_STORE", "~/chains")
    assert store.folder() == tmp_path / "chains"
