#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long does the balance report over a year of a thousand interconnects take, and over a month?

Fills a real PostgreSQL with bins of 300 seconds by generate_series, lets p4pd pack them into days and
months, and asks it for reports over HTTP: the year, a month of the calendar, thirty days between odd
instants. Each is asked --times times; the median counts. One interconnect is compared with plain SQL
over the bins.

A year of bins takes longer to write than all else together. So only --raw-months of them are written as
bins, and their packed days are copied to the other months, which p4pd then packs like its own; --all
writes every bin of the year (105 million: 25 GB and an hour).

    tests/support/with_postgres tests/bench/bench_reports.py --build BUILD

Exit status: 0 fine; 1 a failure, or --check and a bar is passed; 77 no database; 2 wrong usage.
"""
import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import trackers

BARS = {"year": 2.0, "month": 5.0, "30 days": 5.0}  # seconds (issue 5)
DAY = 86400
FIRST = int(datetime.datetime(2025, 11, 1, tzinfo=datetime.timezone.utc).timestamp())

BINS = """
INSERT INTO bins (interconnect, source, start, node, seconds, observed_seconds, out_bytes, in_bytes,
                  out_packets, in_packets)
SELECT i.number, 'counter', t, 'bench', 300, 300, out_bytes, in_bytes, out_bytes / 1000, in_bytes / 900
FROM interconnects i, generate_series({begin}, {end} - 300, 300) t,
     LATERAL (SELECT (20 + i.number % 50 + 15 * sin(t / 13750.987) + 9 * random()) * 1e9 AS o,
                     (30 + i.number % 30 + 15 * cos(t / 13750.987) + 9 * random()) * 1e9 AS n) x,
     LATERAL (SELECT o::bigint AS out_bytes, n::bigint AS in_bytes) y
ORDER BY t, i.number"""

# A page counts from the beginning of its day.
COPIES = """
INSERT INTO bin_days (interconnect, source, seconds, start, page)
SELECT interconnect, source, seconds, start + {shift}, page FROM bin_days
WHERE start >= {begin} AND start < {raw} AND start + {shift} < {end};
INSERT INTO bin_months_due (start, seconds, interconnect, source)
SELECT DISTINCT month_begin(start), seconds, interconnect, source FROM bin_days WHERE start >= {copied}
ON CONFLICT DO NOTHING"""

PLAIN = """
SELECT sum(out_bytes), sum(in_bytes), percentile_disc(0.95) WITHIN GROUP (ORDER BY out_bytes),
       percentile_disc(0.95) WITHIN GROUP (ORDER BY in_bytes), count(*)
