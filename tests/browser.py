"""Chromium without a window, told what to do over the DevTools protocol."""

import base64
import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage "
    "--no-first-run --disable-extensions --disable-background-networking "
    "--remote-debugging-port=0 --remote-allow-origins=* --hide-scrollbars"
).split()
PATIENCE = 60  # seconds for the browser to start, and for an answer


def program() -> str | None:
    """Where Chromium is: CHROMIUM names it, else the usual names are looked for."""
    names = (os.environ.get("CHROMIUM", ""), *NAMES)
    return next(filter(None, map(shutil.which, names)), None)


class Tab:
    """One tab. ``faults`` are what the page did wrong since it was opened."""

    def __init__(self, socket):
        self.socket, self.count, self.events = socket, 0, []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def receive(self) -> dict:
        message = json.loads(self.socket.recv())
        if "method" in message:
            self.events.append(message)
        return message

    def call(self, method: str, **parameters) -> dict:
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        self.socket.send(json.dumps(message))
        while (answer := self.receive()).get("id") != self.count:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def width(self, width: int, height: int = 900) -> None:
        """Make the viewport so wide."""
        size = dict(width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def open(self, url: str) -> None:
        """Go to ``url`` and wait until it is loaded."""
        self.events = []
        went = self.call("Page.navigate", url=url)
        if "errorText" in went:
            raise RuntimeError(f"{url}: {went['errorText']}")
        while not any(e["method"] == "Page.loadEventFired" for e in self.events):
            self.receive()

    def run(self, script: str):
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def picture(self, path: Path) -> None:
        """A screenshot of the viewport, as a PNG file."""
        got = self.call("Page.captureScreenshot")
        Path(path).write_bytes(base64.b64decode(got["data"]))

    def faults(self) -> list[str]:
        """Exceptions, errors on the console, requests that failed or left the disk."""
        found, urls = [], {}
        for event in self.events:
            name, said = event["method"], event["params"]
            if name == "Runtime.exceptionThrown":
                found.append(f"exception: {said['exceptionDetails']}")
            elif name == "Runtime.consoleAPICalled" and said["type"] == "error":
                found.append(f"console: {said['args']}")
            elif name == "Log.entryAdded" and said["entry"]["level"] == "error":
                entry = said["entry"]
                found.append(f"log: {entry['text']} {entry.get('url', '')}")
            elif name == "Network.loadingFailed":
                url = urls.get(said["requestId"], "?")
                found.append(f"failed: {said['errorText']} {url}")
            elif name == "Network.requestWillBeSent":
                url = urls[said["requestId"]] = said["request"]["url"]
                if not url.startswith(("file:", "data:", "blob:")):
                    found.append(f"network: {url}")
        return found


@contextmanager
def tab(folder: Path):
    """A tab of a browser of its own, whose profile lies in ``folder``."""
    import websocket

    profile = Path(folder) / "profile"
    port = profile / "DevToolsActivePort"
    process = subprocess.Popen(
        [program(), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a group: its helpers end with it
    )
    try:
        end = time.monotonic() + PATIENCE
        while not (port.exists() and len(port.read_text().split()) == 2):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{program()} does not start")
            time.sleep(0.05)
        number, path = port.read_text().split()
        options = dict(timeout=PATIENCE, suppress_origin=True)
        browser = websocket.create_connection(
            f"ws://127.0.0.1:{number}{path}", **options
        )
        browser.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
        while "id" not in (answer := json.loads(browser.recv())):
            pass
        targets = answer["result"]["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        socket = websocket.create_connection(
            f"ws://127.0.0.1:{number}/devtools/page/{page}", **options
        )
        yield Tab(socket)
        socket.close()
        browser.close()
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait(PATIENCE)
