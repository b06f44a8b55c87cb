#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Holds the dashboard for Grafana against Grafana's schema, and against what the demo sends.

usage: check_dashboard.py BUILD RECORDED

BUILD     a folder for what is installed
RECORDED  what content-cache -o wrote

The last line is "N passed, N failed".
"""

import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, os.pardir, "c-tests", "servers"))

import dashboard  # noqa: E402
from servers import Failure, npm_install  # noqa: E402

SCHEMA, TYPESCRIPT = "13.2.3", "5.9.3"

# what the schema has to refuse: a key, a value, a type that it does not know
WRONG = [
    ('"fillOpacity"', '"fillOpactiy"'),
    ('"gridPos"', '"gridpos"'),
    ('"calcs"', '"calc"'),
    ('"mode": "multi"', '"mode": "mutli"'),
    ('"drawStyle": "line"', '"drawStyle": "lines"'),
    ('"type": "timeseries"', '"type": "graph"'),
    ('"graphTooltip": 1', '"graphTooltip": 7'),
    ('"schemaVersion": 42', '"schemaVersion": "42"'),
]


def schema(build):
    """What TypeScript says of the dashboard, and of each wrong one: by file, the first message."""
    npm_install(build, f"@grafana/schema@{SCHEMA}", f"typescript@{TYPESCRIPT}")
    source = os.path.join(build, "schema")
    shutil.rmtree(source, ignore_errors=True)
    os.makedirs(source)
    shutil.copy(os.path.join(HERE, "grafana", "schema.ts"), source)
    with open(dashboard.FILE, encoding="utf-8") as f:
        text = f.read()
    files = {"dashboard.ts": text}
    for i, (right, wrong) in enumerate(WRONG):
        if right not in text:
            raise Failure(f"{dashboard.FILE}: no {right}")
        files[f"wrong-{i}.ts"] = text.replace(right, wrong, 1)
    for name, json in files.items():
        with open(os.path.join(source, name), "w", encoding="utf-8") as f:
            f.write('import type { Typed } from "./schema";\nexport const dashboard: Typed =\n' + json)
    done = subprocess.run(
        ["node", os.path.join(build, "node_modules", "typescript", "bin", "tsc"), "--noEmit", "--strict",
         "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--pretty", "false", *files],
        cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    said = {name: "" for name in files}
    for line in done.stdout.splitlines():
        name = line.split("(", 1)[0]
        if name in said:
            said[name] = said[name] or line
        elif not line.startswith(" "):
            raise Failure(f"tsc: {done.stdout[:2000]}")
    return said


def main():
    build, recorded = sys.argv[1:]
    results = []

    def take(good, text):
        results.append(good)
        if not good:
            print(text)

    try:
        said = schema(os.path.abspath(build))
    except Failure as e:
        print(e)
        return 1
    take(not said["dashboard.ts"], said["dashboard.ts"])
    for i, (right, wrong) in enumerate(WRONG):
        take(said[f"wrong-{i}.ts"], f"the schema takes {wrong} for {right}")

    rows = dashboard.recorded(recorded)
    named = set()
    for chart in dashboard.charts():
        for target in chart.targets:
            paths = dashboard.paths(target)
            take(paths, f"{chart.title}: {target}: names no metric")
            for path in paths:
                names = dashboard.names_of(path, rows)
                take(len(names) == 1, f"{chart.title}: {path}: the demo sends no such metric")
                named.update(names)
    for name in rows:
        take(name in named, f"{name}: in no chart")
    print(f"{sum(map(bool, results))} passed, {sum(not r for r in results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
