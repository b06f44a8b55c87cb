# SPDX-License-Identifier: MIT OR Apache-2.0
"""collectd: the plugins statsd and csv."""

import math
import os
import re

from servers import Base, Process, Reading, free_ports, program, run

PERCENTILES = (50, 90, 99)
SECOND = 1 << 30            # its unit of time
BIN = 1 << 20               # the width of a bin of its histograms, at first
BINS = 1000


def duration(ms):
    """A timing as it is kept: whole milliseconds."""
    ms = int(ms)
    return ((ms // 1000) << 30) | ((((ms % 1000) << 30) + 500) // 1000)


class Server(Base):
    name = "collectd"
    refuses_totals = True
    gauge_allowed = "6 decimals in csv"
    form_allowed = "`/` becomes `_`"
    limit_allowed = "a double: INT64_MAX is 2^63 in `count`; `derive` wraps to INT64_MIN"
    foreign_allowed = "`C` is refused"
    timing_allowed = "whole ms; none below 1 ms"

    @staticmethod
    def install(build):
        del build
        program("collectd", "collectd-core")

    @staticmethod
    def version(build):
        del build
        return re.search(r"collectd ([\d.]+\d)", run([program("collectd"), "-h"]))[1]

    def launch(self):
        self.port, = free_ports(1, 0)
        conf = self.write("collectd.conf", f"""
Hostname "host"
FQDNLookup false
BaseDir "{self.work}"
PIDFile "{self.work}/pid"
TypesDB "/usr/share/collectd/types.db"
Interval 1
LoadPlugin logfile
<Plugin logfile>
  File "{self.work}/collectd.log"
</Plugin>
LoadPlugin csv
<Plugin csv>
  DataDir "{self.work}/csv"
</Plugin>
LoadPlugin statsd
<Plugin statsd>
  Host "127.0.0.1"
  Port "{self.port}"
  CounterSum true
  TimerLower true
  TimerUpper true
  TimerSum true
  TimerCount true
{"".join(f"  TimerPercentile {p}{chr(10)}" for p in PERCENTILES)}</Plugin>
""")
        self.processes.append(Process([program("collectd"), "-f", "-C", conf], self.path("output.log"), cwd=self.work))

    def phase(self):
        with open(self.files()["gauge-check.up"], encoding="ascii") as f:
            return int(float(f.readlines()[-1].split(",")[0]) % 1 * 1000)

    def files(self):
        folder = self.path("csv", "host", "statsd")
        if not os.path.isdir(folder):
            return {}
        # type-name-2026-01-31
        return {file[:-11]: os.path.join(folder, file) for file in sorted(os.listdir(folder))}

    def refused(self):
        with open(self.path("collectd.log"), encoding="utf-8") as f:
            return sum("Unable to parse line" in line for line in f)

    def read(self):
        r = Reading()
        files = self.files()
        timings = {name[len("latency-"):-len("-lower")] for name in files
                   if name.startswith("latency-") and name.endswith("-lower")}
        for file, path in files.items():
            kind, name = file.split("-", 1)
            with open(path, encoding="ascii") as f:
                values = [line.split(",")[1].strip() for line in f if line.count(",") == 1 and line.endswith("\n")][1:]
            if not values:
                continue
            if kind == "derive":
                r.counters[name] = int(values[-1])
            elif kind == "count":
                r.huge[name] = math.fsum(float(v) for v in values)
            elif kind == "gauge" and name.endswith("-count") and name[:-len("-count")] in timings:
                stats = r.stats.setdefault((name[:-len("-count")], "ms"), {})
                stats["count"] = int(sum(float(v) for v in values))
            elif kind == "gauge":
                r.gauges[name] = float(values[-1])
            elif kind == "objects":
                sizes = [int(float(v)) for v in values if float(v)]
                r.sets[name] = sizes[0] if len(sizes) == 1 else str(sizes)
            elif kind == "latency":
                name, stat = re.fullmatch(r"(.*?)(?:-(average|lower|upper|sum|percentile-\d+))?", name).groups()
                shown = [float(v) for v in values if v != "nan"]
                r.stats.setdefault((name, "ms"), {})[stat] = round(shown[-1] * 1000, 3) if shown else None
        r.huge = {n: v for n, v in r.huge.items() if n.startswith("check.limit.")}
        return r

    @staticmethod
    def form(name):
        return name.replace("/", "_")

    def gauge(self, value):
        return round(float(value), 6)

    def limit(self, name, value):
        return float(value)

    def foreign_totals(self, totals):
        return {}

    def timing_count(self, samples):
        return sum(duration(ms) > 0 for ms in samples)

    @classmethod
    def statistics(cls, samples):
        """(statistic, recorded, what it is by collectd's definition, allowance)"""
        exact = sorted(samples)
        kept = sorted(d for d in map(duration, samples) if d)
        n = len(kept)

        def shown(time):
            return round(round(time / SECOND, 6) * 1000, 3)

        whole = "whole ms"
        yield "count", len(exact), n, ""
        yield "lower", exact[0], shown(kept[0]), whole
        yield "upper", exact[-1], shown(kept[-1]), whole
        yield "sum", math.fsum(exact), shown(sum(kept)), whole
        width = BIN
        if (kept[-1] - 1) // width >= BINS:
            width = 1 << math.ceil(math.log2((kept[-1] + 1) / BINS))
        counts = [0] * BINS
        for time in kept:
            counts[(time - 1) // width] += 1
        for p in PERCENTILES:
            below = 0
            for i, count in enumerate(counts):
                if 100 * (below + count) / n >= p:
                    break
                below += count
            share = (p - 100 * below / n) / (100 * count / n)
            time = width if i == 0 else i * width + share * width
            yield (f"percentile-{p}", exact[math.ceil(p / 100 * n) - 1], shown(time),
                   f"whole ms; drawn within a bin of {width / BIN:g}/1024 s")
