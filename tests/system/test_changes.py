# SPDX-License-Identifier: Apache-2.0
"""The life of a map: drafts and second persons, two operators racing, activation over a restart, roll back at
night, and a change that is taken back by itself because peers got lost.
"""
import hashlib
import json
import os
import subprocess
import threading
import time
import urllib.parse

import pytest

from house import NET, SLOW, Daemon, address, new_database, topology, wait_for
from tracker import http_get

A = "/v1/providers/isp-a"
P4PCTL = os.environ.get("P4PCTL", "build/tools/p4pctl/p4pctl")
HASH = hashlib.sha1(b"changes").digest()


@pytest.fixture(scope="module")
def daemon():
    with Daemon("changes", database=new_database("changes")) as d:
        d.upload_world()
        yield d


def token(daemon, name, role):
    status, reply = daemon.api("POST", "/v1/tokens", {"name": name, "role": role, "provider": "isp-a"})
    assert status == 201, reply
    return reply["token"]


def version(weight, **changes):
    """A topology of isp-a that differs in a link's weight."""
    document = topology("isp-a", **changes)
    document["links"][0]["weight"] = weight
    return document


def draft(daemon, document, **more):
    status, reply = daemon.api("PUT", A + "/topology?draft=1&source=a.json", document, **more)
    assert status == 201 and reply["state"] == "draft", reply
    return reply["version"]


def versions(daemon):
    return {v["version"]: v for v in daemon.api("GET", A + "/versions")[1]["versions"]}


def in_force(daemon):
    return next(v["version"] for v in versions(daemon).values() if v["in_force"] and v["kind"] == "topology")


def activate(daemon, number, query="", **more):
    return daemon.api("POST", f"{A}/versions/{number}/activate{query}", **more)


def ctl(daemon, *words, code=0, bearer=None):
    done = subprocess.run([P4PCTL, *words], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "P4PD_URL": daemon.url, "P4PD_TOKEN": bearer or daemon.token})
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return done.stdout + done.stderr


def test_two_operators_never_overwrite_each_other(daemon):
    before = in_force(daemon)
    numbers = [draft(daemon, version(100 + i)) for i in range(8)]
    start, answers = threading.Barrier(len(numbers)), {}

    def race(number):
        start.wait()
        answers[number] = activate(daemon, number, headers={"If-Match": f'"{before}"'})

    racers = [threading.Thread(target=race, args=(n,)) for n in numbers]
    for r in racers:
        r.start()
    for r in racers:
        r.join()
    assert sorted(status for status, _ in answers.values()) == [200] + [412] * 7, answers
    winner = next(n for n, (status, _) in answers.items() if status == 200)
    assert in_force(daemon) == winner
    for status, reply in answers.values():
        assert status == 200 or f"now it is topology version {winner}: look at that" in reply["detail"], reply
    now = versions(daemon)
    assert all(now[n]["state"] == "draft" and now[n]["source"] == "a.json" for n in numbers if n != winner)
    assert now[before]["state"] == "superseded"


def test_an_author_cannot_approve_and_nobody_forces_past_it(daemon):
    alice, bob = token(daemon, "alice", "operator"), token(daemon, "bob", "approver")
    assert daemon.api("PUT", A + "/settings", {"approvals": 1, "watch_seconds": 0}, token=alice)[0] == 200
    status, reply = daemon.api("PUT", A + "/topology", version(200), token=alice)
    assert status == 409 and reply["faults"][0]["code"] == "approval", reply
    number = draft(daemon, version(200), token=alice)
    assert activate(daemon, number, "?force=1", token=alice)[0] == 409
    assert daemon.api("POST", f"{A}/versions/{number}/approve", token=alice)[0] == 403
    assert daemon.api("POST", f"{A}/versions/{number}/approve", token=bob)[0] == 204
    assert versions(daemon)[number]["state"] == "approved"
    status, reply = activate(daemon, number, token=alice)
    assert status == 200 and reply["watched_until"] is None, reply
    assert daemon.api("PUT", A + "/settings", {"approvals": 0}, token=alice)[0] == 403
    assert daemon.api("PUT", A + "/settings", {"approvals": 0})[0] == 200
    status, reply = daemon.api("PUT", A + "/settings", {"approvals": 1}, headers={"If-Match": '"1"'})
    assert status == 412 and "now it is version 2 of the settings" in reply["detail"], reply


