"""A window of headless Chromium that a test drives: of any size (--window-size knows none below 500), with real keys.

It speaks the DevTools protocol over a pipe, so that nothing beside Chromium and Python is needed.
"""
import base64
import json
import pathlib
import shutil
import subprocess
import tempfile
import time

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
KEYS = {"Tab": 9, "Enter": 13, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
        "ArrowDown": 40}


class Window:
    def __init__(self, width, height, dark=False):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.chromium = subprocess.Popen(  # it reads from 3 and writes to 4
            ["sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1', "sh", CHROMIUM, *FLAGS,
             f"--user-data-dir={self.profile.name}", "--remote-debugging-pipe", "about:blank"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.unread, self.number, self.session = b"", 0, {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """In order: a Chromium that is killed leaves children that still write into its profile."""
        try:
            self.chromium.communicate(b'{"id": 0, "method": "Browser.close"}\0', timeout=20)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.chromium.kill()
            self.chromium.communicate()
        self.profile.cleanup()

    def message(self):
        while b"\0" not in self.unread:
            piece = self.chromium.stdout.read1(1 << 16)
            assert piece, "chromium has ended"
            self.unread += piece
        text, _, self.unread = self.unread.partition(b"\0")
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        question = {"id": self.number, "method": method, "params": parameters, **self.session}
        self.chromium.stdin.write(json.dumps(question).encode() + b"\0")
        self.chromium.stdin.flush()
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]

    def value(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script, limit=60):
        end = time.monotonic() + limit
        while not self.value(script):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.05)

    def open(self, url, ready):
        self.call("Page.navigate", url=url)
        self.wait(ready)

    def picture(self, file):
        """All of the page, not only what the window shows."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip={**size, "scale": 1})
        pathlib.Path(file).write_bytes(base64.b64decode(shot["data"]))

    def press(self, key, modifiers=0):
        text = {"text": "\r"} if key == "Enter" else {}
        for kind, more in (("keyDown", text), ("keyUp", {})):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key],
                      modifiers=modifiers, **more)
