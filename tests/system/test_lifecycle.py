# SPDX-License-Identifier: Apache-2.0
"""Every client, alone with a seed: it announces, scrapes if it ever does, completes and stops, and p4pd
counts it so."""
import contextlib
import functools
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from house import NET, SLOW, Daemon, address, make_torrent, new_database, wait_for
from peers import Libtorrent, Qbittorrent, Transmission, aria2, rtorrent, wait_until_all_have
from tracker import http_scrape, udp_scrape, udp_socket

SEED, LEECHER, WATCHER = address("isp-a", 1, 1), address("isp-b", 1, 2), address("isp-c", 1, 3)
KINDS = {  # its program, and how to start it
    "libtorrent": (None, lambda work, torrent, ip: Libtorrent(work, torrent, [ip])),
    "transmission": ("transmission-daemon", Transmission),
    "aria2": ("aria2c", aria2),
    "rtorrent": ("rtorrent", rtorrent),
    "qbittorrent": ("qbittorrent-nox", Qbittorrent),
}
# Who scrapes what it runs: libtorrent when it is told to. An HTTP reply to an announce has what a scrape
# tells, and leaves Transmission nothing to ask; a UDP reply has no `downloaded`.
RUNNING = {("libtorrent", "udp"), ("libtorrent", "http"), ("transmission", "udp")}
# Who scrapes what it has and does not run, so as to show the user what is there: unasked, once within
# the first three minutes.
HELD = [("transmission", "udp"), ("transmission", "http"), ("rtorrent", "http")]
if SLOW == 1:  # always after 180 s; beside a sanitizer libtorrent, of which it is made, scrapes at once what it runs
    HELD += [("qbittorrent", "udp"), ("qbittorrent", "http")]
NEVER = {
    ("aria2", "udp"): "aria2 1.36 names the action and nothing sends it",
    ("aria2", "http"): "aria2 1.36 has no code for it",
    ("rtorrent", "udp"): "rTorrent 0.9.8 has code for it over HTTP only",
}


class Tracker:
    """A p4pd seen through one protocol."""

    def __init__(self, protocol, daemon):
        self.protocol, self.daemon = protocol, daemon
        self.url = daemon.tracker(protocol)
        self.address = (f"{NET}.9.9.9", daemon.tracker_port)
        self.own_scrapes = 0

    def counts(self, info_hash):
        """(complete, downloaded, incomplete) of the swarm"""
        self.own_scrapes += 1
        if self.protocol == "http":
            return http_scrape(self.address, info_hash, WATCHER)
        with udp_socket(WATCHER, self.address) as s:
            return udp_scrape(s, info_hash)

    def metric(self, name, **labels):
        """One sample, or the sum of those with these labels."""
        lines = [line for line in self.daemon.api("GET", "/metrics")[1].splitlines()
                 if line.split("{")[0].split(" ")[0] == name
                 and all(f'{k}="{v}"' in line for k, v in labels.items())]
        assert lines, f"no metric {name} {labels}"
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def scrapes(self):
        """Scrapes that were not our own."""
        return self.metric("p4pd_scrapes_total", protocol=self.protocol) - self.own_scrapes

    def answered(self):
        return self.metric("p4pd_announces_total", protocol=self.protocol, outcome="answered")

    def faults(self):
        return (self.metric("p4pd_announces_total", outcome="malformed") +
                self.metric("p4pd_announces_total", outcome="refused") +
                self.metric("p4pd_udp_malformed_total") + self.metric("p4pd_udp_bad_connection_total"))


@pytest.fixture(scope="module", params=["udp", "http"])
def tracker(request):
    with Daemon("lifecycle", database=new_database(f"lifecycle_{request.param}"), announce_interval=10,
                peer_timeout=90) as daemon:
        daemon.upload_world()
        yield Tracker(request.param, daemon)


def info_hash_of(torrent):
    import libtorrent as lt
    return lt.torrent_info(str(torrent)).info_hash().to_bytes()


def skip_without(program):
    if program and not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    if NET != "10":
        pytest.skip("clients refuse loopback peers, and namespaces are not allowed here")


