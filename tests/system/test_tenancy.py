# SPDX-License-Identifier: Apache-2.0
"""Who may do what, route by route: every operation of schema/openapi.yaml has a row in TABLE, and every row is
asked with no token, with each role at its own provider, at another, at one that does not exist, and as admin.

Run under tests/support/with_postgres and with_network.
"""
import collections
import json
import pathlib
import re

import house
import pytest

ROLES = {"v": "viewer", "a": "analyst", "o": "operator", "p": "approver", "u": "auditor"}
VIEW, READ, SAMPLES, UPLOAD = "vaopu", "aopu", "ao", "o"
ACTIVATE, APPROVE, AUDIT, ADMIN = "op", "p", "u", ""
HASH = "0123456789abcdef0123456789abcdef01234567"

TABLE = {  # method, path: roles that may at their provider, and a body
    ("GET", "/v1/providers/{provider}/topology"): (VIEW, None),
    ("PUT", "/v1/providers/{provider}/topology"): (UPLOAD, {}),
    ("GET", "/v1/providers/{provider}/costs"): (VIEW, None),
    ("PUT", "/v1/providers/{provider}/costs"): (UPLOAD, {}),
    ("GET", "/v1/providers/{provider}/versions"): (VIEW, None),
    ("GET", "/v1/providers/{provider}/versions/{version}/plan"): (READ, None),
    ("POST", "/v1/providers/{provider}/versions/{version}/activate"): (ACTIVATE, {}),
    ("DELETE", "/v1/providers/{provider}/versions/{version}/activate"): (ACTIVATE, None),
    ("POST", "/v1/providers/{provider}/versions/{version}/approve"): (APPROVE, {}),
    ("POST", "/v1/providers/{provider}/rollback"): (ACTIVATE, {}),
    ("GET", "/v1/providers/{provider}/settings"): (VIEW, None),
    ("PUT", "/v1/providers/{provider}/settings"): (UPLOAD, {}),
    ("GET", "/v1/providers/{provider}/policies"): (READ, None),
    ("GET", "/v1/providers/{provider}/policies/{id}"): (READ, None),
    ("PUT", "/v1/providers/{provider}/policies/{id}"): (UPLOAD, {}),
    ("DELETE", "/v1/providers/{provider}/policies/{id}"): (UPLOAD, None),
    ("GET", "/v1/providers/{provider}/policies/{id}/versions"): (READ, None),
    ("GET", "/v1/providers/{provider}/contracts"): (READ, None),
    ("GET", "/v1/providers/{provider}/contracts/{id}"): (READ, None),
    ("PUT", "/v1/providers/{provider}/contracts/{id}"): (UPLOAD, {}),
    ("DELETE", "/v1/providers/{provider}/contracts/{id}"): (UPLOAD, None),
    ("GET", "/v1/providers/{provider}/contracts/{id}/versions"): (READ, None),
    ("GET", "/v1/providers/{provider}/asns"): (VIEW, None),
    ("PUT", "/v1/providers/{provider}/asns"): (ADMIN, {}),
    ("GET", "/v1/delegations"): (VIEW, None),
    ("PUT", "/v1/delegations/{provider}/{prefix}"): (ADMIN, None),
    ("DELETE", "/v1/delegations/{provider}/{prefix}"): (ADMIN, None),
    ("GET", "/v1/interconnects"): (VIEW, None),
    ("PUT", "/v1/interconnects/{provider}/{interconnect}"): (UPLOAD, {"ratio_limit": None}),
    ("GET", "/v1/links"): (VIEW, None),
    ("GET", "/v1/exporters"): (READ, None),
    ("GET", "/v1/reports/balance"): (VIEW, None),
    ("GET", "/v1/reports/contracts"): (READ, None),
    ("GET", "/v1/reports/policies"): (READ, None),
    ("GET", "/v1/reports/series"): (VIEW, None),
    ("GET", "/v1/reports/quality"): (VIEW, None),
    ("GET", "/v1/reports/steering"): (VIEW, None),
    ("GET", "/v1/reports/matrix"): (READ, None),
    ("GET", "/v1/reports/top"): (READ, None),
    ("GET", "/v1/statements"): (READ, None),
    ("POST", "/v1/statements"): (UPLOAD, {}),
    ("GET", "/v1/statements/{id}"): (READ, None),
    ("GET", "/v1/statements/{id}/verify"): (READ, None),
    ("POST", "/v1/samples"): (SAMPLES, []),
    ("GET", "/v1/tokens"): (ADMIN, None),
    ("POST", "/v1/tokens"): (ADMIN, {}),
    ("PATCH", "/v1/tokens/{name}"): (ADMIN, {}),
    ("DELETE", "/v1/tokens/{name}"): (ADMIN, None),
    ("POST", "/v1/tokens/{name}/rotate"): (ADMIN, {}),  # and the token itself: test_a_token_rotates_itself
    ("GET", "/v1/passkeys"): (ADMIN, None),
    ("POST", "/v1/passkeys"): (ADMIN, {}),
    ("DELETE", "/v1/passkeys/{name}"): (ADMIN, None),
    ("GET", "/v1/access"): (ADMIN, None),
    ("PUT", "/v1/access/{info_hash}"): (ADMIN, None),
    ("DELETE", "/v1/access/{info_hash}"): (ADMIN, None),
    ("GET", "/v1/denied"): (ADMIN, None),
    ("PUT", "/v1/denied/{info_hash}"): (ADMIN, None),
    ("DELETE", "/v1/denied/{info_hash}"): (ADMIN, None),
    ("GET", "/v1/denied-clients"): (ADMIN, None),
    ("PUT", "/v1/denied-clients/{prefix}"): (ADMIN, None),
    ("DELETE", "/v1/denied-clients/{prefix}"): (ADMIN, None),
    ("GET", "/v1/swarms"): (ADMIN, None),
    ("GET", "/v1/swarms/{info_hash}/explain"): (UPLOAD, None),
    ("GET", "/v1/alarms"): (READ, None),
    ("GET", "/v1/alarms/{id}/events"): (READ, None),
    ("POST", "/v1/alarms/{id}/ack"): (UPLOAD, None),
    ("POST", "/v1/alarms/{id}/mute"): (UPLOAD, {"seconds": 60}),
    ("GET", "/v1/alarm-rules"): (READ, None),
    ("PUT", "/v1/alarm-rules/{rule}"): (UPLOAD, {}),
    ("GET", "/v1/webhooks"): (ADMIN, None),
    ("PUT", "/v1/webhooks/{name}"): (ADMIN, {}),
    ("DELETE", "/v1/webhooks/{name}"): (ADMIN, None),
    ("POST", "/v1/webhooks/{name}/test"): (ADMIN, None),
    ("GET", "/v1/audit"): (AUDIT, None),
    ("GET", "/v1/audit/verify"): (AUDIT, None),
}
OPEN = {("GET", path) for path in ("/metrics", "/healthz", "/readyz", "/", "/{file}")}
PARTS = {"version": "1", "id": "none-such", "interconnect": "none-such", "name": "none-such", "info_hash": HASH,
         "prefix": "-XX", "rule": "none-such"}


