# SPDX-License-Identifier: Apache-2.0
"""The trackers that benches compare: how each is started, filled with maps, and stopped.

A tracker is a process of ours on a free loopback port, pinned to one core; start() returns when it
answers. Only processes started here are ended.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from ports import free_port  # noqa: E402

CONNECT = bytes.fromhex("0000041727101980" "00000000" "62656e63")

# p4pd's limits are on, as they are by default, but out of the way: all the load is from one machine.
LIMITS = {f"{what}_per_minute_per_{whom}": most for what in ("announces", "connects")
          for whom, most in (("address", 1000000), ("prefix", 10000000))}


def fail(text):
    sys.exit(f"{pathlib.Path(sys.argv[0]).stem}: {text}")


def skip(text):
    print(f"skipped: {text}", file=sys.stderr)
    sys.exit(77)


class Tracker:
    """start() and stop() around every round. `pid` is the process to measure."""

    def __init__(self, name, folder, cores):
        self.name = name
        self.folder = folder
        self.pin = ["taskset", "-c", str(cores)]
        self.log = folder / f"{name}.log"
        self.process = None
        self.port = free_port()

    @property
    def pid(self):
        return self.process.pid

    def run(self, command, **more):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.pin + [str(c) for c in command], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, **more)
        if not self.answers():
            fail(f"{self.name} does not answer on port {self.port}:\n{self.tail()}")

    def answers(self):
        """Waits until it answers a connect; false when it ends or never does."""
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.settimeout(0.1)
            s.connect(("127.0.0.1", self.port))
            for _ in range(300):
                if self.process.poll() is not None:
                    break
                with contextlib.suppress(OSError):
                    s.send(CONNECT)
                    if s.recv(64)[4:8] == CONNECT[12:]:
                        return True
                    continue
                time.sleep(0.05)
        return False

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
        self.process = None


class Echo(Tracker):
    """tests/bench/echo.c: replies of the right size and nothing else, the floor of every tracker."""

    def __init__(self, folder, cores, program, peers):
        super().__init__("echo", folder, cores)
        self.command = [program, "--port", self.port, "--size", 20 + 6 * peers]

    def start(self):
        self.run(self.command)


class Opentracker(Tracker):
    """Debian's, in its faster configuration. Its build knows whitelists only. As root it changes its
    root folder: its paths are relative."""

    def __init__(self, folder, cores, hashes):
        super().__init__("opentracker", folder, cores)
        self.home = folder / "opentracker"
        self.home.mkdir()
        self.home.chmod(0o755)
        (self.home / "hashes").write_text(hashes)
        self.config = self.home / "opentracker.conf"
        self.config.write_text(f"listen.udp 127.0.0.1:{self.port}\n"
                               f"listen.tcp 127.0.0.1:{self.port}\n"
                               "listen.udp.workers 1\n"
                               "access.whitelist hashes\n"
                               f"tracker.rootdir {self.home}\n"
                               "tracker.user nobody\n")

    def start(self):
        self.run(["opentracker", "-f", self.config], cwd=self.home)


class Aquatic(Tracker):
    """aquatic_udp, where somebody has installed it (cargo install aquatic_udp)."""

    def __init__(self, folder, cores, program, want):
        super().__init__("aquatic", folder, cores)
        self.program = program
        # Newer versions have a socket for each family.
        known = subprocess.run([program, "-p"], capture_output=True, text=True, check=True).stdout
        address = (f'address_ipv4 = "127.0.0.1:{self.port}"\nuse_ipv6 = false'
                   if "address_ipv4" in known else f'address = "127.0.0.1:{self.port}"')
        self.config = folder / "aquatic.toml"
        self.config.write_text('socket_workers = 1\n'
                               f'[network]\n{address}\n'
                               f'[protocol]\nmax_response_peers = {want}\n'
                               '[cleaning]\nmax_peer_age = 7200\n')

    def start(self):
        self.run([self.program, "-c", self.config])


class P4pd(Tracker):
    """One policy and one set of maps ({provider: document}; needs a database, given as a conninfo)."""

    def __init__(self, name, folder, cores, program, options, maps=None, database=""):
        super().__init__(name, folder, cores)
        self.program = program
        self.api = free_port()
        self.maps = maps or {}
        self.uploaded = False
        self.state = folder / f"state-{name}"
        self.state.mkdir()
        self.options = {"listen_tracker": f"127.0.0.1:{self.port}",
                        "listen_api": f"127.0.0.1:{self.api}", "listen_flow": "",
                        "state_dir": self.state, "database": database if maps else "",
                        "udp_workers": 1, "lab": "true", "node": name, **LIMITS, **options}

    def start(self):
        # It would go on with the peers of the last round; the others begin with none.
        (self.state / "swarms").unlink(missing_ok=True)
        self.run([self.program, *(f"--set={k}={v}" for k, v in self.options.items())])
        if not self.maps:
            return
        self.wait_for("/readyz", "")
        if not self.uploaded:
            for provider, document in self.maps.items():
                self.upload(provider, document)
            self.uploaded = True
        self.wait_for("/metrics", f"p4pd_map_providers {len(self.maps)}\n")

    def wait_for(self, path, part):
        """Until `path` answers 200 with `part` in its body."""
        for _ in range(600):
            with contextlib.suppress(OSError):
                if part in self.get(path):
                    return
            time.sleep(0.05)
        fail(f"{path} of {self.name} never had what it should, {part!r}:\n{self.tail()}")

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.api}{path}", timeout=10) as answer:
            return answer.read().decode()

    def upload(self, provider, document, kind="topology"):
        token = (self.state / "admin.token").read_text().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api}/v1/providers/{provider}/{kind}", data=document,
            method="PUT", headers={"Authorization": f"Bearer {token}",
                                   "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as e:
            fail(f"upload of {provider}: {e} {e.read().decode(errors='replace')}\n" + self.tail())


def load(p4pload, core, tracker, arguments, may_fail=False):
    """p4pload's result against a tracker that runs."""
    command = ["taskset", "-c", str(core), str(p4pload), "--json", "--target",
               f"127.0.0.1:{tracker.port}", "--pid", str(tracker.pid), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0 and not (may_fail and done.stdout):
        fail(f"{tracker.name}: {done.stderr or done.stdout}\n{tracker.tail()}")
    return json.loads(done.stdout)


def print_hashes(p4pload, arguments):
    return subprocess.run([str(p4pload), "--print-hashes", *map(str, arguments)],
                          capture_output=True, text=True, check=True).stdout


def find_aquatic(given=None):
    """Where aquatic_udp is, or None: its option, the PATH, cargo's own folder."""
    cargo = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    return given or shutil.which("aquatic_udp") or shutil.which("aquatic_udp", path=cargo / "bin")


def database():
    return os.environ.get("P4PD_TEST_DB", "")


def add_common_arguments(parser):
    parser.add_argument("--build", type=pathlib.Path, required=True, help="meson's build folder")
    parser.add_argument("--p4pd", type=pathlib.Path, help="another daemon than that of --build")
    parser.add_argument("--aquatic", type=pathlib.Path, help="aquatic_udp; else looked for in PATH")
    cores = sorted(os.sched_getaffinity(0))
    parser.add_argument("--server-core", default=str(cores[:2][-1]))
    parser.add_argument("--load-core", default=str(cores[0]))
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def finish_arguments(parser):
    args = parser.parse_args()
    args.p4pload = args.build / "tools/p4pload/p4pload"
    args.p4pd = args.p4pd or args.build / "server/p4pd"
    args.echo = args.build / "tests/bench/echo"
    args.aquatic = find_aquatic(args.aquatic)
    for program in (args.p4pload, args.p4pd):
        if not program.exists():
            parser.error(f"{program} is not there")
    if len(os.sched_getaffinity(0)) < 2:
        skip("two cores are needed, one for the tracker and one for the load")
    return args
