#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Holds the page that `fripp report` makes against the recording.

usage: check.py [--pictures FOLDER] WORK FRIPP COMMAND...

Records COMMAND with FRIPP, makes the page, loads it in Chromium at two widths,
light and dark, and compares what its charts hold and show with figures that
recording.py computes from the recording. Also a recording that was cut by
SIGKILL, and one that is long enough to be thinned. The last line is
"N passed, N failed".
"""

import argparse
import glob
import math
import os
import random
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import judge  # noqa: E402
from browser import Browser  # noqa: E402
from brokers import brokers  # noqa: E402
from judge import check, near  # noqa: E402
from recording import Figures, Recording, write  # noqa: E402

WIDTHS = (1440, 390)


def thinned(values, step):
    """Of each `step` values the lowest and the highest, as they came."""
    rows = []
    for at in range(0, len(values), step):
        some = [value for value in values[at:at + step] if value is not None]
        low, high = min(some, default=None), max(some, default=None)
        # the newest of the two extremes, as each was first met
        rows += [low, high] if some and some.index(low) <= some.index(high) else [high, low]
    return rows


UNITS = {"KiB": 1024, "MiB": 1024 ** 2, "GiB": 1024 ** 3, "TiB": 1024 ** 4}


def said_divisor(label):
    """What a line's label says that its values are divided by."""
    divided = re.search(r" ÷ ([\d,]+)$", label)
    multiplied = re.search(r" × ([\d,]+)$", label)
    unit = re.search(r" in ([KMGT]iB)$", label)
    if multiplied:
        return 1 / float(multiplied[1].replace(",", ""))
    return float(divided[1].replace(",", "")) if divided else UNITS[unit[1]] if unit else 1


def expected(figures, curve, step):
    if curve["over"]:
        values = figures.over(curve["metric"], curve["statistic"], curve["over"])
    else:
        values = figures.series[curve["metric"]][curve["statistic"]]
    values = [None if value is None else value / curve["divisor"] for value in values]
    return values if step == 1 else thinned(values, step)


def compare(name, browser, figures, recording):
    """Every value of every chart; returns what the charts should hold."""
    data = browser.data()
    step = data["step"]
    check(f"{name}: when it began", near(data["start"], recording.start))
    check(f"{name}: charts", len(data["drawn"]) == len(data["charts"]) > 0, len(data["drawn"]))
    covered = set()
    for chart, drawn in zip(data["charts"], data["drawn"]):
        for curve, column in zip(chart["curves"], drawn[1:]):
            some = figures.family(curve["metric"]) if curve["over"] else [curve["metric"]]
            covered.update((metric, curve["statistic"]) for metric in some)
            check(f"{name}: scale of {curve['label']}",
                  near(said_divisor(curve["label"]), curve["divisor"]), curve["divisor"])
            want = expected(figures, curve, step)
            digits = figures.digits(curve["metric"], curve["statistic"])
            wrong = [at for at, (a, b) in enumerate(zip(column, want)) if not near(a, b, digits)]
            check(f"{name}: {chart['title']}: {curve['label']}",
                  not wrong and len(column) == len(want),
                  f"{len(column)} values, {len(want)} expected; "
                  + ", ".join(f"{at}: {column[at]} for {want[at]}" for at in wrong[:3]))
        times = [recording.start + at * figures.interval * (step / 2 if step > 1 else 1)
                 for at in range(len(drawn[0]))]
        check(f"{name}: {chart['title']}: times",
              all(near(a, b, 1e-9) for a, b in zip(drawn[0], times)))
    missing = {(metric, statistic) for metric, series in figures.series.items()
               for statistic in series} - covered
    check(f"{name}: every metric has its charts", not missing, sorted(missing)[:5])
    return data


def number(shown):
    return None if shown == "–" else float(shown.replace(",", ""))


