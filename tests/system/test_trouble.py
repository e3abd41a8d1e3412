# SPDX-License-Identifier: Apache-2.0
"""Behaviour under trouble: faulty maps, kill -9, a database that goes away, reload, restart."""
import concurrent.futures
import os
import signal
import struct
import socket
import time
import urllib.parse

import pytest

from house import (NET, PROVIDERS, SLOW, Daemon, address, announced, new_database, open_bin, postgres, topology,
                   wait_booked, wait_drained, wait_for, wait_stored)

HASH = bytes(range(20))


def announce(daemon, ip, port=6881, uploaded=0, downloaded=0, left=0, event="", hash_=HASH,
             peer=None, want=50):
    """One HTTP announce from `ip`; returns the raw reply."""
    query = {"info_hash": hash_, "peer_id": (peer or ip).encode().ljust(20, b"-")[:20], "port": port,
             "uploaded": uploaded, "downloaded": downloaded, "left": left, "compact": 1,
             "numwant": want, "key": "%08x" % (int(ip.split(".")[-1]) + 1)}
    if event:
        query["event"] = event
    connection = socket.create_connection((f"{NET}.9.9.9", daemon.tracker_port), timeout=10,
                                          source_address=(ip, 0))
    with connection:
        path = "/announce?" + urllib.parse.urlencode(query)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode())
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), reply
    return body


def peers_in(body):
    """IPv4 peers of a compact reply."""
    start = body.index(b"5:peers") + 7
    size, _, rest = body[start:].partition(b":")
    return {f"{socket.inet_ntoa(rest[i:i + 4])}:{struct.unpack('>H', rest[i + 4:i + 6])[0]}"
            for i in range(0, int(size), 6)}


def test_a_faulty_upload_changes_nothing_and_names_every_fault(tmp_path):
    with Daemon("faults", database=new_database("faults")) as daemon:
        daemon.upload_world()
        bad = topology("isp-a")
        bad["asns"] = [0]
        bad["pids"][0]["prefixes"][0] = f"{NET}.1.1.1/24"
        bad["links"][1]["b"] = "nowhere"
        bad["interconnects"][0]["capacity"] = 1
        status, reply = daemon.api("PUT", "/v1/providers/isp-a/topology", bad)
        assert status == 422
        assert {fault["where"] for fault in reply["faults"]} >= {
            "/asns/0", "/pids/0/prefixes/0", "/links/1/b", "/interconnects/0/capacity"}
        assert all(fault["text"] and fault["code"] for fault in reply["faults"])
        assert daemon.api("GET", "/v1/providers/isp-a/topology")[1] == topology("isp-a")
        assert daemon.metric("p4pd_map_pids") == 9

        moved = topology("isp-a")
        moved["pids"][0]["prefixes"].pop()
        status, reply = daemon.api("PUT", "/v1/providers/isp-a/topology", moved)
        assert status == 201 and reply["version"] == 2
        assert daemon.api("GET", "/v1/providers/isp-a/topology")[1] == moved
        assert daemon.api("POST", "/v1/providers/isp-a/versions/1/activate")[0] == 200
        assert daemon.api("GET", "/v1/providers/isp-a/topology")[1] == topology("isp-a")


def test_an_upload_answered_201_survives_kill_9(tmp_path):
    database = new_database("kill")
    with Daemon("kill", database=database) as daemon:
        for round_ in range(3):
            changed = topology("isp-a")
            changed["interconnects"][0]["capacity_mbps"] = 20000 + round_
            status, reply = daemon.api("PUT", "/v1/providers/isp-a/topology", changed)
            daemon.kill()
            assert status == 201, reply
            daemon.start()
            assert daemon.api("GET", "/v1/providers/isp-a/topology")[1] == changed
            assert daemon.metric("p4pd_map_providers") == 1


def test_accounting_survives_kill_9_but_for_a_second(tmp_path):
    with Daemon("books", database=new_database("books"), bin_seconds=10) as daemon:
        daemon.upload_world()
        a, b = address("isp-a", 1, 7), address("isp-b", 1, 7)
        wait_for("a new bin", 11, lambda: time.time() % 10 < 1)
        since = daemon.metric("p4pd_bin_open_start")
        announce(daemon, a, event="started")
        announce(daemon, b, left=1 << 20, event="started")
        time.sleep(2)
        announce(daemon, a, uploaded=3_000_000)
        announce(daemon, b, downloaded=3_000_000, left=1)
        wait_drained(daemon)
        daemon.kill()
        until = time.time() // 10 * 10 + 10
        daemon.start()
        wait_stored(daemon, until)
        books = announced(daemon.balance(since, until))
        assert books["isp-a", "a-b", "out_bytes"] == 3_000_000
        assert books["isp-b", "b-a", "in_bytes"] == 3_000_000
        assert books["isp-a", "a-b", "in_bytes"] == 0


