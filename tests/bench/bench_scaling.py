#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two UDP workers against one: how much more do they answer?

With four cores or more, the workers have a core each, two p4pload the others, and what counts is answers
a second. With fewer there is no room for that: daemon and load share two cores in both cases, and what
counts is CPU time per answer. Workers that got into each other's way (locks, cache lines) would need more of
it, so twice the quotient of one worker's by two workers' is what two free cores could do, but for
time spent waiting, which costs no CPU. The output says which it was.

    tests/bench/bench_scaling.py --build BUILD

Exit status: 0 fine; 1 a failure, or --check and the bar is missed; 77 --check on fewer than four cores;
2 wrong usage.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

import topologies
import trackers

BAR = 1.8  # two workers by one (issue 3)
WORKLOAD = ["--hashes", "1000", "--want", "50", "--window", "512"]  # batches stay full
HALF = {0: "127.64.0.0/17", 1: "127.65.0.0/17"}  # clients of each load


def run_loads(args, tracker, cores):
    """One p4pload on each of `cores`, side by side; their results."""
    loads = [subprocess.Popen(
        ["taskset", "-c", core, str(args.p4pload), "--json", "--target",
         f"127.0.0.1:{tracker.port}", "--pid", str(tracker.pid), "--seconds", str(args.seconds),
         "--peers", "25000", "--addresses", "1000", "--from", HALF[i], "--seed", str(i + 1),
         "--sockets", "16", *WORKLOAD], stdout=subprocess.PIPE, text=True)
        for i, core in enumerate(cores)]
    out = [load.communicate()[0] for load in loads]
    if any(load.returncode for load in loads):
        trackers.fail(f"a load failed:\n{tracker.tail()}")
    return [json.loads(text) for text in out]


def measure(args, folder, workers, server, load):
    tracker = trackers.P4pd(f"workers-{workers}", folder, server, args.p4pd,
                            {"policy": "native", "max_peers": 50, "udp_workers": workers})
    try:
        tracker.start()
        results = run_loads(args, tracker, load)
    finally:
        tracker.stop()
    rate = sum(r["answers_per_second"] for r in results)
    # Each load measures the CPU time of the same process, over the same seconds.
    cpu = statistics.mean(r["cpu_seconds"] / r["seconds"] for r in results) / rate * 1e6
    return {"answers_per_second": rate, "cpu_us_per_answer": cpu}


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    trackers.add_common_arguments(p)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=3)
    p.add_argument("--check", action="store_true", help="fail below the bar of issue 3")
    return trackers.finish_arguments(p)


def main():
    args = parse_arguments()
    cores = [str(c) for c in sorted(os.sched_getaffinity(0))]
    room = len(cores) >= 4
    servers = {1: cores[2], 2: ",".join(cores[2:4])} if room else dict.fromkeys((1, 2),
                                                                               ",".join(cores[:2]))
    ratios, rounds = [], []
    for number in range(args.rounds):
        both = {}
        for workers in (1, 2) if number % 2 == 0 else (2, 1):
            with tempfile.TemporaryDirectory(prefix="p4p-bench-") as name:
                both[workers] = measure(args, pathlib.Path(name), workers, servers[workers],
                                        cores[:2])
        ratios.append(both[2]["answers_per_second"] / both[1]["answers_per_second"] if room else
                      2 * both[1]["cpu_us_per_answer"] / both[2]["cpu_us_per_answer"])
        rounds.append(both)
    result = {"by": "answers a second" if room else "CPU time per answer, two cores shared",
              "ratio": statistics.median(ratios), "ratios": ratios, "rounds": rounds}
    if args.json:
        print(json.dumps(result))
    else:
        print(f"two workers by one: {result['ratio']:.2f} ({min(ratios):.2f} to {max(ratios):.2f}), "
              f"by {result['by']}")
        for workers in (1, 2):
            print(f"  {workers}: " + ", ".join(
                f"{statistics.median(r[workers][key] for r in rounds):.2f} {key}"
                for key in ("answers_per_second", "cpu_us_per_answer")))
    if args.check and not room:
        trackers.skip("the bar is for two free cores beside the load's")
    if args.check and result["ratio"] < BAR:
        trackers.fail(f"{result['ratio']:.2f} x, the bar is {BAR}")


if __name__ == "__main__":
    main()
