#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Asks real servers what they counted, and compares it with what was recorded.

usage: check.py [--wrong] [--at-once] [--server NAME] BUILD RECORD

BUILD   a folder for what is installed and for the servers' files
RECORD  the program made of record.c

Starts each server on loopback, on ports that the system chooses, lets RECORD
record metrics of every kind in a dialect that the server reads, asks the
server, and prints a row for each kind. The last line is "N passed, N failed".

--wrong: a total is sent whole, a negative gauge without its zero, timings are
packed into one line. Then those rows have to differ, and no others.
--at-once: the 11,000 samples go in one flush of the library.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict

sys.dont_write_bytecode = True

import server_collectd  # noqa: E402
import server_netdata  # noqa: E402
import server_statsd  # noqa: E402
from servers import Failure  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TRAFFIC = os.path.join(HERE, os.pardir, os.pardir, "benches", "traffic", "traffic.txt")

# a server's flush is a second, and it may be writing what we ask for
FIRST_LOOK, LAST_LOOK = 2.2, 8.0

# the rows that have to differ when wrong lines are sent, and what else may
WRONG = {"total", "gauge, negative", "timing: count"}
MAY_BE_WRONG = re.compile("timing: (?!count)|lines refused|names that nobody recorded")


def cleaned(name):
    """The name that the library sends, as include/fripp.h tells it."""
    text = name.decode("utf-8", "surrogateescape")
    text = re.sub(r"[:|@#,;=\[\]{}\s\x00-\x20\x7f-\x9f\udc80-\udcff]", "_", text)
    return re.sub(r"\.\.+", ".", text).strip(".")


class Recorded:
    """What RECORD said, by kind: a list of (name, value)."""

    def __init__(self, text):
        self.kinds = defaultdict(list)
        for line in text.splitlines():
            kind, name, value = line.split("\t")
            self.kinds[kind].append((bytes.fromhex(name), value))

    def sums(self, kind):
        sums = defaultdict(int)
        for name, value in self.kinds[kind]:
            sums["check." + self.plain(name)] += int(value)
        return dict(sums)

    def values(self, kind):
        return {"check." + self.plain(n): float(v) if "." in v else int(v) for n, v in self.kinds[kind]}

    def samples(self, kind):
        return [float(value) for _, value in self.kinds[kind]]

    @staticmethod
    def plain(name):
        # tags are said as they are written, of the only metrics that have them
        return name.decode() if name.startswith(b"tagged.") else cleaned(name)


class Capture:
    """What is in the packets of traffic.txt."""

    def __init__(self, path):
        self.totals, self.gauges = defaultdict(int), {}
        self.timings, self.lines = defaultdict(list), Counter()
        with open(path, encoding="ascii") as f:
            for line in f:
                if line.startswith("#") or "\t" not in line:
                    continue
                for metric in line.rstrip("\n").split("\t")[1].split("\\n"):
                    name, rest = metric.split(":")
                    value, letters = rest.split("|")
                    self.lines[letters] += 1
                    if letters == "C":
                        self.totals[name] += int(value)
                    elif letters == "g":
                        self.gauges[name] = int(value)
                    else:
                        self.timings[name].append(float(value))


class Row:
    """A kind of metric: what was recorded and what the server counted."""

    def __init__(self, kind, want, got, recorded=None, allowed=""):
        self.kind, self.want, self.got, self.allowed = kind, want, got, allowed
        self.recorded = want if recorded is None else recorded

    def is_equal(self):
        return self.want == self.got

    @staticmethod
    def text(values):
        """A value or several, for the table."""
        def number(value):
            whole = isinstance(value, int) or isinstance(value, float) and value == int(value)
            return "-" if value is None else f"{int(value):,}" if whole else f"{value:,.10g}"

        if not isinstance(values, dict):
            return values if isinstance(values, str) else number(values)
        known = [v for v in values.values() if v is not None]
        if len(values) <= 3:
            return " / ".join(number(v) for v in values.values()) or "-"
        return f"{len(known):,} names, sum {number(sum(known))}"

    def differences(self):
        if not isinstance(self.want, dict):
            return []
        names = [n for n in self.want if self.want[n] != self.got.get(n)]
        return [f"{n}: want {self.want[n]}, got {self.got.get(n)}" for n in names[:5]]


