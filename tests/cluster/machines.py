"""What the drills are made of: PostgreSQL servers, a pgbouncer, copies of the service, and clients, all on loopback."""

import base64
import glob
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVICE = os.environ.get("SERVICE", os.path.join(ROOT, "target", "debug", "meaningful-connections"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name):
    """Where a program of PostgreSQL's is: on the PATH, or where Debian puts it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    versions = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    if found or versions:
        return found or versions[-1]
    sys.exit(f"tests/cluster/run: {name} is missing (Debian: apt-get install postgresql pgbouncer)")


def as_nobody_special():
    """PostgreSQL and pgbouncer refuse to run as root."""
    if os.getuid() != 0:
        return []
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups", "--"]


def give_away(folder):
    if special := as_nobody_special():
        shutil.chown(folder, int(special[2]))


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


class Folder:
    """A temporary folder that whoever runs PostgreSQL may write to."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="mc-cluster.")
        give_away(self.path)
        self.started = []
        return self

    def __exit__(self, *_):
        for machine in reversed(self.started):
            machine.stop()
        shutil.rmtree(self.path, ignore_errors=True)

    def started_here(self, machine):
        self.started.append(machine)
        return machine


class Postgres:
    """A PostgreSQL server of a drill's own: on a loopback port, and on a socket in its folder."""

    def __init__(self, folder, name, **settings):
        self.folder, self.name, self.port = folder.path, name, free_port()
        self.data = os.path.join(self.folder, name)
        self.settings = {"max_connections": 300, **settings}
        folder.started_here(self)

    def create(self):
        self.tool("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        return self.start()

    def follow(self, primary):
        """Becomes a standby of this primary, which knows it by its name."""
        source = f"host=127.0.0.1 port={primary.port} user=postgres application_name={self.name}"
        self.tool("pg_basebackup", "-D", self.data, "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        return self.start()

    def tool(self, name, *arguments):
        return run(*as_nobody_special(), program(name), *arguments, cwd=self.folder)

    def start(self):
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder}
        settings |= self.settings
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self.tool("pg_ctl", "-D", self.data, "-w", "-l", os.path.join(self.folder, f"{self.name}.log"), "-o", options, "start")
        return self

    def sql(self, statement, database="postgres"):
        """One statement's rows, as text."""
        url = f"postgres://postgres@127.0.0.1:{self.port}/{database}"
        return run(program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", url, "-c", statement).strip()

    def promote(self):
        self.tool("pg_ctl", "-D", self.data, "-w", "promote")

    def processes(self):
        """The postmaster and its children."""
        with open(os.path.join(self.data, "postmaster.pid"), encoding="utf-8") as file:
            postmaster = int(file.readline())
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True)
        return [postmaster, *map(int, children.stdout.split())]

    def kill(self):
        """All of it at once, without a word: as if the machine had lost its power."""
        for process in self.processes():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def stop(self):
        try:
            self.tool("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")
        except RuntimeError:
            pass


class PgBouncer:
    """A pgbouncer in transaction mode, before one server."""

    def __init__(self, folder, server):
        self.port = free_port()
        self.folder = os.path.join(folder.path, "pooler")
        os.mkdir(self.folder)
        give_away(self.folder)
        settings = os.path.join(self.folder, "pgbouncer.ini")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(
                f"[databases]\n* = host={server.folder} port={server.port} user=postgres\n[pgbouncer]\n"
                f"pool_mode = transaction\nauth_type = any\nlisten_addr =\nlisten_port = {self.port}\n"
                f"unix_socket_dir = {self.folder}\nlogfile = {self.folder}/log\nmax_client_conn = 2000\n"
                # Four server connections for the eight of a copy of the service: what is lent must be given back.
                "default_pool_size = 4\nserver_login_retry = 1\nquery_wait_timeout = 10\nserver_idle_timeout = 5\n"
            )
        command = [*as_nobody_special(), program("pgbouncer"), "-q", settings]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        folder.started_here(self)
        wait_for(lambda: os.path.exists(os.path.join(self.folder, f".s.PGSQL.{self.port}")), "pgbouncer")

    def url(self, database):
        return f"postgres://postgres@/{database}?host={self.folder}&port={self.port}&pgbouncer=true"

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Copy:
    """A copy of the service."""

    def __init__(self, folder, name, **environment):
        self.port, self.metrics = free_port(), free_port()
        self.log = open(os.path.join(folder.path, f"{name}.log"), "ab")
        environment = {
            **os.environ, "LISTEN": f"127.0.0.1:{self.port}", "METRICS_LISTEN": f"127.0.0.1:{self.metrics}",
            "PUBLIC_URL": "http://service.example", "NO_BOOTSTRAP": "true", "LOG": "warn", **environment,
        }
        self.process = subprocess.Popen([SERVICE], env=environment, stdout=self.log, stderr=self.log)
        folder.started_here(self)
        wait_for(self.is_ready, f"the service ({self.log.name})")

    def is_ready(self):
        try:
            return Client(self).call("GET", "/readyz").status == 200
        except OSError:
            return False

    def counted(self, name):
        """The counters of this name, by their labels."""
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics, timeout=5)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        return {line.split("{")[1].split("}")[0]: int(line.split()[-1]) for line in lines if line.startswith(name + "{")}

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def wait_for(true, what, seconds=30):
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)


class Client:
    """One connection to a copy, kept alive; a new one where it broke."""

    def __init__(self, copy, token=None):
        self.port, self.token, self.connection = copy.port, token, None

    def call(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        try:
            self.connection.request(method, path, body, headers)
            return Answer(self.connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connection = None
            raise OSError(str(error)) from error


def command(url, *arguments):
    """One of the service's commands, with what it prints."""
    return run(SERVICE, *arguments, env={**os.environ, "DATABASE_URL": url, "LOG": "warn"})


def organisation(url, name):
    """A new organisation's credentials."""
    client = json.loads(command(url, "organisation", "create", name, "--json"))["client"]
    return f"{client['client_id']}:{client['client_secret']}"


def token(copy, credentials):
    """A token, once the copy knows the organisation."""
    basic = "Basic " + base64.b64encode(credentials.encode()).decode()
    form = {"Content_Type": "application/x-www-form-urlencoded", "Authorization": basic}
    answer = Client(copy).call("POST", "/v1/oauth/token", "grant_type=client_credentials", **form)
    if answer.status != 200:
        raise RuntimeError(f"no token: {answer.status} {answer.body}")
    return answer.json()["access_token"]


def draft(reference):
    """The smallest assessment, with a text that says which it is."""
    return {"model": "meaningful-connections", "perspective": "team", "respondent_ref": reference, "ratings": {}}
