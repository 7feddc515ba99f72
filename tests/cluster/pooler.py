"""The whole suite of the API through pgbouncer in transaction mode."""

import os
import re
import subprocess
import time

from machines import ROOT, Folder, PgBouncer, Postgres


def drill(filters=()):
    with Folder() as folder:
        quick = {"fsync": "off", "full_page_writes": "off"}
        pooler = PgBouncer(folder, Postgres(folder, "server", **quick).create())
        environment = {**os.environ, "TEST_DATABASE": "postgres", "TEST_POSTGRES_URL": pooler.url("postgres")}
        began = time.monotonic()
        command = ["cargo", "test", "--locked", "--test", "api", "--", *filters]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        counts = re.findall(r"test result: .*? (\d+) passed; (\d+) failed", done.stdout)
        print(f"   pgbouncer: passed {counts[-1][0]}, failed {counts[-1][1]}, in {time.monotonic() - began:.0f} s" if counts else done.stdout)
        if done.returncode != 0:
            print(done.stdout)
        return done.returncode == 0
