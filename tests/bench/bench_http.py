#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP announces per CPU-second: p4pd beside libmicrohttpd's own ceiling and Debian's opentracker.

The ceiling (mhd_ceiling.c) answers everything with one constant body, as long as p4pd's average
body, from libmicrohttpd set up as p4pd does it: what p4pd needs above it is its own cost. All servers
run at once on one core, filled with the same announces; wrk, on another, loads them in turn, and the
order turns around every round. What counts is the CPU time of the server's process per answer. A
ratio is another's CPU per answer by ours, round by round: above 1 we do more with a CPU-second.

Modes: keep-alive (64 connections stay open) and close (a connection for each announce).
opentracker knows no keep-alive, so it takes part in the second only.

Members: ceiling, native (p4pd, no map), p4p (p4pd steering by a generated map of --pids PIDs; it needs
a database, so run this under tests/support/with_postgres), opentracker (Debian's), before (native of
another build, --before), and the ceiling by other recipes (--recipe).

    tests/support/with_postgres tests/bench/bench_http.py --build BUILD

Every round is told as it ends; with --json as a line of its own, and the last line is the result.

Exit status: 0 fine; 1 a server failed, or --check and a ratio below its bar; 77 nothing to measure
with (no wrk); 2 wrong usage.
"""
import argparse
import contextlib
import json
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import topologies
import trackers
from trackers import fail

HERE = pathlib.Path(__file__).resolve().parent
BAR = 0.9  # of the ceiling's answers per CPU-second, in both modes (issue 3)
MODES = ("keep-alive", "close")
HASHES, PEERS, CONNECTIONS = 300, 15000, 64
OTHERS = ("ceiling", "opentracker", "before")  # that ratios are told to
FILL_SECONDS = 60
RECIPE = "memory=8192 no-arguments turbo defer"  # of the ceiling: all that p4pd does, too


def cpu_seconds(pid):
    """User and system time of a process, from its CPU clock (see clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


class Ceiling(trackers.Tracker):
    """Its body is as long as p4pd's, so it must know that before it starts."""

    def __init__(self, name, folder, core, program, words, body):
        super().__init__(name, folder, core)
        self.command = [*self.pin, program, str(body), *words]

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            fail("the ceiling does not start")
        self.port = int(line)

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(timeout=20)
            self.process = None


def quoted(raw):
    return urllib.parse.quote(raw, safe="")


def address(number):
    """Of a client: they are spread over all PIDs, as p4pload's are."""
    n = topologies.FIRST + 1 + number
    return ".".join(str(n >> shift & 255) for shift in (24, 16, 8, 0))


def write_announces(path, want, pids):
    """What libtorrent would send, one a line; each client is in one swarm. Returns the hashes."""
    chance = random.Random(1)
    hashes = [chance.randbytes(20) for _ in range(HASHES)]
    addresses = topologies.addresses(pids)
    with path.open("w") as out:
        for i in range(PEERS):
            peer = b"-LT2080-" + chance.randbytes(12)
            out.write(f"/announce?info_hash={quoted(hashes[i % HASHES])}&peer_id={quoted(peer)}"
                      f"&port={10000 + i}&uploaded={chance.randrange(1 << 30)}"
                      f"&downloaded={chance.randrange(1 << 30)}"
                      f"&left={0 if i % 4 == 0 else chance.randrange(1, 1 << 32)}"
                      f"&corrupt=0&key={chance.randrange(1 << 32):08X}&numwant={want}"
                      f"&compact=1&no_peer_id=1&supportcrypto=1&redundant=0"
                      f"&ip={address(chance.randrange(addresses))}\n")
    return "".join(h.hex() + "\n" for h in hashes)


def wrk(args, server, mode, announces, seconds, times):
    """Its output, and the CPU time of the server meanwhile."""
    command = ["taskset", "-c", args.load_core, "wrk", "-t", 1, "-c", CONNECTIONS,
               "-d", f"{seconds}s", "--latency", "-s", HERE / "announces.lua",
               f"http://127.0.0.1:{server.port}", "--", announces, mode, times]
    before = cpu_seconds(server.pid)
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    cpu = cpu_seconds(server.pid) - before
    if done.returncode != 0:
        fail(f"{server.name}: {done.stderr or done.stdout}\n{server.tail()}")
    return (done.stdout.strip().splitlines() or [""])[-1], cpu


def fill(args, server, mode, announces):
    """Each announce once; wrk comes to its last line only when time is over."""
    line, _ = wrk(args, server, mode, announces, FILL_SECONDS, "once")
    if line.startswith("{"):
        fail(f"{server.name}: not filled in {FILL_SECONDS} s: {line}\n{server.tail()}")


def load(args, server, mode, announces):
    line, cpu = wrk(args, server, mode, announces, args.seconds, "for-ever")
    if not line.startswith("{"):
        fail(f"{server.name}: {line}\n{server.tail()}")
    result = json.loads(line)
    # opentracker hangs up without a word of it in its reply, which wrk calls an error.
    if result["answers"] == 0 or (server.name != "opentracker"
                                  and result["errors"] > result["answers"] / 1000):
        fail(f"{server.name}: {line}\n{server.tail()}")
    return {"cpu_us_per_answer": cpu / result["answers"] * 1e6,
            "answers_per_second": result["answers"] / result["seconds"],
            "bytes_per_answer": result["bytes"] / result["answers"],
            "p99_us": result["p99_us"], "errors": result["errors"]}


def body_size(server, announces):
    """p4pd's average body, in a swarm that is full."""
    sizes = []
    with announces.open() as targets:
        for target, _ in zip(targets, range(200)):
            url = f"http://127.0.0.1:{server.port}{target.strip()}"
            with urllib.request.urlopen(url, timeout=5) as answer:
                sizes.append(len(answer.read()))
    return round(statistics.mean(sizes))


def tell(args, mode, number, name, r):
    if args.json:
        print(json.dumps({"mode": mode, "round": number, "server": name, **r}), flush=True)
        return
    print(f"{mode:10} {name:12} {r['cpu_us_per_answer']:7.3f} us CPU an answer, "
          f"{r['answers_per_second']:7.0f} answers/s, {r['bytes_per_answer']:4.0f} bytes, "
          f"{r['errors']} errors", file=sys.stderr)


def p4pds(args, mode, folder):
    options = {"max_peers": args.want, "http_connections_per_address": 0,
               "announces_per_minute_per_address": 0, "announces_per_minute_per_prefix": 0,
               "http_keep_alive": str(mode == "keep-alive").lower()}
    native, p4p = ({**options, "policy": policy} for policy in ("native", "p4p"))
    p4p["control_percent"] = 0
    core = args.server_core
    yield trackers.P4pd("native", folder, core, args.p4pd, native)
    if args.before:
        yield trackers.P4pd("before", folder, core, args.before, native)
    if trackers.database():
        yield trackers.P4pd("p4p", folder, core, args.p4pd, p4p, topologies.world(args.pids),
                            trackers.database())


def run_members(args, mode, folder, announces, hashes, until):
    """Starts and fills them, the ceilings last: they need to know how long p4pd's bodies are."""
    servers = list(p4pds(args, mode, folder))
    if mode == "close" and shutil.which("opentracker"):
        servers.append(trackers.Opentracker(folder, args.server_core, hashes))
    for server in servers:
        until.callback(server.stop)
        server.start()
        fill(args, server, mode, announces)
    body = body_size(servers[0], announces)
    for name, recipe in [("ceiling", RECIPE), *((f"ceiling {r}", r) for r in args.recipe)]:
        ceiling = Ceiling(name, folder, args.server_core, args.ceiling, recipe.split(), body)
        until.callback(ceiling.stop)
        ceiling.start()
        servers.append(ceiling)
    return servers


def measure(args, mode, folder, announces, hashes):
    """{server's name: [figures of each round]}"""
    folder.mkdir()
    folder.chmod(0o755)
    with contextlib.ExitStack() as until:
        servers = run_members(args, mode, folder, announces, hashes, until)
        results = {s.name: [] for s in servers}
        for number in range(args.rounds):
            for server in servers if number % 2 == 0 else servers[::-1]:
                results[server.name].append(load(args, server, mode, announces))
                tell(args, mode, number, server.name, results[server.name][-1])
    return results


def against(results, other, name):
    return [o["cpu_us_per_answer"] / r["cpu_us_per_answer"]
            for o, r in zip(results[other], results[name])]


def summarise(results):
    """Medians, and the ratios to the others of the same round."""
    summary = {}
    for name, rounds in results.items():
        summary[name] = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
        for other in OTHERS:
            if other in results:
                ratios = against(results, other, name)
                summary[name][f"ratio_{other}"] = statistics.median(ratios)
                summary[name][f"range_{other}"] = [min(ratios), max(ratios)]
    return summary


def show(mode, summary):
    print(f"{mode:26} {'CPU us/answer':>13} {'answers/s':>10} {'bytes':>6} {'p99 us':>7}"
          + "".join(f"{'to ' + o:>20}" for o in OTHERS))
    for name, s in summary.items():
        print(f"{name:26} {s['cpu_us_per_answer']:13.3f} {s['answers_per_second']:10.0f}"
              f" {s['bytes_per_answer']:6.0f} {s['p99_us']:7.0f}", end="")
        for o in OTHERS:
            low, high = s.get(f"range_{o}", (0, 0))
            ratio = f"{s[f'ratio_{o}']:.2f} ({low:.2f}-{high:.2f})" if high else ""
            print(f"{ratio:>20}", end="")
        print()


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    trackers.add_common_arguments(p)
    p.add_argument("--mode", choices=MODES, action="append", help="default: both")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=int, default=1, help="of each round and server")
    p.add_argument("--want", type=int, default=30, help="peers asked for")
    p.add_argument("--pids", type=int, default=200, help="of the map that p4p steers by")
    p.add_argument("--before", type=pathlib.Path, help="the p4pd of another build, to compare with")
    p.add_argument("--recipe", action="append", default=[], metavar="WORDS",
                   help="the ceiling by another recipe, too: see mhd_ceiling.c")
    p.add_argument("--check", action="store_true", help=f"fail below {BAR} of the ceiling")
    args = trackers.finish_arguments(p)
    args.ceiling = args.build / "tests/bench/mhd_ceiling"
    if not args.ceiling.exists():
        p.error(f"{args.ceiling} is not there")
    return args


def main():
    args = parse_arguments()
    if shutil.which("wrk") is None:
        trackers.skip("wrk is not installed")
    summaries = {}
    with tempfile.TemporaryDirectory(prefix="p4p-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        announces = folder / "announces"
        hashes = write_announces(announces, args.want, args.pids)
        for mode in args.mode or MODES:
            summaries[mode] = summarise(measure(args, mode, folder / mode, announces, hashes))
            if not args.json:
                show(mode, summaries[mode])
    if args.json:
        print(json.dumps(summaries))
    low = [f"{mode} {name}" for mode, summary in summaries.items() for name, s in summary.items()
           if name in ("native", "p4p") and s["ratio_ceiling"] < BAR]
    if args.check and low:
        fail("below the bar: " + ", ".join(low))


if __name__ == "__main__":
    main()
