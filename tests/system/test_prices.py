# SPDX-License-Identifier: Apache-2.0
"""What routers count, and what clients say they moved, becomes prices, and prices become other peers: the loop,
closed with a real daemon.
"""
import os
import subprocess
import time
import urllib.parse

from house import NET, Daemon, address, new_database, topology, wait_for
from tracker import http_get

BIN = 2
EACH = 20  # seeds in isp-b, and in isp-c
CAPACITY = 10_000_000_000 // 8 * BIN
SWARM = urllib.parse.quote(b"a swarm of two ISPs!")
BUSY = urllib.parse.quote(b"that fills one link!")
WEST, EAST, HOME = 1, 2, 3  # PIDs of isp-a in the second test


def announce(daemon, ip, left, want, swarm=SWARM, up=0, down=0):
    """The addresses that a client gets."""
    path = (f"/announce?info_hash={swarm}&peer_id={'x' * 20}&port=6881&uploaded={up}&downloaded={down}&left={left}"
            f"&numwant={want}&compact=1")
    body = http_get((f"{NET}.9.9.9", daemon.tracker_port), path, ip)
    size, _, rest = body[body.index(b"5:peers") + 7:].partition(b":")
    peers = rest[:int(size)]
    return [".".join(map(str, peers[i:i + 4])) for i in range(0, len(peers), 6)]


def share_of_b(daemon):
    """Of the peers that leechers in isp-a get."""
    got = [ip for host in range(40) for ip in announce(daemon, address("isp-a", 1, 10 + host), 1000, 10)]
    outside = [ip for ip in got if ip.split(".")[1] != "1"]
    assert len(outside) > 100
    return sum(ip.split(".")[1] == "2" for ip in outside) / len(outside)


def fill(daemon):
    for host in range(EACH):
        for provider in ("isp-b", "isp-c"):
            announce(daemon, address(provider, 1, 10 + host), 0, 0)


def prices(daemon, what="price"):
    """{(provider, interconnect): (out, in)}"""
    status, reply = daemon.api("GET", "/v1/interconnects")
    assert status == 200, reply
    return {(i["provider"], i["interconnect"]): (i[what]["out"], i[what]["in"]) for i in reply["interconnects"]}


def count(daemon, out_share, in_share=0.5):
    """What routers say of the open bin; the bin is read when it is over."""
    now = int(time.time() - 0.1) // BIN * BIN  # p4pd's clock may be a few milliseconds behind
    samples = [{"provider": "isp-b", "interconnect": "b-a", "bin": now, "in_bytes": int(in_share * CAPACITY),
                "out_bytes": int(out_share * CAPACITY)},
               {"provider": "isp-b", "interconnect": "b-t", "bin": now, "out_bytes": 0, "in_bytes": 0}]
    status, reply = daemon.api("POST", "/v1/samples", samples)
    assert status == 200, reply


def loaded(daemon, above):
    count(daemon, 3)  # as a meter that runs over: the price takes its largest steps
    return prices(daemon)["isp-b", "b-a"][0] > above


def test_a_full_interconnect_grows_dearer_and_is_used_less():
    settings = {"database": new_database("prices"), "policy": "p4p", "max_peers": 10, "control_percent": 0,
                "bin_seconds": BIN, "ratio_limit": 0}
    with Daemon("prices", **settings) as daemon:
        daemon.upload_world()
        fill(daemon)
        cost = prices(daemon, "cost")
        assert cost["isp-b", "b-a"] == (10, 10) and cost["isp-b", "b-t"] == (100, 100)
        assert prices(daemon) == cost
        before, publications = share_of_b(daemon), daemon.metric("p4pd_map_publications_total")

        wait_for("b-a is dear", 120, lambda: loaded(daemon, 900))
        now, after = prices(daemon), share_of_b(daemon)
        print(f"share of isp-b {before:.2f} at 10, {after:.2f} at {now['isp-b', 'b-a'][0]}")
        assert {key for key in now if now[key] != cost[key]} == {("isp-b", "b-a")}
        assert now["isp-b", "b-a"][1] == 10, "the other direction has room"
        assert before - after > 0.1
        assert daemon.metric("p4pd_price_changes_total") > 5
        assert daemon.metric("p4pd_map_publications_total") == publications

        daemon.stop()
        daemon.start()
        wait_for("the last bins were read again", 20, lambda: prices(daemon)["isp-b", "b-a"][0] > 100)
        with Daemon("static", **settings, prices="static") as other:
            fill(other)
            time.sleep(2 * BIN)
            assert prices(other) == cost
            assert share_of_b(other) - after > 0.1


