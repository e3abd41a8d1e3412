# SPDX-License-Identifier: Apache-2.0
"""Exports become bins of source flow: through the real daemon, PostgreSQL and the API; under kill -9, without
a database, on a full disk."""
import os
import pathlib
import random
import re
import subprocess
import time

import pytest

from exports import Agent, Exporter, flows_of, with_exporters
from house import NET, SLOW, Daemon, address, new_database, postgres, topology, wait_for
from test_trouble import announce

BIN = 5
PORTS = {"a-b": ("127.0.0.1", 17), "a-t": ("127.0.0.1", 18)}
ALL = os.environ.get("P4PD_TEST_ALL") == "1"


def upload(daemon):
    for provider in ("isp-a", "isp-b"):
        document = topology(provider)
        if provider == "isp-a":
            document = with_exporters(document, PORTS)
        status, reply = daemon.api("PUT", f"/v1/providers/{provider}/topology", document)
        assert status in (200, 201), reply


def flow(bytes_, in_if=1, out_if=17, **more):
    return {"from_": "10.1.1.7", "to": "10.2.1.7", "in_if": in_if, "out_if": out_if, "bytes": bytes_, "packets": 2,
            **more}


def new_bin(length=BIN):
    """Waits for the beginning of a bin; returns it."""
    open_one = int(time.time()) // length
    wait_for("a new bin", length + 10, lambda: int(time.time()) // length > open_one)
    return int(time.time()) // length * length


def stored(daemon, since, until, wanted, seconds=30):
    """Waits until the flows of the bins come to `wanted`."""
    def come():
        return flows_of(daemon.balance(since, until))
    try:
        wait_for("the bins", seconds, lambda: come() == wanted)
    except AssertionError:
        assert come() == wanted


def test_exports_are_in_the_balance_report():
    with Daemon("flows", database=new_database("flows")) as daemon:
        upload(daemon)
        exporter = Exporter(daemon.flow_port)
        since = new_bin()
        exporter.send(flow(1500), flow(400, in_if=17, out_if=1), flow(99, in_if=1, out_if=2))
        exporter.send(flow(700, in_if=17, out_if=18))  # through both
        stored(daemon, since, since + BIN, {("isp-a", "a-b"): (1500, 1100), ("isp-a", "a-t"): (700, 0)})

        # What ended in a bin that is closed changes it, once.
        now = time.time()
        exporter.send(flow(50, age=(now - since - 1,) * 2), now=now)
        stored(daemon, since, since + BIN, {("isp-a", "a-b"): (1550, 1100), ("isp-a", "a-t"): (700, 0)})

        status, reply = daemon.api("GET", "/v1/exporters")
        assert status == 200
        (router,) = reply["exporters"]
        assert (router["address"], router["provider"], router["protocol"]) == ("127.0.0.1", "isp-a", "netflow5")
        assert (router["records"], router["lost"], router["malformed"]) == (5, 0, 0)
        assert daemon.metric("p4pd_flow_records_total") == 5
        assert daemon.metric("p4pd_flow_bytes_total") == 1500 + 400 + 99 + 700 + 50
        ctl = subprocess.run([os.environ["P4PCTL"], "--url", daemon.url, "--token", daemon.token, "exporters"],
                             capture_output=True, text=True, check=True).stdout
        assert "127.0.0.1" in ctl and "netflow5" in ctl and "isp-a" in ctl


def test_a_long_flow_is_spread_over_its_bins_and_strangers_go_by_address():
    with Daemon("spread", database=new_database("spread"), flow_exporters="127.0.0.0/8") as daemon:
        upload(daemon)
        since, inside = new_bin() - 2 * BIN, 0.025  # so that no millisecond of rounding is in a fourth bin
        now = time.time()
        age = now - since
        Exporter(daemon.flow_port).send(flow(3 * 10**9, age=(age - inside, age + inside - 2 * BIN)), now=now)
        Exporter(daemon.flow_port, "127.0.0.2").send(
            {**flow(1000), "from_": address("isp-a", 1, 7), "to": address("isp-b", 1, 7)})
        wait_for("both bins", 30, lambda: len(flows_of(daemon.balance(since, since + BIN))) > 0
                 and len(flows_of(daemon.balance(since + 2 * BIN, since + 3 * BIN))) > 0)
        time.sleep(2)
        parts = [flows_of(daemon.balance(since + k * BIN, since + (k + 1) * BIN)).get(("isp-a", "a-b"), (0, 0))[0]
                 for k in range(3)]
        assert sum(parts) == 3 * 10**9  # and none of the stranger's: a-b has an exporter of its own
        assert abs(parts[0] - 1.5e9) < 1e7 and abs(parts[1] - 1.5e9) < 1e7
        assert flows_of(daemon.balance(since, since + 3 * BIN))["isp-b", "b-a"] == (0, 1000)


def test_invented_senders_take_no_memory_and_named_routers_go_on():
    """Sources may be anybody's invention: two thousand of them, then twenty thousand more, then the router."""
    with Daemon("crowd", database=new_database("crowd"), flow_exporters="127.0.0.0/8") as daemon:
        upload(daemon)

        def crowd(numbers):
            for n in numbers:
                Exporter(daemon.flow_port, f"127.{1 + n // 65536}.{n // 256 % 256}.{n % 256}").send(flow(1000))
            wait_for("what was sent", 30, lambda: daemon.metric("p4pd_flow_datagrams_total") == len(numbers) + numbers[0])

        def resident():
            status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
            return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) << 10
        crowd(range(2000))
        before = resident()
        crowd(range(2000, 22000))
        grown = resident() - before
        print(f"{grown} bytes more for 20,000 senders")
        assert grown < 1 << 20 or SLOW > 1  # sanitizers keep what was freed
        since = new_bin()
        Exporter(daemon.flow_port).send(flow(1500))
        wait_for("the router's bytes", 30,
                 lambda: flows_of(daemon.balance(since, since + BIN)).get(("isp-a", "a-b")) == (1500, 0))
        exporters = daemon.api("GET", "/v1/exporters")[1]["exporters"]
        assert len(exporters) == 256 + 1
        assert daemon.metric("p4pd_flow_refused_total") == 22000 - 256


