# SPDX-License-Identifier: Apache-2.0
"""Requests whose answers depend on those before them. Each is given an admin, a provider that nobody else changes, its
documents, and chance."""
import copy


def token_used_revoked_replayed(admin, provider, _documents, rng):
    name = f"{provider}-{rng.randrange(1 << 30):x}"
    role = rng.choice(("operator", "analyst"))
    secret = admin.must(201, "POST", "/v1/tokens", {"name": name, "role": role, "provider": provider}).json()["token"]
    admin.must(200, "GET", f"/v1/providers/{provider}/topology", secret=secret)
    admin.must(403, "GET", "/v1/tokens", secret=secret)
    admin.must(409, "POST", "/v1/tokens", {"name": name, "role": role, "provider": provider})
    admin.must(204, "DELETE", f"/v1/tokens/{name}")
    admin.must(401, "GET", f"/v1/providers/{provider}/topology", secret=secret)
    admin.must(404, "DELETE", f"/v1/tokens/{name}")


def uploaded_activated_rolled_back(admin, provider, documents, rng):
    path = f"/v1/providers/{provider}"
    changed = copy.deepcopy(documents["topology"][0])
    before = admin.must(200, "GET", path + "/topology")
    changed["links"][0]["capacity_mbps"] = rng.randint(1, 10 ** 8)
    dry = admin.must(200, "PUT", path + "/topology?dry_run=1", changed).json()
    assert dry["version"] is None, dry
    assert admin.must(200, "GET", path + "/topology").headers["etag"] == before.headers["etag"]
    put = admin.must(201, "PUT", path + "/topology", changed).json()
    now = admin.must(200, "GET", path + "/topology")
    assert now.json() == changed and now.headers["etag"] == f'"{put["sha256"]}"', now.headers
    assert int(now.headers["p4p-version"]) == put["version"], (now.headers, put)
    admin.must(304, "GET", path + "/topology", If_None_Match=now.headers["etag"])
    old = before.headers["p4p-version"]
    admin.must(200, "POST", f"{path}/versions/{old}/activate")
    back = admin.must(200, "GET", path + "/topology")
    assert (back.headers["p4p-version"], back.body) == (old, before.body), back.headers
    admin.must(404, "POST", f"{path}/versions/{put['version'] + 10 ** 6}/activate")


def policy_written_twice_by_two(admin, provider, documents, rng):
    policy = {**documents["policy"][-1], "id": "own", "note": f"n{rng.randrange(1 << 30)}"}
    path = f"/v1/providers/{provider}/policies/own"
    admin.call("DELETE", path)
    first = admin.must(201, "PUT", path, policy).headers["etag"]
    policy["note"] += "x"
    second = admin.must(201, "PUT", path, policy, If_Match=first).headers["etag"]
    assert first != second
    policy["note"] += "y"
    admin.must(412, "PUT", path, policy, If_Match=first)
    admin.must(412, "DELETE", path, If_Match=first)
    admin.must(204, "DELETE", path, If_Match=second)
    admin.must(404, "GET", path)
    assert admin.must(200, "GET", path + "/versions").json()["versions"][0]["removed"]


def torrent_allowed_then_denied(admin, _provider, _documents, rng):
    name = f"{rng.randrange(1 << 160):040x}"
    admin.must(204, "PUT", f"/v1/access/{name}")
    admin.must(204, "PUT", f"/v1/denied/{name}")
    assert name not in admin.must(200, "GET", "/v1/access").json()["info_hashes"]
    assert name in admin.must(200, "GET", "/v1/denied").json()["info_hashes"]
    admin.must(204, "DELETE", f"/v1/denied/{name}")
    assert name not in admin.must(200, "GET", "/v1/denied").json()["info_hashes"]


def passkey_made_and_forgotten(admin, provider, _documents, rng):
    name = f"{provider}-{rng.randrange(1 << 30):x}"
    admin.must(201, "POST", "/v1/passkeys", {"name": name, "max_peers": 3})
    assert name in [p["name"] for p in admin.must(200, "GET", "/v1/passkeys").json()["passkeys"]]
    admin.must(204, "DELETE", f"/v1/passkeys/{name}")
    assert name not in [p["name"] for p in admin.must(200, "GET", "/v1/passkeys").json()["passkeys"]]


def counters_posted_twice(admin, provider, _documents, rng):
    at = (1_790_000_000 + 300 * rng.randrange(10 ** 4)) // 300 * 300
    row = {"provider": provider, "interconnect": "fz-peer", "bin": at, "out_bytes": 2 ** 53 + 1, "in_bytes": 7}
    for _ in range(2):
        admin.must(200, "POST", "/v1/samples", row)
    query = f"provider={provider}&interconnect=fz-peer&from={at}&to={at + 300}"
    figures = admin.must(200, "GET", "/v1/reports/balance?" + query).json()["interconnects"][0]["sources"]["counter"]
    assert (figures["out_bytes"], figures["in_bytes"]) == (2 ** 53 + 1, 7), figures


SEQUENCES = (token_used_revoked_replayed, uploaded_activated_rolled_back, policy_written_twice_by_two,
             torrent_allowed_then_denied, passkey_made_and_forgotten, counters_posted_twice)