def test_a_clean_restart_between_two_announces_loses_no_byte(tmp_path):
    with Daemon("again", database=new_database("again")) as daemon:
        daemon.upload_world()
        a, b = address("isp-a", 1, 6), address("isp-b", 1, 6)
        since = daemon.metric("p4pd_bin_open_start")

        def report(megabytes):
            announce(daemon, a, uploaded=megabytes * 1_000_000)
            announce(daemon, b, downloaded=megabytes * 1_000_000, left=1)

        announce(daemon, a, event="started")
        announce(daemon, b, left=1 << 20, event="started")
        for megabytes in 2, 5, 9:
            daemon.stop()
            with socket.create_server(("127.0.0.1", daemon.api_port)):
                daemon.start(ready=False)  # in vain
                assert daemon.process.wait(20) != 0
            assert (daemon.state / "ledger").exists()
            daemon.start()
            assert not (daemon.state / "ledger").exists()
            report(megabytes)
        wait_drained(daemon)
        daemon.kill()
        daemon.start()
        report(10)  # no more than where counting begins again: no old ledger was met
        until = wait_booked(daemon)
        books = announced(daemon.balance(since, until))
        assert books["isp-b", "b-a", "in_bytes"] == 9_000_000
        assert books["isp-a", "a-b", "out_bytes"] == 9_000_000


@pytest.mark.parametrize("away_seconds", [60 if os.environ.get("CI") else 20])
def test_a_database_that_goes_away_costs_no_announce_and_no_bin(tmp_path, away_seconds):
    with Daemon("away", database=new_database("away")) as daemon:
        daemon.upload_world()
        a, b = address("isp-a", 1, 8), address("isp-b", 1, 8)
        announce(daemon, a, event="started")
        announce(daemon, b, left=1 << 30, event="started")
        since = open_bin(daemon)
        sent = failed = 0
        end = time.time() + away_seconds + 5
        postgres("stop")
        try:
            while time.time() < end - 5:
                sent += 1
                try:
                    announce(daemon, a, uploaded=sent * 1_000_000)
                    announce(daemon, b, downloaded=sent * 1_000_000, left=1)
                except (OSError, AssertionError):
                    failed += 1
                time.sleep(0.2)
            assert daemon.api("PUT", "/v1/providers/isp-c/topology",
                              topology("isp-c", asns=[64503, 64504]))[0] == 503
            assert daemon.metric("p4pd_spool_bins") >= away_seconds // 5 - 2
            assert daemon.metric("p4pd_database_up") == 0
        finally:
            postgres("start")
        assert failed == 0
        until = wait_booked(daemon)
        report = daemon.balance(since, until)
        books = announced(report)
        assert books["isp-a", "a-b", "out_bytes"] == sent * 1_000_000
        assert books["isp-b", "b-a", "in_bytes"] == sent * 1_000_000
        known = {row["interconnect"]: row["sources"]["announce"] for row in report["interconnects"]}
        lacking = {name: row for name, row in known.items() if row["bins_known"] != row["bins_expected"]}
        assert not lacking, (since, until)


def test_it_ends_while_the_database_is_frozen(tmp_path):
    with Daemon("frozen", database=new_database("frozen")) as daemon:
        daemon.upload_world()
        postgres("pause")
        try:
            def ask(_):
                try:
                    return daemon.api("PUT", "/v1/providers/isp-a/topology", topology("isp-a"))[0]
                except OSError:
                    return None  # it ended before it came to this one
            with concurrent.futures.ThreadPoolExecutor(20) as pool:
                answers = pool.map(ask, range(20))
                time.sleep(6)  # a closed bin waits, too
                begin = time.monotonic()
                daemon.signal(signal.SIGTERM)
                assert daemon.process.wait(60) == 0
                assert time.monotonic() - begin < 15 * SLOW
                assert set(answers) <= {503, None}
            assert (daemon.state / "ledger").exists()
        finally:
            postgres("resume")


def test_who_is_stopped_while_still_starting_ends_in_order(tmp_path):
    with Daemon("early", database="").start(ready=False) as daemon:
        for i in range(20):
            if i > 0:
                daemon.start(ready=False)
            while daemon.log_text().count("serves. tracker") == i:
                time.sleep(0.0005)  # the API and flows come next
            daemon.stop()


