# SPDX-License-Identifier: Apache-2.0
"""p4pctl explain: what it says of a client's list, beside the list that the client then gets."""
import collections
import json
import os
import socket
import subprocess
import time

import pytest

from house import NET, Daemon, address, new_database
from tracker import udp_announce, udp_ask, udp_connect, udp_socket

CTL = os.environ["P4PCTL"]
ALL = os.environ.get("P4PD_TEST_ALL") == "1"
SWARM = bytes.fromhex("0123456789abcdef0123456789abcdef01234567")
OK, REFUSED, USAGE, AWAY = 0, 1, 2, 3


def announce(daemon, ip, left=1, downloaded=0):
    """The peers that the client at `ip` gets: {"10.1.1.1:6881"}."""
    with udp_socket(ip, (f"{NET}.9.9.9", daemon.tracker_port)) as s:
        transaction, peer = os.urandom(4), b"-XX0000-" + ip.encode().rjust(12, b"0")
        reply = udp_ask(s, udp_announce(udp_connect(s), transaction, SWARM, peer, left=left, downloaded=downloaded), transaction)
    raw = reply[20:]
    return {socket.inet_ntoa(raw[i:i + 4]) + ":%d" % int.from_bytes(raw[i + 4:i + 6], "big")
            for i in range(0, len(raw), 6)}


