#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A new map under full load: is any announce lost, and how long do those around it wait?

p4pd steers by a map of --pids PIDs; p4pload finds its capacity in a closed loop, then loads it in an
open one at --share of that, and in the midst of it the largest provider's topology is uploaded again with
every block of addresses in another PID. Compared are the 99th percentiles of latency of the seconds from
the upload until the new map is in force and one more, and of the --before seconds ahead of it.

The machine's other work shows in both. The daemon may use every core of --server-core: compiling takes
time that its UDP worker must not lose. It needs a database: run it under tests/support/with_postgres.

    tests/support/with_postgres tests/bench/bench_swap.py --build BUILD --server-core 0-1

Exit status: 0 fine; 1 a failure, or --check and a bar is passed; 77 no database; 2 wrong usage.
"""
import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import topologies
import trackers

BAR = 2.0  # p99 around the swap by p99 before it (issue 3)
BAD = ("lost", "refused", "malformed", "unsent")


def clients(args):
    return ["--hashes", "2000", "--peers", args.peers, "--zipf", "1", "--want", "50",
            "--addresses", topologies.addresses(args.pids), "--from", topologies.PREFIX,
            "--timeout", "5"]


def measured_swap(args, tracker, rate):
    """(p4pload's result, when the upload began, when the new map was in force)"""
    command = ["taskset", "-c", args.load_core, args.p4pload, "--json", "--series",
               "--progress", "--target", f"127.0.0.1:{tracker.port}", "--pid", tracker.pid, *clients(args), "--rate", rate,
               "--window", 65536, "--seconds", args.seconds]
    # Made ahead: the second that counts shall have the daemon's work in it and not ours.
    provider, document = next(iter(topologies.world(args.pids, shift=1).items()))
    load = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    try:
        said = load.stderr.readline()
        if "measuring" not in said:
            trackers.fail(said or "p4pload ended")
        time.sleep(args.seconds / 3)
        before = publications(tracker)
        began = time.time()
        tracker.upload(provider, document)
        while publications(tracker) == before:
            time.sleep(0.05)
        in_force = time.time()
        out, err = load.communicate(timeout=args.seconds + 60)
    finally:
        if load.poll() is None:
            load.terminate()
            load.wait()
    if not out:
        trackers.fail(err)
    return json.loads(out), began, in_force


def publications(tracker):
    for line in tracker.get("/metrics").splitlines():
        if line.startswith("p4pd_map_publications_total "):
            return float(line.split()[1])
    return trackers.fail("/metrics has no p4pd_map_publications_total")


def judge(args, result, began, in_force):
    first = math.floor(began - result["started"])
    last = math.floor(in_force - result["started"]) + 1
    series = result["series"]
    if first < args.before + 1 or last >= len(series):
        trackers.fail(f"the upload ran from second {began - result['started']:.1f} to "
                      f"{in_force - result['started']:.1f} of {len(series)}: use more --seconds")
    calm = statistics.median(s["p99"] for s in series[first - args.before:first])
    around = max(s["p99"] for s in series[first:last + 1])
    return {"rate": result["answers_per_second"], "swap_seconds": round(in_force - began, 2),
            "p99_before_us": calm, "p99_around_us": around, "ratio": around / calm,
            **{name: result[name] for name in BAD}}


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    trackers.add_common_arguments(p)
    p.add_argument("--pids", type=int, default=10000)
    p.add_argument("--peers", type=int, default=200000)
    p.add_argument("--share", type=float, default=0.7, help="of the capacity")
    p.add_argument("--seconds", type=int, default=30)
    p.add_argument("--before", type=int, default=5, help="seconds to compare with")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--check", action="store_true", help="fail above the bars of issue 3")
    return trackers.finish_arguments(p)


def one_round(args, name):
    with tempfile.TemporaryDirectory(prefix="p4p-bench-") as folder:
        tracker = trackers.P4pd(name, pathlib.Path(folder), args.server_core, args.p4pd,
                                {"policy": "p4p", "max_peers": 50}, topologies.world(args.pids),
                                trackers.database())
        try:
            tracker.start()
            capacity = trackers.load(args.p4pload, args.load_core, tracker,
                                     [*clients(args), "--seconds", "3"])["answers_per_second"]
            return judge(args, *measured_swap(args, tracker, int(capacity * args.share)))
        finally:
            tracker.stop()


def main():
    args = parse_arguments()
    if not trackers.database():
        trackers.skip("maps need a database: run it under tests/support/with_postgres")
    rounds = []
    for number in range(args.rounds):
        r = one_round(args, f"swap-{number + 1}")
        rounds.append(r)
        print(f"round {number + 1}: {r['rate']:.0f}/s, in force after {r['swap_seconds']} s, p99 "
              f"{r['p99_before_us']:.0f} us before, {r['p99_around_us']:.0f} around "
              f"({r['ratio']:.2f}), " + ", ".join(f"{r[n]} {n}" for n in BAD),
              file=sys.stderr if args.json else sys.stdout, flush=True)
    ratio = statistics.median(r["ratio"] for r in rounds)
    bad = sum(r[name] for r in rounds for name in BAD)
    if args.json:
        print(json.dumps({"ratio": ratio, "bad": bad, "rounds": rounds}))
    if args.check and (ratio >= BAR or bad > 0):
        trackers.fail(f"p99 {ratio:.2f} x (the bar is {BAR}), {bad} announces lost or refused")


if __name__ == "__main__":
    main()