def operations():
    """What the API offers, as its description says."""
    found, path = set(), None
    text = (pathlib.Path(__file__).parents[2] / "schema/openapi.yaml").read_text()
    for line in text.split("\ncomponents:")[0].splitlines():
        if match := re.fullmatch(r"  (/\S*):", line):
            path = match[1]
        elif match := re.fullmatch(r"    (get|put|post|patch|delete):", line):
            found.add((match[1].upper(), path))
    return found


def fill(path, provider):
    return re.sub(r"\{(\w+)\}", lambda m: PARTS.get(m[1], provider), path)


World = collections.namedtuple("World", "daemon tokens")


@pytest.fixture(scope="module")
def world():
    with house.Daemon("tenancy", database=house.new_database("tenancy")) as d:
        d.upload_world()
        tokens = {}
        for letter, role in ROLES.items():
            status, reply = d.api("POST", "/v1/tokens", {"name": role, "role": role, "provider": "isp-a"})
            assert status == 201, reply
            tokens[letter] = reply["token"]
        for name, prices in (("isp-a", "c-a"), ("isp-b", "secret-contract-b")):
            contract = {"format": "p4p-contract/1", "provider": name, "id": prices,
                        "interconnects": [f"{name[-1]}-t"], "model": "flat", "fee": "1000.00", "currency": "EUR"}
            d.api("PUT", f"/v1/providers/{name}/contracts/{prices}", contract)
        yield World(d, tokens)


