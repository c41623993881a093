"""The machinery below a language model: decoding, KV, the store.

``decode`` draws many chains in one batch, whose rows ``rows`` admits, steps and
retires; ``kv`` holds keys and values; ``llama`` is the fast path; ``store`` keeps what
was drawn and trained; ``fingerprint`` identifies a model; ``adapters`` puts LoRA into
one; ``tokens`` turns text into a model's ids and back; ``progress`` is the bar.
"""
