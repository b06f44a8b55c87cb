# SPDX-License-Identifier: MIT OR Apache-2.0
"""Recordings, read and written as docs/recording.md says, and their figures.

Shares nothing with the command: it is what the command is held against.
"""

import math
import struct
import zlib
from collections import defaultdict

import lz4.block

HEADER = b"FRIPPREC" + struct.pack("<I", 1)
MARKER = b"\xf1REC"
START, BLOCK, END = 1, 2, 3
KINDS = {"c": "counter", "m": "counter", "C": "total", "g": "gauge", "ms": "timing",
         "h": "histogram", "d": "histogram", "s": "set"}
PERCENTILES = {"p75": 0.75, "p95": 0.95, "p98": 0.98, "p99": 0.99, "p99.9": 0.999,
               "median": 0.5}


def varint(data, at):
    n = shift = 0
    while True:
        byte = data[at]
        at += 1
        n |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return n, at


def put_varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def text(data, at):
    length, at = varint(data, at)
    return data[at:at + length].decode(), at + length


class Recording:
    """A recording that was read: `datagrams` is a list of (seconds, bytes)."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        assert data[:12] == HEADER, f"{path}: not a recording"
        self.start = self.end = self.address = self.command = None
        self.cut = False
        self.drops = 0
        self.datagrams = []
        at = 12
        while at < len(data):
            head = data[at:at + 13]
            length = struct.unpack("<I", head[5:9])[0] if len(head) == 13 else 0
            body = data[at + 13:at + 13 + length]
            if len(head) < 13 or len(body) < length:
                self.cut = True
                break
            assert head[:4] == MARKER, f"{path}: no marker at {at}"
            crc = zlib.crc32(head[4:9] + body)
            assert crc == struct.unpack("<I", head[9:])[0], f"{path}: checksum at {at}"
            self.take(head[4], body)
            at += 13 + length
        ends = self.datagrams[-1][0] if self.datagrams else 0
        self.seconds = ends if self.end is None else max(ends, self.end[0] / 1e6)

    def take(self, kind, body):
        if kind == START:
            self.start = struct.unpack_from("<Q", body)[0] / 1e6
            self.address, at = text(body, 8)
            self.command, at = text(body, at)
        elif kind == BLOCK:
            first, last, count, self.drops, size = struct.unpack_from("<QQIQI", body)
            data = lz4.block.decompress(body[32:], uncompressed_size=size)
            now, at = first, 0
            for _ in range(count):
                later, at = varint(data, at)
                length, at = varint(data, at)
                now += later
                self.datagrams.append((now / 1e6, data[at:at + length]))
                at += length
            assert at == size and now == last
        elif kind == END:
            self.end = struct.unpack("<QQQQQ", body)

    def lines(self):
        for at, datagram in self.datagrams:
            for line in datagram.split(b"\n"):
                yield at, line.decode()


def write(path, start, datagrams):
    """Writes a recording of (seconds, bytes), a block for each 500."""
    def record(kind, body):
        head = struct.pack("<BI", kind, len(body))
        return MARKER + head + struct.pack("<I", zlib.crc32(head + body)) + body

    def put_text(words):
        return put_varint(len(words)) + words

    with open(path, "wb") as file:
        file.write(HEADER)
        body = struct.pack("<Q", int(start * 1e6)) + put_text(b"test:1") + put_text(b"") + put_text(b"0")
        file.write(record(START, body))
        for at in range(0, len(datagrams), 500):
            some = [(round(seconds * 1e6), datagram) for seconds, datagram in datagrams[at:at + 500]]
            data, now = b"", some[0][0]
            for us, datagram in some:
                data += put_varint(us - now) + put_varint(len(datagram)) + datagram
                now = us
            head = struct.pack("<QQIQI", some[0][0], now, len(some), 0, len(data))
            file.write(record(BLOCK, head + lz4.block.compress(data, store_size=False)))
        lines = sum(datagram.count(b"\n") + 1 for _, datagram in datagrams)
        size = sum(len(datagram) for _, datagram in datagrams)
        end = struct.pack("<QQQQQ", round(datagrams[-1][0] * 1e6), lines, len(datagrams), size, 0)
        file.write(record(END, end))


class Figures:
    """Each metric's statistics for each interval: `series[name][statistic]`
    is a list, None where there is no value."""

    def __init__(self, recording, interval=1.0):
        self.interval = interval
        end, step = round(recording.seconds * 1e6), round(interval * 1e6)
        # less than half an interval is a part of the one before it
        self.n = max(1, (end + step // 2) // step)
        last = (end - (self.n - 1) * step) / 1e6 if end else interval
        self.lengths = [interval] * (self.n - 1) + [last]
        self.wrong = 0
        self.kinds = {}
        self.lines = 0
        raw = defaultdict(lambda: [[] for _ in range(self.n)])
        for at, line in recording.lines():
            self.lines += 1
            parsed = self.parse(line)
            if parsed is None:
                self.wrong += 1
                continue
            name, kind, value, rate = parsed
            self.kinds[name] = kind
            raw[name][min(round(at * 1e6) // step, self.n - 1)].append((value, rate))
        self.raw, self.seconds = raw, recording.seconds
        self.series = {name: getattr(self, kind)(raw[name]) for name, kind in self.kinds.items()}

    @staticmethod
    def parse(line):
        name, colon, rest = line.partition(":")
        parts = rest.split("|")
        if not colon or not name or len(parts) < 2 or parts[1] not in KINDS:
            return None
        kind = KINDS[parts[1]]
        rate = float(parts[2][1:]) if len(parts) > 2 else 1.0
        try:
            return name, kind, parts[0] if kind in ("set", "gauge") else float(parts[0]), rate
        except ValueError:
            return None

    @staticmethod
    def since_first(values, raw):
        """None until the metric is there."""
        first = next(i for i, some in enumerate(raw) if some)
        return [None] * first + values[first:]

    def counter(self, raw):
        sums = [sum(value / rate for value, rate in some) / length
                for some, length in zip(raw, self.lengths)]
        return {"rate": self.since_first(sums, raw)}

    def total(self, raw):
        last, rates = None, []
        for some, length in zip(raw, self.lengths):
            grown = 0
            for value, _ in some:
                if last is not None:
                    grown += value - last if value >= last else value
                last = value
            rates.append(grown / length)
        return {"rate": self.since_first(rates, raw)}

    def gauge(self, raw):
        newest, values, sent = 0.0, [], [at for at, some in enumerate(raw) if some]
        for some in raw:
            for value, _ in some:
                newest = newest + float(value) if value[0] in "+-" else float(value)
            values.append(newest)
        # one that was sent regularly, and then no more, ends
        pauses = [b - a - 1 for a, b in zip(sent, sent[1:])]
        silent = self.n - 1 - sent[-1]
        if len(sent) >= 3 and silent > max(math.ceil(10 / self.interval), 3 * (max(pauses) + 1)):
            values[sent[-1] + 1:] = [None] * silent
        return {"value": self.since_first(values, raw)}

    def set(self, raw):
        return {"members": self.since_first([len(set(some)) for some in raw], raw)}

    def timing(self, raw):
        series = defaultdict(list)
        for some, length in zip(raw, self.lengths):
            weight = sum(1 / rate for _, rate in some)
            total = sum(value / rate for value, rate in some)
            series["count/s"].append(weight / length)
            series["sum"].append(total / length)
            series["mean"].append(total / weight if some else None)
            series["min"].append(min((v for v, _ in some), default=None))
            series["max"].append(max((v for v, _ in some), default=None))
            ordered = sorted(some)
            for label, rank in PERCENTILES.items():
                series[label].append(self.percentile(ordered, weight, rank) if some else None)
        return {label: self.since_first(values, raw) for label, values in series.items()}

    histogram = timing

    def family(self, name):
        """Metrics of its type whose names differ from this one in numbers."""
        def shape(metric):
            return ["*" if part.isdigit() else part for part in metric.split(".")], self.kinds[metric]
        return [metric for metric in self.series if shape(metric) == shape(name)]

    def over(self, name, statistic, over):
        """The lowest, the middle or the highest of a family, for each interval."""
        rows = []
        for some in zip(*(self.series[metric][statistic] for metric in self.family(name))):
            some = sorted(value for value in some if value is not None)
            at = {"min": 0, "median": (len(some) - 1) // 2, "max": len(some) - 1}[over]
            rows.append(some[at] if some else None)
        return rows

    def digits(self, name, statistic):
        """How near a figure is to be: percentiles of many samples are those of
        buckets, which are a thousandth wide."""
        many = max(len(some) for some in self.raw[name]) > 16_384
        return 1e-3 if many and statistic in PERCENTILES else 1e-6

    def overall(self, name, statistic):
        """One figure of the whole recording; of a family that in its middle."""
        figures = sorted(self.whole(metric, statistic) for metric in self.family(name))
        return figures[(len(figures) - 1) // 2]

    def whole(self, name, statistic):
        values = [value for some in self.raw[name] for value in some]
        kind, weight = self.kinds[name], sum(1 / rate for _, rate in values)
        if kind == "gauge":
            shown = [value for value in self.series[name]["value"] if value is not None]
            return sum(shown) / len(shown)
        if kind == "set":
            return len(set(values))
        if statistic == "rate":
            lengths = zip(self.series[name]["rate"], self.lengths)
            return sum(rate * length for rate, length in lengths if rate is not None) / self.seconds
        if statistic == "count/s":
            return weight / self.seconds
        return self.percentile(sorted(values), weight, PERCENTILES[statistic])

    @staticmethod
    def percentile(ordered, weight, rank):
        wanted = max(1, math.floor(rank * weight + 0.5))
        seen = 0.0
        for value, rate in ordered:
            seen += 1 / rate
            if seen >= wanted:
                return value
        return ordered[-1][0]