def compare(server, dialect, recorded, capture):
    """The rows of a server."""
    r = server.read()
    rows = []

    def row(kind, want, got, **more):
        rows.append(Row(kind, want, got, **more))

    for kind in ("counter", "total"):
        want = recorded.sums(kind)
        row(kind, want, {n: r.counters.get(n) for n in want})
    for kind in ("gauge", "gauge, negative", "gauge, real"):
        values = recorded.values(kind)
        want = {n: server.gauge(v) for n, v in values.items()}
        row(kind, want, {n: r.gauges.get(n) for n in want}, recorded=values,
            allowed=server.gauge_allowed if kind == "gauge, real" else "")

    for kind in ("timing", "histogram"):
        samples = recorded.samples(kind)
        letter = "h" if kind == "histogram" and dialect == "telegraf" else "ms"
        got = r.samples("check." + kind, letter)
        for stat, exact, want, allowed in server.statistics(samples):
            row(f"{kind}: {stat}", want, got.get(stat), recorded=exact, allowed=allowed)
    members = {v for _, v in recorded.kinds["set"]}
    row("set", len(members), r.sets.get("check.set"))

    names = {server.form(n): v for n, v in recorded.sums("names").items()}
    row("names", names, {n: r.counters.get(n) for n in names}, allowed=server.form_allowed)
    if recorded.kinds["tags"]:
        values = recorded.values("tags")
        row("tags", values, {n: r.counters.get(n, r.gauges.get(n)) for n in values})

    exact = recorded.values("2^53")
    row("2^53", exact, {n: r.counters.get(n) for n in exact})
    limits = recorded.values("INT64_MAX")
    want = {n: server.limit(n, v) for n, v in limits.items()}
    got = {n: r.huge.get(n, r.counters.get(n, r.gauges.get(n))) for n in want}
    row("INT64_MAX", want, got, recorded=limits, allowed=server.limit_allowed)

    known = {"check.up", "check.timing", "check.histogram", "check.set"}
    for kind in ("counter", "total", "gauge", "gauge, negative", "gauge, real", "tags", "2^53", "INT64_MAX"):
        known |= set(recorded.values(kind))
    known |= set(names)

    if capture:
        totals = server.foreign_totals(capture.totals)
        row("capture: totals", totals, {n: r.counters.get(n) for n in totals},
            recorded=dict(capture.totals), allowed=server.foreign_allowed)
        row("capture: gauges", dict(capture.gauges), {n: r.gauges.get(n) for n in capture.gauges})
        counts = {n: server.timing_count(v) for n, v in capture.timings.items()}
        got = {n: r.samples(n, "ms").get("count") for n in counts}
        row("capture: timings", counts, got, recorded={n: len(v) for n, v in capture.timings.items()},
            allowed=server.timing_allowed)
        known |= set(totals) | set(capture.gauges) | set(capture.timings)

    others = r.names() - known
    rows.append(Row("names that nobody recorded", 0, len(others)))
    rows[-1].differences = lambda: sorted(others)[:5]
    refused = capture.lines["C"] if capture and server.refuses_totals else 0
    row("lines refused", refused, server.refused())
    row("datagrams lost in the server's buffer", 0, server.lost())
    return rows


