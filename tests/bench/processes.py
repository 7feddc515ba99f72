"""What is measured, and what measures: the service, PostgreSQL, the ceilings and the load, as processes of this machine."""

import base64
import csv
import glob
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
SERVICE = os.environ.get("SERVICE", os.path.join(TARGET, "release", "meaningful-connections"))
EXAMPLES = os.environ.get("EXAMPLES", os.path.join(TARGET, "release", "examples"))
CONNECTIONS = 32
TICKS = os.sysconf("SC_CLK_TCK")


def fail(message):
    sys.exit(f"{os.path.relpath(sys.argv[0], ROOT)}: {message}")


def say(message):
    print(message, file=sys.stderr, flush=True)


def free_address():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % one.getsockname()[1]


def postgres_program(name):
    """On the PATH, or where Debian puts it."""
    found = shutil.which(name) or max(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), default=None, key=version_of)
    return found or fail(f"{name} is missing (Debian: apt-get install postgresql)")


def version_of(path):
    return [int(number) for number in re.findall(r"\d+", path)]


def stat(pid):
    """The fields of /proc/PID/stat after the name, which may have blanks."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()


def cpu_seconds(pid):
    """CPU of a process and of its children, those that have ended among them."""
    ticks = sum(int(field) for field in stat(pid)[11:15])
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = stat(entry)
            except OSError:
                continue
            if int(fields[1]) == pid:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def memory(pid, field):
    """MiB, of /proc/PID/status."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field + ":")) / 1024