def test_guards_name_their_numbers_and_can_be_forced(daemon):
    gone = version(300)
    gone["interconnects"] = [i for i in gone["interconnects"] if i["id"] != "a-b"]
    one, two = gone["pids"][:2]
    one["prefixes"], two["prefixes"] = two["prefixes"], one["prefixes"]
    number = draft(daemon, gone)
    status, reply = activate(daemon, number)
    assert status == 409, reply
    assert [f["code"] for f in reply["faults"]] == ["guard-prefixes", "guard-interconnect"], reply
    assert activate(daemon, number, "?force=1&watch=0")[0] == 200
    status, reply = daemon.api("POST", A + "/rollback?reason=at%20night")
    assert status == 200 and in_force(daemon) != number, reply
    assert reply["warnings"] == [], reply  # what moved moves back
    assert versions(daemon)[number]["state"] == "rolled back"
    assert versions(daemon)[number]["rolled_back_because"] == "at night"


def test_topology_and_costs_change_in_one_instant(daemon):
    new = version(400)
    new["links"].append({"id": "a12", "a": "a-1", "b": "a-2", "capacity_mbps": 1000})
    both, before = draft(daemon, new), in_force(daemon)
    costs = {"format": "p4p-costs/1", "provider": "isp-a", "pid_costs": {"a-1": {"a-2": 3}}}
    status, reply = daemon.api("PUT", A + "/costs?draft=1", costs)
    assert status == 201, reply
    other = reply["version"]
    assert activate(daemon, both, f"?with={other}", headers={"If-Match": f'"{in_force(daemon)}"'})[0] == 412
    status, reply = activate(daemon, both, f"?with={other}&watch=0",
                             headers={"If-Match": f'"{in_force(daemon)}", "0"'})
    assert status == 200 and reply["also"] == other, reply
    assert {n for n, v in versions(daemon).items() if v["in_force"]} == {both, other}
    detail = daemon.api("PUT", A + "/costs?draft=1", costs, headers={"If-Match": '"0"'})[1]["detail"]
    assert all(f"{kind} version {n}" in detail for kind, n in (("topology", both), ("costs", other))), detail
    out = ctl(daemon, "rollback", "isp-a")  # there were no costs before
    now = versions(daemon)
    assert f"versions {before} (topology) and {max(now)} (costs) are in force" in out
    assert now[before]["in_force"] and now[both]["state"] == now[other]["state"] == "rolled back", out
    none = next(v for v in now.values() if v["in_force"] and v["kind"] == "costs")
    assert none["source"] == f"no costs, as before version {other}"
    assert daemon.api("GET", A + "/costs")[1] == {"format": "p4p-costs/1", "provider": "isp-a"}


def test_a_plan_is_applied_and_rolled_back_from_a_terminal(daemon, tmp_path):
    file = tmp_path / "a.json"
    before = in_force(daemon)
    file.write_text(json.dumps(daemon.api("GET", A + "/topology")[1], separators=(",", ":")))
    out = ctl(daemon, "plan", str(file), code=4)  # other bytes of the same map are a version too
    assert f"over version {before} it would change" in out, out
    new = version(700)
    new["pids"][1]["access"] = "fiber"
    file.write_text(json.dumps(new))
    out = ctl(daemon, "plan", str(file), code=4)
    assert "\x1b" not in out and "access" in out and "fiber" in out, out
    words = out.splitlines()[-1].split("p4pctl ")[1].split()
    out = ctl(daemon, *words)
    assert "is in force" in out and "watched until" in out, out
    assert "412" in ctl(daemon, *words, code=1)  # it was over `before`, which is in force no more
    number = words[-1]
    assert in_force(daemon) == int(number)
    assert "this very document is in force" in ctl(daemon, "plan", str(file))
    ctl(daemon, "plan", "/dev/null", code=2)
    assert json.loads(ctl(daemon, "show", "isp-a", number, "--json"))["source"] == str(file)
    assert "in force" in ctl(daemon, "show", "isp-a", number)
    ctl(daemon, "rollback", "isp-a", "--comment", "at night")
    assert in_force(daemon) == before
    assert "rolled back  at night" in ctl(daemon, "show", "isp-a", number)
    assert f"{number}  topology  rolled back" in ctl(daemon, "history", "isp-a")
    new["links"][0]["weight"] = 701
    file.write_text(json.dumps(new))
    assert daemon.api("PUT", A + "/settings", {"watch_seconds": 0})[0] == 200
    out = ctl(daemon, "apply", "--wait", "--at", str(int(time.time() + 4 * SLOW)), str(file))
    assert "is scheduled" in out and "in force" in out.splitlines()[1], out
    ctl(daemon, "cancel", "isp-a", number, code=1)
    assert ctl(daemon, "approve", "isp-a", "1", code=3)  # its author


