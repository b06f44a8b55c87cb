# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the servers have in common: ports, processes, packages."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time


class Failure(Exception):
    """A server that could not be installed, started or asked."""


def run(command, **more):
    """Runs a command, quietly unless it fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, **more)
    except OSError as e:
        raise Failure(f"{' '.join(command)}: {e}") from e
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout[-2000:]}")
    return done.stdout


def say(text):
    """Tells what takes its time, beside the table."""
    print(text, file=sys.stderr, flush=True)


def apt(*packages):
    """Installs Debian packages, as root or with sudo."""
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    say(f"installing {' '.join(packages)} (apt)")
    run(as_root + ["apt-get", "update", "-q"], env=env)
    run(as_root + ["apt-get", "install", "-qy", "--no-install-recommends", *packages], env=env)


def program(name, package=None):
    """Where a program is; of a package that is installed where it is not."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    found = shutil.which(name, path=path)
    if not found and package:
        apt(package)
        found = shutil.which(name, path=path)
    if not found:
        raise Failure(f"{name}: not found, and not installed by the package {package}")
    return found


def pip_install(folder, *packages):
    """Installs Python packages into a folder of their own, unless they are there."""
    done = os.path.join(folder, "installed")
    wanted = "\n".join(packages)
    if os.path.exists(done):
        with open(done, encoding="ascii") as f:
            if f.read() == wanted:
                return
    say(f"installing {', '.join(packages)} (pip)")
    pip = [sys.executable, "-m", "pip"]
    try:
        run(pip + ["--version"])
    except Failure:
        pip = [program("pip3", "python3-pip")]
    shutil.rmtree(folder, ignore_errors=True)
    run(pip + ["install", "-q", "--disable-pip-version-check", "--target", folder, *packages])
    with open(done, "w", encoding="ascii") as f:
        f.write(wanted)


def npm_install(folder, *packages):
    """Installs npm packages into a folder, unless they are there."""
    program("node", "nodejs")
    program("npm", "npm")
    for package in packages:
        name, version = package.rsplit("@", 1)
        try:
            with open(os.path.join(folder, "node_modules", name, "package.json"), encoding="utf-8") as f:
                if json.load(f)["version"] == version:
                    continue
        except FileNotFoundError:
            pass
        break
    else:
        return
    say(f"installing {', '.join(packages)} (npm)")
    os.makedirs(folder, exist_ok=True)
    run(["npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", *packages],
        cwd=folder)


def free_ports(udp, tcp):
    """Ports that the system chooses: so many of each."""
    sockets = [socket.socket(socket.AF_INET, kind)
               for kind, n in ((socket.SOCK_DGRAM, udp), (socket.SOCK_STREAM, tcp)) for _ in range(n)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


class Process:
    """A server's process, with its output in a file."""

    def __init__(self, command, log, **more):
        self.log = log
        self.command = command
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=subprocess.STDOUT, **more)
        try:
            # what else this machine has to do shall not make it miss its second
            os.setpriority(os.PRIO_PROCESS, self.popen.pid, -10)
        except PermissionError:
            pass

    def check(self):
        if self.popen.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                raise Failure(f"{self.command[0]} ended by itself: {f.read()[-1500:]}")

    def stop(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()


class Base:
    """A server: 'port' is where it reads StatsD lines, over UDP; 'tcp_port' over TCP, if it does."""

    # what the tests allow for, in words
    gauge_allowed = form_allowed = limit_allowed = foreign_allowed = timing_allowed = ""
    # whether it refuses brubeck's totals, or adds them up
    refuses_totals = False

    def __init__(self, build, work):
        self.build, self.work = build, work
        self.port = self.tcp_port = None
        self.over_tcp = False
        self.processes = []

    def path(self, *names):
        return os.path.join(self.work, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)
        return self.path(name)

    def start(self):
        """Starts it, and waits until it has counted something."""
        self.launch()
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect(("127.0.0.1", self.port))
        deadline = time.monotonic() + 15
        try:
            while True:
                for process in self.processes:
                    process.check()
                try:
                    s.send(b"check.up:1|g")
                except ConnectionRefusedError:
                    pass
                time.sleep(0.1)
                if self.is_up():
                    return
                if time.monotonic() > deadline:
                    raise Failure(f"{self.name} counts nothing 15 s after it was started")
        except BaseException:
            self.stop()
            raise
        finally:
            s.close()

    def is_up(self):
        return "check.up" in self.read().gauges

    def watch(self):
        """Called now and then while metrics are recorded."""

    def stop(self):
        for process in reversed(self.processes):
            process.stop()

    def lost(self):
        """Datagrams that found the buffer of its socket full."""
        with open("/proc/net/udp", encoding="ascii") as f:
            fields = [line.split() for line in f][1:]
        return sum(int(x[-1]) for x in fields if x[1] == f"0100007F:{self.port:04X}")

    # what it keeps of a value

    def gauge(self, value):
        return value

    def form(self, name):
        """The name as this server writes it."""
        return name

    def limit(self, name, value):
        """What it makes of INT64_MAX."""
        del name
        return value

    def foreign_totals(self, totals):
        """What it makes of brubeck's totals: they are added up."""
        return dict(totals)

    def timing_count(self, samples):
        return len(samples)

    def refused(self):
        """Lines that it could not read."""
        return 0


class Reading:
    """What a server has counted, by name."""

    def __init__(self):
        self.counters, self.gauges, self.sets = {}, {}, {}
        self.huge = {}      # counters, where they are shown without a wrap
        self.stats = {}     # by (name, letters): by statistic

    def samples(self, name, letters):
        return self.stats.get((name, letters), {})

    def names(self):
        return set(self.counters) | set(self.gauges) | set(self.sets) | {name for name, _ in self.stats}