def test_a_lopsided_peering_is_held_by_its_ratio():
    with Daemon("ratio", database=new_database("ratio"), bin_seconds=BIN, ratio_limit=2) as daemon:
        daemon.upload_world()

        def dearer():
            count(daemon, 0.6, 0.2)  # far from full
            return prices(daemon)["isp-b", "b-a"]

        wait_for("out is dear", 60, lambda: dearer()[0] > 20)
        assert dearer()[1] == 10


def star():
    """Two PIDs at the same distance from a third; the link to one of them is thin."""
    return topology(
        "isp-a",
        pids=[{"pid": name, "prefixes": [f"{NET}.1.{number}.0/24"]}
              for name, number in (("west", WEST), ("east", EAST), ("a-core", HOME))],
        links=[{"id": "thin", "a": "west", "b": "a-core", "weight": 10, "capacity_mbps": 1},
               {"id": "wide", "a": "a-core", "b": "east", "weight": 10}])


def links(daemon):
    status, reply = daemon.api("GET", "/v1/links?provider=isp-a")
    assert status == 200, reply
    return reply, {link["link"]: link for link in reply["links"]}


def share_of_west(daemon):
    """Of the peers that the only leecher at home gets."""
    got = [ip for _ in range(160) for ip in announce(daemon, address("isp-a", HOME, 10), 1000, 10)]
    assert len(got) > 1000
    return sum(ip.split(".")[2] == str(WEST) for ip in got) / len(got)


def use(daemon, moved):
    """A seed in the west says what it sent to a leecher at home, who says so too."""
    moved[0] += 2_000_000  # 8 times what the thin link carries in a bin
    for ip, left, up, down in ((address("isp-a", WEST, 200), 0, moved[0], 0),
                               (address("isp-a", HOME, 200), 1000, 0, moved[0])):
        announce(daemon, ip, left, 10, BUSY, up, down)


def test_a_full_link_grows_dearer_and_is_used_less():
    settings = {"database": new_database("links"), "policy": "p4p", "max_peers": 10, "control_percent": 0,
                "bin_seconds": BIN, "max_peer_mbps": 100000, "lab": "true"}
    with Daemon("links", **settings) as daemon:
        assert daemon.api("PUT", "/v1/providers/isp-a/topology", star())[0] == 201
        for pid in (WEST, EAST):
            for host in range(EACH):
                announce(daemon, address("isp-a", pid, 10 + host), 0, 0)
        before, moved = share_of_west(daemon), [0]
        assert {link["load_bps"]["out"] for link in links(daemon)[1].values() if link["load_bps"]} <= {0}

        def dear():
            use(daemon, moved)
            report, now = links(daemon)
            load = now["thin"]["load_bps"]
            if load is not None and load["out"] > 1_000_000:
                seen.append((report["from"], load, now["wide"]["load_bps"]))
            return now["thin"]["price"]["out"] > 80 and seen

        seen = []
        wait_for("the thin link is dear", 120, dear)
        now, after = links(daemon)[1], share_of_west(daemon)
        print(f"share of the west {before:.2f} at 10, {after:.2f} at {now['thin']['price']['out']}; loads {seen[-1]}")
        assert now["thin"]["price"]["in"] == 10, "nothing went west"
        assert now["wide"]["price"] == {"out": 10, "in": 10}
        assert before - after > 0.04
        assert all(wide["out"] == wide["in"] == 0 and load["in"] == 0 for _, load, wide in seen), seen

        table = subprocess.run([os.environ["P4PCTL"], "--url", daemon.url, "--token", daemon.token, "links"],
                               check=True, capture_output=True, text=True).stdout
        print(table)
        assert "isp-a     thin  west    a-core  1.00 Mbit/s      10" in table, table

        daemon.stop()
        daemon.start()
        wait_for("the last bins were read again", 20, lambda: links(daemon)[1]["thin"]["price"]["out"] > 20)
