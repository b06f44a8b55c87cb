#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs the demo against statsd, carbon and graphite-web, and leaves a page with its charts.

usage: graphite.py [--check] [--seconds N] BUILD DEMO

BUILD   a folder for what is installed and for the servers' files
DEMO    the program made of content-cache.c

The servers listen on loopback, on ports that the system chooses, until they
are interrupted. --check: no page is left; instead each chart is held against
what the demo recorded, and the last line is "N passed, N failed".
"""

import argparse
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, os.pardir, "c-tests", "servers"))

import dashboard  # noqa: E402
from server_graphite import Server  # noqa: E402
from servers import Failure  # noqa: E402

PAGE = "content-cache"
# a flush of statsd's, and until it has been written
SETTLE, GIVE_UP = 2.2, 20.0


def run_demo(demo, server, seconds):
    """The run: when it began and ended, and what it recorded."""
    said = server.path("recorded")
    env = dict(os.environ, FLUX_FRIPP_STATSD=f"127.0.0.1:{server.port}?dialect=statsd")
    start = time.time()
    state = dashboard.state(PAGE, start - 1, start + seconds + 4)
    server.get(f"/dashboard/save/{PAGE}", state=json.dumps(state))
    print(f"The charts, as they come in: {server.web}/dashboard/{PAGE}\n", flush=True)
    done = subprocess.run([demo, "-o", said, str(seconds)], env=env, check=False)
    if done.returncode != 0:
        raise Failure(f"{demo}: exit status {done.returncode}")
    return start, dashboard.recorded(said)


class Check:
    """What graphite-web answers, beside what was recorded."""

    def __init__(self, server, start, rows):
        self.server, self.start, self.rows = server, start, rows
        self.passed, self.failed = [], []

    def values(self, target):
        series = self.server.render(target, int(self.start) - 2, int(time.time()) + 1)
        if len(series) > 1:
            raise Failure(f"{target}: {len(series)} series")
        return [v for points in series.values() for v, _ in points if v is not None]

    def take(self, good, text):
        (self.passed if good else self.failed).append(f"  {text}{'' if good else '   differs'}")

    def metric(self, name, kind, samples, value):
        """A metric: recorded is what Graphite has of it."""
        if kind == "gauge":
            got = (self.values(f"stats.gauges.{name}") or [None])[-1]
            self.take(got == value, f"{name:38}  {value:16,.0f}  {got}")
        elif kind == "total":
            got = sum(self.values(f"stats.counters.{name}.count"))
            self.take(got == value, f"{name:38}  {value:16,.0f}  {got:,.0f}")
        else:
            count = sum(self.values(f"stats.timers.{name}.count"))
            got = math.fsum(self.values(f"stats.timers.{name}.sum"))
            self.take(count == samples and math.isclose(got, value, rel_tol=1e-12),
                      f"{name:38}  {value:16,.6f}  {got:,.6f}   of {samples:,}: {count:,.0f}")

    def page(self):
        """The page has the charts, and all that it is made of: styles, scripts, pictures."""
        graphs = json.loads(self.server.get(f"/dashboard/load/{PAGE}"))["state"]["graphs"]
        self.take(len(graphs) == len(dashboard.charts()), f"{len(graphs)} charts on the page")
        for _, params, _ in graphs:
            query = urllib.parse.urlencode({**params, "from": int(self.start)}, doseq=True)
            self.take(self.server.get(f"/render?{query}").startswith(b"\x89PNG"), f"{params['title']}: a picture")
        parts = re.findall(r'(?:src|href)="(/[^"]+)"', self.server.get(f"/dashboard/{PAGE}").decode())
        for part in parts:
            self.take(self.server.get(part), part)
        self.take(parts, "scripts")

    def charts(self):
        """Each target of each chart has values."""
        for chart in dashboard.charts():
            for target in chart.targets:
                found = len(self.values(target))
                self.take(found >= 5, f"{chart.title}: {target}: {found} values")

    def run(self):
        self.passed, self.failed = [], []
        for name, row in self.rows.items():
            self.metric(name, *row)
        table = self.passed + self.failed
        self.charts()
        self.page()
        return table


def check(server, start, rows):
    """Compares until all is equal, or it takes too long."""
    end = time.monotonic()
    time.sleep(SETTLE)
    result = Check(server, start, rows)
    while True:
        table = result.run()
        if not result.failed or time.monotonic() > end + GIVE_UP:
            break
        time.sleep(0.5)
    print(f"\n  {'metric':38}  {'recorded':>16}  Graphite")
    print("\n".join(table))
    for line in result.failed:
        if line not in table:
            print(line)
    print(f"\n{len(result.passed)} passed, {len(result.failed)} failed")
    return 1 if result.failed else 0


def main():
    parser = argparse.ArgumentParser(description="The demo's charts in Graphite.")
    parser.add_argument("--check", action="store_true", help="compare with what was recorded, and end")
    parser.add_argument("--seconds", type=int, default=60, help="how long the demo runs")
    parser.add_argument("build")
    parser.add_argument("demo")
    args = parser.parse_args()
    build = os.path.abspath(args.build)
    work = os.path.join(build, "run", "graphite")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    try:
        Server.install(build)
        server = Server(build, work)
        server.start()
        try:
            start, rows = run_demo(args.demo, server, args.seconds)
            if args.check:
                return check(server, start, rows)
            print(f"\nThe charts: {server.web}/dashboard/{PAGE}   (Ctrl-C ends the servers)", flush=True)
            signal.pause()
        finally:
            server.stop()
    except Failure as e:
        print(e, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