def test_a_plan_says_what_must_be_done_first(daemon, tmp_path):
    file, before = tmp_path / "a.json", in_force(daemon)
    document = version(750)
    one, two = document["pids"][:2]
    one["prefixes"], two["prefixes"] = two["prefixes"], one["prefixes"]
    file.write_text(json.dumps(document))
    approver = token(daemon, "dora", "approver")
    assert daemon.api("PUT", A + "/settings", {"approvals": 1, "watch_seconds": 0})[0] == 200
    first, force, last = ctl(daemon, "plan", str(file), code=4).splitlines()[-3:]
    approve, apply = (line.split("p4pctl ")[1].split() for line in (first, last))
    number = apply[-1]
    assert first.startswith("first somebody else") and approve == ["approve", "isp-a", number], first
    assert "guards refuse it unless --force" in force, force
    assert apply == ["apply", "--force", "--over", str(before), "isp-a", number]
    assert "approval" in ctl(daemon, *apply, code=1)
    ctl(daemon, *approve, bearer=approver)
    assert "must approve" not in ctl(daemon, "plan", str(file), code=4)
    assert "is in force" in ctl(daemon, *apply)
    ctl(daemon, "rollback", "isp-a")
    assert daemon.api("PUT", A + "/settings", {"approvals": 0})[0] == 200
    assert in_force(daemon) == before


def test_settings_change_one_by_one(daemon):
    assert "approvals      0\n" in ctl(daemon, "settings", "show", "isp-b")
    out = ctl(daemon, "settings", "set", "isp-b", "watch_points=7", "guards=refuse")
    assert "guards         refuse\n" in out and "watch_points   7\n" in out
    assert "watch_points   7\n" in ctl(daemon, "settings", "set", "isp-b", "approvals=1")
    assert "there are approvals, guards" in ctl(daemon, "settings", "set", "isp-b", "aprovals=1", code=1)
    assert "no NAME=VALUE" in ctl(daemon, "settings", "set", "isp-b", "approvals", code=2)
    assert "/watch_points" in ctl(daemon, "settings", "set", "isp-b", "watch_points=many", code=1)
    kept = json.loads(ctl(daemon, "settings", "show", "isp-b", "--json"))
    assert kept == {"approvals": 1, "guards": "refuse", "watch_seconds": 1800, "watch_points": 7}


def test_versions_come_in_pages_and_p4pctl_turns_them(daemon):
    for i in range(101):
        document = topology("isp-b", pids=[{"pid": f"b-{i}", "prefixes": [f"{NET}.2.1.0/24"]}], interconnects=[],
                            links=[])
        assert daemon.api("PUT", "/v1/providers/isp-b/topology?draft=1", document)[0] == 201
    path, seen, before = "/v1/providers/isp-b/versions?limit=40", [], ""
    while before is not None:
        status, page = daemon.api("GET", path + before)
        assert status == 200 and 0 < len(page["versions"]) <= 40, page
        seen += [v["version"] for v in page["versions"]]
        before = page["next"] and f"&before={page['next']}"
    assert len(seen) == 102 and seen == sorted(set(seen), reverse=True)
    assert len(daemon.api("GET", "/v1/providers/isp-b/versions")[1]["versions"]) == 102
    assert daemon.api("GET", "/v1/providers/isp-b/versions?limit=0")[0] == 400
    for words in (("history",), ("versions",)):
        assert len(ctl(daemon, *words, "isp-b").splitlines()) == 103  # and a head
    assert [v["version"] for v in json.loads(ctl(daemon, "history", "isp-b", "--json"))["versions"]] == seen
    assert "version      1 (topology), in force" in ctl(daemon, "show", "isp-b", "1")