def test_every_operation_has_a_row():
    assert operations() == set(TABLE) | OPEN


def test_without_a_token_there_is_nothing(world):
    for method, path in TABLE:
        for headers in ({}, {"Authorization": "Bearer p4pd_" + 64 * "0"}, {"Authorization": "Basic YTpi"}):
            status = ask_raw(world.daemon, method, fill(path, "isp-a"), headers)
            assert status in (401, 429), (method, path, headers, status)


def ask_raw(d, method, path, headers):
    import urllib.error
    import urllib.request
    request = urllib.request.Request(d.url + path, method=method, headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=30).status
    except urllib.error.HTTPError as error:
        return error.code


def test_each_role_may_what_its_row_says(world):
    wrong = []
    for (method, path), (roles, body) in TABLE.items():
        if method == "DELETE" or path.endswith(("/activate", "/rollback")):
            continue  # of what is there: below
        for letter, token in world.tokens.items():
            status, reply = world.daemon.api(method, fill(path, "isp-a"), body, token=token)
            if (status in (401, 403)) == (letter in roles) or status >= 500:
                wrong.append((method, path, ROLES[letter], status, reply))
    assert not wrong, "\n".join(map(str, wrong))


def test_roles_that_take_away_or_put_back(world):
    for (method, path), (roles, body) in TABLE.items():
        if method != "DELETE" and not path.endswith(("/activate", "/rollback")):
            continue
        for letter, token in world.tokens.items():
            status, reply = world.daemon.api(method, fill(path, "isp-a"), body, token=token)
            assert (status == 403) == (letter not in roles), (method, path, ROLES[letter], status, reply)


def test_another_provider_is_refused_alike_whether_it_is_there_or_not(world):
    for (method, path), (_, body) in TABLE.items():
        if "{provider}" not in path:
            continue
        for letter, token in world.tokens.items():
            there = world.daemon.api(method, fill(path, "isp-b"), body, token=token)
            not_there = world.daemon.api(method, fill(path, "isp-z"), body, token=token)
            assert there[0] == 403, (method, path, ROLES[letter], there)
            assert json.dumps(there).replace("isp-b", "isp-z") == json.dumps(not_there), (method, path)


def test_nothing_tells_of_another_provider(world):
    """Lists and reports of isp-a, with what a curious client would ask, hold no word of isp-b."""
    curious = ["", "provider=isp-b", "provider=isp-b&interconnect=b-t", "interconnect=b-t", "provider=isp-b&id=secret-contract-b",
               "provider=isp-b&contract=secret-contract-b", "provider=isp-b&interconnect=b-t&source=counter",
               "provider=isp-b&level=pid", "level=as", "by=swarm", "all=1", "limit=1000", "format=csv"]
    for (method, path), (roles, _) in TABLE.items():
        if method != "GET" or "{" in path or not roles:
            continue
        for letter in roles:
            for query in curious:
                status, reply = world.daemon.api("GET", f"{path}?{query}", token=world.tokens[letter])
                assert status in (200, 400, 403, 404), (path, query, status, reply)
                if status == 200:
                    text = json.dumps(reply)
                    for word in ("isp-b", "isp-c", "b-core", "b-t\"", "secret-contract-b"):
                        assert word not in text, (path, query, ROLES[letter], word)