FROM bins b JOIN interconnects i ON i.number = b.interconnect
WHERE i.id = 'x-1' AND start >= {begin} AND start < {end}"""


def sql(text):
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", os.environ["P4PD_TEST_DB"],
                           "-c", text], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"psql: {done.stderr}")
    return done.stdout.strip()


def month_after(instant):
    at = datetime.datetime.fromtimestamp(instant, datetime.timezone.utc)
    return int(at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1).timestamp())


def timed(what, call):
    began = time.monotonic()
    value = call()
    print(f"{what:<48} {time.monotonic() - began:8.1f} s", flush=True)
    return value


class Daemon:
    def __init__(self, build):
        self.state = tempfile.TemporaryDirectory(prefix="p4pd-bench-")
        self.port = trackers.free_port()
        settings = {"listen_api": f"127.0.0.1:{self.port}", "state_dir": self.state.name,
                    "listen_tracker": f"127.0.0.1:{trackers.free_port()}", "bins_keep_days": 0, "lab": "true",
                    "database": os.environ["P4PD_TEST_DB"]}
        self.process = subprocess.Popen(
            [pathlib.Path(build) / "server/p4pd", *(w for k, v in settings.items() for w in ("--set", f"{k}={v}"))],
            stderr=open(pathlib.Path(self.state.name) / "log", "w"))
        for _ in range(200):
            time.sleep(0.1)
            try:
                if urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status == 200:
                    break
            except OSError:
                if self.process.poll() is not None:
                    sys.exit((pathlib.Path(self.state.name) / "log").read_text())
        self.token = (pathlib.Path(self.state.name) / "admin.token").read_text().strip()

    def balance(self, begin, end):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/reports/balance?from={begin}&to={end}",
            headers={"Authorization": f"Bearer {self.token}"})
        began = time.monotonic()
        with urllib.request.urlopen(request, timeout=120) as reply:
            body = reply.read()
        return time.monotonic() - began, json.loads(body)

    def wait_packed(self):
        while sql("SELECT (SELECT count(*) FROM bin_days_due) + (SELECT count(*) FROM bin_months_due)") != "0":
            time.sleep(0.5)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.state.cleanup()


def fill(args, daemon):
    """The last instant."""
    sql("INSERT INTO providers (provider) VALUES ('isp') ON CONFLICT DO NOTHING")
    sql("INSERT INTO interconnects (provider, id, in_force) "
        f"SELECT 'isp', 'x-' || n, true FROM generate_series(1, {args.interconnects}) n")
    end, raw = FIRST, FIRST
    for month in range(args.months):
        begin, end = end, month_after(end)
        sql(f"SELECT bins_make_partition({begin})")
        if month < args.raw_months:
            timed(f"month {month + 1}: bins written", lambda: sql(BINS.format(begin=begin, end=end)))
            raw = end
    timed("days and months packed", daemon.wait_packed)
    size = raw - FIRST
    for shift in range(size, end - FIRST, size):
        timed("packed days copied", lambda: sql(COPIES.format(shift=shift, begin=FIRST, raw=raw, end=end,
                                                              copied=FIRST + shift)))
    sql("ANALYZE")
    timed("copied months packed", daemon.wait_packed)
    return end


def agrees(report, begin, end):
    row = next(r for r in report["interconnects"] if r["interconnect"] == "x-1")["sources"]["counter"]
    out, inward, p95_out, p95_in, known = (int(word) for word in sql(PLAIN.format(begin=begin, end=end)).split("|"))
    return [row["out_bytes"], row["in_bytes"], row["p95_out_bps"], row["p95_in_bps"], row["bins_known"]] == \
           [out, inward, (p95_out * 8 + 150) // 300, (p95_in * 8 + 150) // 300, known]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--interconnects", type=int, default=1000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--raw-months", type=int, default=1, help="months that are written as bins")
    parser.add_argument("--all", action="store_true", help="every month is")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="fail when a bar is passed")
    args = parser.parse_args()
    if "P4PD_TEST_DB" not in os.environ:
        print("skipped: run it under tests/support/with_postgres", file=sys.stderr)
        return 77
    args.raw_months = args.months if args.all else min(args.raw_months, args.months)
    daemon = Daemon(args.build)
    failed = []
    try:
        end = fill(args, daemon)
        month = month_after(FIRST)
        windows = {"year": (FIRST, end), "month": (FIRST, month),
                   "30 days": (FIRST + 7 * 300, min(end, FIRST + 30 * DAY + 7 * 300))}
        for name, (begin, stop) in windows.items():
            asked = [daemon.balance(begin, stop) for _ in range(args.times)]
            seconds = statistics.median(took for took, _ in asked)
            known = sum(r["sources"]["counter"]["bins_known"] for r in asked[0][1]["interconnects"])
            print(f"balance, {name}: {known:,} bins of {args.interconnects} interconnects: {seconds:.2f} s "
                  f"(bar {BARS[name]} s; best {min(took for took, _ in asked):.2f})", flush=True)
            if seconds > BARS[name]:
                failed.append(name)
            if stop <= FIRST + args.raw_months * 28 * DAY or args.all or name == "month":
                if not agrees(asked[0][1], begin, stop):
                    sys.exit(f"{name}: not what plain SQL says")
        print("database:", sql("SELECT pg_size_pretty(pg_database_size(current_database()))"))
    finally:
        daemon.stop()
    return 1 if args.check and failed else 0


if __name__ == "__main__":
    sys.exit(main())
