# SPDX-License-Identifier: Apache-2.0
"""What routers count becomes prices, and prices become other peers: the loop, closed with a real daemon."""
import time
import urllib.parse

from house import NET, Daemon, address, new_database, wait_for
from tracker import http_get

BIN = 2
EACH = 20  # seeds in isp-b, and in isp-c
CAPACITY = 10_000_000_000 // 8 * BIN
SWARM = urllib.parse.quote(b"a swarm of two ISPs!")


def announce(daemon, ip, left, want):
    """The addresses that a client gets."""
    path = (f"/announce?info_hash={SWARM}&peer_id={'x' * 20}&port=6881&uploaded=0&downloaded=0&left={left}"
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
