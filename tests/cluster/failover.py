"""The primary dies under load, its synchronous standby takes over, and nothing that was acknowledged is lost or doubled."""

import random
import threading
import time

from machines import Client, Copy, Folder, Postgres, command, draft, organisation, token

WRITERS = 8


class Writers:
    """Clients that write with idempotency keys, and repeat what was not acknowledged until it is."""

    def __init__(self, copy, credentials):
        self.copy, self.token = copy, token(copy, credentials)
        self.acknowledged, self.refusals, self.failed = [], {}, []
        self.stopping, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(WRITERS)]

    def work(self, writer):
        client, number = Client(self.copy, self.token), 0
        try:
            while not self.stopping.is_set():
                number += 1
                self.until_acknowledged(client, f"{writer}-{number}")
        except Exception as error:  # A thread must not end in silence.
            self.failed.append(repr(error))

    def until_acknowledged(self, client, name):
        for _ in range(2000):
            try:
                answer = client.call("POST", "/v1/assessments", draft(name), Idempotency_Key=name)
            except OSError as error:
                self.refused(str(error))
                continue
            if answer.status == 201:
                with self.lock:
                    self.acknowledged.append((name, time.monotonic()))
                return
            assert answer.status == 503 and answer.headers["Retry-After"], (answer.status, answer.body)
            self.refused(503)
            time.sleep(0.01)
        raise RuntimeError(f"{name} was never acknowledged")

    def refused(self, reason):
        with self.lock:
            self.refusals[reason] = self.refusals.get(reason, 0) + 1

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.failed:
            raise RuntimeError(f"{len(self.failed)} writers failed: {self.failed[0]}")


def pair(folder):
    """A primary whose commits wait for its standby."""
    primary = Postgres(folder, "primary").create()
    primary.sql("CREATE DATABASE mc")
    # Of its five seconds by default, a standby that has lost its primary may sleep the rest before it takes over.
    standby = Postgres(folder, "standby", wal_retrieve_retry_interval="200ms").follow(primary)
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    primary.sql("SELECT pg_reload_conf()")
    return primary, standby


def one_round(number):
    with Folder() as folder:
        primary, standby = pair(folder)
        # By turns over TCP and over sockets.
        host = "127.0.0.1" if number % 2 == 0 else folder.path.replace("/", "%2F")
        hosts = f"{host}:{primary.port},{host}:{standby.port}"
        url = f"postgres://postgres@{hosts}/mc?target_session_attrs=read-write"
        command(url, "migrate")
        copy = Copy(folder, "service", DATABASE_URL=url)
        writers = Writers(copy, organisation(url, "Acme"))
        for thread in writers.threads:
            thread.start()
        time.sleep(2 + random.random())
        killed = time.monotonic()
        primary.kill()
        standby.promote()
        promoted = time.monotonic()
        time.sleep(4)
        writers.stop()
        names = [name for name, _ in writers.acknowledged]
        after = [at for _, at in writers.acknowledged if at > promoted]
        rows = standby.sql("SELECT draft->>'respondent_ref', count(*) FROM assessments GROUP BY 1", "mc").splitlines()
        kept = {name: int(count) for name, count in (row.split("|") for row in rows)}
        lost = [name for name in names if name not in kept]
        doubled = [name for name, count in kept.items() if count > 1]
        unasked = [name for name in kept if name not in names]
        running = copy.process.poll() is None
        outage = (min(after) - killed) * 1000 if after else float("inf")
        print(f"   round {number + 1} ({'sockets' if number % 2 else 'TCP'}): {len(names)} acknowledged ({len(after)} of them after), "
              f"{len(lost)} lost, {len(doubled)} doubled; outage {outage:.0f} ms (promoted after {(promoted - killed) * 1000:.0f} ms); "
              f"meanwhile {writers.refusals}", flush=True)
        return not (lost or doubled or unasked) and running and bool(after) and len(after) < len(names)


def waits_for_the_standby():
    """While the standby is away, nothing is acknowledged, not even after the minute that a statement may take."""
    with Folder() as folder:
        primary, standby = pair(folder)
        url = f"postgres://postgres@127.0.0.1:{primary.port}/mc"
        command(url, "migrate")
        copy = Copy(folder, "service", DATABASE_URL=url)
        client = Client(copy, token(copy, organisation(url, "Acme")))
        standby.stop()
        answers = []

        def write():
            # Told to come back after 15 s each, with the same key.
            while 201 not in answers:
                answers.append(client.call("POST", "/v1/assessments", draft("patience"), Idempotency_Key="patience").status)

        thread = threading.Thread(target=write)
        thread.start()
        time.sleep(70)
        early = list(answers)
        standby.start()
        thread.join()
        made = len(client.call("GET", "/v1/assessments").json()["data"])
        print(f"   standby away for 70 s: answers meanwhile {early}, afterwards {answers[len(early):]}; {made} made", flush=True)
        return 201 not in early and answers[-1] == 201 and made == 1


def drill(rounds, patient):
    return all([one_round(number) for number in range(rounds)]) and (not patient or waits_for_the_standby())
