#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A new map under full load: is any announce lost, and how long do those around it wait?

p4pd steers by a map of --pids PIDs; p4pload finds its capacity in a closed loop, then loads it in an
open one at --share of that, and in the midst of it the largest provider's topology is uploaded again with
every block of addresses in another PID. Compared are the 99th percentiles of latency of the seconds from
the upload until the new map is in force and one more, and of the --before seconds ahead of it.

The machine's other work shows in both, and more in the worst second of some than in a usual one. So there
is a control: ahead of the upload, in the same load, a process that is as nice as p4pd's API burns the CPU
time that an upload takes, and its seconds are judged in the same way.

The daemon, and the control, may use every core of --server-core: compiling takes time that its UDP worker
must not lose. It needs a database: run it under tests/support/with_postgres.

    tests/support/with_postgres tests/bench/bench_swap.py --build BUILD --server-core 0-1

Exit status: 0 fine; 1 a failure, or --check and a bar is passed; 77 no database; 2 wrong usage.
"""
import argparse
import json
import math
import os
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
NICE = 10  # of p4pd's API, server/net/lane.c
BURN = "import sys, time\nwhile time.process_time() < float(sys.argv[1]): pass"


def clients(args):
    return ["--hashes", "2000", "--peers", args.peers, "--zipf", "1", "--want", "50",
            "--addresses", topologies.addresses(args.pids), "--from", topologies.PREFIX,
            "--timeout", "5"]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def upload(tracker, provider, document):
    """(when it began, when the new map was in force, p4pd's CPU time)"""
    before, cpu = publications(tracker), cpu_seconds(tracker.pid)
    began = time.time()
    tracker.upload(provider, document)
    while publications(tracker) == before:
        time.sleep(0.05)
    return began, time.time(), cpu_seconds(tracker.pid) - cpu


def burn(args, cpu):
    """(when it began, when it had burned so many seconds of CPU time)"""
    began = time.time()
    subprocess.run(["taskset", "-c", str(args.server_core), "nice", "-n", str(NICE), sys.executable,
                    "-c", BURN, str(cpu)], check=True, timeout=args.seconds)
    return began, time.time()


def measured(args, tracker, rate):
    """(p4pload's result, the control's and the swap's (began, ended), CPU seconds of an upload)"""
    command = ["taskset", "-c", args.load_core, args.p4pload, "--json", "--series",
               "--progress", "--target", f"127.0.0.1:{tracker.port}", "--pid", tracker.pid, *clients(args), "--rate", rate,
               "--window", 65536, "--seconds", args.seconds]
    # Made ahead: the seconds that count shall have the daemon's work in them and not ours.
    again, back = (next(iter(topologies.world(args.pids, shift=n).items())) for n in (1, 0))
    _, _, cpu = upload(tracker, *again)
    load = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    try:
        said = load.stderr.readline()
        if "measuring" not in said:
            trackers.fail(said or "p4pload ended")
        time.sleep(args.before + 2)
        control = burn(args, cpu)
        time.sleep(args.before + 3)
        began, in_force, _ = upload(tracker, *back)
        out, err = load.communicate(timeout=args.seconds + 60)
    finally:
        if load.poll() is None:
            load.terminate()
            load.wait()
    if not out:
        trackers.fail(err)
    return json.loads(out), control, (began, in_force), cpu


def publications(tracker):
    for line in tracker.get("/metrics").splitlines():
        if line.startswith("p4pd_map_publications_total "):
            return float(line.split()[1])
    return trackers.fail("/metrics has no p4pd_map_publications_total")


def compare(args, result, began, ended):
    """p99 of a usual second ahead, and of the worst from `began` until a second after `ended`"""
    series = result["series"]
    first = math.floor(began - result["started"])
    last = math.floor(ended - result["started"]) + 1
    if first < args.before + 1 or last >= len(series):
        trackers.fail(f"seconds {began - result['started']:.1f} to {ended - result['started']:.1f} of "
                      f"{len(series)} are to be judged: use more --seconds")
    calm = statistics.median(s["p99"] for s in series[first - args.before:first])
    around = max(s["p99"] for s in series[first:last + 1])
    return {"seconds": round(ended - began, 2), "p99_before_us": calm, "p99_around_us": around,
            "ratio": around / calm}


def judge(args, result, control, swap, cpu):
    control, swap = compare(args, result, *control), compare(args, result, *swap)
    return {"rate": result["answers_per_second"], "cpu_seconds": round(cpu, 2), "swap": swap,
            "control": control, "ratio_to_control": swap["ratio"] / control["ratio"],
            **{name: result[name] for name in BAD}}


def tell(number, r):
    swap, control = r["swap"], r["control"]
    return (f"round {number}: {r['rate']:.0f}/s; swap: in force after {swap['seconds']} s, p99 "
            f"{swap['p99_before_us']:.0f} us before, {swap['p99_around_us']:.0f} around "
            f"({swap['ratio']:.2f}); control: {r['cpu_seconds']} s of CPU burned in "
            f"{control['seconds']} s, p99 {control['p99_before_us']:.0f} us before, "
            f"{control['p99_around_us']:.0f} around ({control['ratio']:.2f}); "
            + ", ".join(f"{r[n]} {n}" for n in BAD))


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
            return judge(args, *measured(args, tracker, int(capacity * args.share)))
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
        print(tell(number + 1, r), file=sys.stderr if args.json else sys.stdout, flush=True)
    ratio = statistics.median(r["swap"]["ratio"] for r in rounds)
    to_control = statistics.median(r["ratio_to_control"] for r in rounds)
    bad = sum(r[name] for r in rounds for name in BAD)
    if args.json:
        print(json.dumps({"ratio": ratio, "ratio_to_control": to_control, "bad": bad,
                          "rounds": rounds}))
    if args.check and (ratio >= BAR or bad > 0):
        trackers.fail(f"p99 {ratio:.2f} x (the bar is {BAR}), {to_control:.2f} x the control's; "
                      f"{bad} announces lost or refused")


if __name__ == "__main__":
    main()
