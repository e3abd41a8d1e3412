#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time per UDP announce: p4pd beside a bare echo, opentracker and aquatic_udp, in the same run.

Each round loads every member in turn with the same requests from p4pload, the member pinned to one core
and the load to another; the order turns around every round. What counts is the CPU time of the member's
process per answer, at saturation, so a slow load generator or a busy machine blurs the figure, but does
not favour anybody. Ratios are taken inside a round (ours by theirs: below 1 we need less) and their
median is reported.

Members: echo (recvmmsg and sendmmsg, no logic), opentracker (Debian's, with a worker), native (p4pd, no
map), p4p and bridge (p4pd steering by a generated map of --pids PIDs; they need a database, so run this
under tests/support/with_postgres), aquatic (where it is installed). Lists of bridge are short.

    tests/support/with_postgres tests/bench/bench_udp.py --build BUILD --workload giant

Exit status: 0 fine; 1 a member failed, or --check and a ratio above its bar; 77 nothing to compare with
(no opentracker); 2 wrong usage.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import sys
import tempfile

import topologies
import trackers

# Arguments of p4pload; peers asked for; peers in a reply, for the echo.
WORKLOADS = {
    "small": (["--hashes", "1000", "--peers", "50000"], 50, 37),
    "mix": (["--hashes", "1000", "--peers", "50000", "--mix", "50:50:1"], 50, 37),
    "real": (["--hashes", "1000", "--peers", "50000", "--mix", "2.1:1:0.04"], 50, 37),
    "large": (["--hashes", "100000", "--peers", "1000000", "--zipf", "1"], 50, 36),
    "giant": (["--hashes", "1", "--peers", "200000"], 200, 196),
}
# Bars: our CPU time by theirs (issue 3). mix and real have none of their own.
BARS = {
    "native": {"opentracker": {"small": .85, "large": .70, "giant": .40},
               "echo": {"small": 1.25, "large": 1.35, "giant": 1.8},
               "aquatic": dict.fromkeys(WORKLOADS, 1.0)},
    "p4p": {"opentracker": {"small": .90, "large": .75, "giant": .45},
            "echo": {"small": 1.25, "large": 1.35, "giant": 1.8},
            "aquatic": dict.fromkeys(WORKLOADS, 1.0)},
}
BARS["bridge"] = BARS["p4p"]  # both steer
STEERED = ("p4p", "bridge")
RIVALS = ("echo", "opentracker", "aquatic")


def arguments_of(args, workload):
    """The same clients for every member in every round."""
    some, want, _ = WORKLOADS[workload]
    more = ["--bytes"] if args.bytes else []
    return [*some, *more, "--want", want, "--addresses", topologies.addresses(args.pids), "--from",
            topologies.PREFIX, "--seconds", args.seconds,
            "--warm", 2]  # a daemon that has run for hours touches no new page of memory


def members(args, workload, folder):
    _, want, peers = WORKLOADS[workload]
    core, chosen = args.server_core, args.members.split(",")
    hashes = trackers.print_hashes(args.p4pload, WORKLOADS[workload][0])
    options = {"max_peers": want}
    makers = {
        "echo": lambda: trackers.Echo(folder, core, args.echo, peers),
        "opentracker": lambda: trackers.Opentracker(folder, core, hashes),
        "native": lambda: trackers.P4pd("native", folder, core, args.p4pd,
                                        {**options, "policy": "native"}),
        **{policy: lambda policy=policy: trackers.P4pd(
            policy, folder, core, args.p4pd, {**options, "policy": policy, "control_percent": 0},
            topologies.world(args.pids), trackers.database()) for policy in STEERED},
        "aquatic": lambda: trackers.Aquatic(folder, core, args.aquatic, want),
    }
    missing = {"echo": not args.echo.exists(), "aquatic": args.aquatic is None,
               "opentracker": shutil.which("opentracker") is None,
               **{policy: not trackers.database() for policy in STEERED}}
    for name in chosen:
        if name not in makers:
            trackers.fail(f"there is no member {name}")
        if missing.get(name):
            print(f"{name} is left out: it is not here" if name not in STEERED else
                  f"{name} is left out: P4PD_TEST_DB names no database for its maps", file=sys.stderr)
    return [makers[name]() for name in chosen if not missing.get(name)]


