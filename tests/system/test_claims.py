# SPDX-License-Identifier: Apache-2.0
"""Who may claim which prefix: hijacks, the unknown, bound ASNs, delegations, and files of VRPs that are broken,
old, or replaced while the daemon runs."""
import json
import os
import signal
import subprocess
import time
import urllib.parse

import pytest

from house import Daemon, new_database, PROVIDERS, topology, wait_for

A = PROVIDERS["isp-a"]
CUSTOMER = 64800


def roa(prefix, asn, **more):
    return {"asn": f"AS{asn}", "prefix": prefix, "maxLength": int(prefix.split("/")[1]), "ta": "ripe", **more}


def vrps(*roas, **metadata):
    return json.dumps({"metadata": {"generated": int(time.time()), **metadata}, "roas": list(roas)})


KNOWN = roa("20.0.0.0/8", A), roa("30.0.0.0/8", PROVIDERS["isp-b"]), roa("2400::/32", A), roa("31.0.0.0/8", CUSTOMER)


def claim(*prefixes, asns=None):
    """A map of isp-a with these prefixes."""
    return topology("isp-a", asns=asns or [A], pids=[{"pid": "a-core", "prefixes": list(prefixes)}], links=[])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "vrps.json"

    def write(text):
        (tmp_path / "new").write_text(text)
        (tmp_path / "new").rename(path)
    write(vrps(*KNOWN))
    return type("File", (), {"path": path, "write": staticmethod(write)})


@pytest.fixture
def daemon(file):
    with Daemon("claims", database=new_database("claims"), rpki_file=file.path, unknown_prefixes="delegated") as d:
        yield d


def put(daemon, document, query="", token=None):
    """(status, [kind], the answer)"""
    status, answer = daemon.api("PUT", f"/v1/providers/isp-a/topology{query}", document, token=token)
    found = answer.get("faults", []) if isinstance(answer, dict) else []
    return status, [(f["code"], f["where"]) for f in found], answer


def bind(daemon, *asns):
    assert daemon.api("PUT", "/v1/providers/isp-a/asns", {"asns": list(asns)})[0] == 200


def test_a_hijack_is_refused_and_the_roa_named(daemon):
    bind(daemon, A)
    assert put(daemon, claim("20.1.0.0/16", "2400::/48"))[0] == 201
    status, found, answer = put(daemon, claim("20.1.0.0/16", "30.1.0.0/16", "2401::/48"))
    assert (status, found) == (422, [("rpki-invalid", "/pids/0/prefixes/1"), ("rpki-unknown", "/pids/0/prefixes/2")])
    assert f"30.0.0.0/8 (max length 8, AS{PROVIDERS['isp-b']}, ripe)" in answer["faults"][0]["text"]
    # All is as it was.
    assert daemon.api("GET", "/v1/providers/isp-a/topology")[1] == claim("20.1.0.0/16", "2400::/48")
    # Neither does a prefix help that holds another's.
    assert put(daemon, claim("28.0.0.0/6"), "?dry_run=1")[1] == [("rpki-invalid", "/pids/0/prefixes/0")]


def test_thousands_of_hijacks_are_a_bounded_answer(daemon):
    bind(daemon, A)
    status, found, answer = put(daemon, claim(*(f"30.{i // 256}.{i % 256}.0/24" for i in range(5000))))
    assert (status, len(found)) == (422, 100)
    assert "4900" in json.dumps(answer)


def test_asns_are_the_admins_word(daemon):
    assert put(daemon, claim("20.1.0.0/16"))[0] == 201  # believed, so far
    warnings = put(daemon, claim("20.1.0.0/16"), "?dry_run=1")[2]["warnings"]
    assert "unbound" in [w["code"] for w in warnings]
    bind(daemon, A)
    status, found, _ = put(daemon, claim("31.1.0.0/16", asns=[A, CUSTOMER]))
    assert (status, found) == (422, [("not-bound", "/asns/1"), ("rpki-invalid", "/pids/0/prefixes/0")])
    bind(daemon, A, CUSTOMER)
    assert put(daemon, claim("31.1.0.0/16", asns=[A, CUSTOMER]))[0] == 201


def test_who_is_no_admin_binds_and_delegates_nothing(daemon):
    _, made = daemon.api("POST", "/v1/tokens", {"name": "op", "role": "operator", "provider": "isp-a"})
    op = made["token"]
    prefix = urllib.parse.quote("50.0.0.0/8", safe="")
    assert daemon.api("PUT", "/v1/providers/isp-a/asns", {"asns": [1]}, token=op)[0] == 403
    assert daemon.api("PUT", f"/v1/delegations/isp-a/{prefix}", token=op)[0] == 403
    assert daemon.api("PUT", f"/v1/delegations/isp-b/{prefix}")[0] == 204
    assert daemon.api("GET", "/v1/delegations", token=op)[1] == {"delegations": []}  # another's is hidden
    assert daemon.api("GET", "/v1/providers/isp-a/asns", token=op)[1] == {"provider": "isp-a", "asns": []}
    assert daemon.api("GET", "/v1/providers/isp-b/asns", token=op)[0] == 403