def test_sflow_counts_packets_as_flows_and_interfaces_as_counters():
    with Daemon("sflow", database=new_database("sflow")) as daemon:
        upload(daemon)
        agent, begun, first = Agent(daemon.flow_port), time.time(), 2**40
        agent.counters(17, first, 0)
        since = new_bin()
        sample = ("10.1.1.7", "10.2.1.7", 1, 17, 1000, 100)
        for i in range(17):  # more than three bins, a reading each second of what has passed by then
            time.sleep(max(0, since + i - time.time()))
            passed = time.time() - begun
            agent.sample(*sample)
            agent.counters(17, first + int(5000 * passed), int(400 * passed))
            agent.counters(99, 10**9 * i, 10**9 * i)  # no interconnect's

        def counted(source):
            return flows_of(daemon.balance(since, since + 3 * BIN), source).get(("isp-a", "a-b"), (0, 0))
        wait_for("flows", 30, lambda: counted("flow")[0] >= 14 * 10**5)
        assert counted("flow")[0] % 10**5 == 0 and counted("flow")[0] <= 16 * 10**5
        # Each reading is of the millisecond in which it came: three bins are 15 seconds' bytes.
        wait_for("counters", 30, lambda: counted("counter")[0] > 70000)
        out, in_ = counted("counter")
        assert abs(out / 75000 - 1) < 0.1 and abs(in_ / 6000 - 1) < 0.1, (out, in_)
        assert set(flows_of(daemon.balance(since, since + 3 * BIN), "counter")) == {("isp-a", "a-b")}

        # Who polls the interface says so himself; both would count it twice.
        reading = {"provider": "isp-a", "interconnect": "a-t", "port": "xe-0/0/1", "at": int(time.time()),
                   "out_octets": 1, "in_octets": 1, "counter_bits": 64}
        assert daemon.api("POST", "/v1/samples", [reading])[0] == 200
        for i in range(3):
            agent.counters(18, 10**6 * i, 0)
            time.sleep(1.1)
        wait_for("all was looked at", 20, lambda: daemon.metric("p4pd_flow_readings") == 0)
        sql = "select string_agg(distinct port, ',' order by port) from readings"
        assert query(daemon, sql) == "sflow 127.0.0.1/17,xe-0/0/1"