@pytest.fixture(scope="module", autouse=True)
def held(tmp_path_factory):
    """The clients of HELD, each with a torrent and a tracker of its own: they need minutes, so they begin
    before all others."""
    with contextlib.ExitStack() as stack:
        trackers = {}
        for number, (kind, protocol) in enumerate(HELD):
            program, start = KINDS[kind]
            if NET != "10" or not shutil.which(program):
                continue
            work = tmp_path_factory.mktemp("held")
            daemon = stack.enter_context(Daemon("held", database=""))
            torrent, _ = make_torrent(work / "seed", 1 << 18, [daemon.tracker(protocol)])
            client = start(work, torrent, address("isp-c", 2, 1 + number), held=True)
            stack.callback(client.kill)
            if kind == "transmission":  # it waits by chance, for each torrent anew: of eight one's turn comes soon
                for n in range(1, 8):
                    client.watch(make_torrent(work / str(n), 1 << 14, [daemon.tracker(protocol)], seed=n)[0], f"{n}")
            trackers[kind, protocol] = Tracker(protocol, daemon)
        yield trackers


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_from_start_to_stop(tracker, tmp_path, kind):
    program, start = KINDS[kind]
    skip_without(program)
    # A torrent of its own: p4pd counts each swarm apart.
    torrent, digest = make_torrent(tmp_path / "seed", 1 << 18, [tracker.url],
                                   seed=int.from_bytes(f"{kind}{tracker.protocol}".encode(), "big"))
    counts = functools.partial(tracker.counts, info_hash_of(torrent))
    clients = [Libtorrent(tmp_path, torrent, [SEED], seeds=[SEED], seed_folder=tmp_path / "seed")]
    try:
        clients[0].ask("start")
        wait_for("the seed is there", 15, lambda: counts() == (1, 0, 0))
        answered, scraped, snatches = tracker.answered(), tracker.scrapes(), tracker.metric("p4pd_snatches_total")
        client = start(tmp_path, torrent, LEECHER)
        clients.append(client)
        if kind == "libtorrent":
            client.ask("start")
        # Transmission 4.0.5 reads what came with a handshake once more comes: a keep-alive, after a minute.
        wait_until_all_have(clients, digest, 150)
        wait_for(f"{kind} is a seed, after one download", 30, lambda: counts() == (2, 1, 0))
        assert tracker.metric("p4pd_snatches_total") == snatches + 1
        assert tracker.answered() >= answered + 2  # it started and it completed
        if kind == "libtorrent":
            client.ask("scrape")
        if (kind, tracker.protocol) in RUNNING:
            wait_for(f"{kind} scrapes", 30, lambda: tracker.scrapes() > scraped)
        client.leave()
        wait_for(f"{kind} is gone", 10, lambda: counts() == (1, 1, 0))
        if (kind, tracker.protocol) in NEVER:
            assert tracker.scrapes() == scraped, NEVER[kind, tracker.protocol]
        assert tracker.faults() == 0
    finally:
        for each in clients:
            each.kill()


def test_the_npm_client_from_start_to_stop(tracker):
    """It moves no bytes: it says that it has them."""
    if "P4PD_TEST_NPM" not in os.environ:
        pytest.skip(os.environ.get("P4PD_TEST_NPM_MISSING", "run under tests/support/with_npm"))
    hashes = [hashlib.sha1(f"{tracker.protocol}{i}".encode()).hexdigest() for i in range(3)]
    answered, scraped, snatches = tracker.answered(), tracker.scrapes(), tracker.metric("p4pd_snatches_total")
    # node looks for packages beside the script
    script = pathlib.Path(os.environ["P4PD_TEST_NPM"]) / "npm_client.mjs"
    shutil.copy(pathlib.Path(__file__).with_name("npm_client.mjs"), script)
    run = subprocess.run(["node", script, tracker.url, *hashes], capture_output=True, text=True,
                         timeout=60 * SLOW)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert said["warnings"] == []
    assert said["first alone"] == {"complete": 0, "incomplete": 1, "peers": []}
    assert said["second"] == {"complete": 0, "incomplete": 2, "peers": [f"{NET}.9.9.9:7001"]}
    assert said["completed"]["complete"] == 1 and said["completed"]["incomplete"] == 1
    assert said["scrape"] == {"complete": 1, "incomplete": 1, "downloaded": 1}
    # one known, two that nobody announced: all three answered
    assert said["scrape of three"] == {hashes[0]: [1, 1, 1], hashes[1]: [0, 0, 0], hashes[2]: [0, 0, 0]}
    assert tracker.counts(bytes.fromhex(hashes[0])) == (0, 1, 0)
    assert tracker.answered() == answered + 6
    assert tracker.scrapes() == scraped + 2
    assert tracker.metric("p4pd_snatches_total") == snatches + 1
    assert tracker.faults() == 0


@pytest.mark.parametrize("kind, protocol", HELD)
def test_a_client_scrapes_what_it_does_not_run(held, kind, protocol):
    skip_without(KINDS[kind][0])
    tracker = held[kind, protocol]
    wait_for(f"{kind} scrapes", 240, lambda: tracker.scrapes() >= 1)
    assert tracker.answered() == 0
    assert tracker.faults() == 0
