# SPDX-License-Identifier: Apache-2.0
"""What the system tests share: a daemon, a database, maps, and a world of three providers.

Run under tests/support/with_postgres and with_network, which set P4PD_TEST_DB and P4PD_TEST_NET.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from ports import free_port  # noqa: E402

P4PD = os.environ.get("P4PD", "build/server/p4pd")
UNDER = os.environ.get("P4PD_UNDER", "").split()  # a command that runs p4pd: tests/support/as_unit
NET = os.environ.get("P4PD_TEST_NET", "127")
SLOW = float(os.environ.get("P4PD_TEST_SLOW", "1"))  # sanitizers: everything takes longer

PROVIDERS = {"isp-a": 64501, "isp-b": 64502, "isp-c": 64503}
TRANSIT = 64510


def address(provider, pid, host):
    """The host-th address of a provider's PID: 10.1.2.7 is host 7 in the second PID of isp-a."""
    number = list(PROVIDERS).index(provider) + 1
    return f"{NET}.{number}.{pid}.{host}"


def provider_of(ip):
    first, number = ip.split(".")[:2]
    return list(PROVIDERS)[int(number) - 1] if first == NET and 1 <= int(number) <= 3 else None


def topology(provider, **changes):
    """Two PIDs behind a core; isp-a and isp-b peer settlement-free, everybody buys transit."""
    letter = provider[-1]
    number = list(PROVIDERS).index(provider) + 1
    interconnects = [{"id": f"{letter}-t", "pid": f"{letter}-core", "neighbor_asn": TRANSIT,
                      "relation": "transit", "capacity_mbps": 10000, "reach": "any"}]
    for other, asn in PROVIDERS.items():
        if {provider, other} == {"isp-a", "isp-b"}:
            interconnects.append({"id": f"{letter}-{other[-1]}", "pid": f"{letter}-core",
                                  "neighbor_asn": asn, "relation": "settlement-free",
                                  "capacity_mbps": 10000, "reach": "neighbor"})
    document = {
        "format": "p4p-topology/1", "provider": provider, "asns": [PROVIDERS[provider]],
        "pids": [{"pid": f"{letter}-1", "prefixes": [f"{NET}.{number}.1.0/24", f"fd00:{number}:1::/48"]},
                 {"pid": f"{letter}-2", "prefixes": [f"{NET}.{number}.2.0/24", f"fd00:{number}:2::/48"]},
                 {"pid": f"{letter}-core"}],
        "links": [{"id": f"{letter}1", "a": f"{letter}-1", "b": f"{letter}-core", "capacity_mbps": 1000},
                  {"id": f"{letter}2", "a": f"{letter}-2", "b": f"{letter}-core", "capacity_mbps": 1000}],
        "interconnects": interconnects}
    document.update(changes)
    return document


def interconnects_between(sender, receiver):
    """(provider, interconnect, direction) of both books for a byte from one provider to another."""
    def egress(near, far):
        if {near, far} == {"isp-a", "isp-b"}:
            return f"{near[-1]}-{far[-1]}"
        return f"{near[-1]}-t"
    return [(sender, egress(sender, receiver), "out_bytes"),
            (receiver, egress(receiver, sender), "in_bytes")]


def wait_for(what, seconds, condition):
    """Polls until condition() is true; returns its value."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds * SLOW:.0f} s")
        time.sleep(0.1)


def open_bin(daemon):
    """Start of the open bin, once it is not one from before this call: its interconnects are those of the maps in
    force."""
    length = daemon.settings["bin_seconds"]
    now = time.time() // length * length
    wait_for("this bin is open", 10, lambda: daemon.metric("p4pd_bin_open_start") >= now)
    return daemon.metric("p4pd_bin_open_start")


def wait_stored(daemon, until):
    """The bins before `until` are closed, spooled and in the database."""
    wait_for("the bin is closed", until - time.time() + 25, lambda: daemon.metric("p4pd_bin_open_start") >= until)
    wait_for("the spool is empty", 60, lambda: daemon.metric("p4pd_spool_bins") == 0)


def wait_drained(daemon):
    """What was announced until now is in the journal. It grows with every drain, once a second, or begins anew. The
    first of these may have begun before, and at a bin's end make two."""
    def state():
        try:
            found = (daemon.state / "journal").stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_size
    for _ in range(3):
        before = state()
        wait_for("the journal goes on", 10, lambda: state() != before)


def wait_booked(daemon):
    """What was announced until now is stored; returns the end of the last bin with some of it. An announce is in
    the bin that is open when it is drained, once a second, or later on a crowded machine."""
    wait_drained(daemon)
    length = daemon.settings["bin_seconds"]
    until = time.time() // length * length + length
    wait_stored(daemon, until)
    return until


def postgres(*command):
    subprocess.run([os.environ["P4PD_TEST_PG"], *command], check=True)


