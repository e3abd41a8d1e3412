#!/usr/bin/env python3
"""Every route, status and fault of the API at P4PD_URL, with the admin's token in P4PD_TOKEN.

Talks to the real daemon; leaves providers whose names begin with "t-api-" behind, nothing else.
"""
import csv
import http.client
import io
import json
import os
import re
import subprocess
import time
import unittest
import urllib.parse
import uuid

URL = urllib.parse.urlsplit(os.environ["P4PD_URL"])
ADMIN = os.environ["P4PD_TOKEN"]
RUN = uuid.uuid4().hex[:6]
P, Q = f"t-api-{RUN}-p", f"t-api-{RUN}-q"  # two providers
# Addresses and ASNs of this run's own, so that it may run again on the same daemon.
NET = int(RUN[:2], 16)
ASN = 4200000000 + int(RUN, 16)


def ask(method, path, body=None, token=ADMIN, **headers):
    """(status, headers, body): parsed when it is JSON."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        headers["Authorization"] = "Bearer " + token
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection(URL.hostname, URL.port, timeout=30)
    try:
        connection.request(method, path, body.encode() if isinstance(body, str) else body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        kind = answer.getheader("Content-Type", "")
        return answer.status, answer.headers, json.loads(text) if "json" in kind and text else text
    finally:
        connection.close()


def topology(provider, net, asn, **more):
    return {"format": "p4p-topology/1", "provider": provider, "asns": [asn],
            "pids": [{"pid": "east", "prefixes": [f"10.{net}.0.0/18", f"2001:db8:{net:x}::/48"]},
                     {"pid": "west", "prefixes": [f"10.{net}.64.0/18"]}],
            "links": [{"id": "l", "a": "east", "b": "west", "capacity_mbps": 1000, "weight": 10}],
            "interconnects": [
                {"id": "ic-1", "pid": "east", "neighbor_asn": 64999, "relation": "settlement-free",
                 "capacity_mbps": 10000, "reach": "neighbor", "metro": "fra"},
                {"id": "ic-t", "pid": "west", "neighbor_asn": 64998, "relation": "transit", "capacity_mbps": 20000,
                 "reach": "any"}], **more}


def path(provider, rest="topology"):
    return f"/v1/providers/{provider}/{rest}"


def put(provider, net, asn, query="", **more):
    return ask("PUT", path(provider) + query, topology(provider, net, asn, **more))


class Api(unittest.TestCase):
    def problem(self, answer, status, part=""):
        self.assertEqual(answer[0], status, answer[2])
        self.assertEqual(answer[1]["Content-Type"], "application/problem+json")
        self.assertEqual(answer[2]["status"], status)
        self.assertIn("title", answer[2])
        self.assertIn(part, answer[2]["detail"])

    def faults(self, answer, *expected):
        """`expected`: pairs of code and where, each of which must be there."""
        self.assertEqual(answer[0], 422, answer[2])
        found = {(f["code"], f["where"]) for f in answer[2]["faults"]}
        for pair in expected:
            self.assertIn(pair, found)
        for fault in answer[2]["faults"]:
            self.assertTrue(fault["text"])


class Documents(Api):
    @classmethod
    def setUpClass(cls):
        cls.first = put(P, NET, ASN)

    def test_a_change_is_made_whatever_the_client_knows(self):
        path = "/v1/providers/knowing/settings"
        self.assertEqual(ask("PUT", path, {"watch_points": 7}, If_None_Match="*")[0], 200)
        self.assertEqual(ask("GET", path)[2]["watch_points"], 7)
        self.assertEqual(ask("GET", path, If_None_Match="*")[0], 304)
        self.assertEqual(ask("PUT", path, b'{"watch_points": 8\0}', Content_Type="application/json")[0], 422)
        self.assertEqual(ask("GET", path)[2]["watch_points"], 7)

    def test_a_new_document_is_stored_and_in_force(self):
        status, headers, answer = self.first
        self.assertEqual(status, 201, answer)
        self.assertEqual(answer["version"], 1)
        self.assertRegex(answer["sha256"], "^[0-9a-f]{64}$")
        self.assertFalse(answer["unchanged"])
        self.assertEqual(answer["changes"]["pids_added"], 2)
        self.assertEqual(answer["changes"]["prefixes_added"], 3)
        self.assertEqual(answer["changes"]["interconnects_added"], 2)
        self.assertEqual(headers["Location"], path(P) + "?version=1")

    def test_the_same_document_makes_no_version(self):
        body = topology(Q, (NET + 1) % 256, ASN + 1)
        first = ask("PUT", path(Q), body)
        again = ask("PUT", path(Q), body)
        self.assertEqual((first[0], again[0]), (201, 201))
        self.assertTrue(again[2]["unchanged"])
        self.assertEqual(again[2]["version"], first[2]["version"])
        self.assertEqual(again[2]["sha256"], first[2]["sha256"])

    def test_it_comes_back_byte_by_byte_with_a_tag(self):
        status, headers, answer = ask("GET", path(P) + "?version=1")
        self.assertEqual((status, answer), (200, topology(P, NET, ASN)))
        self.assertEqual(headers["P4P-Version"], "1")
        tag = headers["ETag"]
        self.assertEqual(ask("GET", path(P) + "?version=1", If_None_Match=tag)[0], 304)
        self.assertEqual(ask("GET", path(P) + "?version=1", If_None_Match='"x"')[0], 200)
        status, headers, answer = ask("HEAD", path(P))
        self.assertEqual((status, answer), (200, ""))

    def test_history_rolls_back_and_forward(self):
        name, net, asn = P + "-h", (NET + 2) % 256, ASN + 2
        self.assertEqual(put(name, net, asn)[0], 201)
        second = topology(name, net, asn)
        second["pids"][1]["prefixes"] = [f"10.{net}.128.0/18"]
        answer = ask("PUT", path(name), second)
        self.assertEqual((answer[0], answer[2]["version"]), (201, 2))
        self.assertEqual(answer[2]["changes"]["prefixes_removed"], 1)
        answer = ask("POST", path(name, "versions/1/activate"))
        self.assertEqual(answer[0], 200, answer[2])
        self.assertEqual(ask("GET", path(name))[1]["P4P-Version"], "1")
        history = ask("GET", path(name, "versions"))[2]
        self.assertEqual([(v["version"], v["kind"], v["in_force"]) for v in history["versions"]],
                         [(2, "topology", False), (1, "topology", True)])
        self.assertEqual(history["versions"][0]["author"], "admin")
        self.assertRegex(history["versions"][0]["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(ask("POST", path(name, "versions/2/activate"))[0], 200)
        self.problem(ask("POST", path(name, "versions/9/activate")), 404, "9")
        self.problem(ask("POST", path(name, "versions/x/activate")), 400, "version")

    def test_a_parameter_that_cannot_be_read_is_not_taken_for_absent(self):
        before = ask("GET", path(P, "versions"))[2]
        for value in ("%00", "1%00", "%zz", "%1", "%ff", "%ed%a0%80", "1" * 600, ""):
            self.problem(put(P, NET, ASN, "?dry_run=" + value, links=[]), 400, "dry_run")
            self.problem(ask("GET", path(P) + "?version=" + value), 400, "version")
        self.assertEqual(ask("GET", path(P, "versions"))[2], before)

    def test_what_is_no_name_is_no_provider(self):
        for name in ("a%7f", "%ff", "a%20b", "a" * 65):
            self.problem(ask("GET", path(name, "policies")), 404)
            self.problem(ask("PUT", path(name), topology(P, NET, ASN)), 404)

    def test_a_dry_run_says_what_would_change_and_stores_nothing(self):
        body = topology(P, NET, ASN)
        body["pids"].append({"pid": "north", "prefixes": [f"10.{NET}.192.0/18"]})
        body["links"].append({"id": "m", "a": "north", "b": "east"})
        before = ask("GET", path(P, "versions"))[2]
        status, _, answer = ask("PUT", path(P) + "?dry_run=1", body)
        self.assertEqual(status, 200)
        self.assertIsNone(answer["version"])
        self.assertEqual(answer["changes"]["pids_added"], 1)
        self.assertEqual(ask("GET", path(P, "versions"))[2], before)
        self.problem(ask("PUT", path(P) + "?dry_run=maybe", body), 400, "dry_run")

    def test_a_bad_document_is_refused_with_every_fault(self):
        body = topology(P, NET, ASN)
        body["pids"][0]["prefixes"] = [f"10.{NET}.0.1/18", "10.300.0.0/16"]
        body["pids"][1]["colour"] = "red"
        body["interconnects"][0]["relation"] = "friends"
        before = ask("GET", path(P, "versions"))[2]
        answer = ask("PUT", path(P), body)
        self.faults(answer)
        places = [fault["where"] for fault in answer[2]["faults"]]
        for place in ("/pids/0/prefixes/0", "/pids/0/prefixes/1", "/interconnects/0/relation"):
            self.assertIn(place, places)
        self.assertTrue(any(place.startswith("/pids/1") for place in places), places)
        self.assertEqual(ask("GET", path(P, "versions"))[2], before)
        self.faults(ask("PUT", path(P) + "?dry_run=1", body))

    def test_what_makes_no_sense_is_refused(self):
        body = topology(P, NET, ASN)
        body["interconnects"][1]["pid"] = "nowhere"
        body["links"][0]["b"] = "nobody"
        places = [f["where"] for f in ask("PUT", path(P), body)[2]["faults"]]
        self.assertIn("/interconnects/1/pid", places)
        self.assertIn("/links/0/b", places)
        self.faults(ask("PUT", path(P), topology(Q, NET, ASN)))  # another provider's name
        self.faults(ask("PUT", path(P), "{"))
        self.faults(ask("PUT", path(P), ""))

    def test_costs_follow_their_topology(self):
        costs = {"format": "p4p-costs/1", "provider": P, "pid_costs": {"east": {"west": 7}},
                 "interconnect_costs": {"ic-1": {"out": 10, "in": 20}}}
        status, _, answer = ask("PUT", path(P, "costs"), costs)
        self.assertEqual(status, 201, answer)
        self.assertEqual(ask("GET", path(P, "costs"))[2], costs)
        costs["pid_costs"]["nowhere"] = {"east": 1}
        self.faults(ask("PUT", path(P, "costs"), costs))
        costs["pid_costs"] = {"east": {"west": -1}}
        self.faults(ask("PUT", path(P, "costs"), costs))
        name = P + "-none"
        self.problem(ask("PUT", path(name, "costs"), {"format": "p4p-costs/1", "provider": name}), 404, "topology")

    def test_what_is_not_there(self):
        for rest in ("topology", "costs", "versions"):
            self.problem(ask("GET", path(f"t-api-{RUN}-nobody", rest)), 404, "nobody")
        self.problem(ask("GET", path(P) + "?version=99"), 404, "99")
        self.problem(ask("GET", path(P) + "?version=x"), 400, "version")

    def test_media_types(self):
        body = json.dumps(topology(P, NET, ASN))
        self.problem(ask("PUT", path(P), body, Content_Type="text/xml"), 415)
        for kind in ("application/json; charset=utf-8", "application/x-www-form-urlencoded"):
            self.assertEqual(ask("PUT", path(P) + "?dry_run=1", body, Content_Type=kind)[0], 200)


class Routes(Api):
    def test_unknown_paths_and_methods(self):
        self.problem(ask("GET", "/v1/nothing"), 404)
        self.problem(ask("GET", "/v1/interconnects/"), 404)
        answer = ask("DELETE", path(P))
        self.problem(answer, 405)
        self.assertEqual(set(re.split(", *", answer[1]["Allow"])), {"GET", "HEAD", "PUT"})

    def test_open_pages(self):
        status, headers, text = ask("GET", "/metrics", token=None)
        self.assertEqual(status, 200)
        self.assertIn("version=0.0.4", headers["Content-Type"])
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        for name in "p4pd_api_requests_total", "p4pd_map_publications_total":
            self.assertEqual(types[name], "counter")
        self.assertEqual([n for n, kind in types.items() if (kind == "counter") != n.endswith("_total")], [])
        self.assertEqual(ask("GET", "/healthz", token=None)[0], 200)
        self.assertEqual(ask("GET", "/readyz", token=None)[0], 200)

    def test_the_dashboard(self):
        status, headers, text = ask("GET", "/", token=None)
        self.assertEqual(status, 200)
        self.assertIn("default-src 'self'", headers["Content-Security-Policy"])
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        for name in re.findall(r'(?:src|href)="(/[^"]*)"', text):
            file = ask("GET", name, token=None)
            self.assertEqual(file[0], 200, name)
            self.assertEqual(ask("GET", name, token=None, If_None_Match=file[1]["ETag"])[0], 304)
        self.problem(ask("GET", "/nothing.js", token=None), 404)


class Rights(Api):
    def setUp(self):
        self.assertIn(put(P, NET, ASN)[0], (200, 201))
        self.tokens = {}
        for role in ("operator", "analyst"):
            name = f"t-{RUN}-{role}"
            status, _, answer = ask("POST", "/v1/tokens", {"name": name, "role": role, "provider": P})
            self.assertEqual(status, 201, answer)
            self.tokens[role] = answer["token"]
            self.addCleanup(ask, "DELETE", f"/v1/tokens/{name}")

    def test_no_token_no_answer(self):
        for token in (None, "nonsense", "p4pd_" + 64 * "0"):
            answer = ask("GET", "/v1/interconnects", token=token)
            self.problem(answer, 401)
            self.assertTrue(answer[1]["WWW-Authenticate"].startswith("Bearer"))

    def test_roles_may_what_they_may(self):
        body = topology(P, NET, ASN)
        sample = {"provider": P, "interconnect": "ic-1", "bin": 1000000200, "out_bytes": 1, "in_bytes": 1}
        rows = [  # method, path, body, operator, analyst
            ("GET", path(P), None, 200, 200),
            ("PUT", path(P) + "?dry_run=1", body, 200, 403),
            ("PUT", path(Q) + "?dry_run=1", body, 403, 403),
            ("GET", path(Q), None, 403, 403),
            ("POST", path(P, "versions/1/activate"), None, 200, 403),
            ("PUT", f"/v1/interconnects/{P}/ic-1", {"ratio_limit": None}, 200, 403),
            ("GET", "/v1/reports/balance", None, 200, 200),
            ("POST", "/v1/samples", [sample], 200, 200),
            ("POST", "/v1/samples", [dict(sample, provider=Q)], 403, 403),
            ("GET", "/v1/tokens", None, 403, 403),
            ("GET", "/v1/access", None, 403, 403),
            ("GET", "/v1/passkeys", None, 403, 403),
            ("GET", "/v1/denied", None, 403, 403),
            ("GET", "/v1/denied-clients", None, 403, 403),
            ("GET", "/v1/audit", None, 403, 403),
        ]
        for method, where, what, *expected in rows:
            got = [ask(method, where, what, token=self.tokens[role])[0] for role in ("operator", "analyst")]
            self.assertEqual(got, expected, (method, where))

    def test_a_scoped_token_sees_its_provider_only(self):
        put(Q, (NET + 1) % 256, ASN + 1)
        analyst = self.tokens["analyst"]
        for where in ("/v1/interconnects", "/v1/reports/balance"):
            seen = {i["provider"] for i in ask("GET", where, token=analyst)[2]["interconnects"]}
            self.assertEqual(seen, {P})
            self.assertEqual(ask("GET", f"{where}?provider={Q}", token=analyst)[2]["interconnects"], [])

    def test_tokens_are_shown_once_and_end(self):
        name = f"t-{RUN}-x"
        body = {"name": name, "role": "analyst", "provider": P}
        status, _, answer = ask("POST", "/v1/tokens", body)
        self.assertEqual(status, 201)
        self.problem(ask("POST", "/v1/tokens", body), 409, name)
        listed = ask("GET", "/v1/tokens")[2]["tokens"]
        self.assertIn((name, "analyst", P), [(t["name"], t["role"], t["provider"]) for t in listed])
        self.assertNotIn(answer["token"], json.dumps(listed))
        self.assertEqual(ask("DELETE", f"/v1/tokens/{name}")[0], 204)
        self.problem(ask("GET", "/v1/interconnects", token=answer["token"]), 401)
        self.problem(ask("DELETE", f"/v1/tokens/{name}"), 404, name)

    def test_bad_tokens_are_refused(self):
        self.faults(ask("POST", "/v1/tokens", {"name": "a b", "role": "boss", "x": 1}),
                    ("malformed", "/name"), ("out-of-range", "/role"), ("unknown-key", ""))
        self.faults(ask("POST", "/v1/tokens", {"name": "x", "role": "operator"}), ("missing", "/provider"))
        self.faults(ask("POST", "/v1/tokens", {"name": "admin", "role": "admin"}), ("reserved", "/name"))
        self.faults(ask("POST", "/v1/tokens", "[]"), ("malformed", "line 1"))


class Access(Api):
    def test_the_list_is_kept(self):
        info_hash = uuid.uuid4().hex + RUN + "ab"
        self.assertEqual(ask("PUT", f"/v1/access/{info_hash.upper()}")[0], 204)
        self.assertIn(info_hash, ask("GET", "/v1/access")[2]["info_hashes"])
        self.assertEqual(ask("DELETE", f"/v1/access/{info_hash}")[0], 204)
        self.assertNotIn(info_hash, ask("GET", "/v1/access")[2]["info_hashes"])
        self.problem(ask("PUT", "/v1/access/0123"), 400, "info-hash")

    def test_the_list_says_which_are_private(self):
        info_hash = uuid.uuid4().hex + RUN + "ad"
        for query, private in ("?private=1", True), ("", False):
            self.assertEqual(ask("PUT", f"/v1/access/{info_hash}{query}")[0], 204)
            reply = ask("GET", "/v1/access")[2]
            self.assertIn(info_hash, reply["info_hashes"])
            self.assertEqual(info_hash in reply["private"], private)
        self.problem(ask("PUT", f"/v1/access/{info_hash}?private=perhaps"), 400, "private")
        self.assertEqual(ask("DELETE", f"/v1/access/{info_hash}")[0], 204)

    def test_a_torrent_is_on_one_list_at_most(self):
        info_hash = uuid.uuid4().hex + RUN + "ac"
        for last in "access", "denied", "access":
            self.assertEqual(ask("PUT", f"/v1/{last}/{info_hash}")[0], 204)
            for each in "access", "denied":
                self.assertEqual(info_hash in ask("GET", "/v1/" + each)[2]["info_hashes"], each == last)
        self.assertEqual(ask("DELETE", f"/v1/access/{info_hash}")[0], 204)

    def test_denied_clients_are_kept(self):
        prefix = f"-{RUN[2:4]}"
        self.assertEqual(ask("PUT", f"/v1/denied-clients/{prefix}")[0], 204)
        self.assertIn(prefix, ask("GET", "/v1/denied-clients")[2]["clients"])
        self.assertEqual(ask("DELETE", f"/v1/denied-clients/{prefix}")[0], 204)
        self.assertNotIn(prefix, ask("GET", "/v1/denied-clients")[2]["clients"])

    def test_who_did_what_is_kept(self):
        entries = ask("GET", "/v1/audit?limit=3")[2]["audit"]
        self.assertLessEqual(len(entries), 3)
        self.assertEqual(set(entries[0]), {"number", "at", "author", "action", "subject", "provider", "chain"})
        for bad in ("0", "1001", "x"):
            self.problem(ask("GET", f"/v1/audit?limit={bad}"), 400, "limit")


class Readings(Api):
    @classmethod
    def setUpClass(cls):
        cls.name = P + "-r"
        put(cls.name, (NET + 5) % 256, ASN + 5)
        cls.bin = ask("GET", "/v1/reports/balance")[2]["bin_seconds"]
        cls.last = int(time.time()) // cls.bin * cls.bin - cls.bin

    def reading(self, back, octets, port="et-0", **more):
        """Of ic-t: a port's counters as they were so many bins ago."""
        return {"provider": self.name, "interconnect": "ic-t", "port": port, "at": self.last - back * self.bin,
                "out_octets": octets, "in_octets": octets // 2, "counter_bits": 64, **more}

    def bins(self, back, n):
        query = {"provider": self.name, "interconnect": "ic-t", "source": "counter",
                 "from": self.last - back * self.bin, "to": self.last - (back - n) * self.bin}
        points = ask("GET", "/v1/reports/series?" + urllib.parse.urlencode(query))[2]["points"]
        return [(back - (start - query["from"]) // self.bin, out, into) for start, out, into in points]

    def test_readings_become_bins_in_any_order(self):
        # Two pollers: of the first port one reading late, of the second none of the last; a reboot between 203 and 202.
        first = [self.reading(n, 1000 * (210 - n)) for n in (206, 205, 203)] + [self.reading(n, 5 - n + 202) for n in (202, 201)]
        second = [self.reading(n, 70 * (210 - n), "et-1") for n in (206, 205, 204)]
        answers = [ask("POST", "/v1/samples", body) for body in ({"readings": first}, second)]
        self.assertEqual([a[0] for a in answers], [200, 200])
        told = answers[0][2]["readings"]
        self.assertEqual((told["stored"], told["counted"], told["reset"], told["gap"]), (5, 2, 1, 1))
        self.assertEqual([(w["kind"], w["where"]) for w in told["warnings"]], [("gap", "/readings/2"), ("reset", "/readings/3")])
        self.assertEqual(self.bins(206, 6), [(206, 1070, 535), (205, 70, 35), (202, 1, 1)])
        late = ask("POST", "/v1/samples", self.reading(204, 6000))
        self.assertEqual((late[2]["readings"]["bins"], late[2]["readings"]["counted"]), (2, 1))
        expected = [(206, 1070, 535), (205, 1070, 535), (204, 1000, 500), (202, 1, 1)]
        self.assertEqual(self.bins(206, 6), expected)
        for body in ({"readings": first}, second):  # the answers were lost
            told = ask("POST", "/v1/samples", body)[2]["readings"]
            self.assertEqual((told["stored"], told["bins"], told["duplicate"]), (0, 0, len(first if body != second else second)))
        self.assertEqual(self.bins(206, 6), expected)

    def test_readings_and_periods_as_csv(self):
        t = self.last - 300 * self.bin
        head = "provider,interconnect,port,"
        body = (f"{head}at,out_octets,in_octets,counter_bits,sys_uptime,speed_bps\n"
                f"{self.name},ic-t,c,{t}.000,{2**64 - 500},1,64,1000,1000000000\n"
                f"{self.name},ic-t,c,{t + self.bin},500,3,64,{1000 + 100 * self.bin},1000000000\n")
        told = ask("POST", "/v1/samples", body, Content_Type="text/csv")
        self.assertEqual(told[2]["readings"]["counted"], 1, told)
        self.assertEqual(self.bins(300, 1), [(300, 1000, 2)])  # a wrap, proved
        body = (f"{head}start,seconds,out_bytes,in_bytes\n{self.name},ic-t,p,{t + 10 * self.bin},{4 * self.bin},401,4\n")
        told = ask("POST", "/v1/samples", body, Content_Type="text/csv")
        self.assertEqual((told[2]["stored"], told[2]["readings"]["bins"]), (0, 4), told)
        self.assertEqual(self.bins(290, 5), [(290, 100, 1), (289, 100, 1), (288, 100, 1), (287, 101, 1)])

    def test_bad_readings_are_refused_whole(self):
        good = self.reading(400, 1, "bad")
        for row, code, where in (
                (dict(good, counter_bits=16), "out-of-range", "/1/counter_bits"),
                (dict(good, at=self.last + 10**6), "future", "/1/at"),
                (dict(good, seconds=300), "unknown-key", "/1/seconds"),
                (dict(good, interconnect="none"), "unknown-interconnect", "/1/interconnect"),
                ({k: v for k, v in good.items() if k != "in_octets"}, "missing", "/1/in_octets")):
            self.faults(ask("POST", "/v1/samples", [good, row]), (code, where))
        self.assertEqual(ask("POST", "/v1/samples", self.reading(10, 9, "bad"))[2]["readings"]["stored"], 1)
        old = dict(good, at=int(time.time()) - 86400 - 100)
        self.faults(ask("POST", "/v1/samples", {"readings": [self.reading(9, 10, "bad"), old]}), ("late", "/readings/1"))
        self.assertEqual(ask("POST", "/v1/samples", self.reading(9, 10, "bad"))[2]["readings"]["stored"], 1)


class Figures(Api):
    @classmethod
    def setUpClass(cls):
        cls.name = P + "-f"
        put(cls.name, (NET + 3) % 256, ASN + 3)
        cls.bin = ask("GET", "/v1/reports/balance")[2]["bin_seconds"]
        cls.last = int(time.time()) // cls.bin * cls.bin - cls.bin

    def sample(self, back=0, **more):
        return {"provider": self.name, "interconnect": "ic-1", "bin": self.last - back * self.bin, "out_bytes": 300,
                "in_bytes": 100, **more}

    def balance(self, **query):
        query = {"provider": self.name, **query}
        return ask("GET", "/v1/reports/balance?" + urllib.parse.urlencode(query))

    def counter(self, **query):
        links = self.balance(interconnect="ic-1", **query)[2]["interconnects"]
        return links[0]["sources"].get("counter"), links[0]["verdict"]

    def test_interconnects_and_their_limit(self):
        links = ask("GET", f"/v1/interconnects?provider={self.name}")[2]["interconnects"]
        self.assertEqual([(i["interconnect"], i["pid"], i["neighbor_asn"], i["relation"], i["capacity_mbps"],
                           i["metro"], i["in_force"]) for i in links],
                         [("ic-1", "east", 64999, "settlement-free", 10000, "fra", True),
                          ("ic-t", "west", 64998, "transit", 20000, None, True)])
        self.assertEqual([i["cost"] for i in links], [{"out": 10, "in": 10}, {"out": 100, "in": 100}])
        for link in links:
            self.assertGreaterEqual(min(link["price"][way] - link["cost"][way] for way in ("out", "in")), 0)
        where = f"/v1/interconnects/{self.name}/ic-t"
        self.assertEqual(ask("PUT", where, {"ratio_limit": 2.5})[2]["ratio_limit"], 2.5)
        links = ask("GET", f"/v1/interconnects?provider={self.name}")[2]["interconnects"]
        self.assertEqual(links[1]["ratio_limit"], 2.5)
        self.assertEqual(ask("PUT", where, {"ratio_limit": None})[2]["ratio_limit"], None)
        for bad in (0, -1, "2", 1e9):
            self.faults(ask("PUT", where, {"ratio_limit": bad}), ("out-of-range", "/ratio_limit"))
        self.faults(ask("PUT", where, {}))
        self.problem(ask("PUT", f"/v1/interconnects/{self.name}/none", {"ratio_limit": 2}), 404, "none")
        self.problem(ask("GET", "/v1/interconnects?all=x"), 400, "all")

    def test_samples_are_idempotent_and_exact(self):
        big = 2**53 + 1
        window = {"from": self.last - 30 * self.bin, "to": self.last - 28 * self.bin}
        samples = [self.sample(30, out_bytes=big, in_bytes=str(big)), self.sample(29, out_bytes=2**62, in_bytes="3")]
        for body in ({"samples": samples}, samples):
            self.assertEqual(ask("POST", "/v1/samples", body)[2], {"stored": 2})
        figures, _ = self.counter(**window)
        self.assertEqual((figures["out_bytes"], figures["in_bytes"]), (big + 2**62, big + 3))
        self.assertEqual((figures["bins_known"], figures["bins_expected"]), (2, 2))
        most = 2**64 - 1
        self.assertEqual(ask("POST", "/v1/samples", [self.sample(n, out_bytes=str(most)) for n in (30, 29)])[0], 200)
        self.assertEqual(self.counter(**window)[0]["out_bytes"], 2 * most)
        row = list(csv.DictReader(io.StringIO(self.balance(format="csv", interconnect="ic-1", **window)[2])))[0]
        self.assertEqual(row["out_bytes"], str(2 * most))

    def test_samples_as_csv(self):
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.last - 40 * self.bin))
        body = ("provider,interconnect,start,in_bytes,out_bytes,observed_seconds\r\n"
                f'"{self.name}",ic-1,{start},4000,8000,\r\n{self.name},ic-1,{self.last - 39 * self.bin},1,2,1\r\n')
        answer = ask("POST", "/v1/samples", body, Content_Type="text/csv; charset=utf-8")
        self.assertEqual(answer[2], {"stored": 2})
        figures, verdict = self.counter(**{"from": start, "to": self.last - 39 * self.bin})
        self.assertEqual((figures["out_bytes"], figures["in_bytes"], figures["ratio"]), (8000, 4000, 2))
        self.assertEqual(figures["p95_out_bps"], round(8000 * 8 / self.bin))
        self.assertIn(verdict, ("ok", "warn"))  # at the limit of 2

    def test_bad_samples_are_refused_whole(self):
        good = self.sample(50)
        window = {"from": self.last - 50 * self.bin, "to": self.last - 49 * self.bin}
        rows = [
            (dict(good, bin=self.last + 5 * self.bin), "future", "/1/bin"),
            (dict(good, bin=self.last + 1 if self.bin > 1 else 5), "unaligned", "/1/bin"),
            (dict(good, bin="yesterday"), "malformed", "/1/bin"),
            (dict(good, bin=600), "out-of-range", "/1/bin"),
            (dict(good, out_bytes=-1), "malformed", "/1/out_bytes"),
            (dict(good, in_bytes=1.5), "malformed", "/1/in_bytes"),
            (dict(good, in_bytes=str(2**64)), "malformed", "/1/in_bytes"),
            (dict(good, interconnect="none"), "unknown-interconnect", "/1/interconnect"),
            (dict(good, provider=""), "out-of-range", "/1/provider"),
            (dict(good, observed_seconds=self.bin + 1), "out-of-range", "/1/observed_seconds"),
            (dict(good, colour="red"), "unknown-key", "/1"),
            (good, "duplicate", "/1/bin"),
            (7, "wrong-type", "/1"),
        ]
        for bad, code, where in rows:
            if code == "unaligned" and self.bin == 1:
                continue
            self.faults(ask("POST", "/v1/samples", [good, bad]), (code, where))
            self.faults(ask("POST", "/v1/samples", {"samples": [good, bad]}), (code, "/samples" + where))
        self.faults(ask("POST", "/v1/samples", "{\n\"samples\": ]"), ("malformed", "line 2"))
        self.faults(ask("POST", "/v1/samples", "provider,interconnect\nx,y\n", Content_Type="text/csv"),
                    ("missing", "line 1"))
        self.problem(ask("POST", "/v1/samples", "<x/>", Content_Type="text/xml"), 415)
        self.assertIsNone(self.counter(**window)[0])  # not even the good one

    def test_the_report_says_what_it_is_about(self):
        report = self.balance()[2]
        self.assertEqual(set(report) & {"from", "to", "bin_seconds", "interconnects"},
                         {"from", "to", "bin_seconds", "interconnects"})
        link = report["interconnects"][0]
        self.assertLessEqual({"provider", "interconnect", "neighbor_asn", "relation", "sources", "verdict"}, set(link))
        self.assertEqual([i["interconnect"] for i in report["interconnects"]], ["ic-1", "ic-t"])
        transit = self.balance(interconnect="ic-t")[2]["interconnects"][0]
        self.assertEqual((transit["sources"], transit["verdict"]), ({}, "no-data"))

    def test_a_report_about_nothing_is_an_error(self):
        for route in ("balance", "quality", "steering", "matrix", "top"):
            self.problem(ask("GET", f"/v1/reports/{route}?provider=no-such"), 404)
            self.problem(ask("GET", f"/v1/reports/{route}?provider={self.name}&interconnect=no-such"), 404)
            self.assertEqual(ask("GET", f"/v1/reports/{route}?provider={self.name}&interconnect=ic-t")[0], 200)

    def test_bad_parameters_are_named(self):
        for name, value in (("from", "yesterday"), ("to", "2026-13-01T00:00:00Z"), ("format", "xml")):
            self.problem(self.balance(**{name: value}), 400, name + ":")
        self.problem(self.balance(**{"from": 2000000000, "to": 1000000000}), 400, "from:")

    def test_csv_and_its_ways_to_ask(self):
        for answer in (self.balance(format="csv"),
                       ask("GET", f"/v1/reports/balance?provider={self.name}", Accept="text/csv")):
            self.assertEqual(answer[0], 200)
            self.assertTrue(answer[1]["Content-Type"].startswith("text/csv"))
            self.assertIn("out_bytes", answer[2].splitlines()[0])

    def test_series(self):
        self.assertEqual(ask("POST", "/v1/samples", [self.sample(61), self.sample(60)])[0], 200)
        query = {"provider": self.name, "interconnect": "ic-1", "source": "counter", "from": self.last - 62 * self.bin,
                 "to": self.last - 59 * self.bin}
        where = "/v1/reports/series?"
        status, _, series = ask("GET", where + urllib.parse.urlencode(query))
        self.assertEqual(status, 200, series)
        self.assertEqual(series["points"], [[self.last - n * self.bin, 300, 100] for n in (61, 60)])
        self.assertEqual((series["source"], series["bin_seconds"]), ("counter", self.bin))
        for name in ("provider", "interconnect", "source"):
            less = {key: value for key, value in query.items() if key != name}
            self.problem(ask("GET", where + urllib.parse.urlencode(less)), 400, name + ":")
        self.problem(ask("GET", where + urllib.parse.urlencode(dict(query, source="hearsay"))), 400, "source:")
        self.problem(ask("GET", where + urllib.parse.urlencode(dict(query, **{"from": 0}))), 400, "from:")


@unittest.skipUnless("P4PD_TEST_PG" in os.environ, "only a PostgreSQL of our own may be stopped")
class Away(Api):
    def test_without_a_database_it_says_when_to_ask_again(self):
        body = topology(P + "-away", (NET + 4) % 256, ASN + 4)
        pg = lambda verb: subprocess.run([os.environ["P4PD_TEST_PG"], verb], check=True)
        pg("stop")
        try:
            for answer in (ask("PUT", path(P + "-away"), body), ask("GET", "/v1/interconnects"),
                           ask("GET", "/v1/reports/balance"), ask("POST", "/v1/samples", []),
                           ask("GET", "/v1/tokens", token="p4pd_" + 64 * "0")):
                self.problem(answer, 503)
                self.assertGreater(int(answer[1]["Retry-After"]), 0)
            self.assertEqual(ask("GET", "/healthz", token=None)[0], 200)
            self.assertEqual(ask("GET", "/", token=None)[0], 200)
        finally:
            pg("start")
            self.wait_for_the_database()
        self.problem(ask("GET", path(P + "-away", "versions")), 404)  # nothing was stored
        self.assertEqual(ask("PUT", path(P + "-away"), body)[0], 201)

    def wait_for_the_database(self):
        """A connection refused while PostgreSQL still starts keeps the next attempt back for as long as it took."""
        until = time.monotonic() + 30
        while ask("GET", "/v1/interconnects")[0] == 503 and time.monotonic() < until:
            time.sleep(.05)


if __name__ == "__main__":
    unittest.main(verbosity=2)
