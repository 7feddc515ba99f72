"""A round under load: many are invited, many answer at the same time, and one request reveals it. Started by `tests/bench/round`."""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error

from processes import EXAMPLES, Cluster, Service, fail, memory, say
from tables import line, number, print_machine, table

MODEL = "/v1/models/meaningful-connections/versions/1"
# A team of a hundred times its size: of ten who answer, six use the service.
PERSPECTIVES = ["service_user"] * 6 + ["team_member"] * 3 + ["team"]
AT_ONCE = 500  # invitations of one request: the most there can be
MOST_TIMES = 50


class Round:
    """A round of one privacy regime on one database, and what was found of it."""

    def __init__(self, service, privacy, options, folder):
        self.service, self.privacy, self.options, self.folder = service, privacy, options, folder
        self.found, self.timed = {}, {}

    def ask(self, path, body=None, headers=(), method=None, timed=None):
        """JSON of an answer; where it is timed, how long that took, in seconds."""
        headers = {"Authorization": f"Bearer {self.service.token()}", "Content-Type": "application/json", **dict(headers)}
        data = None if body is None else json.dumps(body).encode()
        began = time.monotonic()
        try:
            with self.service.ask(path, data, headers, method or ("POST" if body is not None else "GET")) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            fail(f"{path}: {error.code} {error.read().decode()}")
        if timed:
            self.timed[timed] = self.timed.get(timed, 0) + time.monotonic() - began
        return json.loads(text)

    def open(self):
        constellation = self.ask("/v1/constellations", {
            "title": "Under load", "parties": [{"key": "team", "kind": "team", "label": "The team"},
                                               {"key": "residents", "kind": "service_user", "label": "Residents"}],
            "relationships": [{"from": "team", "to": "residents", "cardinality": {"from": "one", "to": "many"}}]})
        made = self.ask("/v1/rounds", {
            "title": f"Under load, {self.privacy}", "model": "meaningful-connections", "privacy": self.privacy,
            "relationship": constellation["relationships"][0]["id"],
            "perspectives": [{"perspective": one, "expected": 1} for one in sorted(set(PERSPECTIVES))],
            "consent": {"text": "We use your answers to improve our service.", "version": "1", "language": "en"}})
        self.path = f"/v1/rounds/{made['id']}"
        self.ask(self.path + "/open", method="POST")

    def invite(self):
        """Tokens, in an order in which every perspective comes early."""
        tokens = []
        while len(tokens) < self.options.invitations:
            some = [{"perspective": PERSPECTIVES[place % len(PERSPECTIVES)]}
                    for place in range(min(AT_ONCE, self.options.invitations - len(tokens)))]
            made = self.ask(self.path + "/invitations", {"invitations": some}, timed="invite")
            tokens += [one["token"] for one in made["invitations"]]
        random.shuffle(tokens)
        return tokens

    def file(self, name, lines):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write("\n".join(lines))
        return path

    def load(self, name, at_once, *work):
        """Figures of many at once; anything that is lost, refused or broken ends everything."""
        self.service.prepare()
        before = self.service.cpu()
        command = [os.path.join(EXAMPLES, "bench-respondents"), "--address", self.service.address, "--at-once", str(at_once), *work]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=self.options.patience)
        if done.returncode:
            fail(f"{name}: the load broke off")
        found = json.loads(done.stdout)
        after = self.service.cpu()
        found["at once"] = at_once
        found["requests"] = sum(found["statuses"].values())
        found["cpu"], found["cpu_all"] = ((b - a) * 1000 / found["requests"] for a, b in zip(before, after))
        found["peak"] = memory(self.service.process.pid, "VmHWM")
        self.found[name] = found
        slowest = ", ".join(f"{what} p99 {took['p99']:.1f} ms" for what, took in found["took"].items())
        say(f"  {self.service.database}, {self.privacy}, {name}: {found['requests'] / found['seconds']:.0f} requests/s, {slowest}")
        if found["failed"] or found["lost"]:
            fail(f"INVALID: {name}: {found['failed']} failed, {found['lost']} saves lost; the first failure: {found['first_failure']}")
        return found

    def answer(self, tokens):
        """The first answer rating by rating, all at the same time; the next so, too, but as people do; the rest in one save."""
        keys = self.file("keys", element_keys(self.service))
        count, respondents = 0, self.options.respondents
        works = [("rush", respondents, ()), ("pace", respondents, ("--pause", str(self.options.pause))), ("whole", 32, ("--whole",))]
        for name, at_once, how in works:
            some = tokens[count:] if name == "whole" else tokens[count:count + respondents]
            count += len(some)
            if not some:
                continue
            found = self.load(name, min(at_once, len(some)), "answer", self.file("tokens", some), keys, *how)
            if found["took"]["submit"]["count"] != len(some):
                fail(f"{name}: of {len(some)} {found['took']['submit']['count']} submitted")

    def reveal(self):
        progress = self.ask(self.path)["progress"]
        said = {name: sum(one[name] for one in progress) for name in ("invited", "started", "submitted")}
        if set(said.values()) != {self.options.invitations}:
            fail(f"the round counts otherwise: {progress}")
        self.ask(self.path + "/close", method="POST", timed="close")
        revealed = self.ask(self.path + "/reveal", method="POST", timed="reveal")
        analysis = self.ask(f"/v1/gap-analyses/{revealed['gap_analysis']}", timed="analysis")
        counted = {element["all"]["n"] for element in analysis["elements"]}
        if counted != {self.options.invitations} or len(analysis["elements"]) != 34:
            fail(f"the analysis counts otherwise: {counted}")
        return analysis

    def read(self, analysis):
        """What the reveal spares: every assessment by itself, as their organiser may in a round that is not anonymous."""
        paths = self.file("paths", [f"/v1/assessments/{one['assessment']}" for one in analysis["inputs"]])
        token = self.file("token", [self.service.token()])
        self.load("read", 1, "read", paths, token)
        self.load("read by 16", 16, "read", paths, token)

    def times(self):
        """How many times as long it takes to read the assessments one by one as to reveal and analyse them."""
        return self.found["read"]["seconds"] / self.timed["reveal"]

    def run(self):
        self.open()
        tokens = self.invite()
        self.answer(tokens)
        analysis = self.reveal()
        if self.privacy == "named":
            self.read(analysis)