def new_database(name):
    """A fresh database in the test's cluster; returns its conninfo."""
    base = os.environ["P4PD_TEST_DB"]
    host = dict(word.split("=", 1) for word in base.split())["host"]
    binaries = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True).stdout.strip()
    psql = shutil.which("psql") or os.path.join(binaries, "psql")
    for sql in (f'drop database if exists "{name}"', f'create database "{name}"'):
        subprocess.run([psql, "-h", host, "-U", "p4pd", "-d", "postgres", "-qc", sql], check=True)
    return f"host={host} user=p4pd dbname={name}"


class Daemon:
    """One p4pd with its own state folder; a context manager. `in_file`: its options are, and reload() changes them."""

    def __init__(self, name, in_file=False, **settings):
        self.state = pathlib.Path(tempfile.mkdtemp(prefix=f"p4pd-{name}-"))
        self.tracker_port, self.api_port, self.flow_port = free_port(), free_port(), free_port()
        self.settings = {
            "listen_tracker": f"0.0.0.0:{self.tracker_port}", "listen_api": f"127.0.0.1:{self.api_port}",
            "listen_flow": f"127.0.0.1:{self.flow_port}",
            "state_dir": self.state, "lab": "true", "node": "test", "announce_interval": 60,
            "min_interval": 5, "peer_timeout": 180, "bin_seconds": 5, "control_percent": 0, **settings}
        self.conf = self.state / "p4pd.conf" if in_file else None
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.api_port}"

    def tracker(self, protocol):
        return f"{protocol}://{NET}.9.9.9:{self.tracker_port}/announce"

    def arguments(self):
        if self.conf is None:
            return [x for k, v in self.settings.items() for x in ("--set", f"{k}={v}")]
        self.conf.write_text("".join(f'{k} = "{v}"\n' for k, v in self.settings.items()))
        return ["--config", self.conf]

    def start(self, ready=True):
        arguments = self.arguments()
        with open(self.state / "log", "ab") as log:
            self.process = subprocess.Popen([*UNDER, P4PD, *arguments], stderr=log)
        if ready:
            wait_for("p4pd is ready", 20, self.is_ready)
        return self

    def is_ready(self):
        assert self.process.poll() is None, self.log_text()
        try:
            return self.api("GET", "/readyz")[0] == 200
        except urllib.error.URLError:
            return False

    def log_text(self):
        return (self.state / "log").read_text(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, **changes):
        """What it logs of other options, or of the same."""
        before = len(self.log_text())
        self.settings.update(changes)
        self.arguments()
        self.signal(signal.SIGHUP)
        wait_for("it has reloaded or says why not", 10,
                 lambda: re.search(r"[Cc]onfiguration (was not )?reloaded", self.log_text()[before:]))
        return self.log_text()[before:]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(30 * SLOW) == 0, self.log_text()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            print(self.log_text())
            self.kill()
        try:
            self.stop()
        finally:
            shutil.rmtree(self.state, ignore_errors=True)

    @property
    def token(self):
        return (self.state / "admin.token").read_text().strip()

    def api(self, method, path, body=None, token=None, headers=None):
        """(status, parsed JSON or text)"""
        request = urllib.request.Request(self.url + path, method=method)
        if path.startswith("/v1"):
            request.add_header("Authorization", "Bearer " + (token or self.token))
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if body is not None:
            request.data = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30 * SLOW) as reply:
                status, raw = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            status, raw = error.code, error.read()
        try:
            return status, json.loads(raw)
        except ValueError:
            return status, raw.decode(errors="replace")

    def upload_world(self):
        for provider in PROVIDERS:
            status, reply = self.api("PUT", f"/v1/providers/{provider}/topology", topology(provider))
            assert status in (200, 201), reply

    def metric(self, name):
        """Sum of all samples of one metric."""
        page = self.api("GET", "/metrics")[1]
        lines = [line for line in page.splitlines() if line.split("{")[0].split(" ")[0] == name]
        assert lines, f"no metric {name}"
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def balance(self, since, until):
        query = urllib.parse.urlencode({"from": int(since), "to": int(until)})
        status, report = self.api("GET", "/v1/reports/balance?" + query)
        assert status == 200, report
        return report


def announced(report):
    """{(provider, interconnect, "out_bytes"): bytes} of the announce source."""
    return {(row["provider"], row["interconnect"], d): row["sources"]["announce"][d]
            for row in report["interconnects"] if "announce" in row["sources"]
            for d in ("out_bytes", "in_bytes")}


def make_torrent(folder, size, trackers, piece=16384, seed=1):
    """Writes random content and a .torrent with a libtorrent of our own; returns its path."""
    import libtorrent as lt
    import random
    content = random.Random(seed).randbytes(size)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "payload.bin").write_bytes(content)
    storage = lt.file_storage()
    lt.add_files(storage, str(folder / "payload.bin"))
    torrent = lt.create_torrent(storage, piece, flags=lt.create_torrent.v1_only)
    for tracker in trackers:
        torrent.add_tracker(tracker)
    torrent.set_priv(True)  # no PEX: the tracker alone decides who meets (BEP 27)
    lt.set_piece_hashes(torrent, str(folder))
    path = folder / "payload.torrent"
    path.write_bytes(lt.bencode(torrent.generate()))
    return path, hashlib.sha256(content).hexdigest()
