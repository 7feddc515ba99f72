"""A headless Chromium, driven through a pipe (`--remote-debugging-pipe`): the Chrome DevTools Protocol as JSON documents that
end in a zero byte, on file descriptors 3 and 4. It needs no websocket, and no port that a stranger on this machine could connect to."""

import base64
import collections
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE = 15  # seconds, for whatever a page is to do by itself


def program():
    names = ["chromium", "chromium-browser", "google-chrome"]
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    return found or sys.exit("tests/web/run: chromium is missing (Debian: apt-get install chromium)")


class Browser:
    """One process; each respondent has a profile of their own in it."""

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="mc-web-profile.")
        (theirs_in, self.write), (self.read, theirs_out) = os.pipe(), os.pipe()
        switches = ["--headless", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--no-first-run", "--disable-gpu",
                    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
                    # It talks to this machine and to nobody else.
                    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        if os.getuid() == 0:
            switches.append("--no-sandbox")
        self.log = open(os.path.join(self.profile, "log"), "wb")
        pipes = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(["bash", "-c", pipes, "bash", program(), *switches], pass_fds=(theirs_in, theirs_out),
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest, self.last, self.answers, self.pages, self.everybody = b"", 0, {}, {}, []
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
        except (RuntimeError, OSError):
            self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def send(self, method, session=None, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        try:
            os.write(self.write, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            self.is_gone()
        return self.last

    def call(self, method, session=None, **parameters):
        number = self.send(method, session, **parameters)
        until = time.monotonic() + 2 * PATIENCE
        while number not in self.answers:
            self.hear(until)
        answer = self.answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def hear(self, until):
        """Waits for more, and tells it to whom it is for."""
        if not select.select([self.read], [], [], max(0, until - time.monotonic()))[0]:
            raise RuntimeError("Chromium does not answer")
        more = os.read(self.read, 1 << 20)
        if not more:
            self.is_gone()
        *messages, self.rest = (self.rest + more).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.answers[message["id"]] = message
            elif page := self.pages.get(message.get("sessionId")):
                page.on(message["method"], message["params"])

    def is_gone(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            raise RuntimeError(f"Chromium is gone:\n{log.read()}")

    def profile_of(self, name):
        return Profile(self, name, self.call("Target.createBrowserContext")["browserContextId"])


class Profile:
    """Somebody's phone."""

    def __init__(self, browser, name, context):
        self.browser, self.name, self.context = browser, name, context

    def open(self, url):
        target = self.browser.call("Target.createTarget", url="about:blank", browserContextId=self.context)["targetId"]
        return Page(self.browser, self.name, target).go(url)


class Page:
    """A tab of 320 px, which people touch."""

    def __init__(self, browser, name, target):
        self.browser, self.name, self.target = browser, name, target
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.pages[self.session] = self
        browser.everybody.append(self)
        # What went over the wire (method, path, headers; and its status), what the console says, and whose answers are lost.
        self.requests, self.statuses, self.complaints, self.losing = [], [], [], None
        self.wire = collections.OrderedDict()
        for domain in ["Page", "Runtime", "Network", "Log", "Audits", "DOM", "Accessibility"]:
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=320, height=640, deviceScaleFactor=2, mobile=True)
        self.call("Emulation.setTouchEmulationEnabled", enabled=True)

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def on(self, event, told):
        if event == "Network.requestWillBeSent":
            request = told["request"]
            self.wire[told["requestId"]] = request
            self.requests.append(request)
        elif event == "Network.responseReceived":
            request = self.wire.get(told["requestId"])
            self.statuses.append((request["method"] if request else "OPTIONS", told["response"]["status"]))
        elif event == "Fetch.requestPaused":
            # Before a PATCH the browser asks whether it may, by OPTIONS: that is not meant.
            method, times = self.losing
            is_meant = told["request"]["method"] == method and times > 0
            self.losing = (method, times - is_meant)
            if not is_meant:
                self.browser.send("Fetch.continueRequest", self.session, requestId=told["requestId"])
            else:
                # The service has answered; the page hears that the connection broke.
                self.browser.send("Fetch.failRequest", self.session, requestId=told["requestId"], errorReason="ConnectionReset")
        elif event == "Page.javascriptDialogOpening":
            self.browser.send("Page.handleJavaScriptDialog", self.session, accept=True)
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["exceptionDetails"])[:500])
        elif event == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(told["args"])[:500])
        elif event == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            # That a request failed is said here, too: what statuses there may be is the test's to say.
            if told["entry"]["source"] != "network":
                self.complaints.append(told["entry"]["text"])
        elif event == "Audits.issueAdded" and told["issue"]["code"] in ("ContentSecurityPolicyIssue", "CorsIssue"):
            self.complaints.append(json.dumps(told["issue"])[:500])

    def go(self, url):
        self.call("Page.navigate", url=url)
        return self.until("document.readyState === 'complete' && Boolean(document.getElementById('status'))")

    def reload(self):
        self.js("globalThis.isBefore = true")
        self.call("Page.reload")
        return self.until("!globalThis.isBefore")

    def close(self):
        del self.browser.pages[self.session]
        self.browser.call("Target.closeTarget", targetId=self.target)

    def js(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{self.name}: {expression}: {json.dumps(answer['exceptionDetails'])[:500]}")
        return answer["result"].get("value")

    def until(self, expression):
        """Waits until it is so."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if self.js(expression):
                    return self
            except RuntimeError as error:  # In the middle of a navigation there is nobody to ask.
                if "context" not in str(error) and "navigated" not in str(error):
                    raise
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} waits in vain for: {expression}\nthe page says:\n{self.text()}")
            time.sleep(0.02)

    def hears(self, method, status, times):
        """Waits until so many requests of this method were answered so."""
        deadline = time.monotonic() + PATIENCE
        while self.statuses.count((method, status)) < times:
            assert time.monotonic() < deadline, f"{self.name} hears of no {method} {status}: {self.statuses[-5:]}"
            self.js("0")  # What happened meanwhile comes before its answer.
            time.sleep(0.02)
        return self

    def text(self):
        """What somebody sees."""
        return self.js("document.body.innerText")

    def reads(self, words):
        return self.until(f"document.body.innerText.includes({json.dumps(words)})")

    def find(self, *path):
        """Whatever has this role and this accessible name (or any), in whatever has the one before: as a screen reader finds it."""
        self.call("Page.bringToFront")  # A tab in the background draws nothing.
        node = {"nodeId": self.call("DOM.getDocument", depth=0)["root"]["nodeId"]}
        for role, name in path:
            found = self.call("Accessibility.queryAXTree", **node, role=role, **({"accessibleName": name} if name else {}))["nodes"]
            found = [one for one in found if not one["ignored"]]
            if not found:
                raise AssertionError(f"{self.name}: no {role} {name!r}\nthe page says:\n{self.text()}")
            node = {"backendNodeId": found[0]["backendDOMNodeId"]}
        return self.call("DOM.resolveNode", **node)["object"]["objectId"]

    def on_it(self, element, function):
        answer = self.call("Runtime.callFunctionOn", objectId=element, functionDeclaration=function, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    def tap(self, *path):
        """With a finger, in the middle of it: it has to be there, and nothing before it."""
        place = self.on_it(self.find(*path), """function () {
            this.scrollIntoView({ block: 'center', behavior: 'instant' });
            const { left, top, width, height } = this.getBoundingClientRect(), [x, y] = [left + width / 2, top + height / 2];
            const hit = document.elementFromPoint(x, y), label = this.closest('label') ?? this;
            const { width: wide, height: high } = label.getBoundingClientRect();
            return { x, y, wide, high, isFree: label.contains(hit) };
        }""")
        assert place["isFree"], f"{self.name}: something is before {path}"
        assert place["wide"] >= 24 and place["high"] >= 24, f"{self.name}: too small to touch: {path} {place}"
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": place["x"], "y": place["y"]}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def key(self, name, code):
        for kind in ["rawKeyDown", "keyUp"]:
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code)

    def types(self, words):
        self.call("Input.insertText", text=words)

    def offline(self, is_offline):
        self.call("Network.emulateNetworkConditions", offline=is_offline, latency=0, downloadThroughput=-1, uploadThroughput=-1)

    def lose_answers(self, method, times):
        """The next so many requests of this method reach the service; what it answers does not reach the page."""
        self.losing = (method, times)
        self.call("Fetch.enable", patterns=[{"urlPattern": "*/v1/assessments/*", "requestStage": "Response"}])

    def lose_no_more(self):
        self.call("Fetch.disable")

    def dark(self, is_dark):
        self.call("Page.bringToFront")
        value = "dark" if is_dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def picture(self, path, element="document.documentElement"):
        """The page, or an element of it, as a PNG: how many bytes it takes. Of what is long, the beginning. `None`: the screen."""
        clip = element and self.js(f"""(() => {{ const {{ left, top, width, height }} = {element}.getBoundingClientRect();
            return {{ x: left + scrollX, y: top + scrollY, width, height: Math.min(height, 2000), scale: 1 }}; }})()""")
        data = self.call("Page.captureScreenshot", format="png", **({"captureBeyondViewport": True, "clip": clip} if clip else {}))["data"]
        with open(path, "wb") as file:
            return file.write(base64.b64decode(data))