def test_live_peers_make_bytes_p2p():
    with Daemon("p2p", database=new_database("p2p")) as daemon:
        upload(daemon)
        announce(daemon, address("isp-a", 1, 7), port=6881, event="started")
        wait_for("the peer is known", 20, lambda: daemon.metric("p4pd_flow_peers") == 1)
        since = new_bin()
        peer = {**flow(1000), "from_": address("isp-a", 1, 7)}
        Exporter(daemon.flow_port).send({**peer, "ports": (6881, 40000)}, {**peer, "ports": (6882, 40000)})
        stored(daemon, since, since + BIN, {("isp-a", "a-b"): (2000, 0), ("isp-a", "a-t"): (0, 0)})
        sql = "select out_bytes, out_p2p_bytes, out_packets from bins where source = 'flow' and out_bytes > 0"
        assert query(daemon, sql) == "2000|1000|4"


def query(daemon, sql):
    words = dict(word.split("=", 1) for word in daemon.settings["database"].split())
    return subprocess.run(["psql", "-h", words["host"], "-U", words["user"], "-d", words["dbname"], "-Atc", sql],
                          capture_output=True, text=True, check=True).stdout.strip()


def test_a_collector_alone_opens_nothing_else_and_feeds_the_same_database(tmp_path):
    database, peers = new_database("alone"), tmp_path / "peers"
    with Daemon("api", database=database, roles="tracker api", peers_file=peers) as daemon:
        upload(daemon)
        announce(daemon, address("isp-a", 1, 7), port=6881, event="started")
        assert daemon.api("GET", "/v1/exporters")[0] == 404
        collector = Daemon("collector", database=database, roles="collector", node="flows", peers_file=peers)
        collector.start(ready=False)
        with collector:
            wait_for("it collects", 20, lambda: "p4pd 0" in collector.log_text() and "collects" in collector.log_text())
            opened = subprocess.run(["ss", "-Htulnp"], capture_output=True, text=True, check=True).stdout
            mine = [line.split()[4] for line in opened.splitlines() if f"pid={collector.process.pid}," in line]
            assert mine == [f"127.0.0.1:{collector.flow_port}"]
            exporter = Exporter(collector.flow_port)
            wait_for("it has the map", 20, lambda: "PostgreSQL is ready" in collector.log_text())
            peer = {**flow(1000), "from_": address("isp-a", 1, 7)}

            def measured():
                since = new_bin()
                exporter.send({**peer, "ports": (6881, 40000)}, {**peer, "ports": (6882, 40000)})
                stored(daemon, since, since + BIN, {("isp-a", "a-b"): (2000, 0), ("isp-a", "a-t"): (0, 0)})
                return query(daemon, "select out_bytes, out_p2p_bytes from bins where source = 'flow' "
                                     f"and out_bytes > 0 and start = {since}")
            # The tracker's process tells this one who the peers are; while it does not, nobody has measured it.
            wait_for("the peer is in", 20, lambda: peers.exists() and int.from_bytes(peers.read_bytes()[32:40], "big") == 1)
            time.sleep(6)  # read every five seconds
            assert peers.stat().st_mode & 0o777 == 0o640
            assert measured() == "2000|1000"
            peers.unlink()
            peers.mkdir()  # where neither can use a file
            wait_for("it says so", 20, lambda: "Which bytes are p2p is not known" in collector.log_text())
            assert measured() == "2000|"


