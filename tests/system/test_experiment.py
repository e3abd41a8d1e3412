# SPDX-License-Identifier: Apache-2.0
"""The built-in experiment, end to end: real announces in many swarms, half of them control groups, and what
the steering report says of them.

The truth is in the lists: each leecher downloads the same from everybody whom it was handed.
"""
import collections
import hashlib
import json
import os
import re
import subprocess
import time
import urllib.parse

import pytest

from house import NET, Daemon, address, new_database, provider_of, wait_booked
from tracker import http_get, number_of

SWARMS = 96   # the odd ones are private
SEEDS = 8     # of each provider, in each swarm
LIST = 5
LEECHER = address("isp-a", 1, 100)
BIN = 5
TAKES = {True: 4, False: 10}   # seconds that a download of a private, an open torrent takes


def announce(daemon, number, ip, **say):
    """Returns the addresses of the list. Each swarm has clients of its own, or they would look like a hybrid's twins."""
    info_hash = hash_of(number)
    query = {"port": 10000 + number, "uploaded": 0, "downloaded": 0, "left": 0, "compact": 1, "numwant": LIST, **say}
    path = ("/announce?info_hash=" + urllib.parse.quote(info_hash, safe="") + "&peer_id=" +
            urllib.parse.quote(hashlib.sha1(ip.encode()).digest(), safe="") + "&" + urllib.parse.urlencode(query))
    body = http_get((f"{NET}.9.9.9", daemon.tracker_port), path, ip)
    at = body.index(b"5:peers") + 7
    size, _, rest = body[at:].partition(b":")
    peers = rest[:int(size)]
    assert number_of(body, b"interval") > 0
    return [".".join(map(str, peers[i:i + 4])) for i in range(0, len(peers), 6)]


