"""The machinery below a language model: decoding, its KV, what is kept on disk.

``decode`` draws many chains in one batch; ``kv`` and ``llama`` hold what it looks back
at; ``store`` keeps what was drawn and trained; ``fingerprint`` says what a model is;
``tokens`` reads and writes text as a model's ids; ``progress`` is the bar.
"""