def check(server, form, record, wrong, at_once):
    """Starts a server, records in a dialect, maybe over TCP, and asks it. Its rows."""
    dialect, _, transport = form.partition(" over ")
    server.over_tcp = bool(transport)
    server.start()
    try:
        capture = Capture(TRAFFIC) if dialect in ("statsd", "collectd") else None
        command = [record, "-p", str(server.phase())]
        command += ["-c", TRAFFIC] if capture else []
        command += ["-w"] if wrong else []
        command += ["-o"] if at_once else []
        command += ["-t"] if dialect == "graphite" else []
        place = f"tcp://127.0.0.1:{server.tcp_port}" if server.over_tcp else f"127.0.0.1:{server.port}"
        command.append(f"{place}?dialect={dialect}")
        said = server.path("recorded")
        with open(said, "w", encoding="ascii") as f, subprocess.Popen(command, stdout=f) as recorder:
            while recorder.poll() is None:
                time.sleep(0.25)
                server.watch()
        end = time.monotonic()
        if recorder.returncode != 0:
            raise Failure(f"{' '.join(command)}: exit status {recorder.returncode}")
        with open(said, encoding="ascii") as f:
            recorded = Recorded(f.read())
        time.sleep(FIRST_LOOK)
        while True:
            rows = compare(server, dialect, recorded, capture)
            differ = {row.kind for row in rows if not row.is_equal()}
            # wrong lines are looked for when everything else has come
            if wrong:
                differ = {kind for kind in differ - WRONG if not MAY_BE_WRONG.match(kind)}
            if not differ or time.monotonic() > end + LAST_LOOK:
                dropped = sum(int(v) for _, v in recorded.kinds["dropped"])
                return rows + [Row("lines dropped by the library", 0, dropped)]
            time.sleep(0.4)
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description="Compare what real servers counted with what was recorded.")
    parser.add_argument("--wrong", action="store_true", help="send some lines wrong, and see that it is found")
    parser.add_argument("--at-once", action="store_true", help="send all samples in one flush of the library")
    parser.add_argument("--server", choices=["statsd", "collectd", "netdata"])
    parser.add_argument("build")
    parser.add_argument("record")
    args = parser.parse_args()
    build = os.path.abspath(args.build)
    passed = failed = 0
    start = time.monotonic()

    print("| server | dialect | metric | recorded | counted | | allowed for |")
    print("|---|---|---|---:|---:|---|---|")
    notes, versions = [], {}
    for module, dialects in ((server_statsd, ("statsd", "graphite", "statsd over TCP")),
                             (server_collectd, ("collectd",)),
                             (server_netdata, ("statsd", "telegraf", "statsd over TCP"))):
        server_class = module.Server
        if args.server not in (None, server_class.name):
            continue
        try:
            server_class.install(build)
            versions[server_class.name] = server_class.version(build)
            for dialect in dialects:
                work = os.path.join(build, "run", f"{server_class.name}-{dialect}".replace(" ", "-"))
                shutil.rmtree(work, ignore_errors=True)
                os.makedirs(work)
                for row in check(server_class(build, work), dialect, args.record, args.wrong, args.at_once):
                    equal, expected = row.is_equal(), not (args.wrong and row.kind in WRONG)
                    good = equal == expected
                    if args.wrong and MAY_BE_WRONG.match(row.kind):
                        continue
                    passed, failed = passed + good, failed + (not good)
                    verdict = "=" if equal else "**differs**"
                    print(f"| {server_class.name} | {dialect} | {row.kind} | {Row.text(row.recorded)} | "
                          f"{'-' if row.got is None else Row.text(row.got)} | {verdict} | {row.allowed} |", flush=True)
                    if not good:
                        notes += [f"{server_class.name}, {dialect}, {row.kind}: "
                                  f"{'differs' if expected else 'a wrong line was not found'}"]
                        notes += ["    " + d for d in row.differences()]
        except (Failure, OSError, subprocess.SubprocessError) as e:
            notes.append(f"{server_class.name}: {e}")
            failed += 1
    print()
    for note in notes:
        print(note)
    for name, version in versions.items():
        print(f"{name}: {version}")
    print(f"{time.monotonic() - start:.1f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
