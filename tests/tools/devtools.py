"""A page in a headless Chromium, driven through its DevTools protocol, with nothing but Python's library."""
import base64
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request


KEY_CODES = {"Enter": 13, "Tab": 9, "Escape": 27}


def find_chromium():
    """The path of a Chromium or Chrome, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if shutil.which(name):
            return shutil.which(name)
    return None


class WebSocket:
    """The client's side of RFC 6455, as far as DevTools needs it: whole texts, no extensions."""

    def __init__(self, host, port, path):
        self.socket = socket.create_connection((host, port), timeout=60)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self.take(1)
        assert b" 101 " in answer.split(b"\r\n")[0], answer

    def take(self, count):
        parts = []
        while count > 0:
            part = self.socket.recv(min(count, 1 << 20))
            if not part:
                raise ConnectionError("the browser has closed the connection")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def send(self, text):
        data = text.encode()
        mask = os.urandom(4)
        if len(data) < 126:
            head = struct.pack("!BB", 0x81, 0x80 | len(data))
        elif len(data) < 1 << 16:
            head = struct.pack("!BBH", 0x81, 0x80 | 126, len(data))
        else:
            head = struct.pack("!BBQ", 0x81, 0x80 | 127, len(data))
        self.socket.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def receive(self):
        """The next text, whole."""
        text = b""
        while True:
            first, second = self.take(2)
            length = second & 0x7F
            if length == 126:
                length = struct.unpack("!H", self.take(2))[0]
            elif length == 127:
                length = struct.unpack("!Q", self.take(8))[0]
            part = self.take(length)
            if first & 0x0F in (0, 1):
                text += part
                if first & 0x80:
                    return text.decode()


class Page:
    """One page of a browser of its own; `with Page() as page: page.open(path)`."""

    def __init__(self, width=1400, height=1000):
        self.folder = tempfile.mkdtemp(prefix="kvscope_chromium_")
        self.process = subprocess.Popen(
            [find_chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0",
             f"--user-data-dir={self.folder}", f"--window-size={width},{height}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.errors = []
        self.number = 0
        self.done = set()
        self.socket = self.connect()
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.size(width, height)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
            self.process.wait(timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self):
        place = pathlib.Path(self.folder) / "DevToolsActivePort"
        for _ in range(600):
            if place.exists() and len(place.read_text().split()) >= 2:
                port = int(place.read_text().split()[0])
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
                    pages = [one for one in json.load(answer) if one["type"] == "page"]
                if pages:
                    return WebSocket("127.0.0.1", port, "/" + pages[0]["webSocketDebuggerUrl"].split("/", 3)[3])
            time.sleep(0.1)
        raise TimeoutError("the browser does not answer")

    def call(self, method, **parameters):
        self.number += 1
        number = self.number
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.receive())
            self.note(message)
            if message.get("id") == number:
                assert "error" not in message, (method, message["error"])
                return message["result"]

    def note(self, message):
        """Keeps what went wrong in the page, and every request that it made for something else than itself."""
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.errors.append(str([one.get("value", one.get("description")) for one in parameters["args"]]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith(("file:", "data:", "about:")):
            self.errors.append("asks for " + parameters["request"]["url"])
        elif method == "Page.loadEventFired":
            self.done.add("load")
        elif method == "Page.javascriptDialogOpening":
            self.errors.append("a dialog: " + parameters["message"])

    def open(self, path):
        """Opens a file and waits until it is loaded; the seconds that took."""
        begin = time.monotonic()
        self.done.discard("load")
        self.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        while "load" not in self.done:
            self.note(json.loads(self.socket.receive()))
        self.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
        return time.monotonic() - begin

    def open_still(self, path):
        """Likewise where scripts are switched off, so that nothing can be awaited in the page."""
        self.done.discard("load")
        self.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        while "load" not in self.done:
            self.note(json.loads(self.socket.receive()))

    def evaluate(self, expression):
        """The value of JavaScript, awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        details = answer.get("exceptionDetails")
        assert not details, f"{expression}: {details.get('exception', {}).get('description') or details}"
        return answer["result"].get("value")

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def place(self, selector, x=0.5, y=0.5):
        """Where a part of an element is in the window, after scrolling to it."""
        box = self.evaluate(f"""(() => {{ const found = document.querySelector({json.dumps(selector)});
            if (!found) return null;
            found.scrollIntoView({{block: "center"}});
            const box = found.getBoundingClientRect();
            return [box.left, box.top, box.width, box.height]; }})()""")
        assert box, f"no {selector} in the page"
        return box[0] + x * box[2], box[1] + y * box[3]

    def hover(self, selector, x=0.5, y=0.5):
        """Moves the pointer there; what the tip says, or ""."""
        left, top = self.place(selector, x, y)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=left, y=top)
        return self.evaluate('(() => { const tip = document.getElementById("tip"); return tip.hidden ? "" : tip.textContent; })()')

    def click(self, selector, x=0.5, y=0.5, modifiers=0):
        left, top = self.place(selector, x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=left, y=top, button="left", clickCount=1, modifiers=modifiers)

    def wait(self, expression, seconds=10):
        """Until it is true; a busy machine's page may handle what was typed a little later."""
        last = time.monotonic() + seconds
        while not self.evaluate(expression):
            assert time.monotonic() < last, f"never true: {expression}"
            time.sleep(0.05)

    def press(self, key):
        """One key; Enter, Tab and Escape do what the browser does with them, too."""
        more = {"text": key} if len(key) == 1 else {}
        if key in KEY_CODES:
            more = {"windowsVirtualKeyCode": KEY_CODES[key], **({"text": "\r"} if key == "Enter" else {})}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **({} if len(key) == 1 else {
            name: value for name, value in more.items() if name != "text"}))

    def drag(self, selector, begin, end):
        """With the left button down, between two places of an element, each as parts of its width and height."""
        left, top = self.place(selector, *begin)
        right, bottom = self.place(selector, *end)
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=left, y=top, button="left", buttons=1, clickCount=1)
        for part in (0.5, 1):
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=left + part * (right - left), y=top + part * (bottom - top),
                      button="left", buttons=1)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=right, y=bottom, button="left", clickCount=1)

    def wheel(self, selector, x, y, by):
        left, top = self.place(selector, x, y)
        self.evaluate("new Promise(done => setTimeout(done, 350))")  # what came into view by scrolling is not zoomed at once
        self.call("Input.dispatchMouseEvent", type="mouseWheel", x=left, y=top, deltaX=0, deltaY=by)
        self.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")

    def pdf(self):
        """The bytes of the page as it prints."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def screenshot(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
