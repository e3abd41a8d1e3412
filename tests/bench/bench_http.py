#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP announces per CPU-second: p4pd beside libmicrohttpd's own ceiling and Debian's opentracker.

The ceiling (mhd_ceiling.c) answers everything with one constant body, as long as p4pd's average
body, from libmicrohttpd's best configuration: what p4pd needs above it is its own cost. Each round
loads every server in turn with the same announces from wrk, the server pinned to one core and wrk
to another; the order turns around every round. What counts is the CPU time of the server's process
per answer. A ratio is another's CPU per answer by ours, round by round: above 1 we do more with a
CPU-second.

Modes: keep-alive (64 connections stay open) and close (a connection for each announce).
opentracker knows no keep-alive, so it takes part in the second only.

Members: ceiling, native (p4pd, no map), p4p (p4pd steering by a generated map of --pids PIDs; it needs
a database, so run this under tests/support/with_postgres), opentracker (Debian's).

    tests/support/with_postgres tests/bench/bench_http.py --build BUILD

Exit status: 0 fine; 1 a server failed, or --check and a ratio below its bar; 77 nothing to measure
with (no wrk); 2 wrong usage.
"""
import argparse
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
HASHES, PEERS, CONNECTIONS = 1000, 50000, 64


def cpu_seconds(pid):
    """User and system time of a process, from its CPU clock (see clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


class Ceiling(trackers.Tracker):
    """Its body is as long as p4pd's, so it must know that before it starts."""

    def __init__(self, folder, core, program, words):
        super().__init__("ceiling", folder, core)
        self.program, self.words, self.body = program, words, 0

    def start(self):
        self.process = subprocess.Popen(
            [*self.pin, self.program, str(self.body), *self.words],
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


def load(args, server, mode, announces, seconds):
    """wrk's figures, with the CPU time of the server per answer. 0 seconds: each announce once."""
    command = ["taskset", "-c", args.load_core, "wrk", "-t", 1, "-c", CONNECTIONS,
               "-d", f"{seconds or 60}s", "--latency", "-s", HERE / "announces.lua",
               f"http://127.0.0.1:{server.port}", "--", announces, mode,
               "for-ever" if seconds else "once"]
    before = cpu_seconds(server.pid)
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    cpu = cpu_seconds(server.pid) - before
    line = (done.stdout.strip().splitlines() or [""])[-1]
    if done.returncode != 0 or not line.startswith("{"):
        fail(f"{server.name}: {done.stderr or done.stdout}\n{server.tail()}")
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


def one_round(args, mode, servers, announces, results):
    for server in servers:
        try:
            server.start()
            if server.name != "ceiling":
                load(args, server, mode, announces, 0)  # fills the swarms
            result = load(args, server, mode, announces, args.seconds)
        finally:
            server.stop()
        results[server.name].append(result)
        print(f"{mode:10} {server.name:12} {result['cpu_us_per_answer']:7.3f} us CPU an answer, "
              f"{result['answers_per_second']:7.0f} answers/s, "
              f"{result['bytes_per_answer']:4.0f} bytes, {result['errors']} errors",
              file=sys.stderr)


def members(args, mode, folder, hashes):
    core = args.server_core
    options = {"max_peers": args.want, "http_connections_per_address": 0,
               "announces_per_minute_per_address": 0, "announces_per_minute_per_prefix": 0,
               "http_keep_alive": str(mode == "keep-alive").lower()}
    servers = [Ceiling(folder, core, args.ceiling, args.ceiling_words),
               trackers.P4pd("native", folder, core, args.p4pd, {**options, "policy": "native"})]
    if trackers.database():
        servers.append(trackers.P4pd("p4p", folder, core, args.p4pd, {**options, "policy": "p4p"},
                                     topologies.world(args.pids), trackers.database()))
    if mode == "close" and shutil.which("opentracker"):
        servers.append(trackers.Opentracker(folder, core, hashes))
    return servers


def measure(args, mode, folder, announces, hashes):
    """{server's name: [figures of each round]}"""
    folder.mkdir()
    folder.chmod(0o755)
    servers = members(args, mode, folder, hashes)
    ceiling, native = servers[:2]
    try:
        native.start()
        load(args, native, mode, announces, 0)
        ceiling.body = body_size(native, announces)
    finally:
        native.stop()
    results = {s.name: [] for s in servers}
    for number in range(args.rounds):
        one_round(args, mode, servers if number % 2 == 0 else servers[::-1], announces, results)
    return results


def against(results, other, name):
    return [o["cpu_us_per_answer"] / r["cpu_us_per_answer"]
            for o, r in zip(results[other], results[name])]


def summarise(results):
    """Medians, and the ratios to the others of the same round."""
    summary = {}
    for name, rounds in results.items():
        summary[name] = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
        for other in ("ceiling", "opentracker"):
            if other in results:
                ratios = against(results, other, name)
                summary[name][f"ratio_{other}"] = statistics.median(ratios)
                summary[name][f"range_{other}"] = [min(ratios), max(ratios)]
    return summary


def show(mode, summary):
    print(f"{mode:12} {'CPU us/answer':>13} {'answers/s':>10} {'bytes':>6} {'p99 us':>7}"
          f" {'to the ceiling':>22} {'to opentracker':>22}")
    for name, s in summary.items():
        ratios = [f"{s[f'ratio_{o}']:.2f} ({s[f'range_{o}'][0]:.2f} to {s[f'range_{o}'][1]:.2f})"
                  if f"ratio_{o}" in s else "" for o in ("ceiling", "opentracker")]
        print(f"{name:12} {s['cpu_us_per_answer']:13.3f} {s['answers_per_second']:10.0f}"
              f" {s['bytes_per_answer']:6.0f} {s['p99_us']:7.0f} {ratios[0]:>22} {ratios[1]:>22}")


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    trackers.add_common_arguments(p)
    p.add_argument("--mode", choices=MODES, action="append", help="default: both")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=3, help="of each round and server")
    p.add_argument("--want", type=int, default=30, help="peers asked for")
    p.add_argument("--pids", type=int, default=200, help="of the map that p4p steers by")
    p.add_argument("--ceiling-words", nargs="*", default=[], help="another recipe: see mhd_ceiling.c")
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