def run_swarm(daemon, number):
    """One leecher in isp-a among seeds of isp-a and isp-c; returns {provider: bytes that it got}, when it began."""
    seeds = [address(p, pid, 1 + i) for p in ("isp-a", "isp-c") for pid in (1, 2) for i in range(SEEDS // 2)]
    size = size_of(number)
    for ip in seeds:
        announce(daemon, number, ip, event="started")
    began = time.time()
    given = announce(daemon, number, LEECHER, event="started", left=size)
    assert len(given) == LIST
    for ip in given:
        announce(daemon, number, ip, uploaded=size // LIST)
    got = collections.Counter()
    for ip in given:
        got[provider_of(ip)] += size // LIST
    return got, began


def size_of(number):
    return 10_000_000 * (1 + number // 2 % 3)


def finish_all(daemon, began):
    """Each as long after its beginning as its kind takes, or more on a busy machine; two say left=0 without the
    event. Returns {private: the most that one took}."""
    longest = collections.Counter()
    for due, number in sorted((at + TAKES[bool(number % 2)], number) for number, at in enumerate(began)):
        time.sleep(max(0, due - time.time()))
        event = {"event": "completed"} if number > 1 else {}
        announce(daemon, number, LEECHER, downloaded=size_of(number), **event)
        longest[bool(number % 2)] = max(longest[bool(number % 2)], time.time() - began[number])
    return longest


def hash_of(number):
    return hashlib.sha1(b"experiment %d" % number).digest()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """(daemon, {private: bytes got by provider of the sender}, {private: the longest download}), all in the database."""
    allowed = tmp_path_factory.mktemp("lists") / "allowed"
    allowed.write_text("".join(f"{hash_of(i).hex()}{' private' if i % 2 else ''}\n" for i in range(SWARMS)))
    truth = {True: collections.Counter(), False: collections.Counter()}
    with Daemon("experiment", database=new_database("experiment"), control_percent=50, max_peers=LIST, policy="p4p",
                access="list", access_file=allowed, bin_seconds=BIN) as daemon:
        daemon.upload_world()
        swarms = [run_swarm(daemon, i) for i in range(SWARMS)]
        for i, (got, _) in enumerate(swarms):
            truth[bool(i % 2)].update(got)
        longest = finish_all(daemon, [began for _, began in swarms])
        wait_booked(daemon)
        yield daemon, truth, longest


def report(daemon, query=""):
    status, answer = daemon.api("GET", "/v1/reports/steering" + query)
    assert status == 200, answer
    return answer


def test_the_arms_hold_all_bytes_and_their_difference_is_seen(ran):
    daemon, truth, _ = ran
    answer = report(daemon)
    assert answer["source"] == "announce" and answer["estimate"]
    assert [(c["provider"], c["policy"], c["torrents"]) for c in answer["comparisons"]] == [
        ("isp-a", "p4p 70/80", "private"), ("isp-a", "p4p 70/80", "open")]
    for comparison in answer["comparisons"]:
        got = truth[comparison["torrents"] == "private"]
        arms = [comparison[arm] for arm in ("treated", "control")]
        assert abs(sum(arm["bytes"] for arm in arms) / sum(got.values()) - 1) < 0.01
        transit = sum(arm["tiers"]["transit"] for arm in arms)
        print(comparison["torrents"], "transit told", transit, "truth", got["isp-c"], comparison["shares"]["outside"])
        assert abs(transit / got["isp-c"] - 1) < 0.1
        assert all(sum(arm["tiers"].values()) == arm["bytes"] for arm in arms)
        outside = comparison["shares"]["outside"]
        assert outside["treated"] < 0.3 < 0.4 < outside["control"] < 0.65  # 80 % local at the most; a half by chance
        assert outside["low"] <= outside["difference"] <= outside["high"] < 0


def test_copies_and_times_are_those_of_the_clients(ran):
    daemon, _, longest = ran
    for comparison in report(daemon)["comparisons"]:
        private = comparison["torrents"] == "private"
        arms = [comparison[arm] for arm in ("treated", "control")]
        print(arms, comparison["imported_per_copy"], comparison["seconds_to_complete"])
        assert sum(arm["completed"] for arm in arms) == SWARMS / 2
        assert abs(sum(arm["copies"]["downloaded"] for arm in arms) - SWARMS / 2) < 0.5
        assert sum(arm["copies"]["unsized"] for arm in arms) == 0
        assert sum(arm["copies"]["swarms"] for arm in arms) == SWARMS / 2
        for arm in "treated", "control":
            copies = comparison[arm]["copies"]
            per_copy = comparison["imported_per_copy"]
            assert abs(per_copy[arm] - copies["imported"] / copies["downloaded"]) < 1e-5
            assert abs(comparison["imported_per_swarm"][arm] - copies["imported"] / copies["swarms"]) < 1e-5
            assert abs(per_copy[arm] - comparison["shares"]["outside"][arm]) < 0.1
            for time_ in comparison["seconds_to_complete"].values():
                assert (TAKES[private] - 1) / 1.1 < time_[arm] < (longest[private] + 1.5) * 1.1
        assert per_copy["low"] <= per_copy["difference"] <= per_copy["high"] < 0
        median, late = comparison["seconds_to_complete"]["median"], longest[private] / TAKES[private]
        assert 0.6 / late < median["low"] <= median["ratio"] <= median["high"] < 1.6 * late


def test_savings_are_claimed_for_private_torrents_only(ran):
    private, open_ = report(ran[0])["comparisons"]
    saved = private["saved_outside_bytes"]
    assert 0 < saved["low"] < saved["estimate"] < saved["high"] < private["treated"]["bytes"]
    assert private["steerable"] == "steerable"
    assert open_["saved_outside_bytes"] is None and open_["steerable"] == "not steerable"


def test_the_same_question_has_the_same_answer(ran):
    window = f"?from={int(time.time()) // BIN * BIN - 3600}&to={int(time.time()) // BIN * BIN}"
    assert report(ran[0], window) == report(ran[0], window)
    assert report(ran[0], window + "&provider=isp-b")["comparisons"] == []
    assert report(ran[0], "?to=1000000000&from=999999000")["comparisons"] == []


def test_a_token_sees_its_provider_only(ran):
    daemon = ran[0]
    for provider, seen in (("isp-a", {"isp-a"}), ("isp-b", set())):
        status, token = daemon.api("POST", "/v1/tokens", {"name": provider, "role": "analyst", "provider": provider})
        assert status == 201
        for query in "", "?provider=isp-a":
            status, answer = daemon.api("GET", "/v1/reports/steering" + query, token=token["token"])
            assert status == 200 and {c["provider"] for c in answer["comparisons"]} == seen


def test_csv_and_p4pctl_say_the_same(ran):
    daemon = ran[0]
    lines = daemon.api("GET", "/v1/reports/steering?format=csv")[1].split("\r\n")
    assert len(lines) == 1 + 2 * 11 + 1 and lines[-1] == ""
    assert sum(line.endswith(",not steerable") for line in lines) == 11

    def ctl(*words):
        return subprocess.run([os.environ["P4PCTL"], "--url", daemon.url, "--token", daemon.token, "steering", *words],
                              capture_output=True, text=True, check=True).stdout
    shown = ctl()
    print(shown)
    assert shown.count("not steerable") == 1 and "estimates" in shown and "MEDIAN" in shown
    assert [re.search(r"B  +\S+ .?B to \S+ .?B$", line) is not None for line in shown.splitlines()
            if line.startswith("isp-a")] == [True, False, False, False]  # savings with their interval
    assert len(json.loads(ctl("--json"))["comparisons"]) == 2
    assert ctl("--csv").startswith("from,to,provider,policy,torrents,")