def test_what_others_own_is_not_changed(world):
    d, operator = world.daemon, world.tokens["o"]
    before = d.api("GET", "/v1/providers/isp-b/topology")[1]
    for document in (house.topology("isp-b"), dict(house.topology("isp-a"), provider="isp-b")):
        assert d.api("PUT", "/v1/providers/isp-b/topology", document, token=operator)[0] == 403
        assert d.api("PUT", "/v1/providers/isp-a/topology", document, token=operator)[0] == 422
    sample = {"provider": "isp-b", "interconnect": "b-t", "bin": 1000000200, "out_bytes": 1, "in_bytes": 1}
    for posted in ([sample], [dict(sample, provider="isp-z")]):
        assert d.api("POST", "/v1/samples", posted, token=operator)[0] == 403
    assert d.api("PUT", "/v1/alarm-rules/ratio", {"provider": "isp-b", "enabled": False}, token=operator)[0] in (403, 404, 422)
    assert d.api("POST", "/v1/statements", {"provider": "isp-b", "contract": "secret-contract-b", "period": "2026-01"},
                 token=operator)[0] == 403
    assert d.api("GET", "/v1/providers/isp-b/topology")[1] == before


def test_a_conflict_does_not_name_its_owner(world):
    """isp-a claims a prefix of isp-b's map: refused, without a word about whose it is."""
    stolen = house.topology("isp-a")
    stolen["pids"][0]["prefixes"] += house.topology("isp-b")["pids"][0]["prefixes"]
    for query in ("", "?dry_run=1"):
        status, reply = world.daemon.api("PUT", "/v1/providers/isp-a/topology" + query, stolen, token=world.tokens["o"])
        assert status == 422, reply
        assert "isp-b" not in json.dumps(reply) and "b-1" not in json.dumps(reply), reply
    status, reply = world.daemon.api("PUT", "/v1/providers/isp-a/topology", stolen)
    assert status == 422 and "isp-b" in json.dumps(reply), reply  # an admin may know
    theirs = house.topology("isp-b")["pids"][0]["prefixes"][0]
    for mine in (theirs.replace("/24", "/26"), theirs.replace("/24", "/23").replace(".1.0", ".0.0")):
        stolen["pids"][0]["prefixes"][-2:] = [mine]
        status, reply = world.daemon.api("PUT", "/v1/providers/isp-a/topology", stolen, token=world.tokens["o"])
        assert status == 422 and "another provider" in json.dumps(reply), reply
        assert mine in json.dumps(reply) and theirs not in json.dumps(reply), reply


def test_nor_does_what_failed_by_itself(world):
    """isp-a plans a map; isp-b is given one of its prefixes before the time comes."""
    import datetime
    d, more = world.daemon, f"{house.NET}.77.1.0/24"
    mine, theirs = house.topology("isp-a"), house.topology("isp-b")
    mine["pids"][0]["prefixes"].append(more)
    theirs["pids"][0]["prefixes"].append(more)
    status, reply = d.api("PUT", "/v1/providers/isp-a/topology?draft=1", mine, token=world.tokens["o"])
    assert status == 201, reply
    path = f"/v1/providers/isp-a/versions/{reply['version']}"
    at = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
    status, planned = d.api("POST", f"{path}/activate?force=1&at={at}", {}, token=world.tokens["o"])
    assert status == 202, planned
    assert d.api("PUT", "/v1/providers/isp-b/topology", theirs)[0] == 201
    newest = lambda: d.api("GET", "/v1/providers/isp-a/versions", token=world.tokens["v"])[1]["versions"][0]
    house.wait_for("the plan fails", 20, lambda: newest()["scheduled"]["state"] == "failed")
    assert "another provider" in newest()["scheduled"]["reason"], newest()
    told = [d.api("GET", path, token=world.tokens["u"])[1]
            for path in ("/v1/providers/isp-a/versions", "/v1/audit", "/v1/alarms?state=all")]
    assert "isp-b" not in json.dumps(told), told
    assert "provider \"isp-b\"" in d.log_text()  # whoever runs the server may know
    assert d.api("PUT", "/v1/providers/isp-b/topology", house.topology("isp-b"))[0] == 201


