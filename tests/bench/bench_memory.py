#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory per peer: how much a tracker's resident memory grows when peers announce to it.

Four fillings: one giant swarm, swarms of Zipf's sizes, many of 50, many of one peer. Each member is
started anew for each filling, and answers a few announces first, so that what it touches once (buffers,
stacks) is not laid on the peers. Members as in bench_udp.py; run it under tests/support/with_postgres
for p4p. Memory hardly depends on what else the machine does: one round is enough.

    tests/support/with_postgres tests/bench/bench_memory.py --build BUILD

The ordinary tests have two fillings of `native`, which no border of a bin disturbs: without a map none is closed.

Exit status: 0 fine; 1 a member failed, or --check and a bar is passed; 2 wrong usage.
"""
import argparse
import json
import pathlib
import shutil
import sys
import tempfile

import topologies
import trackers

FILLINGS = {  # arguments of p4pload; the bar for p4pd in bytes a peer (issue 3)
    "giant": (["--hashes", "1", "--peers", "200000"], 20),
    "zipf": (["--hashes", "100000", "--peers", "1000000", "--zipf", "1"], 30),
    "small": (["--hashes", "1000", "--peers", "50000"], 50),
    "single": (["--hashes", "100000", "--peers", "100000"], 160),
}
STEERED = ("p4p", "bridge")
WARM = ["--hashes", "8", "--peers", "4000", "--seconds", "1"]


def members(args, filling, folder):
    core = args.server_core
    makers = {
        "opentracker": lambda: trackers.Opentracker(
            folder, core, "".join(trackers.print_hashes(args.p4pload, some)
                                  for some in (WARM, FILLINGS[filling][0]))),
        "native": lambda: trackers.P4pd("native", folder, core, args.p4pd, {"policy": "native"}),
        **{policy: lambda policy=policy: trackers.P4pd(
            policy, folder, core, args.p4pd, {"policy": policy, "control_percent": 0},
            topologies.world(args.pids), trackers.database()) for policy in STEERED},
        "aquatic": lambda: trackers.Aquatic(folder, core, args.aquatic, 30),
    }
    missing = {"opentracker": shutil.which("opentracker") is None,
               **{policy: not trackers.database() for policy in STEERED}, "aquatic": args.aquatic is None}
    return [make() for name, make in makers.items()
            if not missing.get(name) and (args.members is None or name in args.members.split(","))]


def bytes_per_peer(args, tracker, filling):
    where = ["--addresses", topologies.addresses(args.pids), "--from", topologies.PREFIX]
    more = ["--bytes", "--warm", "2"] if args.bytes else []
    try:
        tracker.start()
        trackers.load(args.p4pload, args.load_core, tracker, [*WARM, *where], may_fail=True)
        return trackers.load(args.p4pload, args.load_core, tracker,
                             [*FILLINGS[filling][0], *where, *more, "--want", "30",
                              "--seconds", "0"])["bytes_per_peer"]
    finally:
        tracker.stop()


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    trackers.add_common_arguments(p)
    p.add_argument("--fillings", default=",".join(FILLINGS))
    p.add_argument("--members", help="only these; else all that are there")
    p.add_argument("--pids", type=int, default=200, help="of the map for p4p and bridge")
    p.add_argument("--bytes", action="store_true",
                   help="peers announce what they up- and downloaded, twice")
    p.add_argument("--check", action="store_true", help="fail above the bars of issue 3")
    p.add_argument("--slack", type=float, default=0, help="by so many percent")
    return trackers.finish_arguments(p)


def main():
    args = parse_arguments()
    results, over = {}, []
    for filling in args.fillings.split(","):
        with tempfile.TemporaryDirectory(prefix="p4p-bench-") as name:
            folder = pathlib.Path(name)
            folder.chmod(0o755)
            row = {t.name: bytes_per_peer(args, t, filling)
                   for t in members(args, filling, folder)}
        results[filling] = row
        bar = FILLINGS[filling][1] * (1 + args.slack / 100)
        over += [f"{name} on {filling}: {row[name]:.1f} bytes a peer, the bar is {bar:.1f}"
                 for name in ("native", *STEERED) if row.get(name, 0) > bar]
        print(f"{filling:8} bar {bar:5.1f} " + " ".join(f"{n} {v:.1f}" for n, v in row.items()),
              file=sys.stderr if args.json else sys.stdout, flush=True)
    if args.json:
        print(json.dumps(results))
    print("\n".join(over), file=sys.stderr)
    if args.check and over:
        trackers.fail("above the bars")


if __name__ == "__main__":
    main()