def test_a_delegation_proves_what_rpki_does_not_know(daemon):
    bind(daemon, A)
    assert put(daemon, claim("50.1.0.0/16"))[1] == [("rpki-unknown", "/pids/0/prefixes/0")]
    prefix = urllib.parse.quote("50.0.0.0/8", safe="")
    assert daemon.api("PUT", f"/v1/delegations/isp-a/{prefix}")[0] == 204
    assert daemon.api("PUT", f"/v1/delegations/isp-b/{prefix}")[0] == 409
    assert put(daemon, claim("50.1.0.0/16"))[0] == 201
    first = daemon.api("GET", "/v1/providers/isp-a/versions")[1]["versions"][0]["version"]
    assert put(daemon, claim("20.1.0.0/16"))[0] == 201
    # Rights may have changed: to go back is an activation, and asks again.
    assert daemon.api("DELETE", f"/v1/delegations/isp-a/{prefix}")[0] == 204
    assert daemon.api("DELETE", f"/v1/delegations/isp-a/{prefix}")[0] == 404
    status, answer = daemon.api("POST", f"/v1/providers/isp-a/versions/{first}/activate")
    assert (status, answer["faults"][0]["code"]) == (422, "rpki-unknown")
    for bad in "50.0.0.0", "50.0.0.1/8", "50.0.0.0/33", "x":
        where = "/v1/delegations/isp-a/" + urllib.parse.quote(bad, safe="")
        assert daemon.api("PUT", where)[0] == 400, bad
    done = [e["action"] for e in daemon.api("GET", "/v1/audit")[1]["audit"]]
    assert {"asns-bind", "delegation-add", "delegation-remove"} <= set(done)


def test_a_broken_or_old_file_at_sighup_changes_nothing(daemon, file):
    bind(daemon, A)
    old = vrps(roa("20.0.0.0/8", PROVIDERS["isp-b"]), generated=int(time.time()) - 25 * 3600)
    expired = vrps(roa("20.0.0.0/8", PROVIDERS["isp-b"], expires=1000))
    for n, (text, why) in enumerate([('{"roas": [{"asn": 1, "pre', "ends early"), (old, "is 25 hours old"),
                                     (expired, "1 have expired"), ("", "ends early")], 1):
        file.write(text)
        daemon.signal(signal.SIGHUP)
        wait_for("the file to be refused", 10, lambda: daemon.metric("p4pd_rpki_refusals_total") == n)
        assert why in daemon.log_text()
        assert put(daemon, claim("20.1.0.0/16"), "?dry_run=1")[0] == 200
    assert daemon.metric("p4pd_rpki_vrps") == 4
    file.write(vrps(roa("20.0.0.0/8", PROVIDERS["isp-b"])))
    daemon.signal(signal.SIGHUP)
    wait_for("the new file", 10, lambda: daemon.metric("p4pd_rpki_vrps") == 1)
    assert put(daemon, claim("20.1.0.0/16"), "?dry_run=1")[1] == [("rpki-invalid", "/pids/0/prefixes/0")]
    file.write(vrps(*KNOWN, generated=int(time.time()) - 13 * 3600))
    wait_for("an alarm tells that the validator does not run", 40, lambda: any(
        a["rule"] == "rpki-old" and "made 13.0 hours ago" in a["text"]
        for a in daemon.api("GET", "/v1/alarms")[1]["alarms"]))


def test_a_map_in_force_stays_in_force(daemon, file):
    """A new file takes its prefix away: a warning, and no client is treated otherwise; after a restart, too."""
    assert put(daemon, claim("20.1.0.0/16"))[0] == 201
    file.write(vrps(roa("20.0.0.0/8", PROVIDERS["isp-b"])))
    wait_for("the file to be noticed", 30, lambda: "A map in force claims what it may not" in daemon.log_text())
    assert daemon.metric("p4pd_map_providers") == 1
    daemon.stop()
    daemon.start()
    assert daemon.metric("p4pd_map_providers") == 1


def test_p4pctl_binds_and_delegates(daemon):
    def ctl(*words):
        run = subprocess.run([os.environ["P4PCTL"], *words, "--url", daemon.url, "--token", daemon.token],
                             capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    assert ctl("provider", "bind", "isp-a", f"AS{A}", "64700") == (0, "isp-a: 2 ASNs bound\n")
    assert ctl("provider", "asns", "isp-a") == (0, f"{min(A, 64700)}\n{max(A, 64700)}\n")
    assert ctl("provider", "bind", "isp-a", "x")[0] == 2
    assert ctl("delegation", "add", "isp-a", "50.0.0.0/8", "2401::/32") == \
        (0, "50.0.0.0/8 is delegated to isp-a\n2401::/32 is delegated to isp-a\n")
    code, said = ctl("delegation", "add", "isp-b", "50.0.0.0/8")
    assert code == 1 and "another provider" in said
    listed = ctl("delegation", "list")[1].splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["50.0.0.0/8", "isp-a"], ["2401::/32", "isp-a"]]
    assert ctl("delegation", "remove", "isp-a", "50.0.0.0/8")[0] == 0
    assert ctl("provider", "unbind", "isp-a") == (0, "isp-a: 0 ASNs bound\n")
