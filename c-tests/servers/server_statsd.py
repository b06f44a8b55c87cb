# SPDX-License-Identifier: MIT OR Apache-2.0
"""statsd (by Etsy, on Node.js), which sends to carbon and whisper."""

import json
import math
import os
import re
import socket
import struct
import sys

from servers import Base, Process, Reading, free_ports, npm_install, pip_install, program, run

STATSD, CARBON, WHISPER = "0.9.0", "1.1.10", "1.1.10"


def whisper(path):
    """The points of a whisper file, which has one archive: (time, value)."""
    with open(path, "rb") as f:
        data = f.read()
    offset, _, points = struct.unpack(">LLL", data[16:28]) if len(data) >= 28 else (0, 0, 1)
    if len(data) < offset + 12 * points:
        return []   # it is being written
    found = struct.iter_unpack(">Ld", data[offset:offset + 12 * points])
    return sorted(point for point in found if point[0])


class Server(Base):
    name = "statsd"
    limit_allowed = "a double: INT64_MAX is 2^63"
    form_allowed = "`/` becomes `-`, other bytes than `A-Za-z0-9_-.` go; over TCP bytes lose their eighth bit"
    foreign_allowed = "`C` is added up as `c`"
    percentiles = (50, 90, 99)
    retention = "1s:10m"
    delete_idle = True      # of counters, timers and sets nothing is written when nothing came

    @staticmethod
    def install(build):
        npm_install(os.path.join(build, "npm"), f"statsd@{STATSD}")
        pip_install(os.path.join(build, "pip"), f"carbon=={CARBON}", f"whisper=={WHISPER}")

    @staticmethod
    def version(build):
        with open(os.path.join(build, "npm", "node_modules", "statsd", "package.json"), encoding="utf-8") as f:
            statsd = json.load(f)["version"]
        return f"{statsd}, carbon {CARBON}, whisper {WHISPER}, Node.js {run(['node', '--version']).strip()}"

    def launch(self):
        self.port, self.tcp_port, line, pickle, self.query, self.manage = free_ports(1, 5)
        os.makedirs(self.path("conf"))
        self.write("conf/storage-schemas.conf", f"[all]\npattern = .*\nretentions = {self.retention}\n")
        self.write("conf/storage-aggregation.conf", "")
        conf = self.write("conf/carbon.conf", f"""[cache]
STORAGE_DIR = {self.work}/
LOCAL_DATA_DIR = {self.work}/whisper/
CONF_DIR = {self.work}/conf/
LOG_DIR = {self.work}/log/
PID_DIR = {self.work}/
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {line}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = {pickle}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {self.query}
MAX_CACHE_SIZE = inf
MAX_UPDATES_PER_SECOND = inf
MAX_CREATES_PER_MINUTE = inf
ENABLE_TAGS = False
TAG_HASH_FILENAMES = False
CARBON_METRIC_INTERVAL = 0
""")
        pip = os.path.join(self.build, "pip")
        # its own idea of where it belongs is below /opt
        libraries = pip + ":" + os.path.join(pip, "opt", "graphite", "lib")
        env = dict(os.environ, PYTHONPATH=libraries, GRAPHITE_ROOT=self.work)
        self.processes.append(Process(
            [sys.executable, os.path.join(pip, "bin", "carbon-cache.py"), "--config", conf, "--nodaemon", "start"],
            self.path("carbon.log"), env=env, cwd=self.work))
        config = self.write("statsd.json", json.dumps({
            "servers": [{"server": "./servers/udp", "address": "127.0.0.1", "port": self.port},
                        {"server": "./servers/tcp", "address": "127.0.0.1", "port": self.tcp_port}],
            "mgmt_address": "127.0.0.1", "mgmt_port": self.manage,
            "graphiteHost": "127.0.0.1", "graphitePort": line,
            "graphite": {"legacyNamespace": False},
            "flushInterval": 1000, "percentThreshold": self.percentiles,
            "deleteCounters": self.delete_idle, "deleteTimers": self.delete_idle, "deleteSets": self.delete_idle,
        }))
        stats_js = os.path.join(self.build, "npm", "node_modules", "statsd", "stats.js")
        self.processes.append(Process([program("node"), stats_js, config], self.path("statsd.log"), cwd=self.work))

    def phase(self):
        return 0    # it flushes at whole seconds

    def ask(self, command):
        """What the management port says."""
        with socket.create_connection(("127.0.0.1", self.manage), 5) as s:
            s.sendall(command.encode() + b"\n")
            text = b""
            while b"END\n\n" not in text:
                more = s.recv(65536)
                if not more:
                    break
                text += more
        return text.decode()

    def refused(self):
        return int(re.search(r"bad_lines_seen: (\d+)", self.ask("stats"))[1])

    def is_up(self):
        try:
            return super().is_up() and os.path.exists(self.path("whisper", "stats", "gauges", "check", "up.wsp"))
        except ConnectionRefusedError:
            return False

    def read(self):
        r = Reading()
        for name, value in re.findall(r"'?([^\s'{,]+)'?: ([-+.\de]+)", self.ask("gauges").replace("\n", " ")):
            if name != "statsd.timestamp_lag":
                r.gauges[name] = float(value)
        base = self.path("whisper")
        for folder, _, files in os.walk(base):
            for file in files:
                path = os.path.join(folder, file)
                if "_tagged" in folder:
                    name = file[:-len(".wsp")].replace("_DOT_", ".")
                else:
                    name = os.path.relpath(path, base)[:-len(".wsp")].replace("/", ".")
                if name.startswith("stats."):
                    self.take(r, name[len("stats."):], path)
        return r

    @staticmethod
    def take(r, name, path):
        kind, name = name.split(".", 1)
        name, semicolon, tags = name.partition(";")
        if kind == "gauges" or "." not in name or name.startswith("statsd."):
            return
        name, stat = name.rsplit(".", 1)
        name += semicolon + tags
        if kind == "counters" and stat == "count":
            r.counters[name] = sum(value for _, value in whisper(path))
        elif kind == "sets":
            values = [value for _, value in whisper(path) if value]
            r.sets[name] = values[0] if len(values) == 1 else str(values)
        elif kind == "timers":
            values = [value for _, value in whisper(path)]
            stats = r.stats.setdefault((name, "ms"), {})
            stats[stat] = sum(values) if stat == "count" else values[-1] if values else None
            if stat == "sum":
                stats[stat] = round(stats[stat], 6)

    def form(self, name):
        if self.over_tcp:
            name = bytes(b & 0x7f for b in name.encode()).decode()
        return re.sub(r"[^a-zA-Z_\-0-9.;=]", "", name.replace("/", "-"))

    def limit(self, name, value):
        return float(value)

    def statistics(self, samples):
        """(statistic, recorded, what it is by statsd's definition, allowance)"""
        values = sorted(samples)
        n = len(values)
        yield "count", n, n, ""
        yield "lower", values[0], values[0], ""
        yield "upper", values[-1], values[-1], ""
        yield "sum", round(math.fsum(values), 6), round(math.fsum(values), 6), ""
        median = (values[n // 2 - 1] + values[n // 2]) / 2 if n % 2 == 0 else values[n // 2]
        yield "median", median, median, ""
        for p in self.percentiles:
            value = values[math.floor(p / 100 * n + 0.5) - 1]
            yield f"upper_{p}", value, value, "value number round (p n)"
