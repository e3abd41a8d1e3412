# SPDX-License-Identifier: Apache-2.0
"""The matrix and the largest of it, end to end: real announces in private and open swarms, and what the reports
say of them beside the balance and beside the truth, which is in the lists.
"""
import collections
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import urllib.parse

import pytest

from house import NET, Daemon, address, new_database, provider_of, wait_booked
from tracker import http_get, number_of

BIN = 5
SEEDS = 6       # of each PID in each swarm
LEECHERS = 6
SIZE = 60_000_000
PRIVATE, OPEN, SMALL = range(3)  # SMALL: one client of isp-b alone reports in it


def hash_of(number):
    return hashlib.sha1(b"matrix %d" % number).digest()


def announce(daemon, number, ip, **say):
    """Returns the addresses of the list. Each swarm has clients of its own, or they would look like a hybrid's twins."""
    query = {"port": 20000 + number, "uploaded": 0, "downloaded": 0, "left": 0, "compact": 1, "numwant": 20, **say}
    path = ("/announce?info_hash=" + urllib.parse.quote(hash_of(number), safe="") + "&peer_id=" +
            urllib.parse.quote(hashlib.sha1(ip.encode()).digest(), safe="") + "&" + urllib.parse.urlencode(query))
    body = http_get((f"{NET}.9.9.9", daemon.tracker_port), path, ip)
    at = body.index(b"5:peers") + 7
    size, _, rest = body[at:].partition(b":")
    peers = rest[:int(size)]
    assert number_of(body, b"interval") > 0
    return [".".join(map(str, peers[i:i + 4])) for i in range(0, len(peers), 6)]


def run_swarm(daemon, number, leechers):
    """Leechers of isp-a among seeds of isp-a and isp-c; returns {provider: bytes that they got}."""
    got, up = collections.Counter(), collections.Counter()
    for ip in [address(p, pid, 1 + i) for p in ("isp-a", "isp-c") for pid in (1, 2) for i in range(SEEDS)]:
        announce(daemon, number, ip, event="started")
    lists = {ip: [peer for peer in announce(daemon, number, ip, event="started", left=SIZE) if peer not in leechers]
             for ip in leechers}
    for given in lists.values():
        for ip in given:
            up[ip] += SIZE // len(given)
            got[provider_of(ip)] += SIZE // len(given)
    for ip, sent in up.items():
        announce(daemon, number, ip, uploaded=sent)
    for ip in leechers:
        announce(daemon, number, ip, downloaded=SIZE, event="completed")
    return got


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """(daemon, database, [bytes got by provider of the sender in each swarm]) when all is in the database."""
    allowed = tmp_path_factory.mktemp("lists") / "allowed"
    allowed.write_text("".join(f"{hash_of(i).hex()}{' private' if i == PRIVATE else ''}\n" for i in range(3)))
    database = new_database("matrix")
    with Daemon("matrix", database=database, access="list", access_file=allowed, bin_seconds=BIN, policy="native",
                max_peer_mbps=100000, lab="true", swarm_rows_min_peers=5) as daemon:
        daemon.upload_world()
        many = [address("isp-a", 1 + i % 2, 100 + i) for i in range(LEECHERS)]
        truth = [run_swarm(daemon, PRIVATE, many), run_swarm(daemon, OPEN, many),
                 run_swarm(daemon, SMALL, [address("isp-b", 1, 200)])]
        wait_booked(daemon)
        yield daemon, database, truth


def report(daemon, what, query="", token=None):
    status, answer = daemon.api("GET", f"/v1/reports/{what}{query}", token=token)
    assert status == 200, answer
    return answer


def total(rows, **want):
    return sum(r["bytes"] for r in rows if all(r[k] == v for k, v in want.items()))


def test_its_totals_are_those_of_the_balance(ran):
    daemon, _, truth = ran
    balance = {(i["provider"], i["interconnect"]): i["sources"]["announce"] for i in report(daemon, "balance")["interconnects"]}
    matrix = report(daemon, "matrix", "?level=interconnect")
    assert matrix["source"] == "announce" and matrix["estimate"] and matrix["bins_known"] > 0
    crossed = 0
    for (provider, link), figures in balance.items():
        for direction in "out", "in":
            told = total(matrix["rows"], provider=provider, interconnect=link, direction=direction)
            assert told == figures[direction + "_bytes"], (provider, link, direction)
            crossed += told
    assert crossed > 0
    assert total(matrix["rows"], provider="isp-c", direction="out") == pytest.approx(sum(t["isp-c"] for t in truth), rel=.1)
    for level in "pid", "as":
        rows = report(daemon, "matrix", "?level=" + level)
        assert rows["total"]["bytes"] == matrix["total"]["bytes"] == total(rows["rows"])
        for provider in "isp-a", "isp-b", "isp-c":
            for direction in "inside", "out", "in":
                assert (total(rows["rows"], provider=provider, direction=direction) ==
                        total(matrix["rows"], provider=provider, direction=direction))