def under_pointer(name, browser, data):
    """The values beside the names are those where the pointer is, on all
    charts at once."""
    rows = len(data["drawn"][0][0])
    at, x = random.randrange(len(data["drawn"])), random.randrange(rows)
    browser.point(at, x)
    taken = browser.run("return fripp.charts.map((plot) => plot.cursor.idx)")
    # where values are nearly as dense as pixels, it may be the next one
    near_x = abs(taken[0] - x) <= (1 if rows > 200 else 0)
    check(f"{name}: pointed at", len(set(taken)) == 1 and near_x, (x, taken))
    x = taken[0]
    for other, chart in enumerate(data["charts"]):
        shown = browser.legend(other)
        want = time.strftime("%H:%M:%S", time.gmtime(data["drawn"][0][0][x]))
        check(f"{name}: time under the pointer", shown[0] == want, f"{shown[0]} for {want}")
        values = [column[x] for column in data["drawn"][other][1:]]
        check(f"{name}: {chart['title']}: under the pointer",
              all(near(number(a), b, 1e-4) for a, b in zip(shown[1:], values)),
              f"{shown[1:]} for {values}")


def zoom(name, browser, data):
    whole = browser.scales()
    at = random.randrange(len(whole))
    browser.drag(at, 0.25, 0.75)
    low, high = whole[at]
    quarter = (high - low) / 4
    for scale in browser.scales():
        check(f"{name}: zoom", math.isclose(scale[0], low + quarter, abs_tol=quarter / 8)
              and math.isclose(scale[1], high - quarter, abs_tol=quarter / 8), scale)
    check(f"{name}: a button ends it",
          browser.run("return !document.getElementById('unzoom').hidden"))
    browser.double_click(at)
    check(f"{name}: a double click ends it", browser.scales() == whole)


def legend_click(name, browser):
    script = ("const p = fripp.charts[0]; p.root.querySelectorAll('.u-legend th')[1].click();"
              "return p.series[1].show")
    check(f"{name}: a click takes a line away, another brings it",
          [browser.run(script), browser.run(script)] == [False, True])


def accessible(name, browser, axe):
    """What axe-core finds."""
    if axe:
        found = browser.violations(axe)
        check(f"{name}: axe-core", not found, found)


def look(name, page, figures, recording, args):
    """The page at each width, light and dark."""
    for width in WIDTHS:
        for dark in (False, True):
            shade = "dark" if dark else "light"
            label = f"{name}, {width}, {shade}"
            with Browser(width, dark=dark) as browser:
                browser.open(page)
                data = compare(label, browser, figures, recording)
                browser.after_frames()
                for chart, pixels in zip(data["charts"], browser.pixels()):
                    # lines may lie on each other, or be a single point
                    check(f"{label}: {chart['title']}: drawn", max(pixels) > 4, pixels)
                wide = browser.run("return document.documentElement.scrollWidth")
                check(f"{label}: fits", wide <= width, wide)
                ground = browser.run("return getComputedStyle(document.body).backgroundColor")
                bright = sum(int(part) for part in ground[4:-1].split(",")) > 380
                check(f"{label}: ground", bright != dark, ground)
                under_pointer(label, browser, data)
                zoom(label, browser, data)
                legend_click(label, browser)
                if args.pictures:
                    picture(browser, os.path.join(args.pictures, f"{name}-{width}-{shade}"))
                accessible(label, browser, args.axe)
                browser.run("document.getElementById('theme').click()")
                theme = browser.run("return document.documentElement.dataset.theme")
                check(f"{label}: button", theme == ("light" if dark else "dark"), theme)
                said = browser.complaints()
                check(f"{label}: quiet console and network", not said, said)


