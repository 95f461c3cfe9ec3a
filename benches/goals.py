#!/usr/bin/env python3
"""Measures everything that green-inbox has a goal for, one benchmark after the other, and prints one table.

    python3 benches/goals.py [--events 10000000] [--rounds 7] [--only throughput,mixed,texts,reading]

With ten million events it takes about 40 minutes and needs 15 GB in target/. The machine must do nothing else.
"""

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass


@dataclass
class Goal:
    """One line of the table: where its figure stands in the output of a benchmark, and what it should be."""

    what: str
    bench: str
    pattern: str
    unit: str
    goal: float
    more_is_better: bool = False

    def row(self, output: str) -> str:
        found = re.search(self.pattern, output)
        if found is None:
            sys.exit(f"the output of {self.bench} has no line for: {self.what}")
        value = float(found[1])
        kept = value >= self.goal if self.more_is_better else value <= self.goal
        verdict = "kept" if kept else f"missed by {abs(value / self.goal - 1):.0%}"
        return f"| {self.what} | {value:g}{self.unit} | {self.goal:g}{self.unit} | {verdict} |"


def throughput(what: str) -> str:
    return re.escape(f"| {what}") + r" *\| *([\d.]+)"


BYTES = r"written to disk for each event of \d+ bytes, with everything projected: (\d+) bytes"
DISK = r"for the projection, ([\d.]+) in total"

GOALS = [
    Goal("disk with everything derived, mixed events of 462 bytes, of the bodies", "mixed", DISK, "", 0.6),
    Goal("the same, texts of 1 KB", "texts", DISK, "", 0.8),
    Goal(
        "requests/s relative to an append-only log, 64 connections",
        "throughput",
        throughput("requests/s relative to log, 64 connections"),
        "",
        0.8,
        True,
    ),
    Goal(
        "CPU of a request relative to bare and one row of a batch, 64 connections",
        "throughput",
        throughput("CPU relative to bare plus one row of a batch, 64 connections"),
        "",
        1.3,
    ),
    Goal(
        "the same, until everything is derived",
        "throughput",
        throughput("the same, until the projection has caught up"),
        "",
        1.8,
    ),
    Goal("p99, 64 connections", "throughput", throughput("p99, 64 connections"), " ms", 5),
    Goal("peak memory, 64 connections", "throughput", throughput("peak memory, 64 connections"), " MB", 20),
    Goal("peak memory, 1,024 connections", "throughput", throughput("peak memory, 1024 connections"), " MB", 45),
    Goal(
        "throughput with everything derived, the last 100,000 events relative to the first",
        "mixed",
        r"throughput of commits, ([\d.]+) until",
        "",
        0.8,
        True,
    ),
    Goal(
        "search for two frequent prefixes, p99, 2,000,000 events",
        "reading",
        r"search: two prefixes(?: \| [\d.]+){4} \| ([\d.]+)",
        " ms",
        100,
    ),
    Goal("bytes written to disk for a text of 1 KB", "texts", BYTES, " bytes", 2000),
]


def run(bench: str, *arguments: str) -> str:
    """Runs a benchmark, shows its output, and returns it."""
    command = ["cargo", "bench", "--locked", "--bench", bench, "--", *arguments]
    print("$", *command, flush=True)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    if process.wait() != 0:
        sys.exit(f"{bench} failed")
    return "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures everything that green-inbox has a goal for.")
    parser.add_argument("--events", default="10000000", help="events that growth writes")
    parser.add_argument("--rounds", default="7", help="rounds of throughput")
    parser.add_argument("--only", default="throughput,mixed,texts,reading", help="benchmarks to run")
    args = parser.parse_args()
    servers = ["--only", "green-inbox,bare,log,rows", "--connections", "64,1024", "--rounds", args.rounds]
    benches = {
        "throughput": lambda: run("throughput", *servers, "--seconds", "2", "--pause", "0.5"),
        "mixed": lambda: run("growth", "--events", args.events),
        "texts": lambda: run("growth", "--events", args.events, "--texts"),
        "reading": lambda: run("reading", "--only", "two prefixes", "--seconds", "3"),
    }
    wanted = args.only.split(",")
    unknown = [name for name in wanted if name not in benches]
    if unknown:
        parser.error(f"--only: {', '.join(unknown)} is not one of {', '.join(benches)}")
    outputs = {name: bench() for name, bench in benches.items() if name in wanted}
    print("\n| everything on | measured | goal | |\n|---|---:|---:|---|")
    for goal in GOALS:
        if goal.bench in outputs:
            print(goal.row(outputs[goal.bench]))


if __name__ == "__main__":
    main()
