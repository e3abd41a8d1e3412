#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""UDP announces per CPU-second: p4pd beside Debian's opentracker, in the same run.

Each round loads every tracker in turn with the same requests from p4pload, the tracker pinned to one
core and the load to another; the order turns around every round. What counts is the CPU time of the
tracker's process per answer, so a slow load generator or a busy machine blurs the figure, but does
not favour anybody. The ratio is opentracker's CPU per answer by ours, round by round: above 1 we do
more with a CPU-second.

p4pd runs with policy native and with policy p4p. For p4p it needs maps, and those need a database:
run this under tests/support/with_postgres, or p4p is left out.

    tests/support/with_postgres tests/bench/bench_udp.py --build BUILD

Exit status: 0 fine; 1 a tracker failed, or --check and a ratio below its floor; 77 nothing to
compare with (no opentracker); 2 wrong usage.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "deploy/samples"
FLOORS = {"native": 0.8, "p4p": 0.6}
WORKLOADS = {  # arguments of p4pload
    "small": ["--hashes", "1000", "--peers", "50000"],
    "mix": ["--hashes", "1000", "--peers", "50000", "--connects", "50", "--scrapes", "1"],
    "large": ["--hashes", "100000", "--peers", "1000000", "--zipf"],
}


def fail(text):
    sys.exit(f"bench_udp: {text}")


def free_port():
    """A port that is free for UDP and TCP on the loopback address."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port


def answers_connects(port, process):
    """Waits until it does; false when it ends or never does."""
    request = bytes.fromhex("0000041727101980" "00000000" "62656e63")
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.settimeout(0.1)
        s.connect(("127.0.0.1", port))
        for _ in range(300):
            if process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                s.send(request)
                if s.recv(64)[4:8] == b"benc":
                    return True
                continue
            time.sleep(0.05)
    return False


class Tracker:
    """A tracker to measure: start() and stop() around every round."""

    def __init__(self, name, folder, core):
        self.name = name
        self.folder = folder
        self.pin = ["taskset", "-c", str(core)]
        self.log = folder / f"{name}.log"
        self.process = None
        self.port = free_port()

    def run(self, command, **more):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.pin + [str(c) for c in command], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, **more)
        if not answers_connects(self.port, self.process):
            fail(f"{self.name} does not answer on port {self.port}:\n{self.tail()}")

    def tail(self):
        return self.log.read_text(errors="replace")[-2000:]

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Opentracker(Tracker):
    """Its build knows whitelists only. As root it changes its root folder: its paths are relative."""

    def __init__(self, folder, core, hashes):
        super().__init__("opentracker", folder, core)
        self.home = folder / "opentracker"
        self.home.mkdir()
        self.home.chmod(0o755)
        (self.home / "hashes").write_text(hashes)
        self.config = self.home / "opentracker.conf"
        self.config.write_text(f"listen.udp 127.0.0.1:{self.port}\n"
                               "listen.udp.workers 1\n"
                               "access.whitelist hashes\n"
                               f"tracker.rootdir {self.home}\n"
                               "tracker.user nobody\n")

    def start(self):
        self.run(["opentracker", "-f", self.config], cwd=self.home)


class P4pd(Tracker):
    """One policy. With a database it uploads the sample providers' maps, once."""

    def __init__(self, folder, core, policy, program, want):
        super().__init__(policy, folder, core)
        self.program = program
        self.api = free_port()
        self.state = folder / f"p4pd-{policy}"
        self.state.mkdir()
        self.database = os.environ.get("P4PD_TEST_DB", "")
        self.has_maps = False
        self.config = folder / f"{policy}.conf"
        self.config.write_text(f'listen_tracker = "127.0.0.1:{self.port}"\n'
                               f'listen_api = "127.0.0.1:{self.api}"\n'
                               f'state_dir = "{self.state}"\n'
                               f'database = "{self.database}"\n'
                               f'policy = "{policy}"\n'
                               f'max_peers = {want}\n'
                               'udp_workers = 1\n'
                               'lab = true\n')

    def start(self):
        self.run([self.program, "-c", self.config])
        if not self.database:
            return
        self.wait_for("/readyz", "")
        if not self.has_maps:
            self.upload_maps()
        self.wait_for("/metrics", f"p4pd_map_providers {len(list(SAMPLES.glob('*.topology.json')))}\n")

    def wait_for(self, path, part):
        """Until `path` answers 200 with `part` in its body."""
        for _ in range(200):
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(f"http://127.0.0.1:{self.api}{path}", timeout=5) as answer:
                    if part in answer.read().decode():
                        return
            time.sleep(0.05)
        fail(f"{path} of {self.name} never had what it should, {part!r}:\n{self.tail()}")

    def upload_maps(self):
        token = (self.state / "admin.token").read_text().strip()
        for kind in ("topology", "costs"):
            for path in sorted(SAMPLES.glob(f"*.{kind}.json")):
                provider = path.name.split(".")[0]
                request = urllib.request.Request(
                    f"http://127.0.0.1:{self.api}/v1/providers/{provider}/{kind}",
                    data=path.read_bytes(), method="PUT",
                    headers={"Authorization": f"Bearer {token}",
                             "Content-Type": "application/json"})
                try:
                    with urllib.request.urlopen(request, timeout=30) as answer:
                        answer.read()
                except urllib.error.HTTPError as e:
                    fail(f"upload of {path.name}: {e} {e.read().decode(errors='replace')}\n"
                         + self.tail())
        self.has_maps = True


