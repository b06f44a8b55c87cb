# SPDX-License-Identifier: MIT OR Apache-2.0
"""netdata: its statsd plugin, asked over HTTP."""

import json
import math
import os
import pwd
import re
import urllib.error
import urllib.request

from servers import Base, Failure, Process, Reading, free_ports, program, run

# the plugins that would only cost time
OFF = ("timex tc idlejitter cgroups checks apps proc diskspace python.d charts.d node.d go.d slabinfo perf "
       "ioping ebpf fping nfacct").split()
DECIMALS = 1000             # of its "decimal detail"
KINDS = "gauge|counter|timer|histogram|set|meter"


class Server(Base):
    name = "netdata"
    gauge_allowed = "3 decimals"
    form_allowed = "in titles: `\"` is `'`, `\\` is `/`, a byte outside ASCII `_`"
    limit_allowed = "a double made an integer: INT64_MAX wraps to INT64_MIN"
    foreign_allowed = "`C` is added up as `c`"

    def __init__(self, build, work):
        super().__init__(build, work)
        # what was seen: charts that are not written for some seconds go
        self.values = {}
        self.last = 0

    def watch(self):
        self.read()

    @staticmethod
    def install(build):
        del build
        program("netdata", "netdata-core")

    @staticmethod
    def version(build):
        del build
        return run([program("netdata"), "-V"]).split()[1].lstrip("v")

    def launch(self):
        self.port, self.tcp_port, self.http = free_ports(1, 2)
        for folder in "conf cache lib log web plugins".split():
            os.makedirs(self.path(folder))
        conf = self.write("conf/netdata.conf", f"""[global]
  run as user = {pwd.getpwuid(os.geteuid()).pw_name}
  hostname = host
[directories]
  config = {self.work}/conf
  stock config = {self.work}/conf
  cache = {self.work}/cache
  lib = {self.work}/lib
  log = {self.work}/log
  web = {self.work}/web
  home = {self.work}
  plugins = {self.work}/plugins
[logs]
  debug = none
  access = none
[db]
  mode = ram
  retention = 600
  update every = 1
[web]
  bind to = 127.0.0.1:{self.http}
[health]
  enabled = no
[ml]
  enabled = no
[cloud]
  enabled = no
[plugins]
  enable running new plugins = no
  netdata monitoring = no
  statsd = yes
{"".join(f"  {name} = no{chr(10)}" for name in OFF)}
[statsd]
  bind to = udp:127.0.0.1:{self.port} tcp:127.0.0.1:{self.tcp_port}
  update every (flushInterval) = 1
  max private charts hard limit = 5000
  add dimension for number of events received = yes
  # what the last flush that had samples saw stays to be asked for
  gaps on timers (deleteTimers) = yes
  gaps on histograms (deleteHistograms) = yes
  gaps on sets (deleteSets) = yes
""")
        env = dict(os.environ, DO_NOT_TRACK="1", DISABLE_TELEMETRY="1")
        self.processes.append(Process(
            [program("netdata"), "-D", "-c", conf, "-P", self.path("pid")],
            self.path("output.log"), cwd=self.work, env=env))

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/api/v1/{path}", timeout=10) as f:
                return f.read().decode("utf-8", "replace")
        except (urllib.error.URLError, ConnectionError) as e:
            raise Failure(f"netdata's HTTP API: {e}") from e

    def is_up(self):
        try:
            return super().is_up()
        except Failure:
            return False

    def phase(self):
        return self.last % 1000

    def refused(self):
        with open(self.path("output.log"), encoding="utf-8", errors="replace") as f:
            return sum("STATSD" in line and ("unknown metric type" in line or "excess data" in line) for line in f)

    def read(self):
        r = Reading()
        titles = {}
        for chart in json.loads(self.get("charts"))["charts"].values():
            match = re.match(rf"statsd private chart for ({KINDS}) (.*) \(statsd_", chart["title"], re.S)
            if match:
                titles[chart["id"]] = match.groups()
        for line in self.get("allmetrics?format=prometheus&source=as-collected&names=no").splitlines():
            match = re.match(r'\w+{chart="(.*?)",family=".*?",dimension="(.*?)"} (-?\d+) (\d+)', line)
            if match and match[1] in titles:
                kind, name = titles[match[1]]
                self.values.setdefault((kind, name), {})[match[2]] = int(match[3])
                self.last = int(match[4])
        for (kind, name), dimensions in self.values.items():
            if kind in ("counter", "meter"):
                r.counters[name] = dimensions[kind]
            elif kind == "gauge":
                r.gauges[name] = dimensions["gauge"] if abs(dimensions["gauge"]) == 1 << 63 else \
                    dimensions["gauge"] / DECIMALS
            elif kind == "set":
                r.sets[name] = dimensions["set"]
            else:
                stats = {stat: value / DECIMALS for stat, value in dimensions.items() if stat != "events"}
                stats["count"] = dimensions["events"]
                r.stats[(name, "ms" if kind == "timer" else "h")] = stats
        return r

    @staticmethod
    def form(name):
        name = re.sub(rb"[^\x00-\x7f]", b"_", name.encode()).decode()
        return name.replace('"', "'").replace("\\", "/")

    def gauge(self, value):
        return int(value * DECIMALS) / DECIMALS

    def limit(self, name, value):
        return -value - 1

    @staticmethod
    def statistics(samples):
        """(statistic, recorded, what it is by netdata's definition, allowance)"""
        values = sorted(samples)
        n = len(values)

        def shown(value):
            return math.floor(value * DECIMALS + 0.5) / DECIMALS

        median = (values[n // 2] + values[n // 2 + 1]) / 2 if n % 2 == 0 else values[n // 2]
        average = math.fsum(values) / n
        p95 = values[math.floor(0.95 * n) - 1]
        yield "count", n, n, ""
        yield "min", values[0], shown(values[0]), "3 decimals"
        yield "max", values[-1], shown(values[-1]), "3 decimals"
        yield "average", average, shown(average), "3 decimals"
        yield "median", (values[(n - 1) // 2] + values[n // 2]) / 2, shown(median), "of n, an even number, one value up; 3 decimals"
        yield "95.0%", p95, shown(p95), "value number floor (p n); 3 decimals"
