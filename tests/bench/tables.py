"""What is printed: tables (Markdown), and the machine that it was measured on."""

import os
import platform
import subprocess
import time

from processes import ROOT, postgres_program


def number(value, digits=1):
    return "" if value is None else f"{value:,.{digits}f}"


def line(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def table(*names):
    print()
    line(*names)
    line(*("---" for _ in names))


def print_machine(load_before, cluster):
    def said(*command):
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        return done.stdout.strip() if done.returncode == 0 else "unknown"

    with open("/proc/cpuinfo") as file:
        model = next((text.partition(":")[2].strip() for text in file if text.startswith("model name")), "unknown")
    print(f"\n{model}, {os.cpu_count()} cores; Linux {platform.release()}; {time.strftime('%Y-%m-%d %H:%M')}; {said('rustc', '--version')}; "
          f"{said(postgres_program('postgres'), '--version') if cluster else 'no PostgreSQL'}; commit {said('git', 'rev-parse', '--short', 'HEAD')}"
          f"{' with changes' if said('git', 'status', '--porcelain') else ''}; load average before {load_before}.")