def test_each_row_says_how_sure_it_is(ran):
    rows = report(ran[0], "matrix")["rows"]
    assert {r["from"] for r in rows} >= {"pid:isp-a/a-1", "pid:isp-a/a-2", "pid:isp-c/c-1", "pid:isp-c/c-2"}
    for r in rows:
        assert r["low"] < r["bytes"] < r["high"]
        assert not r["bounded"] and r["private_bytes"] < r["bytes"]  # an open swarm is in all of them
    assert any(r["private_bytes"] > 0 for r in rows)
    assert {r["cost"] > 0 for r in rows if r["direction"] == "inside"} == {False}
    crossing = [r for r in rows if r["direction"] == "in" and r["provider"] == "isp-a"]
    assert crossing and all(r["cost"] == pytest.approx(r["bytes"] / 1e9 * 100, abs=1e-5) for r in crossing)  # transit


def test_small_swarms_have_no_rows(ran):
    daemon = ran[0]
    rows = report(daemon, "top", "?by=swarm&provider=isp-a")["rows"]
    named = {r["swarm"]: r for r in rows if r["swarm"]}
    assert set(named) == {hash_of(PRIVATE).hex(), hash_of(OPEN).hex(), hash_of(SMALL).hex()}
    assert named[hash_of(PRIVATE).hex()]["torrents"] == "private" and named[hash_of(OPEN).hex()]["torrents"] == "open"
    assert named[hash_of(OPEN).hex()]["bytes"] == LEECHERS * SIZE
    assert all(5 <= r["clients_at_least"] <= 2 * SEEDS + LEECHERS for r in named.values())
    # Of isp-b one client reported, which took all; nobody learns in which swarm.
    rows = report(daemon, "top", "?by=swarm&provider=isp-b")["rows"]
    assert [(r["swarm"], r["clients_at_least"], r["bytes"]) for r in rows] == [(None, None, SIZE)]
    assert hash_of(SMALL).hex() not in json.dumps(rows)


def test_the_largest_places_and_networks(ran):
    daemon = ran[0]
    pids = report(daemon, "top", "?provider=isp-a")["rows"]
    assert {r["place"] for r in pids} == {"pid:isp-a/a-1", "pid:isp-a/a-2"}
    assert [r["bytes"] for r in pids] == sorted((r["bytes"] for r in pids), reverse=True)
    matrix = report(daemon, "matrix", "?provider=isp-a")["rows"]
    assert sum(r["in_bytes"] for r in pids) == total(matrix, direction="in")
    assert sum(r["out_bytes"] for r in pids) == total(matrix, direction="out")
    networks = report(daemon, "top", "?provider=isp-a&by=asn&order=cost")["rows"]
    assert networks[0]["place"] == "isp:isp-c"
    assert [r["cost"] for r in networks] == sorted((r["cost"] for r in networks), reverse=True)
    first = report(daemon, "top", "?by=asn&limit=1")
    assert len(first["rows"]) == 1 == first["total"]["shown"] < first["total"]["rows"]


def test_a_token_sees_its_own_book_and_who_the_others_are(ran):
    daemon = ran[0]
    status, token = daemon.api("POST", "/v1/tokens", {"name": "a", "role": "analyst", "provider": "isp-a"})
    assert status == 201
    for what in "matrix", "matrix?level=as", "top", "top?by=asn", "top?by=swarm", "matrix?provider=isp-a":
        answer = report(daemon, what, token=token["token"])
        assert answer["rows"] and {r["provider"] for r in answer["rows"]} == {"isp-a"}
        assert "pid:isp-c" not in json.dumps(answer) and "pid:isp-b" not in json.dumps(answer)
    places = {r["from"] for r in report(daemon, "matrix", token=token["token"])["rows"]}
    assert "isp:isp-c" in places and "pid:isp-a/a-1" in places
    for what in "matrix", "top", "top?by=swarm":
        assert report(daemon, what + ("&" if "?" in what else "?") + "provider=isp-c", token=token["token"])["rows"] == []