def element_keys(service):
    model = json.loads(service.body(MODEL))
    keys = [element["key"] for theme in model["themes"] for element in theme["elements"]]
    return keys + [consideration["key"] for consideration in model["safety"]["considerations"]]


def print_saves(rounds):
    table("database", "round", "load", "at once", "requests/s", "redeem: p50 ms", "p99", "save: number", "p50 ms", "p95", "p99", "max",
          "submit: p50 ms", "p99", "max", "5xx", "4xx", "told to wait", "saves lost", "CPU ms/request: server", "with database", "peak MiB")
    titles = {"rush": "without a pause", "pace": "{:g} s a rating", "whole": "all ratings in one save"}
    for one in rounds:
        for name, title in titles.items():
            found = one.found.get(name)
            if not found:
                continue
            took = found["took"]
            times = lambda what, *names: [number(took[what][name]) for name in names]
            refused = [sum(count for status, count in found["statuses"].items() if status[0] == begins) for begins in "54"]
            line(one.service.database, one.privacy, title.format(one.options.pause), found["at once"],
                 number(found["requests"] / found["seconds"], 0), *times("redeem", "p50", "p99"), number(took["save"]["count"], 0),
                 *times("save", "p50", "p95", "p99", "max"), *times("submit", "p50", "p99", "max"), *refused, found["waited"], found["lost"],
                 number(found["cpu"], 3), number(found["cpu_all"], 3), number(found["peak"]))


def print_reveals(rounds):
    table("database", "round", "submissions", "invite, s", "close, ms", "reveal and analyse, ms", "read the analysis, ms",
          "read one by one, s", "by 16 connections, s", "times as fast", "by 16", f"≥ {MOST_TIMES}")
    for one in rounds:
        cells = [number(one.timed["invite"], 2), *(number(one.timed[name] * 1000) for name in ("close", "reveal", "analysis"))]
        if "read" in one.found:
            together = one.found["read by 16"]["seconds"]
            cells += [number(one.found["read"]["seconds"], 2), number(together, 2), number(one.times(), 0),
                      number(together / one.timed["reveal"], 0), "yes" if one.times() >= MOST_TIMES else "no"]
        else:
            cells += ["nobody may", "", "", "", ""]
        line(one.service.database, one.privacy, number(one.options.invitations, 0), *cells)


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/round", description="A round under load.")
    add = parser.add_argument
    add("--databases", type=lambda text: text.split(","), default=["sqlite", "postgres"], help="sqlite,postgres")
    add("--invitations", type=int, default=5000, help="how many are invited, and submit (5000)")
    add("--respondents", type=int, default=500, help="how many answer at the same time, rating by rating (500)")
    add("--pause", type=float, default=1, help="seconds that who is not in a rush thinks about each rating (1)")
    add("--patience", type=float, default=300, help="seconds after which a load is given up (300)")
    return parser.parse_args()


def main():
    options = arguments()
    # What was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    load_before = " ".join(f"{one:.2f}" for one in os.getloadavg())
    folder = tempfile.mkdtemp(prefix="mc-bench.")
    os.chmod(folder, 0o755)
    rounds = []
    with contextlib.ExitStack() as at_the_end:
        at_the_end.callback(shutil.rmtree, folder)
        for database in options.databases:
            cluster = None
            if database == "postgres":
                cluster = Cluster(os.path.join(folder, "postgres"))
                at_the_end.callback(cluster.stop)
            service = Service(os.path.join(folder, database + "-service"), database, cluster)
            service.found(1)
            at_the_end.callback(service.stop)
            service.up()
            for privacy in ("anonymous", "named"):
                rounds.append(Round(service, privacy, options, folder))
                rounds[-1].run()
            service.stop()
        print_saves(rounds)
        print_reveals(rounds)
        print_machine(load_before, cluster)
        print("Server, database and load share these cores; tokens verified, logs at info to a file, metrics on; everybody behind one "
              "address. Every save that was acknowledged was read back, before it was submitted and by its receipt.")
    if any(one.times() < MOST_TIMES for one in rounds if "read" in one.found):
        fail(f"revealing is less than {MOST_TIMES} times as fast as reading one by one")


if __name__ == "__main__":
    main()