def killed_at_random(daemon, rounds, seed):
    """Sends one flow of 1000 bytes every 20 ms while the daemon is killed again and again; returns what was sent,
    how much of it kills may have cost (what was sent after the last checkpoint before each), and how old those
    checkpoints were."""
    chance, exporter = random.Random(seed), Exporter(daemon.flow_port)
    sent, lost, ages = [], set(), []
    for _ in range(rounds):
        until = time.time() + chance.uniform(1, 4) + SLOW - 1  # longer than what may be lost
        while time.time() < until:
            exporter.send(flow(1000))
            sent.append(time.time())
            time.sleep(0.02)
        killed = time.time()
        daemon.kill()
        saved = max(checkpoint.stat().st_mtime for checkpoint in (daemon.state / "flow").glob("*.bin"))
        daemon.start()
        # What was on its way from the socket to that file while it was being made is in none.
        lost.update(at for at in sent if at > saved - 0.1 * SLOW)
        ages.append(killed - saved)
    return sent, len(lost), sorted(ages)


def test_kill_9_costs_a_second_and_doubles_nothing():
    rounds = 100 if ALL else 5
    with Daemon("kill9", database=new_database("kill9")) as daemon:
        upload(daemon)
        since = new_bin()
        sent, may_be_lost, ages = killed_at_random(daemon, rounds, 7)
        Exporter(daemon.flow_port).send(flow(0))
        until = (int(time.time()) // BIN + 1) * BIN

        def stored_bytes():
            return flows_of(daemon.balance(since, until)).get(("isp-a", "a-b"), (0, 0))[0]
        wait_for("all is stored", 60, lambda: stored_bytes() >= (len(sent) - may_be_lost) * 1000)
        wait_for("its last bin is, too", 60, lambda: time.time() > until + 4 and daemon.metric("p4pd_flow_spool_bins") == 0)
        time.sleep(3)
        total = stored_bytes()
        print(f"{rounds} kills: sent {len(sent)} flows, {total // 1000} stored, {may_be_lost} might have been lost; "
              f"checkpoints were {ages[len(ages) // 2]:.2f} s old (median), {ages[-1]:.2f} s at most")
        assert may_be_lost < len(sent) * 0.9, "the test shows nothing"
        assert ages[len(ages) // 2] < 0.8 * SLOW  # written twice a second; one may be late on a crowded machine
        assert (len(sent) - may_be_lost) * 1000 <= total <= len(sent) * 1000
        assert total % 1000 == 0


def test_a_database_that_is_away_costs_nothing():
    with Daemon("away", database=new_database("away"), bin_seconds=2) as daemon:
        upload(daemon)
        exporter = Exporter(daemon.flow_port)
        since = new_bin(2)
        postgres("stop")
        try:
            for i in range(16):
                exporter.send(flow(1000 + i))
                time.sleep(1)
            assert daemon.metric("p4pd_flow_spool_bins") >= 6
            daemon.kill()  # what waits for the database is on disk
            daemon.start(ready=False)
            wait_for("it runs again", 20, lambda: daemon.process.poll() is None and daemon.is_ready())
        finally:
            postgres("start")
        wanted = {("isp-a", "a-b"): (sum(1000 + i for i in range(16)), 0), ("isp-a", "a-t"): (0, 0)}
        stored(daemon, since, int(time.time()) + 2, wanted, 60)


def test_a_full_disk_delays_bins_and_loses_none():
    with Daemon("full", database=new_database("full"), bin_seconds=2) as daemon:
        upload(daemon)
        daemon.stop()
        folder = daemon.state / "flow"
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)], capture_output=True)
        if mount.returncode != 0:
            pytest.skip("no small file system to be had: " + mount.stderr.decode().strip())
        try:
            daemon.start()
            ballast = folder / "ballast"
            with open(ballast, "wb", buffering=0) as out, pytest.raises(OSError):
                while True:
                    out.write(bytes(4096))
            exporter, since = Exporter(daemon.flow_port), new_bin(2)
            for i in range(10):
                exporter.send(flow(1000))
                time.sleep(1)
            assert flows_of(daemon.balance(since, int(time.time()))) == {}
            assert daemon.log_text().count("The collector could not write") == 1
            ballast.unlink()
            wanted = {("isp-a", "a-b"): (10000, 0), ("isp-a", "a-t"): (0, 0)}
            stored(daemon, since, int(time.time()) + 2, wanted, 30)
            assert daemon.log_text().count("The collector can write again") == 1
        finally:
            daemon.stop()
            subprocess.run(["umount", str(folder)], check=True)