@pytest.mark.parametrize("question, wrong", [
    ("matrix?level=street", "level"), ("top?by=address", "by"), ("top?order=age", "order"), ("top?limit=0", "limit"),
    ("matrix?limit=100001", "limit"), ("matrix?format=xml", "format"), ("matrix?from=9&to=3", "from")])
def test_what_is_wrong_with_a_question(ran, question, wrong):
    status, answer = ran[0].api("GET", "/v1/reports/" + question)
    assert status == 400 and answer["detail"].startswith(wrong)


def sql(database, statement):
    psql = shutil.which("psql") or os.path.join(subprocess.run(
        ["pg_config", "--bindir"], capture_output=True, text=True, check=True).stdout.strip(), "psql")
    return subprocess.run([psql, database, "-qAtc", statement], capture_output=True, text=True, check=True).stdout


def test_flows_put_interconnects_right(ran):
    daemon, database, _ = ran
    assert {r["calibrated"] for r in report(daemon, "matrix", "?level=interconnect")["rows"]} == {None}
    sql(database, "INSERT INTO calibrations SELECT number, 'in', extract(epoch FROM date_trunc('day', now() AT TIME ZONE "
        "'UTC'))::bigint - 86400, 12, 10, 0, 1.2, 0, true, 1.2, 0.1, 4 FROM interconnects "
        "WHERE provider = 'isp-a' AND id = 'a-t'")
    rows = report(daemon, "matrix", "?level=interconnect")["rows"]
    right = [r for r in rows if r["calibrated"]]
    assert [(r["provider"], r["interconnect"], r["direction"]) for r in right] == [("isp-a", "a-t", "in")]
    calibrated = right[0]["calibrated"]
    assert calibrated["bytes"] == pytest.approx(1.2 * right[0]["bytes"], abs=1)
    assert calibrated["high"] - calibrated["bytes"] == pytest.approx(.1645 * calibrated["bytes"], rel=1e-6)
    assert calibrated["source"] == "announce+flow" and calibrated["days"] == 4 and calibrated["drift"]
    lines = daemon.api("GET", "/v1/reports/matrix?level=interconnect&format=csv")[1].split("\r\n")
    assert len([line for line in lines if line.endswith(",1.200000,4")]) == 1


def test_no_address_is_kept(ran):
    text = ""
    for table in "matrix", "matrix_bins", "swarm_bytes", "bins", "steering":
        rows = sql(ran[1], f"SELECT * FROM {table}")
        assert table == "steering" or rows.strip(), table
        text += rows
    addresses = [address(p, pid, host) for p in ("isp-a", "isp-b", "isp-c") for pid in (1, 2) for host in range(256)]
    assert "pid:isp-a/a-1" in text
    assert not [ip for ip in addresses if ip in text]
    assert not re.search(r"\d+\.\d+\.\d+\.\d+|fd00:", text)


def test_csv_and_p4pctl_say_the_same(ran):
    daemon = ran[0]
    for what in "matrix", "matrix?level=interconnect", "top", "top?by=swarm":
        answer = report(daemon, what)
        text = daemon.api("GET", f"/v1/reports/{what}{'&' if '?' in what else '?'}format=csv")[1]
        lines = list(csv.DictReader(io.StringIO(text, newline="")))
        assert text.endswith("\r\n") and [int(l["bytes"]) for l in lines] == [r["bytes"] for r in answer["rows"]]

    def ctl(*words):
        return subprocess.run([os.environ["P4PCTL"], "--url", daemon.url, "--token", daemon.token, *words],
                              capture_output=True, text=True, check=True).stdout
    shown = ctl("matrix"), ctl("matrix", "--level", "interconnect"), ctl("top", "--by", "swarm"), ctl("top", "--by", "asn")
    print(*shown, sep="\n")
    assert "pid:isp-a/a-1" in shown[0] and " ?" in shown[0]
    assert "transit" in shown[1] and hash_of(PRIVATE).hex() in shown[2] and "others" in shown[2] and "isp:isp-c" in shown[3]
    assert len(json.loads(ctl("matrix", "--json", "--limit", "1"))["rows"]) == 1
