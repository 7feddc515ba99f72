"""The benchmark: fills both databases, measures each work and its ceilings in turn, and prints tables. Started by `tests/bench/run`."""

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time

from processes import SERVICE, Ceiling, Cluster, Figures, Load, Service, fail, memory, say
from tables import line, number, print_machine, table

ORGANISATIONS = 20
MODEL = "/v1/models/meaningful-connections/versions/1"
LEVELS = ["early_stages", "forming", "maturing", "embedded"]
# Drafts are made from another perspective than the one that is listed: a page is the same however many drafts there are.
LIST = "/v1/assessments?status=submitted&perspective=team_member&limit=50"
WORKS = ["read", "list", "write", "gap", "start"]
MOST_P99, MOST_PEAK, MOST_IDLE, MOST_START, MOST_BINARY = 6, 192, 64, 0.3, 25


class Bench:
    def __init__(self, options, folder, at_the_end):
        self.options, self.folder = options, folder
        self.load = Load(folder, options.seconds, options.warm_up)
        self.services, self.found = {}, {}
        self.cluster = None
        if "postgres" in options.databases:
            self.cluster = Cluster(os.path.join(folder, "postgres"))
            at_the_end.callback(self.cluster.stop)
        for database in options.databases:
            cluster = self.cluster if database == "postgres" else None
            service = Service(os.path.join(folder, database + "-service"), database, cluster)
            service.found(ORGANISATIONS)
            self.services[database] = service
            at_the_end.callback(service.stop)

    # What is asked.

    def fill(self, stored):
        for service in self.services.values():
            service.fill(stored)
            service.up()
            ids = service.ids()
            self.load.file(f"{service.database}-assessments", [f"/v1/assessments/{one}" for one in ids])
            for one in random.sample(ids, 20):
                verify(service, f"/v1/assessments/{one}/versions/1")

    def path(self, service, name):
        return os.path.join(self.folder, f"{service.database}-{name}")

    def get(self, service, path):
        return self.load(service, "get", self.load.file("path", [path]))

    def get_assessments(self, service):
        return self.load(service, "get", self.path(service, "assessments"))

    def create(self, service):
        return self.load(service, "post", "--keyed", "/v1/assessments", self.load.file("draft", [draft(service)]),
                         locations=self.path(service, "drafts"))

    def drafts(self, service, some):
        with open(self.path(service, "drafts")) as file:
            return self.load.file("some-drafts", file.read().split()[some])

    def save(self, service):
        keys = list(json.loads(draft(service))["ratings"])
        bodies = [json.dumps({"ratings": {key: {"current": level, "desired": "embedded"}}}) for level in LEVELS for key in keys]
        return self.load(service, "patch", self.drafts(service, slice(None, 32)), self.load.file("bodies", bodies))

    def submit(self, service):
        paths = self.drafts(service, slice(32, None))
        with open(paths) as file:
            submits = [line.strip() + "/submit" for line in file]
        return self.load(service, "each", self.load.file("submits", submits))

    def analyse(self, service, inputs, path):
        body = self.load.file("inputs", [json.dumps({"assessments": service.ids()[:inputs]})])
        return self.load(service, "post", path, body, connections=1)

    # The ceilings.

    def ceiling(self, wire):
        server = Ceiling(self.folder, wire)
        try:
            return self.load(server, "get", self.load.file("path", ["/v1/assessments/01890a5d-ac96-774b-bcce-b302099a8057"]))
        finally:
            server.stop()

    def pgbench(self, script, variables):
        return Figures(self.cluster.pgbench(script, variables, self.options.seconds, self.options.warm_up))

    def prepare_pgbench(self):
        """The statements that PostgreSQL is asked by itself, each with its variables."""
        service = self.services["postgres"]
        document = service.body(f"/v1/assessments/{service.ids()[0]}").decode()
        # PLAIN: neither compressed nor kept elsewhere, which is the fastest.
        self.cluster.sql(f"""CREATE SCHEMA bench;
            CREATE TABLE bench.documents (id integer PRIMARY KEY, document text);
            ALTER TABLE bench.documents ALTER document SET STORAGE PLAIN;
            INSERT INTO bench.documents SELECT id, $text${document}$text$ FROM generate_series(1, {service.stored}) id;
            CREATE TABLE bench.assessments (LIKE public.assessments INCLUDING ALL);
            VACUUM ANALYZE bench.documents; CHECKPOINT;""")
        select = f"\\set id random(1, {service.stored})\nSELECT document FROM bench.documents WHERE id = :id;\n"
        self.statements = {"select": (select, {}), "list": self.list_statement(service), "insert": self.insert_statement(service)}

    def list_statement(self, service):
        """The very query of a page, as PostgreSQL saw it."""
        token = bearer(service)
        seen = self.cluster.statements(lambda: service.ask(LIST, headers=token).read())
        queries = [(sql, values) for sql, values in seen if sql.startswith("SELECT") and '"assessments"' in sql]
        if len(queries) != 1:
            fail(f"a page takes {len(queries)} queries: {queries}")
        sql, values = queries[0]
        for number in sorted(values, reverse=True):
            sql = sql.replace(f"${number}", f":p{number}")
        return " ".join(sql.split()) + ";\n", {f"p{number}": value for number, value in values.items()}

    def insert_statement(self, service):
        """The row of a draft, as the service inserts it, with a new id that is ordered by time as the service's are."""
        with service.ask("/v1/assessments", draft(service).encode(), bearer(service), "POST") as answer:
            draft_id = json.load(answer)["id"]
        columns = [row[0] for row in self.cluster.sql(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'assessments'")]
        texts = ", ".join(f"coalesce({column}::text, '')" for column in columns)
        row = self.cluster.sql(f"SELECT {texts} FROM assessments WHERE id = '{draft_id}'")[0]
        said = {column: text for column, text in zip(columns, row) if text and column != "id"}
        new_id = ("(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')"
                  " || substr(gen_random_uuid()::text, 15))::uuid")
        script = (f"INSERT INTO bench.assessments (id, {', '.join(said)}) "
                  f"VALUES ({new_id}, {', '.join(':' + column for column in said)});\n")
        return script, said

    # Measuring.

    def round(self, name, measure):
        figures = measure()
        self.found.setdefault(name, []).append(figures)
        detail = f", p50 {figures.p50:.2f} ms, p99 {figures.p99:.2f} ms" if figures.p50 else ""
        say(f"  {' '.join(name)}: {figures.rate:.0f}/s{detail}")

    def median(self, name):
        rounds = self.found.get(name)
        if not rounds:
            return None
        middle = lambda values: None if None in values else statistics.median(values)
        return Figures(*(middle([getattr(one, field) for one in rounds]) for field in Figures.__dataclass_fields__))

    def rounds(self, measurements):
        """Each in turn, again and again: what disturbs the machine disturbs a work and its ceiling alike."""
        for number in range(self.options.rounds):
            say(f"round {number + 1} of {self.options.rounds}")
            for name, measure in measurements:
                self.round(name, measure)

    def read(self):
        documents = {"model version": MODEL, "form": MODEL + "/form?perspective=service_user"}
        first = next(iter(self.services.values()))
        measurements = []
        for work, path in documents.items():
            measurements += [((work, database), lambda service=service, path=path: self.get(service, path))
                             for database, service in self.services.items()]
            wire = first.wire(path)
            measurements.append(((work, "ceiling"), lambda wire=wire: self.ceiling(wire)))
        measurements += [(("assessment", database), lambda service=service: self.get_assessments(service))
                         for database, service in self.services.items()]
        wire = first.wire(f"/v1/assessments/{first.ids()[0]}")
        measurements.append((("assessment", "ceiling"), lambda: self.ceiling(wire)))
        self.rounds(measurements + self.pgbenches("select"))

    def pgbenches(self, *names):
        if not self.cluster:
            return []
        return [((name, "pgbench"), lambda name=name: self.pgbench(*self.statements[name])) for name in names]

    def list(self):
        self.rounds([(("list", database), lambda service=service: self.get(service, LIST))
                     for database, service in self.services.items()] + self.pgbenches("list"))

    def write(self):
        measurements = []
        for work, measure in [("create", self.create), ("save", self.save), ("submit", self.submit)]:
            measurements += [((work, database), lambda measure=measure, service=service: measure(service))
                             for database, service in self.services.items()]
            if work == "create":
                measurements += self.pgbenches("insert")
        self.rounds(measurements)

    def gap(self):
        sizes = [inputs for inputs in (2, 500, 5000) if inputs <= len(next(iter(self.services.values())).ids())]
        self.rounds([((f"{what} {inputs}", database),
                      lambda service=service, inputs=inputs, path=path: self.analyse(service, inputs, path))
                     for inputs in sizes for what, path in (("preview", "/v1/gap-analyses/preview"), ("analyse", "/v1/gap-analyses"))
                     for database, service in self.services.items()])

    def start(self):
        self.starts = {}
        for database, service in self.services.items():
            took = []
            for _ in range(7):
                service.stop()
                took.append(service.up())
            time.sleep(self.options.idle)
            self.starts[database] = statistics.median(took), memory(service.process.pid, "VmRSS")
            say(f"  start {database}: {[round(one, 3) for one in took]}")


def bearer(service):
    return {"Authorization": f"Bearer {service.token()}", "Content-Type": "application/json"}


def draft(service):
    """All 34 ratings, two of them with a note."""
    model = json.loads(service.body(MODEL))
    keys = [element["key"] for theme in model["themes"] for element in theme["elements"]]
    keys += [consideration["key"] for consideration in model["safety"]["considerations"]]
    if len(keys) != 34:
        fail(f"{len(keys)} elements")
    ratings = {key: {"current": LEVELS[place % 4], "desired": LEVELS[(place + 1) % 4]} for place, key in enumerate(keys)}
    for key in keys[:2]:
        ratings[key]["note"] = "Said at the spring review: we are getting there, slowly."
    return json.dumps({"model": "meaningful-connections", "perspective": "service_user", "respondent_ref": "respondent-17",
                       "ratings": ratings}, separators=(",", ":"))


def verify(service, path):
    """A sealed version is complete, and has the digest that its content has (RFC 8785: its numbers are whole, its names ASCII)."""
    document = json.loads(service.body(path))
    said = {name: value for name, value in document.items() if name not in ("digest", "sealed_at", "sealed_by", "has_draft")}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    if document["digest"] != "sha256:" + hashlib.sha256(canonical).hexdigest() or len(document["ratings"]) != 34:
        fail(f"{path} of {service.database} is not what it should be: {document}")


# What is printed.


class Table:
    """The works against their bars. A row meets its bar where the ratio, the p99 and the memory do."""

    def __init__(self, bench):
        self.bench = bench
        table("work", "database", "requests/s", "p50 ms", "p99 ms", "p99/p50", "CPU ms/request: server", "with database",
              "peak MiB", "ceiling", "ceiling/s", "ratio", "bar", "met")

    def row(self, title, name, ceiling=None, bar=None, most_p50=None):
        found, above = self.bench.median(name), ceiling and self.bench.median(ceiling[1])
        if not found:
            return
        spread = found.p99 / found.p50
        ratio = found.rate / above.rate if above else None
        short = [what for what, is_short in (
            (f"p99 > {MOST_P99} × p50", spread > MOST_P99), (f"memory > {MOST_PEAK} MiB", found.peak > MOST_PEAK),
            ("ratio", ratio is not None and ratio < bar), ("p50", most_p50 is not None and found.p50 > most_p50)) if is_short]
        line(title, name[1], number(found.rate, 0 if found.rate > 100 else 1), number(found.p50, 2), number(found.p99, 2),
             number(spread), number(found.cpu, 3), number(found.cpu_all, 3), number(found.peak), ceiling[0] if above else "",
             number(above and above.rate, 0), number(ratio, 2),
             f"p50 ≤ {most_p50} ms" if most_p50 else f"≥ {bar}" if above else "", "no: " + ", ".join(short) if short else "yes")


def print_works(bench):
    rows = Table(bench)
    databases = list(bench.services)
    for work, title in (("model version", "published model version"), ("form", "form")):
        for database in databases:
            rows.row(title, (work, database), ("actix-web", (work, "ceiling")), 0.5)
    for database in databases:
        bar = 0.15 if database == "sqlite" else 0.10
        rows.row("sealed assessment by id", ("assessment", database), ("actix-web", ("assessment", "ceiling")), bar)
    if "postgres" in databases:
        rows.row("sealed assessment by id", ("assessment", "postgres"), ("pgbench select", ("select", "pgbench")), 0.45)
    for database in databases:
        ceiling = ("pgbench, that query", ("list", "pgbench")) if database == "postgres" else None
        rows.row("list page of 50, filtered", ("list", database), ceiling, 0.40)
    for database in databases:
        if database == "postgres":
            rows.row("create a draft", ("create", database), ("pgbench insert", ("insert", "pgbench")), 0.35)
        else:
            rows.row("create a draft", ("create", database), ("create on PostgreSQL", ("create", "postgres")), 2)
    for work, title in (("save", "save one rating"), ("submit", "submit")):
        for database in databases:
            rows.row(title, (work, database), ("create", ("create", database)), 0.8)
    for inputs, most in ((2, 5), (500, 15), (5000, 100)):
        for what, title in (("preview", "gap analysis, preview"), ("analyse", "gap analysis, sealed")):
            for database in databases:
                rows.row(f"{title}: {inputs:,} assessments", (f"{what} {inputs}", database), most_p50=most)


def print_start(bench):
    table("what", "database", "found", "bar", "met")
    yes = lambda is_met: "yes" if is_met else "no"
    for database, (ready, idle) in bench.starts.items():
        line("start to ready, existing database, median of 7", database, f"{ready:.3f} s", f"≤ {MOST_START} s", yes(ready <= MOST_START))
        line(f"memory after {bench.options.idle} s idle", database, f"{idle:.1f} MiB", f"≤ {MOST_IDLE} MiB", yes(idle <= MOST_IDLE))
    size = os.path.getsize(SERVICE) / 2**20
    line("binary, stripped", "", f"{size:.1f} MiB", f"≤ {MOST_BINARY} MiB", yes(size <= MOST_BINARY))


def print_growth(bench, sizes):
    table("work", "database", "stored", "requests/s", "p50 ms", "p99 ms", "CPU ms/request: server", "with database",
          "rate of the smallest / rate", "p50 / p50 of the smallest", "within 1.3 ×")
    for work in ("assessment", "list", "create"):
        for database in bench.services:
            smallest = bench.median((work, database, f"{sizes[0]:,}"))
            for stored in sizes:
                found = bench.median((work, database, f"{stored:,}"))
                slower, later = smallest.rate / found.rate, found.p50 / smallest.p50
                line(work, database, f"{stored:,}", number(found.rate, 0), number(found.p50, 2), number(found.p99, 2),
                     number(found.cpu, 3), number(found.cpu_all, 3), number(slower, 2), number(later, 2),
                     "yes" if max(slower, later) <= 1.3 else "no")


def print_settings(options):
    print(f"Server and load share these cores; release build; tokens verified, logs at info to a file, metrics on; 32 connections "
          f"(gap analyses: 1); {options.seconds:g} s a measurement after {options.warm_up:g} s; median of {options.rounds} rounds, "
          f"interleaved with the ceilings; {ORGANISATIONS} organisations, four of five assessments in one.")


def choices(known):
    def parse(text):
        chosen = text.split(",")
        if set(chosen) - set(known):
            raise argparse.ArgumentTypeError(f"of {', '.join(known)}, separated by commas")
        return [one for one in known if one in chosen]
    return parse


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures the service against ceilings of this machine.")
    add = parser.add_argument
    add("--databases", type=choices(["sqlite", "postgres"]), default=["sqlite", "postgres"], help="sqlite,postgres")
    add("--works", type=choices(WORKS), default=WORKS, help=",".join(WORKS))
    add("--stored", type=int, default=100_000, help="assessments that are stored before anything is measured (100000)")
    add("--seconds", type=float, default=8, help="how long a measurement takes (8)")
    add("--warm-up", type=float, default=2, help="how long it runs before (2)")
    add("--rounds", type=int, default=3, help="how often each is measured; the median counts (3)")
    add("--idle", type=int, default=10, help="seconds of idleness before idle memory is read (10)")
    add("--growth", type=lambda text: sorted(map(int, text.split(","))),
        help="instead: get, list and create at these numbers of stored assessments, e.g. 1000,100000,1000000")
    add("--quick", action="store_true", help="everything once and shortly: does it work?")
    options = parser.parse_args()
    if options.quick:
        options.stored, options.seconds, options.warm_up, options.rounds, options.idle = 2000, 1, 0.5, 1, 1
    return options


def growth(bench, sizes):
    for stored in sizes:
        say(f"{stored} stored")
        bench.fill(stored)
        for _ in range(bench.options.rounds):
            for database, service in bench.services.items():
                at = (database, f"{stored:,}")
                bench.round(("assessment", *at), lambda: bench.get_assessments(service))
                bench.round(("list", *at), lambda: bench.get(service, LIST))
                bench.round(("create", *at), lambda: bench.create(service))
        if stored != sizes[-1]:
            for service in bench.services.values():
                service.stop()


def main():
    options = arguments()
    # What was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    load_before = " ".join(f"{one:.2f}" for one in os.getloadavg())
    folder = tempfile.mkdtemp(prefix="mc-bench.")
    os.chmod(folder, 0o755)
    with contextlib.ExitStack() as at_the_end:
        at_the_end.callback(shutil.rmtree, folder)
        bench = Bench(options, folder, at_the_end)
        if options.growth:
            growth(bench, options.growth)
            print_growth(bench, options.growth)
        else:
            bench.fill(options.stored)
            if bench.cluster:
                bench.prepare_pgbench()
            for work in options.works:
                getattr(bench, work)()
            print_works(bench)
            if "start" in options.works:
                print_start(bench)
        print_machine(load_before, bench.cluster)
        print_settings(options)


if __name__ == "__main__":
    main()