def test_an_auditor_reads_its_providers_log(world):
    status, reply = world.daemon.api("GET", "/v1/audit?limit=1000", token=world.tokens["u"])
    assert status == 200 and {row["provider"] for row in reply["audit"]} == {"isp-a"}
    status, reply = world.daemon.api("GET", "/v1/audit/verify", token=world.tokens["u"])
    assert status == 200 and reply["intact"] is True


def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(world):
    import urllib.error
    import urllib.request
    wrong = urllib.request.Request(world.daemon.url + "/v1/interconnects", headers={"Authorization": "Bearer p4pd_" + 64 * "1"})
    for _ in range(20):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(wrong, timeout=30)
    assert refused.value.code == 429 and 1 <= int(refused.value.headers["Retry-After"]) <= 60
    assert "wrong-tokens address=127.0.0.1" in world.daemon.log_text()
    for token in (*world.tokens.values(), world.daemon.token):  # from the same address
        assert world.daemon.api("GET", "/v1/interconnects", token=token)[0] == 200


def make(d, name, **more):
    status, reply = d.api("POST", "/v1/tokens", {"name": name, "role": "operator", "provider": "isp-a", **more})
    assert status == 201, reply
    return reply["token"]


def test_a_token_rotates_itself(world):
    d, token = world.daemon, make(world.daemon, "ci")
    assert d.api("POST", "/v1/tokens/viewer/rotate", {}, token=token)[0] == 403
    status, reply = d.api("POST", "/v1/tokens/ci/rotate", {"grace_seconds": 2}, token=token)
    assert status == 200, reply
    assert d.api("GET", "/v1/interconnects", token=reply["token"])[0] == 200
    assert d.api("GET", "/v1/interconnects", token=token)[0] == 200
    assert d.api("POST", "/v1/tokens/ci/rotate", {}, token=token)[0] == 403  # the old one
    house.wait_for("the old one ends", 10, lambda: d.api("GET", "/v1/interconnects", token=token)[0] == 401)
    assert "rotated" in d.api("GET", "/v1/interconnects", token=token)[1]["detail"]
    assert d.api("GET", "/v1/interconnects", token=reply["token"])[0] == 200


def test_changes_hold_at_once_on_every_daemon(world):
    d = world.daemon
    with house.Daemon("tenancy2", database=d.settings["database"], node="other") as other:
        token = make(d, "twice")
        upload = house.topology("isp-a")
        where = "/v1/providers/isp-a/topology?dry_run=1"
        assert other.api("PUT", where, upload, token=token)[0] == 200
        assert d.api("PATCH", "/v1/tokens/twice", {"role": "viewer"})[0] == 200
        assert other.api("PUT", where, upload, token=token)[0] == 403
        assert other.api("GET", "/v1/interconnects", token=token)[0] == 200
        assert other.api("DELETE", "/v1/tokens/twice")[0] == 204
        assert d.api("GET", "/v1/interconnects", token=token) [0] == 401
        assert "revoked" in other.api("GET", "/v1/interconnects", token=token)[1]["detail"]


def test_an_expired_token_says_so(world):
    import datetime
    import time
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3 * house.SLOW)
    token = make(world.daemon, "short", expires=soon.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert world.daemon.api("GET", "/v1/interconnects", token=token)[0] == 200
    time.sleep(max(0, soon.timestamp() + 0.5 - time.time()))
    status, reply = world.daemon.api("GET", "/v1/interconnects", token=token)
    assert status == 401 and "expired at" in reply["detail"]
    listed = {t["name"]: t for t in world.daemon.api("GET", "/v1/tokens")[1]["tokens"]}
    assert listed["short"]["last_used"] is not None and listed["short"]["expires"] is not None
