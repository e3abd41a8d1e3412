# SPDX-License-Identifier: Apache-2.0
"""What a map would change, told before it comes into force, beside what is true: peers that have announced, bytes
that they have reported, and the lists of the documents themselves.
"""
import hashlib
import json
import os
import re
import subprocess
import urllib.parse

import pytest

from house import NET, Daemon, address, new_database, topology, wait_booked
from tracker import http_get

BIN = 5
SIZE = 40_000_000
HASH = hashlib.sha1(b"plan").digest()
SEEDS = [address("isp-c", 1, 1 + i) for i in range(3)] + [address("isp-a", 2, 1)]
P4PCTL = os.environ.get("P4PCTL", "build/tools/p4pctl/p4pctl")
LEECHERS = [address("isp-a", 1, 10 + i) for i in range(6)]


def announce(daemon, ip, **say):
    query = {"port": 20000, "uploaded": 0, "downloaded": 0, "left": 0, "compact": 1, "numwant": 20, **say}
    path = ("/announce?info_hash=" + urllib.parse.quote(HASH, safe="") + "&peer_id=" +
            urllib.parse.quote(hashlib.sha1(ip.encode()).digest(), safe="") + "&" + urllib.parse.urlencode(query))
    return http_get((f"{NET}.9.9.9", daemon.tracker_port), path, ip)


