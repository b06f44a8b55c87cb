#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Ten thousand brokers against one server: what was sent, counted and lost, and the processor time.

usage: scale.py [--processes N] [--contexts N] [--seconds N] BUILD PROGRAMS

BUILD     a folder for what is installed and for the servers' files
PROGRAMS  the folder with the programs made of brokers.c and receiver.c

Each server runs on loopback with a receive buffer of 8 MiB, which is set from outside, because neither asks for one:
that needs root. Prints a table. The exit status is 1 if anything was lost.
"""

import argparse
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from server_statsd import STATSD  # noqa: E402
from servers import Failure, free_ports, npm_install, program  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BUFFER = 8 << 20
PIDFD_GETFD = 438
SO_RCVBUFFORCE = 33


def sockets_of(pid):
    """The descriptors of a process that are sockets."""
    folder = f"/proc/{pid}/fd"
    return [int(fd) for fd in os.listdir(folder) if os.readlink(f"{folder}/{fd}").startswith("socket:")]


def set_buffer(pid, port):
    """Gives the UDP socket of another process, at this port, its receive buffer."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    try:
        for number in sockets_of(pid):
            fd = libc.syscall(PIDFD_GETFD, pidfd, number, 0)
            if fd < 0:
                raise Failure(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
            with socket.socket(fileno=fd) as s:
                if s.type == socket.SOCK_DGRAM and s.getsockname()[1:2] == (port,):
                    # the kernel doubles it
                    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER // 2)
                    return s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    finally:
        os.close(pidfd)
    raise Failure(f"process {pid} has no UDP socket at port {port}")


def processor_time(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def dropped(port):
    """Datagrams that found the receive buffer full."""
    with open("/proc/net/udp", encoding="ascii") as f:
        fields = [line.split() for line in f][1:]
    return sum(int(x[-1]) for x in fields if x[1] == f"0100007F:{port:04X}")


class Receiver:
    name = "a receiver that only counts"

    def __init__(self, args):
        self.popen = subprocess.Popen([os.path.join(args.programs, "receiver")], stdout=subprocess.PIPE, text=True)
        self.port = int(self.popen.stdout.readline())

    def counted(self):
        self.popen.send_signal(signal.SIGTERM)
        steps, timings, _, _, self.tenth = self.popen.communicate()[0].split()
        return int(steps), int(timings)


class Statsd:
    name = f"statsd {STATSD}"
    tenth = None

    def __init__(self, args):
        npm_install(os.path.join(args.build, "npm"), f"statsd@{STATSD}")
        work = os.path.join(args.build, "run", "scale")
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        self.file = os.path.join(work, "counted")
        self.port, manage = free_ports(1, 1)
        config = os.path.join(work, "config.json")
        with open(config, "w", encoding="ascii") as f:
            json.dump({"address": "127.0.0.1", "port": self.port, "mgmt_address": "127.0.0.1", "mgmt_port": manage,
                       "backends": [os.path.join(HERE, "count.js")], "countFile": self.file,
                       "flushInterval": 1000, "deleteIdleStats": True}, f)
        stats_js = os.path.join(args.build, "npm", "node_modules", "statsd", "stats.js")
        with open(os.path.join(work, "log"), "wb") as log:
            self.popen = subprocess.Popen([program("node"), stats_js, config], stdout=log, stderr=log, cwd=work)
        end = time.monotonic() + 15
        while not os.path.exists(self.file):
            if self.popen.poll() is not None or time.monotonic() > end:
                raise Failure(f"statsd does not start: see {work}/log")
            time.sleep(0.1)

    def counted(self):
        time.sleep(2.5)     # its next flush, and the writing of it
        self.popen.terminate()
        self.popen.wait()
        with open(self.file, encoding="ascii") as f:
            return tuple(int(float(n)) for n in f.read().split())


def measure(server_class, args):
    """Runs the brokers against a server. Its row, and whether all was counted."""
    server = server_class(args)
    try:
        # what else this machine has to do is not measured
        os.setpriority(os.PRIO_PROCESS, server.popen.pid, -10)
        size = set_buffer(server.popen.pid, server.port)
        before = processor_time(server.popen.pid)
        start = time.monotonic()
        brokers = subprocess.run([os.path.join(args.programs, "brokers"), str(args.processes), str(args.contexts),
                                  str(args.seconds), f"127.0.0.1:{server.port}?dialect=statsd"],
                                 stdout=subprocess.PIPE, text=True, check=True)
        took = time.monotonic() - start
        time.sleep(0.5)
        busy = processor_time(server.popen.pid) - before
        lost = dropped(server.port)
        counted = server.counted()
    finally:
        if server.popen.poll() is None:
            server.popen.kill()
            server.popen.wait()
    *numbers, senders = brokers.stdout.split()
    steps, timings, lines, datagrams, size_sent, unsent = map(int, numbers)
    share = 100 * (counted[0] + counted[1]) / (steps + timings)
    tenth = f"{server.tenth} %" if server.tenth else ""
    row = (f"| {server.name} | {size >> 20} MiB | {lines:,}; {datagrams:,}; {size_sent / 1e6:.0f} MB | "
           f"{steps:,}; {timings:,} | {counted[0]:,}; {counted[1]:,} | {100 - share:.2f} % | {lost:,} | {unsent} | "
           f"{100 * float(senders) / took:.0f} % | {100 * busy / took:.0f} % | {tenth} |")
    return row, counted == (steps, timings) and unsent == 0


def main():
    parser = argparse.ArgumentParser(description="Send as ten thousand brokers do, and see what is counted.")
    parser.add_argument("--processes", type=int, default=100)
    parser.add_argument("--contexts", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("build")
    parser.add_argument("programs")
    args = parser.parse_args()
    args.build, args.programs = os.path.abspath(args.build), os.path.abspath(args.programs)
    print(f"{args.processes} processes with {args.contexts} contexts each, {args.seconds} s, {os.cpu_count()} cores:\n")
    print("| server | receive buffer | sent: lines; datagrams; bytes | recorded: events; timings | counted | lost | "
          "datagrams dropped | lines unsent | CPU of the senders | CPU of the server | busiest tenth of a second |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    passed = 0
    for server_class in (Receiver, Statsd):
        row, good = measure(server_class, args)
        passed += good
        print(row, flush=True)
    print(f"\n{passed} passed, {2 - passed} failed")
    return passed < 2


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError, subprocess.SubprocessError) as e:
        sys.exit(f"scale.py: {e}")
