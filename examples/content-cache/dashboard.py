# SPDX-License-Identifier: MIT OR Apache-2.0
"""The dashboard of grafana/, read for its charts: what Graphite is to draw, and which metrics it names."""

import json
import os
import re
import time

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "grafana", "flux-content-cache.json")

# what statsd makes of a metric of a type, with the percentiles of c-tests/servers/server_graphite.py
STATISTICS = {
    "gauges": "",
    "timers": r"\.(count|count_ps|lower|upper(_75|_95|_98|_99|_99_9)?|sum|mean|median)",
    "counters": r"\.(count|rate)",
}
TYPES = {"gauges": "gauge", "timers": "timing", "counters": "total"}


class Chart:
    """A chart: its title, unit, and targets with the dashboard's variables filled in."""

    def __init__(self, panel, variables):
        self.title = panel["title"]
        self.unit = panel["fieldConfig"]["defaults"]["unit"]
        self.targets = [re.sub(r"\$(\w+)", lambda m: variables[m[1]], t["target"]) for t in panel["targets"]]
        self.right = [override["matcher"]["options"].strip("/") for override in panel["fieldConfig"]["overrides"]]

    def for_graphite(self, target):
        """The target as Graphite is to draw it: some belong to the axis on the right."""
        expression, name = re.fullmatch(r"alias\((.*), '([^']+)'\)", target).groups()
        if any(re.search(pattern, name) for pattern in self.right):
            expression = f"secondYAxis({expression})"
        return f"alias({expression}, '{name}')"


def charts():
    with open(FILE, encoding="utf-8") as f:
        dashboard = json.load(f)
    variables = {v["name"]: v["current"]["value"] for v in dashboard["templating"]["list"] if "current" in v}
    return [Chart(panel, variables) for panel in dashboard["panels"] if panel["type"] != "row"]


def recorded(path):
    """What content-cache -o wrote: (type, samples, value) by name."""
    with open(path, encoding="ascii") as f:
        rows = [line.rstrip("\n").split("\t") for line in f]
    return {name: (kind, int(samples), float(value)) for name, kind, samples, value in rows}


def paths(target):
    """The metrics in a target's expression."""
    return re.findall(r"stats\.[\w.$*-]+", target)


def names_of(path, rows):
    """The recorded metric that a path of statsd's is made from; none where nobody recorded it."""
    _, kind, rest = path.split(".", 2)
    return [name for name, row in rows.items()
            if row[0] == TYPES.get(kind) and re.fullmatch(re.escape(name) + STATISTICS[kind], rest)]


def state(name, start, end):
    """The charts as a dashboard of Graphite's own, over a time."""
    units = {"ms": "ms", "cps": "", "mbytes": "MiB", "short": ""}
    first, last = (time.gmtime(t) for t in (start, end))
    graphs = []
    for chart in charts():
        params = {
            "title": chart.title, "vtitle": units[chart.unit],
            "target": [chart.for_graphite(t) for t in chart.targets],
        }
        if chart.right:
            params["vtitleRight"] = "ms"
        graphs.append(["&".join("target=" + t for t in params["target"]), params, ""])
    return {
        "name": name,
        "graphs": graphs,
        "graphSize": {"width": 620, "height": 330},
        "refreshConfig": {"enabled": True, "interval": 2000},
        "timeConfig": {"type": "absolute",
                       "startDate": time.strftime("%Y-%m-%dT%H:%M:%SZ", first),
                       "startTime": time.strftime("%H:%M", first),
                       "endDate": time.strftime("%Y-%m-%dT%H:%M:%SZ", last),
                       "endTime": time.strftime("%H:%M", last)},
        "defaultGraphParams": {
            "from": str(int(start)), "until": str(int(end)), "yMin": "0", "lineMode": "connected",
            "hideLegend": "false", "bgcolor": "white", "fgcolor": "#333333", "majorGridLineColor": "#dddddd",
            "minorGridLineColor": "#f0f0f0", "lineWidth": "1.6", "fontSize": "10",
            "colorList": "#1f77b4,#ff7f0e,#2ca02c,#d62728,#9467bd",
        },
    }
