#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sends to a real statsd that restarts, over TCP, and by each variable of the environment.

usage: streams.py [--restarts N] BUILD LOAD

BUILD   a folder for what is installed and for the server's files
LOAD    the program made of load.c

The server writes each line that it reads into its log. A line that LOAD sent must be in it as it was sent, and
once. Lines that are not in it were taken by the kernel and not read by a server that was ending: at most one run
of numbers for each restart. The last line is "N passed, N failed".
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from server_statsd import STATSD  # noqa: E402
from servers import Failure, Process, free_ports, npm_install, program  # noqa: E402

VARIABLES = ("FLUX_FRIPP_STATSD", "DD_DOGSTATSD_URL", "DD_AGENT_HOST", "DD_DOGSTATSD_PORT", "STATSD_HOST",
             "STATSD_PORT")


class Statsd:
    """statsd on Node.js, which reads lines over UDP and TCP and writes them into a log."""

    def __init__(self, build, work):
        self.log = os.path.join(work, "lines.log")
        self.udp, self.tcp, manage = free_ports(1, 2)
        config = os.path.join(work, "config.js")
        with open(config, "w", encoding="ascii") as f:
            f.write(f"""{{
  servers: [{{server: "./servers/udp", address: "127.0.0.1", port: {self.udp}}},
            {{server: "./servers/tcp", address: "127.0.0.1", port: {self.tcp}}}],
  mgmt_address: "127.0.0.1", mgmt_port: {manage},
  backends: [], dumpMessages: true, flushInterval: 1000
}}
""")
        stats_js = os.path.join(build, "npm", "node_modules", "statsd", "stats.js")
        self.command = [program("node"), stats_js, config]
        self.process = None

    def start(self):
        self.process = Process(self.command, self.log)

    def end(self, how):
        self.process.popen.send_signal(how)
        self.process.popen.wait()

    def lines(self):
        """What it has read."""
        with open(self.log, encoding="utf-8", errors="replace") as f:
            found = (re.search(r"DEBUG: (.*)", line) for line in f)
            return [match[1] for match in found if match]

    def wait_for(self, prefix, seconds):
        """Waits until a line begins with a text."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if any(line.startswith(prefix) for line in self.lines()):
                return True
            self.process.check()
            time.sleep(0.1)
        return False


class Rows:
    """Prints rows, and counts them."""

    def __init__(self):
        self.passed = self.failed = 0

    def row(self, what, good, shown):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'ok' if good else 'NOT OK'}: {what}: {shown}", flush=True)


def restart(statsd, load, rows, restarts):
    """Restarts the server under load, every other time by SIGKILL."""
    statsd.start()
    uri = f"tcp://127.0.0.1:{statsd.tcp}?period=0.05"
    with subprocess.Popen([load, "seq", uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sender:
        for i in range(restarts):
            before = len(statsd.lines())
            deadline = time.monotonic() + 15
            while len(statsd.lines()) < before + 500:
                if time.monotonic() > deadline:
                    sender.kill()
                    raise Failure("statsd reads nothing after a restart")
                time.sleep(0.05)
            # half of the times it has read what waited for it
            time.sleep(0.6 * (i // 2 % 2))
            statsd.end(signal.SIGKILL if i % 2 else signal.SIGTERM)
            time.sleep(0.2)
            statsd.start()
        sender.stdin.close()
        sent, taken, dropped, reconnects = (int(n) for n in sender.stdout.read().split())
    statsd.wait_for(f"seq.{sent - 1:07}:", 15)
    time.sleep(0.5)
    statsd.end(signal.SIGTERM)

    lines = statsd.lines()
    numbers = [int(match[1]) for match in (re.fullmatch(r"seq\.(\d{7}):1\|c", line) for line in lines) if match]
    sums = [int(match[1]) for match in (re.fullmatch(r"sum:(\d+)\|c", line) for line in lines) if match]
    torn = [line for line in lines if not re.fullmatch(r"seq\.\d{7}:1\|c|sum:\d+\|c", line)]
    missing = sorted(set(range(sent)) - set(numbers))
    runs = sum(1 for i, n in enumerate(missing) if i == 0 or missing[i - 1] != n - 1)
    rows.row("lines sent over TCP", sent > 0, f"{sent:,}, with {restarts} restarts of statsd")
    rows.row("torn", not torn, torn[:3] or 0)
    rows.row("received twice", len(set(numbers)) == len(numbers), len(numbers) - len(set(numbers)))
    rows.row("in order", numbers == sorted(numbers), "each after the one before it")
    rows.row("dropped by the library", dropped == 0, dropped)
    rows.row("connections opened again", restarts <= reconnects <= 2 * restarts, reconnects)
    unread = taken - len(numbers) - len(sums)
    rows.row("taken by the kernel, and read by no server", 0 <= unread and len(missing) <= unread,
             f"{unread:,} lines of {taken:,}")
    rows.row("of the numbered ones", runs <= restarts, f"{len(missing):,} in {runs} runs")
    rows.row("sum of the counter", sent - sum(sums) <= sent // 10 and sum(sums) <= sent, f"{sum(sums):,} of {sent:,}")


def environment(statsd, load, rows):
    """A program that is told by its environment where to send."""
    udp, tcp = str(statsd.udp), str(statsd.tcp)
    forms = (
        {"FLUX_FRIPP_STATSD": f"127.0.0.1:{udp}"},
        {"FLUX_FRIPP_STATSD": f" udp://localhost:{udp} "},
        {"FLUX_FRIPP_STATSD": f"tcp://localhost:{tcp}?period=0.1"},
        {"DD_DOGSTATSD_URL": f"udp://127.0.0.1:{udp}"},
        {"DD_AGENT_HOST": "127.0.0.1", "DD_DOGSTATSD_PORT": udp},
        {"STATSD_HOST": "localhost", "STATSD_PORT": udp},
        {"STATSD_HOST": "127.0.0.1", "STATSD_PORT": udp, "DD_AGENT_HOST": " "},
        {"FLUX_FRIPP_STATSD": f"127.0.0.1:{udp}", "STATSD_HOST": "203.0.113.1", "DD_AGENT_HOST": "203.0.113.1"},
    )
    statsd.start()
    try:
        statsd.process.check()
        deadline = time.monotonic() + 15
        while subprocess.run([load, "-n", "1", "up", f"127.0.0.1:{udp}"], stdout=subprocess.DEVNULL,
                             check=False).returncode == 0 and not statsd.wait_for("up.", 0.5):
            if time.monotonic() > deadline:
                raise Failure("statsd reads nothing")
        for i, form in enumerate(forms):
            env = {k: v for k, v in os.environ.items() if k not in VARIABLES} | form
            subprocess.run([load, "-n", "3", f"form{i}"], env=env, stdout=subprocess.DEVNULL, check=True)
            there = statsd.wait_for(f"form{i}.0000002:1|c", 5)
            got = [line for line in statsd.lines() if line.startswith(f"form{i}.")]
            rows.row(" ".join(f"{k}={v!r}" for k, v in form.items()), there and len(got) == 3, f"{len(got)} lines")
    finally:
        statsd.end(signal.SIGTERM)


def main():
    parser = argparse.ArgumentParser(description="Send to a statsd that restarts, and by the environment.")
    parser.add_argument("--restarts", type=int, default=10)
    parser.add_argument("build")
    parser.add_argument("load")
    args = parser.parse_args()
    build = os.path.abspath(args.build)
    work = os.path.join(build, "run", "streams")
    rows = Rows()
    try:
        npm_install(os.path.join(build, "npm"), f"statsd@{STATSD}")
        for name, test in (("restarts", lambda s: restart(s, args.load, rows, args.restarts)),
                           ("environment", lambda s: environment(s, args.load, rows))):
            folder = os.path.join(work, name)
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            test(Statsd(build, folder))
    except (Failure, OSError, subprocess.SubprocessError) as e:
        print(e)
        rows.failed += 1
    print(f"{rows.passed} passed, {rows.failed} failed")
    return 1 if rows.failed or not rows.passed else 0


if __name__ == "__main__":
    sys.exit(main())