@pytest.fixture(scope="module")
def ran():
    """A daemon with bytes of a bin in its database, and peers that are still there."""
    with Daemon("plan", database=new_database("plan"), bin_seconds=BIN, policy="native", max_peer_mbps=100000) as daemon:
        daemon.upload_world()
        for ip in SEEDS:
            announce(daemon, ip, event="started")
        for ip in LEECHERS:
            announce(daemon, ip, event="started", left=SIZE)
        for ip in SEEDS:
            announce(daemon, ip, uploaded=SIZE * len(LEECHERS) // len(SEEDS))
        for ip in LEECHERS:
            announce(daemon, ip, downloaded=SIZE, event="completed")
        wait_booked(daemon)
        yield daemon


def changed():
    """isp-a with what was a-1's IPv4 in a-2, a better way to isp-c, and a slower subscriber line."""
    new = topology("isp-a")
    a1, a2, _ = new["pids"]
    a2["prefixes"].append(a1["prefixes"].pop(0))
    a2["subscriber_up_mbps"] = 0.5
    new["interconnects"][0]["capacity_mbps"] = 5000
    new["interconnects"].append({"id": "a-c", "pid": "a-core", "neighbor_asn": 64503, "relation": "settlement-free"})
    return new


def try_out(daemon, document, query=""):
    status, answer = daemon.api("PUT", f"/v1/providers/{document['provider']}/topology?dry_run=1{query}", document)
    assert status == 200, answer
    return answer


def book(daemon, provider):
    """{(direction, interconnect or None): bytes} of what is booked."""
    rows = daemon.api("GET", f"/v1/reports/matrix?level=interconnect&provider={provider}")[1]["rows"]
    return {(r["direction"], r["interconnect"]): r["bytes"] for r in rows}


def test_a_dry_run_names_what_moves_and_what_changes(ran):
    impact = try_out(ran, changed())["impact"]
    assert impact["moves"] == {"rows": [{"from": "a-1", "to": "a-2", "prefixes": 1, "ipv4_addresses": 256,
                                         "ipv6_networks": 0, "examples": [f"{NET}.1.1.0/24"]}],
                               "more": 0, "ipv4_addresses": 256, "ipv6_networks": 0}
    assert impact["pids"]["rows"] == [{"change": "changed", "pid": "a-2", "members": [
        {"member": "subscriber_up_mbps", "old": None, "new": 0.5}]}]
    assert impact["links"] == {"rows": [], "more": 0}
    added, slower = impact["interconnects"]["rows"]
    assert (added["change"], added["interconnect"]) == ("added", "a-c")
    assert {"member": "neighbor_asn", "old": None, "new": 64503} in added["members"]
    assert slower == {"change": "changed", "interconnect": "a-t", "members": [
        {"member": "capacity_mbps", "old": 10000, "new": 5000}]}


def test_a_dry_run_counts_live_peers_and_guards_them(ran):
    answer = try_out(ran, changed())
    live = answer["impact"]["live"]
    assert (live["peers"], live["moved"]) == (7, 6)
    assert live["moved_percent"] == pytest.approx(600 / 7, abs=.01)
    assert (live["default_before"], live["default_after"]) == (0, 0)
    assert "guard-peers" in [w["code"] for w in answer["warnings"]]
    without = topology("isp-a")
    without["pids"][0]["prefixes"].pop(0)
    answer = try_out(ran, without)
    assert answer["impact"]["live"]["default_after"] == 6
    assert "guard-default" in [w["code"] for w in answer["warnings"]]
    assert try_out(ran, topology("isp-a"))["impact"]["live"]["moved"] == 0


def test_a_dry_run_replays_the_last_day_under_the_new_map(ran):
    booked = book(ran, "isp-a")
    got = try_out(ran, changed())["impact"]["bytes"]
    before, after = got["before"], got["after"]
    links = {r["interconnect"]: (r["before"], r["after"]) for r in got["interconnects"]}
    assert got["all"] == sum(booked.values()) > 0 and got["unplaced"] == 0
    assert before["local_bytes"] == booked.get(("inside", None), 0)
    assert links["a-t"][0]["in_bytes"] == booked["in", "a-t"] > 0
    assert links["a-c"] == (None, {"out_bytes": 0, "in_bytes": booked["in", "a-t"], "ratio": 0})
    assert links["a-t"][1] == {"out_bytes": 0, "in_bytes": 0, "ratio": None}
    assert after["local_share"] == before["local_share"]
    assert after["cost"] == pytest.approx(before["cost"] / 10)
    assert got["changed"] == got["all"]  # every byte ends at a client that moves
    same = try_out(ran, topology("isp-a"))["impact"]["bytes"]
    assert same["changed"] == 0 and same["before"] == same["after"]


def test_a_plan_tells_the_same_of_a_stored_version(ran):
    assert ran.api("PUT", "/v1/providers/isp-a/topology", changed())[0] == 201
    versions = ran.api("GET", "/v1/providers/isp-a/versions")[1]["versions"]
    first = min(v["version"] for v in versions if v["kind"] == "topology")
    status, back = ran.api("GET", f"/v1/providers/isp-a/versions/{first}/plan?limit=1")
    assert status == 200 and back["version"] == first
    assert back["impact"]["moves"]["rows"][0]["to"] == "a-1"
    assert back["impact"]["live"]["moved"] == 6
    assert [len(back["impact"]["interconnects"]["rows"]), back["impact"]["interconnects"]["more"]] == [1, 1]
    assert "guard-interconnect" in [w["code"] for w in back["warnings"]]
    assert ran.api("GET", "/v1/providers/isp-a/versions/99999/plan")[0] == 404
    assert ran.api("GET", f"/v1/providers/isp-a/versions/{first}/plan?limit=10001")[0] == 400
    assert ran.api("POST", f"/v1/providers/isp-a/versions/{first}/activate")[0] == 200


def test_a_plan_of_topology_and_costs_shows_both(ran, tmp_path):
    costs = {"format": "p4p-costs/1", "provider": "isp-a", "interconnect_costs": {"a-t": {"out": 3, "in": 3}}}
    files = []
    for name, document in (("map.json", changed()), ("costs.json", costs)):
        (tmp_path / name).write_text(json.dumps(document))
        files.append(str(tmp_path / name))
    done = subprocess.run([P4PCTL, "--url", ran.url, "plan", *files], capture_output=True, text=True,
                          env={**os.environ, "P4PD_TOKEN": ran.token})
    assert done.returncode == 4, done
    numbers = re.search(r"versions (\d+) and (\d+) are drafts; together they would change", done.stdout).groups()
    assert "a-1 -> a-2" in done.stdout and "a-t" in done.stdout and "cost" in done.stdout
    assert f"p4pctl apply --force --with {numbers[1]} isp-a {numbers[0]}" in done.stdout
    status, plan = ran.api("GET", f"/v1/providers/isp-a/versions/{numbers[0]}/plan?with={numbers[1]}")
    assert status == 200 and [plan["version"], plan["also"]] == [int(n) for n in numbers]
    assert plan["impact"]["moves"]["rows"] and plan["changes"]["costs_changed"] == 2, plan
    assert [r["from"] for r in plan["impact"]["costs"]["rows"]] == ["a-t", "a-t"]
    assert ran.api("GET", f"/v1/providers/isp-a/versions/{numbers[0]}/plan?with={numbers[0]}")[0] == 422
    assert ran.api("GET", f"/v1/providers/isp-a/versions/{numbers[0]}/plan?with=99999")[0] == 404
    assert ran.api("GET", f"/v1/providers/isp-a/versions/{numbers[0]}/plan?with=0")[0] == 400
    assert ran.api("GET", "/v1/providers/isp-a/versions?before=0")[0] == 400
    assert ran.api("POST", "/v1/providers/isp-a/rollback?to=0")[0] == 400


def test_what_is_not_known_is_null_with_a_reason(ran):
    impact = try_out(ran, dict(topology("isp-b"), provider="isp-n", asns=[64777], interconnects=[],
                               pids=[{"pid": "n", "prefixes": ["192.0.2.0/24"]}], links=[]))["impact"]
    assert impact["live"] is None and "no peer" in impact["live_missing"]
    assert impact["bytes"] is None and "no bytes" in impact["bytes_missing"]
    status, answer = ran.api("PUT", "/v1/providers/isp-a/costs?dry_run=1", {
        "format": "p4p-costs/1", "provider": "isp-a", "pid_costs": {"a-1": {"a-2": 7}},
        "interconnect_costs": {"a-t": {"out": 50, "in": 200}}})
    assert status == 200
    impact = answer["impact"]
    assert [(r["from"], r["to"], r["members"][0]["new"]) for r in impact["costs"]["rows"]] == [
        ("a-1", "a-2", 7), ("a-t", "/in", 200), ("a-t", "/out", 50)]
    assert impact["live"] is None and "costs move nobody" in impact["live_missing"]
    assert impact["bytes"]["after"]["cost"] == pytest.approx(2 * impact["bytes"]["before"]["cost"])


def test_p4pctl_prints_it_for_people(ran, tmp_path):
    file = tmp_path / "map.json"
    file.write_text(json.dumps(changed()))
    shown = subprocess.run([P4PCTL, "--url", ran.url, "topology", "check", str(file)], capture_output=True, text=True,
                           env={**os.environ, "P4PD_TOKEN": ran.token}).stdout
    assert "a-1 -> a-2" in shown and "256" in shown and f"{NET}.1.1.0/24" in shown
    assert "+ interconnect a-c" in shown and "capacity_mbps: 10000 -> 5000" in shown
    assert "6 of 7" in shown and "local share" in shown