def ctl(daemon, *words, expect=OK, token=None):
    done = subprocess.run([CTL, "--url", daemon.url, "--token", token or daemon.token, *words],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == expect, (words, done.stdout, done.stderr)
    return done.stdout if expect == OK else done.stderr


def ask(daemon, ip, query="", swarm=SWARM.hex(), token=None):
    return daemon.api("GET", f"/v1/swarms/{swarm}/explain?address={ip}{query}", token=token)


def token_for(daemon, role, provider):
    body = {"name": f"{role}-{provider}", "role": role, "provider": provider}
    status, reply = daemon.api("POST", "/v1/tokens", body)
    assert status == 201, reply
    return reply["token"]


def endpoints(peers):
    return {f"{p['address']}:{p['port']}" for p in peers}


def fill(daemon):
    """Five leechers of isp-a in two PIDs, two of isp-b, and a seed in isp-c."""
    for ip in [address("isp-a", 1, i) for i in (1, 2, 3)] + [address("isp-a", 2, i) for i in (1, 2)]:
        announce(daemon, ip)
    for i in (1, 2):
        announce(daemon, address("isp-b", 1, i))
    announce(daemon, address("isp-c", 1, 1), left=0)


def remembered(daemon):
    names = ("p4pd_bridge_entries", "p4pd_bridge_books", "p4pd_peers_ipv4", "p4pd_peers_handed_out_total")
    return {name: daemon.metric(name) for name in names}


def check_peers(asked):
    tiers = {"isp-a": ("same-pid", "same-provider"), "isp-b": ("settlement-free",), "isp-c": ("transit",)}
    for peer in asked["peers"]:
        provider = peer["place"].removeprefix("pid:").split("/")[0]
        assert peer["tier"] in tiers[provider], peer
        assert peer["seed"] == (provider == "isp-c"), peer
        if provider == "isp-a":
            assert peer["reason"] == ("own PID" if peer["place"] == asked["place"] else "own provider"), peer
            assert peer["receive"]["out"] is None and peer["send"]["in"] is None
        else:
            way = ("a-b", "b-a") if provider == "isp-b" else ("a-t", "c-t")
            assert (peer["send"]["out"], peer["send"]["in"]) == (f"isp-a/{way[0]}", f"{provider}/{way[1]}"), peer
            assert (peer["receive"]["out"], peer["receive"]["in"]) == (f"{provider}/{way[1]}", f"isp-a/{way[0]}")


def test_what_is_explained_is_what_comes(tmp_path):
    with Daemon("explain", database=new_database("explain"), policy="bridge") as daemon:
        daemon.upload_world()
        fill(daemon)
        me = address("isp-a", 1, 50)
        before = remembered(daemon)
        status, asked = ask(daemon, me, "&port=6881&left=1")
        assert status == 200, asked
        assert (asked["known"], asked["seeding"], asked["port"]) == (False, False, 6881)
        assert (asked["provider"], asked["place"]) == ("isp-a", "pid:isp-a/a-1")
        assert (asked["policy"], asked["control_group"]) == ("bridge", False)
        assert (asked["standing"]["seeds"], asked["standing"]["leechers"]) == (0, 6)
        assert (asked["standing"]["welcome"], asked["standing"]["unwelcome"]) == (None, None)
        assert {p["lean_percent"] for p in asked["peers"]} == {0}
        check_peers(asked)
        near = {e for e in endpoints(asked["peers"]) if e.startswith(f"{NET}.1.")}
        assert len(near) == 5
        assert remembered(daemon) == before

        got = announce(daemon, me)
        assert {e for e in got if e.startswith(f"{NET}.1.")} == near
        status, again = ask(daemon, me)
        assert again["known"] and again["port"] == 6881
        assert endpoints(again["peers"]) >= got
        reasons = {f"{p['address']}:{p['port']}": p["reason"] for p in again["peers"]}
        far = got - near
        assert far and all(reasons[e] == "met before" for e in far), reasons
        print(collections.Counter(reasons.values()))

        table = ctl(daemon, "explain", SWARM.hex(), me)
        print(table)
        assert f"client    {me}:6881, a leecher, in the swarm\n" in table
        assert "provider  isp-a\n" in table and "policy    bridge\n" in table
        assert "at home   0 seeds, 6 leechers, for " in table
        for endpoint, reason in reasons.items():
            assert any(line.startswith(endpoint + " ") and line.rstrip().endswith(reason)
                       for line in table.splitlines()), (endpoint, reason)
        assert ctl(daemon, "explain", SWARM.hex(), me, "--port", "7", "--json").startswith('{"address"')


@pytest.mark.skipif(not ALL, reason="three minutes; P4PD_TEST_ALL=1 runs it")
def test_who_gets_nothing_meets_more(tmp_path):
    """Two contacts; after three minutes in which they bring nothing, four. Then they do, and it is over."""
    with Daemon("explain-starved", database=new_database("explain_starved"), policy="bridge", peer_timeout=1800,
                bridge_contacts_free=200) as daemon:
        daemon.upload_world()
        for i in range(1, 40):
            announce(daemon, address("isp-b", 1, i))
        for i in range(1, 20):
            announce(daemon, address("isp-a", 1, i))
        me = address("isp-a", 1, 50)
        announce(daemon, me)
        met = {e for e in announce(daemon, me) if not e.startswith(f"{NET}.1.")}
        assert len(met) == 2 and not ask(daemon, me)[1]["standing"]["starved"]
        time.sleep(181)
        more = {e for e in announce(daemon, me) if not e.startswith(f"{NET}.1.")}
        assert len(more) == 4 and met < more
        status, asked = ask(daemon, me)
        assert asked["standing"]["starved"] and asked["standing"]["seconds"] >= 181
        assert "starved   got less than a quarter" in ctl(daemon, "explain", SWARM.hex(), me)
        time.sleep(31)
        announce(daemon, me, downloaded=1 << 30)
        assert not ask(daemon, me)[1]["standing"]["starved"]
        assert "starved" not in ctl(daemon, "explain", SWARM.hex(), me)


def test_who_may_ask_and_what_is_wrong(tmp_path):
    with Daemon("explain-who", database=new_database("explain_who"), policy="bridge") as daemon:
        daemon.upload_world()
        fill(daemon)
        me, swarm = address("isp-a", 1, 1), SWARM.hex()
        own, other = token_for(daemon, "operator", "isp-a"), token_for(daemon, "operator", "isp-b")
        status, seen = ask(daemon, me, "&left=1", token=own)
        text = json.dumps(seen)
        assert status == 200 and '"provider:isp-b"' in text and '"provider:isp-c"' in text, text
        assert '"isp-a/a-t"' in text  # its own egress
        for others in ("isp-b/", "isp-c/"):
            assert others not in text, text
        assert ask(daemon, me, token=other)[0] == 403
        assert ask(daemon, "192.0.2.1", token=own)[0] == 403  # nobody's
        assert ask(daemon, me, token=token_for(daemon, "analyst", "isp-a"))[0] == 403
        assert ask(daemon, me, swarm="00" * 20)[0] == 404
        for words, expect, part in (
                ((swarm, "10.1.1"), REFUSED, '"10.1.1" is no IPv4 or IPv6 address'),
                ((swarm[1:], me), REFUSED, f'"{swarm[1:]}" is none; one has 40 hexadecimal digits'),
                (("00" * 20, me), REFUSED, "nobody is in this swarm"),
                ((swarm, me, "--port", "70000"), REFUSED, "port: at most 65535"),
                ((swarm,), USAGE, "usage: p4pctl explain SWARM ADDRESS")):
            assert part in ctl(daemon, "explain", *words, expect=expect)
        assert "clients of isp-b only" in ctl(daemon, "explain", swarm, me, expect=AWAY, token=other)
        table = ctl(daemon, "explain", swarm, "fd00:1:1::7")  # the other family of this swarm is empty
        assert "not in the swarm: as a newcomer" in table and "no peers" in table