def sample_prefixes():
    """Where the sample providers' subscribers are, as far as p4pload can speak for them."""
    prefixes = []
    for path in sorted(SAMPLES.glob("*.topology.json")):
        for pid in json.loads(path.read_text())["pids"]:
            prefixes += [p for p in pid.get("prefixes", []) if p.startswith("127.")]
    return prefixes or ["127.0.0.0/16"]


def load(args, tracker):
    """The same clients in every round: a tracker that remembers its swarms gains no new peers."""
    command = ["taskset", "-c", str(args.load_core), str(args.p4pload), "--json",
               "--target", f"127.0.0.1:{tracker.port}", "--pid", str(tracker.process.pid),
               "--seconds", str(args.seconds), "--want", str(args.want), "--addresses", "256",
               "--warm", "3",  # a daemon that has run for hours touches no new page of memory
               *WORKLOADS[args.workload]]
    for prefix in sample_prefixes():
        command += ["--from", prefix]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{tracker.name}: {done.stderr or done.stdout}")
    return json.loads(done.stdout)


def measure(args, trackers):
    """{tracker's name: [p4pload's result of each round]}"""
    results = {t.name: [] for t in trackers}
    for number in range(args.rounds):
        for tracker in trackers if number % 2 == 0 else reversed(trackers):
            try:
                tracker.start()
                result = load(args, tracker)
            finally:
                tracker.stop()
            results[tracker.name].append(result)
            print(f"round {number + 1} {tracker.name:12} "
                  f"{result['cpu_us_per_answer']:7.3f} us CPU an answer, "
                  f"{result['answers_per_second']:7.0f} answers/s, "
                  f"{result['peers_per_announce']:5.1f} peers, {result['lost']} lost",
                  file=sys.stderr)
    return results


def summarise(results):
    """Medians, and the ratio to opentracker of the same round."""
    def cpu(name):
        return [r["cpu_us_per_answer"] for r in results[name]]
    summary = {}
    for name in results:
        ratios = [ot / ours for ot, ours in zip(cpu("opentracker"), cpu(name))]
        summary[name] = {
            "cpu_us_per_answer": statistics.median(cpu(name)),
            "answers_per_second": statistics.median(r["answers_per_second"] for r in results[name]),
            "peers_per_announce": statistics.median(r["peers_per_announce"] for r in results[name]),
            "p99_us": statistics.median(r["latency_us"]["p99"] for r in results[name]),
            "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios)}
    return summary


def show(summary):
    print(f"{'':12} {'CPU us/answer':>13} {'answers/s':>10} {'peers':>6} {'p99 us':>7}"
          f" {'per CPU-second against opentracker':>36}")
    for name, s in summary.items():
        ratio = f"{s['ratio']:.2f} ({s['ratio_min']:.2f} to {s['ratio_max']:.2f})"
        print(f"{name:12} {s['cpu_us_per_answer']:13.3f} {s['answers_per_second']:10.0f}"
              f" {s['peers_per_announce']:6.1f} {s['p99_us']:7.0f} {ratio:>36}")


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", type=pathlib.Path, help="meson's build folder; finds p4pd and p4pload")
    p.add_argument("--p4pd", type=pathlib.Path, help="the daemon; without it opentracker runs alone")
    p.add_argument("--p4pload", type=pathlib.Path)
    p.add_argument("--workload", choices=WORKLOADS, default="small")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=5, help="of each round and tracker")
    p.add_argument("--want", type=int, default=30, help="peers asked for")
    p.add_argument("--server-core", type=int, default=1)
    p.add_argument("--load-core", type=int, default=0)
    p.add_argument("--json", action="store_true")
    p.add_argument("--check", action="store_true", help="fail below the floors "
                   + ", ".join(f"{n} {f}" for n, f in FLOORS.items()))
    args = p.parse_args()
    if args.build:
        args.p4pload = args.p4pload or args.build / "tools/p4pload/p4pload"
        args.p4pd = args.p4pd or args.build / "server/p4pd"
    if not args.p4pload or not args.p4pload.exists():
        p.error("--build or --p4pload is needed")
    if args.p4pd and not args.p4pd.exists():
        p.error(f"{args.p4pd} is not there")
    if len(os.sched_getaffinity(0)) < 2:
        p.error("two cores are needed, one for the tracker and one for the load")
    return args


def main():
    args = parse_arguments()
    if shutil.which("opentracker") is None:
        print("skipped: opentracker is not installed", file=sys.stderr)
        sys.exit(77)
    hashes = subprocess.run([args.p4pload, "--print-hashes", *WORKLOADS[args.workload]],
                            capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="p4p-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        trackers = [Opentracker(folder, args.server_core, hashes)]
        if args.p4pd:
            trackers.append(P4pd(folder, args.server_core, "native", args.p4pd, args.want))
        if args.p4pd and os.environ.get("P4PD_TEST_DB"):
            trackers.append(P4pd(folder, args.server_core, "p4p", args.p4pd, args.want))
        elif args.p4pd:
            print("p4p is left out: P4PD_TEST_DB names no database for its maps", file=sys.stderr)
        summary = summarise(measure(args, trackers))
    print(json.dumps(summary)) if args.json else show(summary)
    if args.check and any(s["ratio"] < FLOORS.get(n, 0) for n, s in summary.items()):
        fail("below the floor")


if __name__ == "__main__":
    main()
