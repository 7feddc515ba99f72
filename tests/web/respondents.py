#!/usr/bin/env python3
"""Two service users and one of the team answer in browsers, others by the API; the round is revealed: `tests/web/run`.

What somebody would see is asserted, and what the service holds. The page has another origin than the service, as it would have anywhere."""

import base64
import hashlib
import http.client
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

from browser import Browser

HERE = os.path.dirname(os.path.abspath(__file__))
SERVICE = os.path.abspath(os.environ["SERVICE"])
SAVED, WAITING = "Everything is saved.", "waiting on this device"
NOW, WANTED = "Where am I now?", "Where do I want to be?"
HEARD, LISTENED_TO, SAFE = "I need to: feel heard", "I need to: feel listened to", "I need to: safe"


def page_for(api):
    """The page, and the policy it is served with: nothing but its own script, and nobody but the API to talk to."""
    with open(os.path.join(HERE, "index.html"), encoding="utf-8") as file:
        page = file.read().replace("http://127.0.0.1:8080", api)
    script = re.search(r"<script type=\"module\">(.*?)</script>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Charts bring a style of their own.
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; connect-src {api}; " \
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return page.encode(), policy


class Front(http.server.BaseHTTPRequestHandler):
    """Serves the one page."""

    asked = []

    def do_GET(self):
        Front.asked.append(self.path)
        page, policy = self.server.page
        self.send_response(200)
        for name, value in [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy),
                            ("Referrer-Policy", "no-referrer"), ("Content-Length", str(len(page)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """The real binary, and an organiser who talks to it."""

    def __init__(self, origin, port):
        self.port = port
        environment = {**os.environ, "LISTEN": f"127.0.0.1:{port}", "METRICS_LISTEN": "127.0.0.1:0", "NO_BOOTSTRAP": "true",
                       "LOG": "warn", "CORS_ORIGINS": origin}
        self.process = subprocess.Popen([SERVICE], env=environment, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while not self.is_ready():
            assert time.monotonic() < until and self.process.poll() is None, "the service does not start"
            time.sleep(0.05)
        self.client = json.loads(self.command("organisation", "create", "Acme Care", "--json"))["client"]
        self.sign_in()

    def is_ready(self):
        try:
            return self.call("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def command(self, *words):
        return subprocess.run([SERVICE, *words], env={**os.environ, "LOG": "error"}, check=True, stdout=subprocess.PIPE).stdout

    def sign_in(self):
        form = {"grant_type": "client_credentials", "client_id": self.client["client_id"], "client_secret": self.client["client_secret"]}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self.token = self.call("POST", "/v1/oauth/token", urllib.parse.urlencode(form), headers=headers)[2]["access_token"]

    def call(self, method, path, body=None, token=None, headers=None):
        """Status, ETag and JSON."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, answer.getheader("ETag"), json.loads(text) if "json" in (answer.getheader("Content-Type") or "") else text

    def does(self, method, path, body=None):
        """As organiser; it works."""
        status, _, answer = self.call(method, path, body, self.token)
        assert status in (200, 201), (method, path, status, answer)
        return answer

    def holds(self, token):
        """What the service holds for an invitation: the revision, and the ratings."""
        status, _, access = self.call("POST", "/v1/invitations/redeem", {"token": token})
        assert status == 200, access
        status, etag, own = self.call("GET", f"/v1/assessments/{access['assessment']}", token=access["access_token"])
        assert status == 200, own
        return int(etag.strip('"')), own["ratings"]

    def answers(self, token, current, desired):
        """Somebody answers everything alike, without a browser."""
        _, _, access = self.call("POST", "/v1/invitations/redeem", {"token": token})
        bearer, path = access["access_token"], f"/v1/assessments/{access['assessment']}"
        keys = self.call("GET", access["form"], token=bearer)[2]["answer_schema"]["required"]
        assert len(keys) == 34
        body = {"ratings": {key: {"current": current, "desired": desired} for key in keys}}
        _, etag, _ = self.call("GET", path, token=bearer)
        assert self.call("PATCH", path, body, bearer, {"If-Match": etag})[0] == 200
        assert self.call("POST", f"{path}/submit", token=bearer)[0] == 200


def tap(page, element, side, level):
    page.tap(("group", element), ("radiogroup", side), ("radio", level))


def rate(page, element, side, level):
    """Taps, and sees it saved: the words may still be there from the tap before."""
    before = page.statuses.count(("PATCH", 200))
    tap(page, element, side, level)
    page.hears("PATCH", 200, before + 1).reads(SAVED)


def rest(page, current, desired):
    """Taps whatever is not rated yet."""
    page.js(f"""for (const [side, level] of [['current', {current!r}], ['desired', {desired!r}]])
        for (const element of document.querySelectorAll('.element'))
            if (!element.querySelector('[type=checkbox]').checked && !element.querySelector(`[name$="/${{side}}"]:checked`))
                element.querySelector(`[name$="/${{side}}"][value="${{level}}"]`).click();""")
    page.reads(SAVED)


def is_usable(page):
    """Nothing is wider than the screen, and whatever can be used has a name."""
    wide = page.js("""[...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > 321)
        .map(one => one.outerHTML.slice(0, 80))""")
    assert not wide and page.js("document.documentElement.scrollWidth") <= 320, f"{page.name}: wider than 320 px: {wide}"
    controls = {"radio", "checkbox", "button", "textbox", "radiogroup", "DisclosureTriangle"}
    nodes = [node for node in page.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
    used = [node for node in nodes if node["role"]["value"] in controls]
    assert used and all(node.get("name", {}).get("value") for node in used), f"{page.name}: something has no name"
    return len(used)


def sent(page, method):
    """Idempotency key, precondition and body of what was sent."""
    own = [one for one in page.requests if one["method"] == method and "/v1/assessments/" in one["url"]]
    return [(one["headers"]["Idempotency-Key"], one["headers"].get("If-Match"), one.get("postData")) for one in own]


def two_tabs(phone, link, token, service, pictures):
    """Mary has the form open twice; each tab's revision gets stale."""
    first = phone.open(link).reads("Spring reflection").reads("We use your answers to improve our service.")
    first.reads("Where am I now?")
    assert is_usable(first) > 34 * 8
    first.tap(("DisclosureTriangle", "What is anonymous, and what is not"))
    first.reads("Your answers are anonymous.")
    first.picture(f"{pictures}/form-light.png")
    second = phone.open(link).reads(NOW)
    rate(first, HEARD, NOW, "Forming")
    assert service.holds(token)[1] == {"feelings.heard": {"current": "forming"}}
    # The other tab does not know of it.
    rate(second, LISTENED_TO, NOW, "Maturing")
    assert ("PATCH", 412) in second.statuses
    assert second.js("document.querySelector('[name=\"feelings.heard/current\"]:checked')?.value") == "forming"
    # Both say something of one and the same: the latest tap counts.
    rate(second, HEARD, NOW, "Embedded")
    rate(first, HEARD, NOW, "Early stages")
    assert [one for one in first.statuses if one[0] == "PATCH"] == [("PATCH", 200), ("PATCH", 412), ("PATCH", 200)], first.statuses
    keys = [key for key, *_ in sent(first, "PATCH")]
    assert len(set(keys)) == 3, "another precondition is another request"
    assert service.holds(token)[1] == {"feelings.heard": {"current": "early_stages"}, "feelings.listened_to": {"current": "maturing"}}
    assert first.js("document.querySelector('[name=\"feelings.listened_to/current\"]:checked')?.value") == "maturing"
    second.close()
    return first


def offline(phone, link, token, service, pictures):
    """Ali is in a lift; then an answer is lost on its way; then he goes home, and comes back."""
    page = phone.open(link).reads(NOW)
    rate(page, HEARD, NOW, "Forming")
    before, _ = service.holds(token)
    page.offline(True)
    tap(page, LISTENED_TO, NOW, "Early stages")
    tap(page, SAFE, NOW, "Forming")
    tap(page, LISTENED_TO, NOW, "Maturing")
    page.reads(f"No connection. 3 {WAITING}")
    page.picture(f"{pictures}/offline.png", None)
    assert service.holds(token)[0] == before
    page.offline(False)
    page.reads(SAVED)
    revision, ratings = service.holds(token)
    assert revision == before + 3, "each once, and none twice"
    assert ratings == {"feelings.heard": {"current": "forming"}, "feelings.listened_to": {"current": "maturing"},
                       "feelings.safe": {"current": "forming"}}

    already = len(sent(page, "PATCH"))
    page.lose_answers("PATCH", 1)
    tap(page, HEARD, WANTED, "Embedded")
    page.reads(WAITING)
    assert service.holds(token)[1]["feelings.heard"] == {"current": "forming", "desired": "embedded"}, "it did arrive"
    page.reads(SAVED)
    page.lose_no_more()
    again = sent(page, "PATCH")[already:]
    assert len(again) == 2 and len(set(again)) == 1, again
    assert service.holds(token)[0] == revision + 1, "sent twice, saved once"

    page.close()
    page = phone.open(link).reads(NOW)
    page.until("document.querySelectorAll('#themes :checked').length === 4")
    # By the keyboard: the arrow chooses the next level up.
    page.on_it(page.find(("group", HEARD), ("radiogroup", NOW), ("radio", "Forming")), "function () { this.focus(); }")
    page.key("ArrowRight", 39)
    page.until("document.querySelector('[name=\"feelings.heard/current\"]:checked').value === 'maturing'").reads(SAVED)
    page.tap(("group", "I need to invest in: time"), ("checkbox", "Does not apply"))
    page.tap(("group", SAFE), ("DisclosureTriangle", "Add a note"))
    page.on_it(page.find(("textbox", f"A note: {SAFE}")), "function () { this.focus(); }")
    page.types("<b>Not</b> at night.")
    page.on_it(page.find(("textbox", f"A note: {SAFE}")), "function () { this.blur(); }")
    page.reads(SAVED)
    ratings = service.holds(token)[1]
    assert ratings["tools.time"] == {"not_applicable": True} and ratings["feelings.safe"]["note"] == "<b>Not</b> at night.", ratings
    return page


def all_tokens_over(service):
    old = service.token
    service.command("keys", "rotate", "--now")
    until = time.monotonic() + 15
    while service.call("GET", "/v1/organisation", token=old)[0] != 401:
        assert time.monotonic() < until, "the old token still counts"
        time.sleep(0.1)
    service.sign_in()


def token_over(page, token, service):
    """The page gets itself another one, and nothing is lost."""
    all_tokens_over(service)
    rate(page, HEARD, WANTED, "Maturing")
    assert ("PATCH", 401) in page.statuses
    assert service.holds(token)[1]["feelings.heard"]["desired"] == "maturing"


def too_early(page, pictures):
    """What is missing is said in words, and leads to where it is missing."""
    page.tap(("button", "Submit my answers"))
    page.until("!document.getElementById('problem').hidden")
    missing = page.js("[...document.querySelectorAll('#faults button')].map(one => one.textContent)")
    assert LISTENED_TO in missing and "Risk of harm" in missing, missing
    page.picture(f"{pictures}/missing.png", "document.getElementById('problem')")
    page.tap(("alert", None), ("button", "Risk of harm"))
    assert page.js("document.activeElement.name") == "safety.risk_of_harm/current"


def receipt_of(page, pictures=None):
    page.tap(("button", "Submit my answers"))
    return shown_receipt(page, pictures)


def shown_receipt(page, pictures=None):
    page.reads("Keep this receipt")
    receipt = page.js("document.querySelector('#receipt output').textContent")
    assert re.fullmatch(r"([0-9A-Z]{5}-){4}[0-9A-Z]{6}", receipt), receipt
    assert receipt in page.text() and receipt not in page.js("JSON.stringify({ ...sessionStorage, ...localStorage })")
    if pictures:
        page.picture(f"{pictures}/receipt.png")
    return receipt


def with_receipt(phone, front, receipt, words):
    page = phone.open(front).reads("I have a receipt")
    page.tap(("textbox", "Receipt"))
    page.types(receipt.lower())
    page.tap(("button", "Open my answers"))
    return page.reads(words)


def charts(page, theme, pictures=None):
    """Four pictures, each with something in it, a title, a description, and its figures for who hears them."""
    page.dark(theme == "dark")
    page.reads("What the round found").until(f"document.querySelectorAll('figure svg.mc-{theme}').length === 4")
    assert is_usable(page) > 0
    for at, name in enumerate(["radar", "dumbbell", "heat-map", "distribution"]):
        told = page.js(f"""(() => {{
            const svg = document.querySelectorAll('figure svg')[{at}], {{ width, height }} = svg.getBoundingClientRect();
            const named = attribute => document.getElementById(svg.getAttribute(attribute))?.textContent;
            return {{ width, height, title: named('aria-labelledby'), description: named('aria-describedby'),
                shapes: svg.querySelectorAll('path, rect, circle, line, polygon, text').length }}; }})()""")
        assert told["width"] > 250 and told["height"] > 150 and told["shapes"] > 20, told
        assert told["title"] and told["description"], told
        if pictures:
            size = page.picture(f"{pictures}/{name}-{theme}.png", f"document.querySelectorAll('figure svg')[{at}]")
            assert size > 10_000, f"an empty picture: {name}, {size} bytes"
    roles = [node["role"]["value"] for node in page.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
    assert roles.count("rowheader") + roles.count("listitem") > 34, "screen readers get no figures"


def drill(browser, service, front, pictures):
    consent = {"text": "We use your answers to improve our service.", "version": "1", "language": "en"}
    asked = [{"perspective": "service_user", "expected": 3}, {"perspective": "team", "expected": 3}]
    made = service.does("POST", "/v1/rounds", {"title": "Spring reflection", "model": "meaningful-connections", "privacy": "anonymous",
                                               "perspectives": asked, "consent": consent})
    path = f"/v1/rounds/{made['id']}"
    service.does("POST", f"{path}/open")
    personal, poster = {"perspective": "service_user"}, {"perspective": "team", "uses": 3}
    wanted = {"invitations": [personal, personal, personal, poster], "link": f"{front}#"}
    invited = service.does("POST", f"{path}/invitations", wanted)["invitations"]
    (mary_token, ali_token, third, shared), links = [one["token"] for one in invited], [one["url"] for one in invited]

    mary, ali, team = (browser.profile_of(name) for name in ["Mary", "Ali", "the team"])
    marys = two_tabs(mary, links[0], mary_token, service, pictures)
    alis = offline(ali, links[1], ali_token, service, pictures)
    teams = team.open(links[3]).reads("This link is yours alone")
    own = teams.js("location.hash.slice(1)")
    assert own != shared and teams.reads("Where are we now?")
    token_over(alis, ali_token, service)

    too_early(marys, pictures)
    rest(marys, "forming", "maturing")
    rest(alis, "forming", "embedded")
    marys.dark(True)
    marys.picture(f"{pictures}/form-dark.png")
    marys.dark(False)
    teams.reload().reads("Where are we now?")
    assert teams.js("location.hash.slice(1)") == own, "a reload is no further use of the poster"
    rest(teams, "embedded", "embedded")
    receipt = receipt_of(marys, pictures)
    # The submission arrives, its answer does not, the token ends, and the page is loaded anew: there is one answer, and its receipt.
    alis.lose_answers("POST", 99)
    alis.tap(("button", "Submit my answers"))
    alis.reads(WAITING)
    all_tokens_over(service)
    alis.reads(WAITING)
    alis.lose_no_more()
    alis.reload()
    shown_receipt(alis)
    assert len({key for key, *_ in sent(alis, "POST")}) == 1, sent(alis, "POST")
    receipt_of(teams)
    progress = service.does("GET", path)["progress"]
    assert [(one["perspective"], one["submitted"]) for one in progress] == [("service_user", 2), ("team", 1)], progress

    # The invitation is used; the receipt leads to what was submitted, which can be changed while the round is open.
    marys.reload()
    marys.reads("no such")
    again = with_receipt(mary, front, receipt, "You have submitted your answers")
    again.tap(("button", "Change my answers"))
    again.reads(NOW)
    assert again.js("document.querySelector('[name=\"feelings.heard/current\"]:checked').value") == "early_stages"
    rate(again, HEARD, NOW, "Forming")
    again.tap(("button", "Submit my answers"))
    again.reads("You have submitted your answers")
    again.close()
    status, _, access = service.call("POST", "/v1/receipts/redeem", {"receipt": receipt})
    _, _, kept = service.call("GET", f"/v1/assessments/{access['assessment']}", token=access["access_token"])
    assert (status, kept["version"], kept["ratings"]["feelings.heard"]["current"]) == (200, 2, "forming"), kept
    assert service.does("GET", path)["progress"][0]["submitted"] == 2

    service.answers(third, "early_stages", "maturing")
    for _ in range(2):
        service.answers(shared, "maturing", "embedded")
    service.does("POST", f"{path}/close")
    before = ali.open(links[1]).reads("no such")
    before.close()
    found = service.does("POST", f"{path}/reveal")["gap_analysis"]
    counted = service.does("GET", f"/v1/gap-analyses/{found}")["inputs"]
    assert counted == [{"perspective": "service_user", "count": 3}, {"perspective": "team", "count": 3}], counted

    alis = ali.open(links[1])
    charts(alis, "light", pictures)
    charts(alis, "dark", pictures)
    alis.picture(f"{pictures}/found-dark.png")
    assert "feel heard" in alis.js("document.getElementById('differences').innerText")
    marys = with_receipt(mary, front, receipt, "You have submitted your answers")
    charts(marys, "light")
    assert "Change my answers" not in marys.text(), "the round is over"
    teams = team.open(f"{front}#{own}")
    charts(teams, "light")


def main(pictures):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
    port = free_port()
    front = f"http://127.0.0.1:{server.server_address[1]}"
    server.page = page_for(f"http://127.0.0.1:{port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    service = Service(front, port)
    try:
        with Browser() as browser:
            drill(browser, service, f"{front}/", pictures)
            pages = browser.everybody
    finally:
        service.process.terminate()
        service.process.wait()
    complaints = {page.name: page.complaints for page in pages if page.complaints}
    assert not complaints, complaints
    statuses = {status for page in pages for _, status in page.statuses}
    assert statuses <= {200, 204, 401, 404, 412, 422}, statuses
    assert set(Front.asked) == {"/"}, f"whoever serves the page learns nothing of anybody: {set(Front.asked)}"
    print(f"{len(pages)} tabs, {sum(len(page.requests) for page in pages)} requests, statuses {sorted(statuses)}")


main(*sys.argv[1:])