def picture(browser, path):
    import base64
    browser.run("scrollTo(0, 0)")
    size = browser.command("Page.getLayoutMetrics")["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    shot = browser.command("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
    with open(path + ".png", "wb") as file:
        file.write(base64.b64decode(shot["data"]))
    printed = browser.command("Page.printToPDF", printBackground=True)
    with open(path + ".pdf", "wb") as file:
        file.write(base64.b64decode(printed["data"]))


def facts(name, page, figures, recording):
    with open(page, encoding="utf-8") as file:
        html = file.read()
    for what, value in (("Lines", figures.lines), ("Datagrams", len(recording.datagrams)),
                        ("Metrics", len(figures.kinds)), ("Dropped by the kernel", recording.drops)):
        row = f"<dt>{what}</dt><dd>{value:,}</dd>"
        check(f"{name}: {what}", row in html, row)
    if figures.wrong:
        check(f"{name}: wrong lines", f"not StatsD: {figures.wrong}." in html)
    return html


def report(fripp, recording, page, *options):
    subprocess.run([fripp, "report", "--force", recording, "-o", page, *options], check=True,
                   stderr=subprocess.PIPE)


def check_command(work, fripp, command, args):
    file, page = os.path.join(work, "sent.rec"), os.path.join(work, "sent.html")
    done = subprocess.run([fripp, "record", "--force", "-o", file, "--", *command], check=True,
                          stderr=subprocess.PIPE, text=True)
    recording = Recording(file)
    figures = Figures(recording)
    check("sent: ended in order", recording.end is not None and not recording.cut)
    check("sent: what record says", f"{figures.lines} lines in {len(recording.datagrams)} " in done.stderr,
          done.stderr)
    again = subprocess.run([fripp, "record", "-o", file, "--", *command], stderr=subprocess.PIPE, text=True)
    check("sent: not overwritten", again.returncode == 2 and "--force" in again.stderr, again.stderr)
    report(fripp, file, page)
    facts("sent", page, figures, recording)
    look("sent", page, figures, recording, args)
    for form, magic in (("svg", b"<svg"), ("png", b"\x89PNG")):
        out = os.path.join(work, f"chart.{form}")
        name = next(iter(figures.series))
        subprocess.run([fripp, "report", "--force", file, "-o", out, "--chart", f"^{name}$" if
                        figures.kinds[name] in ("gauge", "counter", "total") else "."],
                       stderr=subprocess.PIPE)
        with open(out, "rb") as picture_file:
            check(f"sent: {form}", picture_file.read(4) == magic[:4])


def check_killed(work, fripp, command):
    """What came half a second and more before SIGKILL is in the file."""
    file, page = os.path.join(work, "killed.rec"), os.path.join(work, "killed.html")
    process = subprocess.Popen([fripp, "record", "--force", "-o", file, "--", *command],
                               stderr=subprocess.DEVNULL)
    start = time.monotonic()
    while time.monotonic() - start < 60:
        if os.path.exists(file) and os.path.getsize(file) > 3000 and time.monotonic() - start > 2:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lasted = time.monotonic() - start
    whole = Recording(file)
    check("killed: no end", whole.end is None and not whole.cut)
    check("killed: up to the last second", whole.seconds > lasted - 2, (whole.seconds, lasted))
    with open(file, "r+b") as torn:
        torn.truncate(os.path.getsize(file) - 7)
    recording = Recording(file)
    check("torn: it is", recording.cut and len(recording.datagrams) < len(whole.datagrams))
    said = subprocess.run([fripp, "report", "--force", file, "-o", page], stderr=subprocess.PIPE, text=True)
    check("torn: its place is named", "the file ends in it" in said.stderr, said.stderr)
    html = facts("torn", page, Figures(recording), recording)
    check("torn: the page says so", "not ended in order" in html)


def check_long(work, fripp):
    """An hour and a bit: thinned, and no peak is lost."""
    # summer time ends in Europe while it lasts
    seconds, start = 4000, 1_761_440_400 - 2000
    datagrams = []
    for at in range(seconds):
        lines = [f"long.level:{random.randrange(100)}|g", f"long.hits:{random.randrange(50)}|c"]
        lines += [f"long.took:{random.random() * 10:.3f}|ms" for _ in range(random.randrange(4))]
        datagrams.append((at + 0.5, "\n".join(lines).encode()))
    file, page = os.path.join(work, "long.rec"), os.path.join(work, "long.html")
    write(file, start, datagrams)
    recording = Recording(file)
    report(fripp, file, page)
    figures = Figures(recording, 10.0)
    with Browser(WIDTHS[0]) as browser:
        browser.command("Emulation.setTimezoneOverride", timezoneId="Europe/Berlin")
        browser.open(page)
        data = compare("ten seconds", browser, figures, recording)
        check("ten seconds: by the length", data["interval"] == 10 and data["step"] == 1)
        for _ in range(4):
            under_pointer("ten seconds", browser, data)
        ticks = browser.run("return fripp.charts[0].axes[0]._values")
        check("ten seconds: ticks are of UTC", ticks == sorted(set(ticks), key=ticks.index) and
              "01:00" in [tick.split("\n")[0] for tick in ticks], ticks)
    report(fripp, file, page, "--interval", "1")
    figures = Figures(recording)
    check("long: the page says so", "the lowest and the highest" in facts("long", page, figures, recording))
    with Browser(WIDTHS[0]) as browser:
        browser.open(page)
        data = compare("long", browser, figures, recording)
        check("long: thinned", data["step"] > 1 and len(data["drawn"][0][0]) <= 1200)


def check_ranks(work, fripp):
    """What 12 ranks have, and what 3 have; a gauge that ends; zeros; a spike."""
    datagrams = []
    for at in range(60):
        lines = ["z.zero:0|c", f"r.spike:{1000 if at == 30 else 1 + at % 3}|g"]
        for rank in range(12):
            lines += [f"many.{rank}.size:{(rank + 1) * 1000 + at}|g", f"many.{rank}.hits:{rank + at}|c"]
            lines += [f"many.{rank}.took:{random.random() * 10:.3f}|ms" for _ in range(at % 3)]
        lines.append(f"many.5.alone:{at}|g")
        for rank in range(3 if at < 30 else 2):
            lines.append(f"few.{rank}.level:{rank * 100 + at}|g")
        datagrams.append((at + 0.5, "\n".join(lines).encode()))
    file, page = os.path.join(work, "ranks.rec"), os.path.join(work, "ranks.html")
    write(file, 1_700_000_000, datagrams)
    report(fripp, file, page)
    recording = Recording(file)
    figures = Figures(recording)
    check("ranks: one ends", figures.series["few.2.level"]["value"][-1] is None)
    with Browser(WIDTHS[0]) as browser:
        browser.open(page)
        data = compare("ranks", browser, figures, recording)
        lines = {chart["id"]: len(chart["curves"]) for chart in data["charts"]}
        check("ranks: lines", lines.get("many.*.size") == 3 and lines.get("few.*.level") == 3, lines)
        at = {curve["metric"]: number for number, chart in enumerate(data["charts"])
              for curve in chart["curves"]}
        of = "return [fripp.charts[arguments[0]].height, fripp.charts[arguments[0]].scales.y.distr]"
        titles = {chart["title"] for chart in data["charts"]}
        check("ranks: whose a metric of one rank is", "alone (* = 5)" in titles, titles)
        said = browser.run("return [...document.querySelectorAll('.said')].map((p) => p.textContent)")
        check("ranks: which has the highest", "The highest value is of * = 11." in said, said)
        check("ranks: zeros are small", browser.run(of, at["z.zero"]) == [90, 1],
              browser.run(of, at["z.zero"]))
        check("ranks: a spike has a logarithm", browser.run(of, at["r.spike"]) == [250, 4],
              browser.run(of, at["r.spike"]))
        ticks = browser.run("return fripp.charts.map((p) => [p.scales.y, p.axes[1]._splits])")
        beyond = [(scale["min"], splits) for scale, splits in ticks
                  if scale["distr"] == 4 and not scale["min"] <= splits[0] <= splits[-1] <= scale["max"]]
        check("ranks: ticks of a logarithm", not beyond, beyond)
        press = ("document.querySelectorAll('.plot')[arguments[0]]"
                 ".dispatchEvent(new KeyboardEvent('keydown', {key: 'l'}));" + of)
        check("ranks: a key toggles it", [browser.run(press, at["r.spike"])[1] for _ in "ab"] == [1, 4])
        said = browser.complaints()
        check("ranks: quiet console and network", not said, said)


def check_hundred(work, fripp, args):
    """A hundred brokers for two minutes."""
    file, page = os.path.join(work, "hundred.rec"), os.path.join(work, "hundred.html")
    write(file, 1_700_000_000, brokers(100, 120))
    report(fripp, file, page)
    recording = Recording(file)
    look("hundred", page, Figures(recording), recording, args)


def check_recording(work, fripp, file, args):
    """Any other recording; the interval is what the page says."""
    name = os.path.splitext(os.path.basename(file))[0]
    page = os.path.join(work, f"{name}.html")
    report(fripp, file, page)
    with Browser(WIDTHS[0]) as browser:
        browser.open(page)
        interval = browser.data()["interval"]
    recording = Recording(file)
    look(name, page, Figures(recording, interval), recording, args)


def check_compare(work, fripp, args):
    """Before and after: a shorter recording, and one where loads take longer."""
    files = [os.path.join(work, name) for name in ("before.rec", "after.rec")]
    write(files[0], 1_700_000_000, brokers(10, 60))
    write(files[1], 1_700_009_000, brokers(10, 90, factor=1.5, seed=2) + [(90.0, b"only.after:1|c")])
    page = os.path.join(work, "compare.html")
    command = [fripp, "report", "--force", *files, "-o", page]
    done = subprocess.run([*command, "--bound", "10"], stderr=subprocess.PIPE, text=True)
    check("compare: beyond the bound", done.returncode == 1 and "than the bound" in done.stderr, done)
    done = subprocess.run([*command, "--bound", "10", "--chart", "no such metric"], stderr=subprocess.PIPE)
    check("compare: within the bound", done.returncode == 0, done)
    report(fripp, *files[:1], page, files[1])
    figures = {side: Figures(Recording(file)) for side, file in zip(("before", "after"), files)}
    for width in WIDTHS:
        for dark in (False, True):
            label = f"compare, {width}, {'dark' if dark else 'light'}"
            with Browser(width, dark=dark) as browser:
                browser.open(page)
                data = browser.data()
                check(f"{label}: charts", len(data["charts"]) > 5, len(data["charts"]))
                compare_sides(label, browser, data, figures)
                wide = browser.run("return document.documentElement.scrollWidth")
                check(f"{label}: fits", wide <= width, wide)
                if args.pictures:
                    picture(browser, os.path.join(args.pictures, f"compare-{width}-{'dark' if dark else 'light'}"))
                accessible(label, browser, args.axe)
                said = browser.complaints()
                check(f"{label}: quiet console and network", not said, said)


def compare_sides(label, browser, data, figures):
    """Each line, and the difference that is said above it."""
    said = browser.run("return [...document.querySelectorAll('.said')].map((p) => p.textContent)")
    for chart, drawn, sentence in zip(data["charts"], data["drawn"], said):
        middles = {}
        for curve, column in zip(chart["curves"], drawn[1:]):
            of = figures[curve["side"]]
            want = expected(of, curve, 1)
            wrong = [at for at, (a, b) in enumerate(zip(column, want)) if not near(a, b)]
            check(f"{label}: {chart['id']}: {curve['label']}", not wrong and len(column) >= len(want)
                  and not any(column[len(want):]), wrong[:3])
            middles[curve["side"]] = of.overall(curve["metric"], curve["statistic"]) / curve["divisor"]
        before, after = (middles.get(side) for side in ("before", "after"))
        shown = re.search(r": ([\d.,]+|none) before, ([\d.,]+|none) after(?:: ([+-][\d.]+) %)?$", sentence)
        check(f"{label}: {chart['id']}: said", shown and all(
            (a == "none") == (b is None) and (b is None or near(number(a), b, 1e-3))
            for a, b in zip(shown.groups(), (before, after))), f"{sentence}: {before}, {after}")
        if shown and shown[3]:
            change = (after - before) / abs(before) * 100
            check(f"{label}: {chart['id']}: change", abs(change - float(shown[3])) < 0.06, sentence)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--pictures", help="a folder for pictures of the pages")
    parser.add_argument("--axe", help="a folder with axe-core's package")
    parser.add_argument("--recording", action="append", default=[], help="a page of it, too")
    parser.add_argument("work")
    parser.add_argument("fripp")
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    args.axe = next(iter(glob.glob(os.path.join(args.axe or "", "axe.min.js"))), None)
    if not args.axe:
        print("skipped - axe-core: not to be had through npm")
    os.makedirs(args.work, exist_ok=True)
    work = os.path.abspath(args.work)
    check_hundred(work, args.fripp, args)
    check_compare(work, args.fripp, args)
    for file in args.recording:
        check_recording(work, args.fripp, file, args)
    check_long(work, args.fripp)
    check_ranks(work, args.fripp)
    check_killed(work, args.fripp, args.command)
    check_command(work, args.fripp, args.command, args)
    print(f"{judge.passed} passed, {judge.failed} failed")
    return judge.failed > 0


if __name__ == "__main__":
    sys.exit(main())