def test_a_scheduled_activation_outlives_a_restart(daemon):
    before, number, late = in_force(daemon), draft(daemon, version(500)), draft(daemon, version(501))
    at = int(time.time() + 6 * SLOW)
    expected = {"If-Match": f'"{before}"'}
    assert activate(daemon, number, f"?at={at}&watch=0", headers=expected)[0] == 202
    assert activate(daemon, number, f"?at={at}")[0] == 409  # it waits already
    assert activate(daemon, late, f"?at={at + 1}", headers=expected)[0] == 202
    assert versions(daemon)[number]["state"] == "scheduled"
    daemon.kill()
    daemon.start()
    wait_for("it is in force at its time", 30, lambda: in_force(daemon) == number)
    assert time.time() >= at
    wait_for("the later one finds something else in force", 20,
             lambda: versions(daemon)[late]["scheduled"]["state"] == "failed")
    assert "no longer" in versions(daemon)[late]["scheduled"]["reason"]
    wait_for("an alarm tells", 40, lambda: any(
        a["rule"] == "map-change" for a in daemon.api("GET", "/v1/alarms")[1]["alarms"]))
    again = draft(daemon, version(502))
    assert activate(daemon, again, f"?at={int(time.time()) + 3600}")[0] == 202
    assert daemon.api("DELETE", f"{A}/versions/{again}/activate")[0] == 204
    assert versions(daemon)[again]["state"] == "draft"


def test_what_a_revoked_token_scheduled_does_not_come_into_force(daemon):
    before, carol = in_force(daemon), token(daemon, "carol", "operator")
    number = draft(daemon, version(550))
    at = int(time.time() + 2 * SLOW)
    assert activate(daemon, number, f"?at={at}", token=carol)[0] == 202
    assert daemon.api("DELETE", "/v1/tokens/carol")[0] == 204
    plan = wait_for("it is given up", 20, lambda: (lambda s: s["state"] == "failed" and s)(
        versions(daemon)[number]["scheduled"]))
    assert "the token carol, which scheduled it, was revoked" in plan["reason"], plan
    assert in_force(daemon) == before and versions(daemon)[number]["state"] == "draft"
    assert "it failed    the token carol" in ctl(daemon, "show", "isp-a", str(number))
    failed = [e for e in daemon.api("GET", "/v1/audit")[1]["audit"] if e["action"] == "schedule-failed"]
    assert any("was revoked; somebody who may do so must schedule it again" in e["subject"] for e in failed), failed


def test_a_change_that_loses_peers_among_many_strangers_is_taken_back(daemon):
    # thirty of isp-a are 4 % of those whom it or nobody has
    everybody = [address("isp-a", 1, 1 + i) for i in range(30)] + [
        f"{NET}.77.{i // 250}.{1 + i % 250}" for i in range(750)]
    for i, ip in enumerate(everybody):
        http_get((f"{NET}.9.9.9", daemon.tracker_port),
                 "/announce?info_hash=" + urllib.parse.quote(HASH, safe="") + f"&peer_id=-XX0000-{i:012}" +
                 "&port=20000&uploaded=0&downloaded=0&left=0&compact=1", ip)
    before = in_force(daemon)
    lost = version(600)
    lost["pids"][0]["prefixes"] = lost["pids"][0]["prefixes"][1:]
    number = draft(daemon, lost)
    status, reply = activate(daemon, number)
    assert status == 409 and "guard-peers" in {f["code"] for f in reply["faults"]}, reply
    status, reply = activate(daemon, number, "?force=1&watch=60")
    assert status == 200 and reply["watched_until"] is not None, reply
    wait_for("it is rolled back", 30, lambda: in_force(daemon) == before)
    v = versions(daemon)[number]
    assert (v["state"], v["watch"]["state"]) == ("rolled back", "breached"), v
    why = "100.0 percent of the live peers in PIDs of the map before are in none now (30 of 30)"
    assert why in v["rolled_back_because"]
    deeds = daemon.api("GET", "/v1/audit")[1]["audit"]
    assert any((e["author"], e["action"]) == ("p4pd", "rollback") and why in e["subject"] for e in deeds)
    assert why in ctl(daemon, "show", "isp-a", str(number))