def measure(args, workload, folder):
    """{member: [p4pload's result of each round]}"""
    racers = members(args, workload, folder)
    results = {t.name: [] for t in racers}
    for number in range(args.rounds):
        for tracker in racers if number % 2 == 0 else reversed(racers):
            try:
                tracker.start()
                result = trackers.load(args.p4pload, args.load_core, tracker,
                                       arguments_of(args, workload))
            finally:
                tracker.stop()
            results[tracker.name].append(result)
            print(f"{workload} round {number + 1} {tracker.name:12}"
                  f"{result['cpu_us_per_answer']:7.3f} us CPU an answer, "
                  f"{result['answers_per_second']:7.0f} answers/s, "
                  f"{result['peers_per_announce']:5.1f} peers, {result['lost']} lost",
                  file=sys.stderr)
    return results


def summarise(results):
    """Medians, and the median of the ratios to each rival of the same round."""
    def of(name, key):
        return [r[key] for r in results[name]]
    summary = {}
    for name in results:
        summary[name] = {key: statistics.median(of(name, key)) for key in
                         ("cpu_us_per_answer", "answers_per_second", "peers_per_announce",
                          "bytes_per_peer")}
        summary[name]["p99_us"] = statistics.median(r["latency_us"]["p99"] for r in results[name])
        summary[name]["lost"] = sum(of(name, "lost"))
        for rival in RIVALS:
            if rival in results and rival != name:
                ratios = [a / b for a, b in zip(of(name, "cpu_us_per_answer"),
                                                of(rival, "cpu_us_per_answer"))]
                summary[name][f"to_{rival}"] = {"median": statistics.median(ratios),
                                                "min": min(ratios), "max": max(ratios)}
    return summary


def show(workload, summary):
    print(f"\n{workload:12} {'CPU us':>7} {'answers/s':>10} {'peers':>6} {'p99 us':>7} {'B/peer':>7}"
          + "".join(f" {'by ' + r:>22}" for r in RIVALS))
    for name, s in summary.items():
        ratios = [s.get(f"to_{r}") for r in RIVALS]
        print(f"{name:12} {s['cpu_us_per_answer']:7.3f} {s['answers_per_second']:10.0f}"
              f" {s['peers_per_announce']:6.1f} {s['p99_us']:7.0f} {s['bytes_per_peer']:7.1f}"
              + "".join(f"     {r['median']:5.2f} ({r['min']:.2f}-{r['max']:.2f})" if r
                        else " " * 23 for r in ratios))


def above_bars(workload, summary):
    """["native on large: 0.81 x opentracker, the bar is 0.70", ...]"""
    over = []
    for name, rivals in BARS.items():
        for rival, bars in rivals.items():
            ratio = summary.get(name, {}).get(f"to_{rival}")
            if ratio and workload in bars and ratio["median"] > bars[workload]:
                over.append(f"{name} on {workload}: {ratio['median']:.2f} x {rival}, "
                            f"the bar is {bars[workload]:.2f}")
    return over


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    trackers.add_common_arguments(p)
    p.add_argument("--workload", default="small", help="one or more of " + ",".join(WORKLOADS)
                   + ", separated by commas; all")
    p.add_argument("--members", default="echo,opentracker,native,p4p,bridge,aquatic")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=3, help="of each round and member")
    p.add_argument("--pids", type=int, default=200, help="of the map for p4p and bridge")
    p.add_argument("--bytes", action="store_true", help="announce what was up- and downloaded")
    p.add_argument("--check", action="store_true", help="fail above the bars of issue 3")
    args = trackers.finish_arguments(p)
    args.workloads = list(WORKLOADS) if args.workload == "all" else args.workload.split(",")
    for name in args.workloads:
        if name not in WORKLOADS:
            p.error(f"there is no workload {name}")
    return args


def main():
    args = parse_arguments()
    if args.check and shutil.which("opentracker") is None:
        trackers.skip("opentracker is not installed")
    summaries, over = {}, []
    for workload in args.workloads:
        with tempfile.TemporaryDirectory(prefix="p4p-bench-") as name:
            folder = pathlib.Path(name)
            folder.chmod(0o755)
            summaries[workload] = summarise(measure(args, workload, folder))
        over += above_bars(workload, summaries[workload])
        if not args.json:
            show(workload, summaries[workload])
    if args.json:
        print(json.dumps(summaries))
    print("\n".join(over), file=sys.stderr)
    if args.check and over:
        trackers.fail("above the bars")


if __name__ == "__main__":
    main()