def end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Cluster:
    """A PostgreSQL of our own, durable, on a socket in our folder."""

    SETTINGS = [
        "listen_addresses=", "fsync=on", "synchronous_commit=on", "full_page_writes=on", "max_connections=200",
        "shared_buffers=1GB", "max_wal_size=4GB", "logging_collector=on", "log_destination=csvlog", "log_directory=log",
    ]

    def __init__(self, folder):
        for name in ("initdb", "pg_ctl", "psql", "pgbench"):
            postgres_program(name)
        self.folder, self.data = folder, os.path.join(folder, "data")
        os.mkdir(folder)
        self.identity = {}
        # PostgreSQL refuses to run as root.
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
            self.identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        settings = " ".join(f"-c {setting or repr('')}" for setting in [f"unix_socket_directories={folder}", *self.SETTINGS])
        self.run("pg_ctl", "-D", self.data, "-w", "-l", os.path.join(folder, "start.log"), "-o", settings, "start")
        with open(os.path.join(self.data, "postmaster.pid")) as file:
            self.pid = int(file.readline())
        self.url = f"postgres://postgres@/postgres?host={folder}"

    def run(self, program, *arguments):
        done = subprocess.run([postgres_program(program), *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **self.identity)
        if done.returncode:
            fail(f"{program}: {done.stderr}")

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")

    def sql(self, script):
        """Rows, each a list of texts."""
        done = subprocess.run([postgres_program("psql"), "-h", self.folder, "-U", "postgres", "-XAtq", "-F", "\t",
                               "-v", "ON_ERROR_STOP=1", "postgres"], input=script, capture_output=True, text=True)
        if done.returncode:
            fail(f"psql: {done.stderr}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def statements(self, action):
        """The statements that are executed meanwhile, each with its parameters."""
        known = set(glob.glob(os.path.join(self.data, "log", "*.csv")))
        self.sql("ALTER SYSTEM SET log_min_duration_statement = 0; SELECT pg_reload_conf(); SELECT pg_rotate_logfile();")
        time.sleep(1)
        action()
        self.sql("ALTER SYSTEM RESET log_min_duration_statement; SELECT pg_reload_conf();")
        time.sleep(1)
        found = []
        for path in set(glob.glob(os.path.join(self.data, "log", "*.csv"))) | known:
            with open(path, newline="") as file:
                for row in csv.reader(file):
                    executed = re.match(r"duration: \S+ ms  execute [^:]*: (.*)", row[13], re.S)
                    if executed:
                        values = re.findall(r"\$(\d+) = (NULL|'(?:[^']|'')*')", row[14])
                        found.append((executed[1], {int(n): None if v == "NULL" else v[1:-1].replace("''", "'") for n, v in values}))
        return found

    def pgbench(self, script, variables, seconds, warm_up):
        """Transactions a second of a prepared statement, by as many clients as the load has connections."""
        path = os.path.join(self.folder, "script.sql")
        with open(path, "w") as file:
            file.write(script)
        defined = [part for name, value in variables.items() for part in ("-D", f"{name}={value}")]

        def run(seconds):
            done = subprocess.run(
                [postgres_program("pgbench"), "-h", self.folder, "-U", "postgres", "-n", "-M", "prepared", "-c", str(CONNECTIONS),
                 "-j", "2", "-T", str(max(1, round(seconds))), "-f", path, *defined, "postgres"], capture_output=True, text=True)
            rate = re.search(r"tps = ([\d.]+)", done.stdout)
            if done.returncode or not rate or "number of failed transactions: 0 " not in done.stdout:
                fail(f"pgbench: {done.stdout}{done.stderr}")
            return float(rate[1])

        run(warm_up)
        return run(seconds)


@dataclass
class Figures:
    """What one measurement found."""

    rate: float
    p50: float = None
    p99: float = None
    cpu: float = None
    cpu_all: float = None
    peak: float = None


class Load:
    """Asks a server."""

    def __init__(self, folder, seconds, warm_up):
        self.folder, self.seconds, self.warm_up = folder, seconds, warm_up

    def file(self, name, lines):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write("\n".join(lines) + ("\n" if len(lines) > 1 else ""))
        return path

    def __call__(self, server, *work, connections=CONNECTIONS, seconds=None, locations=None):
        """Figures of a server under this work, or of a part of the machine that failed to do it."""
        token = self.file("token", [server.token()])
        server.prepare()
        command = [os.path.join(EXAMPLES, "bench-load"), "--address", server.address, "--connections", str(connections),
                   "--warm-up", str(self.warm_up), "--seconds", str(seconds or self.seconds), "--token", token]
        if locations:
            command += ["--locations", locations]
        with subprocess.Popen([*command, *work], stdout=subprocess.PIPE, text=True) as process:
            marks = []
            for mark in ("begin", "end"):
                if process.stdout.readline().strip() != mark:
                    fail(f"the load broke off: {' '.join(work)}")
                marks.append(server.cpu())
            found = json.loads(process.stdout.readline())
        if found["failed"] or not found["requests"]:
            fail(f"INVALID: {found['failed']} failures under {' '.join(work)}; the first: {found['first_failure']}")
        if found["seconds"] < 0.3 * (seconds or self.seconds):
            fail(f"INVALID: {' '.join(work)} was used up after {found['seconds']:.1f} s")
        server.check(found["requests"])
        own, all_of_it = ((after - before) * 1000 / found["requests"] for before, after in zip(*marks))
        return Figures(found["requests"] / found["seconds"], found["p50"], found["p99"], own, all_of_it,
                       memory(server.process.pid, "VmHWM"))


class Server:
    """A server that is started here: the service or the ceiling."""

    cluster = process = None

    def start(self, command, log):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        return self

    def until(self, path):
        """Waits until a path is answered by 200."""
        host, port = self.address.split(":")
        while self.process.poll() is None:
            try:
                with socket.create_connection((host, int(port)), 1) as one:
                    one.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.address}\r\nConnection: close\r\n\r\n".encode())
                    if one.recv(64).startswith(b"HTTP/1.1 200"):
                        return
            except OSError:
                pass
            time.sleep(0.001)
        fail(f"{self.process.args[0]} ended by itself")

    def cpu(self):
        own = cpu_seconds(self.process.pid)
        return own, own + (cpu_seconds(self.cluster.pid) if self.cluster else 0)

    def prepare(self):
        # 5 resets the peak of the resident set (proc(5)).
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")

    def check(self, requests):
        pass

    def token(self):
        return "none"

    def stop(self):
        if self.process:
            end(self.process)


class Ceiling(Server):
    """actix-web answering the same bytes."""

    def __init__(self, folder, wire):
        self.address = free_address()
        path = os.path.join(folder, "answer")
        with open(path, "wb") as file:
            file.write(wire)
        self.start([os.path.join(EXAMPLES, "bench-ceiling"), self.address, path], subprocess.DEVNULL)
        self.until("/")


class Service(Server):
    """The service with everything on: tokens are verified, logs at info go to a file as JSON, metrics are counted."""

    def __init__(self, folder, database, cluster):
        self.folder, self.database, self.cluster = folder, database, cluster
        os.makedirs(folder, exist_ok=True)
        self.url = cluster.url if cluster else "sqlite:" + os.path.join(folder, "bench.sqlite")
        self.log = os.path.join(folder, "log")
        self.options = ["--database-url", self.url, "--data-dir", os.path.join(folder, "data")]
        self.owners, self.secret = [], None
        self.stored = 0
        self.ids_file = os.path.join(folder, "ids")

    def command(self, *arguments):
        done = subprocess.run([SERVICE, *self.options, *arguments], capture_output=True, text=True)
        if done.returncode:
            fail(f"{arguments}: {done.stderr}")
        return done.stdout

    def found(self, organisations):
        """Makes organisations; the first is the one that calls."""
        for number in range(organisations):
            made = json.loads(self.command("organisation", "create", f"Organisation {number}", "--json"))
            client = made["client"]
            self.owners.append(f"{made['organisation']['id']}:{client['client_id']}")
            self.secret = self.secret or f"{client['client_id']}:{client['client_secret']}"

    def fill(self, stored):
        """Stores submitted assessments until there are so many."""
        began = time.monotonic()
        owners = [part for owner in self.owners for part in ("--owner", owner)]
        # Foreign keys are looked up by triggers, which would take a seventh of the time; each is to the organisation.
        environment = {**os.environ, "PGOPTIONS": "-c session_replication_role=replica -c synchronous_commit=off"}
        done = subprocess.run([os.path.join(EXAMPLES, "bench-generate"), "--database-url", self.url, *owners,
                               "--assessments", str(stored - self.stored), "--ids", self.ids_file], env=environment)
        if done.returncode:
            fail(f"the generator failed on {self.database}")
        took = time.monotonic() - began
        say(f"  {self.database}: {stored - self.stored} assessments stored in {took:.0f} s, {(stored - self.stored) / took:.0f} a second")
        self.stored = stored
        if self.cluster:
            self.cluster.sql("VACUUM ANALYZE; CHECKPOINT;")

    def ids(self):
        with open(self.ids_file) as file:
            return file.read().split()

    def up(self):
        """Starts it; returns how long it took until it was ready, in seconds."""
        self.address, metrics = free_address(), free_address()
        self.metrics = metrics
        began = time.monotonic()
        with open(self.log, "a") as log:
            self.start([SERVICE, *self.options, "--listen", self.address, "--metrics-listen", metrics, "--no-bootstrap",
                        "--log", "info", "--log-format", "json"], log)
        self.until("/readyz")
        return time.monotonic() - began

    def ask(self, path, body=None, headers=(), method=None):
        request = urllib.request.Request(f"http://{self.address}{path}", data=body, headers=dict(headers), method=method)
        return urllib.request.urlopen(request, timeout=120)

    def token(self):
        basic = base64.b64encode(self.secret.encode()).decode()
        with self.ask("/v1/oauth/token", b"grant_type=client_credentials", {"Authorization": f"Basic {basic}"}) as answer:
            return json.load(answer)["access_token"]

    def body(self, path):
        return self.wire(path).partition(b"\r\n\r\n")[2]

    def wire(self, path):
        """The answer as it came over the wire."""
        with self.ask(path, headers={"Authorization": f"Bearer {self.token()}", "Accept": "application/json"}) as answer:
            lines = [f"{name}: {value}" for name, value in answer.getheaders()]
            return "\r\n".join([f"HTTP/1.1 {answer.status}", *lines, "", ""]).encode() + answer.read()

    def counted(self):
        """Requests that the metrics have counted."""
        with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=10) as page:
            text = page.read().decode()
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines()
                   if line.startswith("http_request_duration_seconds_count"))

    def prepare(self):
        os.truncate(self.log, 0)
        self.counted_before = self.counted()
        super().prepare()

    def check(self, requests):
        """Everything is on: each request has been logged and counted."""
        with open(self.log, "rb") as file:
            logged = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
        counted = self.counted() - self.counted_before
        if min(logged, counted) < requests:
            fail(f"INVALID: of {requests} requests {logged} were logged and {counted:.0f} counted")
