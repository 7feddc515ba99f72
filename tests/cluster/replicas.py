"""Write on one copy of the service, read on the other: a client with its token always reads its own writes."""

import itertools
import threading
import time

from machines import Client, Copy, Folder, Postgres, command, draft, organisation, token, wait_for

WORKERS = 16


class Pairs:
    """Pairs of a write on one copy and a read of it on the other."""

    def __init__(self, copies, credentials):
        self.copies = copies
        self.tokens = [token(copy, credentials) for copy in copies]
        self.other = None

    def answered(self):
        """Reads that carried a token, by who answered them."""
        counted = {"replica": 0, "primary": 0}
        for copy in self.copies:
            for labels, count in copy.counted("replica_reads_total").items():
                counted[labels.split('"')[1]] += count
        return counted

    def run(self, pairs, show=lambda told: told):
        """How many reads did not show what had just been written, and who answered how many. `show`: what of the token
        is sent back."""
        before, numbers, stale, failed = self.answered(), itertools.count(), [], []

        def work(worker):
            clients = [Client(copy, known) for copy, known in zip(self.copies, self.tokens)]
            path = etag = None
            try:
                while (number := next(numbers)) < pairs:
                    writer, reader = clients[number % 2], clients[(number + 1) % 2]
                    if path is None:
                        made = writer.call("POST", "/v1/assessments", draft(f"{worker}"))
                        path = made.headers["Location"]
                    else:
                        made = writer.call("PATCH", path, {"respondent_ref": f"{worker} {number}"}, If_Match=etag)
                    assert made.status in (200, 201), made.body
                    etag = made.headers["ETag"]
                    told = made.headers["Consistency-Token"]
                    assert told and told != "none", f"no token: {told}"
                    found = reader.call("GET", path, Consistency_Token=show(told))
                    if found.status != 200 or found.headers["ETag"] != etag:
                        stale.append((found.status, found.headers["ETag"], etag))
                    if number % 4 == 3:
                        path = None
            except Exception as error:  # A thread must not end in silence.
                failed.append(repr(error))

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(WORKERS)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise RuntimeError(f"{len(failed)} writers failed: {failed[0]}")
        answered = {who: count - before[who] for who, count in self.answered().items()}
        return len(stale), answered, time.monotonic() - began


def tell(what, pairs, outcome):
    stale, answered, seconds = outcome
    print(f"   {what}: {pairs} pairs, {stale} stale; answered by a replica {answered['replica']}, by the primary "
          f"{answered['primary']}, {seconds:.0f} s", flush=True)
    return outcome


def drill(pairs):
    with Folder() as folder:
        primary = Postgres(folder, "primary").create()
        primary.sql("CREATE DATABASE mc")
        # Nothing that only a superuser may do is needed.
        primary.sql("CREATE ROLE service LOGIN; GRANT ALL ON DATABASE mc TO service; ALTER DATABASE mc OWNER TO service")
        delayed = Postgres(folder, "delayed", recovery_min_apply_delay="2s").follow(primary)
        healthy = Postgres(folder, "healthy").follow(primary)
        url = lambda server: f"postgres://service@127.0.0.1:{server.port}/mc"
        command(url(primary), "migrate")
        ours, theirs = organisation(url(primary), "Ours"), organisation(url(primary), "Theirs")
        written = primary.sql("SELECT pg_current_wal_lsn()")
        wait_for(lambda: delayed.sql(f"SELECT pg_last_wal_replay_lsn() >= '{written}'") == "t", "the delayed replica")
        return behind(folder, url, primary, delayed, ours, theirs, pairs) and beside(folder, url, primary, healthy, ours, pairs)


def copies(folder, url, primary, replica):
    places = {"DATABASE_URL": url(primary), "DATABASE_REPLICA_URL": url(replica)}
    both = [Copy(folder, f"{replica.name}-{number}", **places) for number in range(2)]
    time.sleep(2.5)  # A replica is connected to within two seconds; nothing else says when.
    return both


def behind(folder, url, primary, delayed, ours, theirs, pairs):
    """A replica that is two seconds behind."""
    two = copies(folder, url, primary, delayed)
    mine = Pairs(two, ours)
    stale, answered, _ = tell("replica delayed by 2 s", pairs, mine.run(pairs))
    # It is used where that is enough, and then the drill does notice what is stale.
    control, really, _ = tell("the same, content with `any`", 200, mine.run(200, lambda _: "any"))
    others = Client(two[0], token(two[0], theirs)).call("POST", "/v1/assessments", draft("theirs")).headers["Consistency-Token"]
    foreign, asked, _ = tell("the same, with another organisation's token", 200, mine.run(200, lambda _: others))
    tampered = lambda told: ("A" if told[0] != "A" else "B") + told[1:]
    changed, neither, _ = tell("the same, with a token that was tampered with", 200, mine.run(200, tampered))
    for copy in two:
        copy.stop()
    return (
        stale == foreign == changed == 0
        and control > 0
        and really["replica"] == 200
        and sum(answered.values()) == pairs
        and sum(asked.values()) == sum(neither.values()) == 0
    )


def beside(folder, url, primary, healthy, ours, pairs):
    """A replica that keeps up; then one that stands still, is gone, and is back."""
    two = copies(folder, url, primary, healthy)
    mine = Pairs(two, ours)
    stale, answered, _ = tell("replica that keeps up", pairs, mine.run(pairs))
    def set_delay(delay):
        healthy.sql(f"ALTER SYSTEM SET recovery_min_apply_delay = '{delay}'")
        healthy.sql("SELECT pg_reload_conf()")

    set_delay("50ms")
    late, waited, _ = tell("replica 50 ms behind, worth waiting for", pairs // 10, mine.run(pairs // 10))
    set_delay("0")
    # A connection of its own each time: after five idle seconds a copy closes it.
    call = lambda *request, **headers: Client(two[0], mine.tokens[0]).call(*request, **headers)

    healthy.sql("SELECT pg_wal_replay_pause()")
    path = call("POST", "/v1/assessments", draft("while it stands still")).headers["Location"]
    at_once = call("GET", path, Consistency_Token="any").status
    time.sleep(6.5)
    later = call("GET", path, Consistency_Token="any").status
    print(f"   replica that stands still: `any` finds what was written: at once {at_once}, after 6.5 s {later}", flush=True)
    healthy.sql("SELECT pg_wal_replay_resume()")

    healthy.stop()
    gone, who, _ = tell("replica that is gone", 200, mine.run(200))
    ready = call("GET", "/readyz").status
    healthy.start()
    time.sleep(4)
    back, again, _ = tell("replica that is back", 200, mine.run(200))
    return (
        stale == late == gone == back == 0
        and answered["replica"] > pairs / 2
        and waited["replica"] > 0
        and (at_once, later, ready) == (404, 200, 200)
        and who["replica"] == 0
        and again["replica"] > 0
    )
