"""What runs apart from this process: model-written programs, and math-verify.

Programs run in CPython on WebAssembly (``wasm_…``) or, in a small language, in
pydantic-monty (``fast_subset``); math-verify in a worker (``math_worker``).
"""