def test_it_starts_and_steers_without_the_database(tmp_path):
    with Daemon("alone", database=new_database("alone")) as daemon:
        daemon.upload_world()
        daemon.stop()
        postgres("stop")
        try:
            daemon.start()
            assert daemon.metric("p4pd_map_providers") == 3
            announce(daemon, address("isp-a", 1, 9), left=1)
            assert peers_in(announce(daemon, address("isp-a", 2, 9), left=1)) == {
                address("isp-a", 1, 9) + ":6881"}
            status, reply = daemon.api("PUT", "/v1/providers/isp-a/topology", topology("isp-a"))
            assert status == 503, reply
        finally:
            postgres("start")
        wait_for("uploads work again", 20, lambda: daemon.api(
            "PUT", "/v1/providers/isp-a/topology", topology("isp-a"))[0] in (200, 201))


def test_no_datagram_of_an_overload_goes_uncounted(tmp_path):
    daemon = Daemon("overload", database="", receive_buffer_kib=64, udp_workers=2)
    daemon.settings["listen_tracker"] = f"[::]:{daemon.tracker_port}"
    with daemon:
        daemon.signal(signal.SIGSTOP)
        try:
            for family, host in (socket.AF_INET, f"{NET}.9.9.9"), (socket.AF_INET6, "::1"):
                with socket.socket(family, socket.SOCK_DGRAM) as client:
                    client.connect((host, daemon.tracker_port))
                    for _ in range(1000):
                        client.send(bytes(16))
        finally:
            daemon.signal(signal.SIGCONT)
        def counted():
            return [int(daemon.metric(f"p4pd_udp_{what}_total")) for what in ("received", "dropped")]
        wait_for("received and dropped make 2000", 10, lambda: sum(counted()) == 2000)
        assert min(counted()) > 100


def test_a_restart_keeps_the_swarms(tmp_path):
    with Daemon("restart", database="") as daemon:
        for host in range(1, 6):
            announce(daemon, address("isp-a", 1, host), left=host % 2)
        daemon.stop()
        daemon.start()
        peers = peers_in(announce(daemon, address("isp-a", 1, 100), left=5))
        assert peers == {address("isp-a", 1, host) + ":6881" for host in range(1, 6)}


def test_the_first_start_alone_tells_where_the_admins_token_is(tmp_path):
    with Daemon("first", database="") as daemon:
        def told():
            return [line for line in daemon.log_text().splitlines() if "admin" in line]
        first = told()
        assert len(first) == 1 and first[0].endswith(f" file={daemon.state}/admin.token"), first
        daemon.stop()
        daemon.start()
        assert told() == first
        assert daemon.token not in daemon.log_text()


def test_a_restart_keeps_who_met_whom(tmp_path):
    def far_of(daemon, ip):
        near = ip.rsplit(".", 2)[0] + "."
        return {peer for peer in peers_in(announce(daemon, ip, left=5)) if not peer.startswith(near)}

    with Daemon("met", database=new_database("met"), control_percent=0, policy="bridge") as daemon:
        daemon.upload_world()
        here = [address("isp-a", 1, host) for host in range(1, 9)]
        for ip in here + [address("isp-b", 1, host) for host in range(1, 9)]:
            announce(daemon, ip, left=5)
        met = {ip: far_of(daemon, ip) for ip in here}
        assert any(met.values())
        entries = daemon.metric("p4pd_bridge_entries")
        daemon.stop()
        daemon.start()
        assert daemon.metric("p4pd_bridge_entries") == entries > 0
        assert {ip: far_of(daemon, ip) for ip in here} == met
        assert daemon.metric("p4pd_bridge_entries") == entries


def test_two_daemons_share_a_database(tmp_path):
    database = new_database("shared")
    one, two = Daemon("one", database=database, node="one"), Daemon("two", database=database, node="two")
    one.start(ready=False)
    two.start(ready=False)  # both find an empty database and apply the migrations
    with one, two:
        for daemon in (one, two):
            wait_for("ready", 20, daemon.is_ready)
        one.upload_world()
        wait_for("the other daemon hears of it", 10, lambda: two.metric("p4pd_map_providers") == 3)
        assert two.api("POST", "/v1/providers/isp-a/versions/1/activate")[0] == 200


def test_sighup_reloads_what_it_can_and_keeps_the_old_when_broken():
    with Daemon("hup", in_file=True, database="", max_peers=3) as daemon:
        def listed():
            return len(peers_in(announce(daemon, address("isp-a", 1, 99), left=1)))
        for host in range(1, 20):
            announce(daemon, address("isp-a", 1, host), left=1)
        assert listed() == 3
        assert "udp_workers" in daemon.reload(max_peers=7, udp_workers=3)
        assert listed() == 7
        assert "max_peers" in daemon.reload(max_peers="many")
        assert listed() == 7
