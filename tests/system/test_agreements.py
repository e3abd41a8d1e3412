#!/usr/bin/env python3
"""A month of a contract from samples to a statement, and the policies beside it, at P4PD_URL with P4PD_TOKEN.

Talks to the real daemon through p4pctl (P4PCTL) where people would; leaves a provider "t-agreed-..." behind.
"""
import csv
import datetime
import io
import json
import os
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request
import uuid

URL, TOKEN, P4PCTL = os.environ["P4PD_URL"], os.environ["P4PD_TOKEN"], os.environ["P4PCTL"]
RUN = uuid.uuid4().hex[:6]
PROVIDER = f"t-agreed-{RUN}"
BIN = 300
THIS_MONTH = datetime.datetime.now(datetime.timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
LAST_MONTH = (THIS_MONTH - datetime.timedelta(days=1)).replace(day=1)
PERIOD = LAST_MONTH.strftime("%Y-%m")
START, END = int(LAST_MONTH.timestamp()), int(THIS_MONTH.timestamp())
BINS = (END - START) // BIN


def call(method, path, body=None, **headers):
    """(status, headers, text)"""
    request = urllib.request.Request(URL + path, method=method, data=body and json.dumps(body).encode(), headers={
        "Authorization": "Bearer " + TOKEN, "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()}})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def get(path):
    status, _, text = call("GET", path)
    assert status == 200, text
    return json.loads(text)


def ctl(*arguments, stdin=None):
    run = subprocess.run([P4PCTL, *arguments], input=stdin, capture_output=True, text=True, timeout=120,
                         env={**os.environ, "P4PD_URL": URL, "P4PD_TOKEN": TOKEN})
    return run.returncode, run.stdout, run.stderr


def sample(n, out, into):
    return {"provider": PROVIDER, "interconnect": "ic-1", "bin": START + n * BIN, "out_bytes": out, "in_bytes": into}


def contract(**more):
    return {"format": "p4p-contract/1", "provider": PROVIDER, "id": "c-17", "interconnects": ["ic-1"],
            "model": "commit_blended", "commit_mbps": 5000, "unit_price": "0.80",
            "tiers": [{"from_mbps": 10000, "price": "0.70"}, {"from_mbps": 12000, "price": "0.60"}],
            "currency": "USD", **more}


def policy(**more):
    return {"format": "p4p-policy/1", "provider": PROVIDER, "id": "p-1", "peer_asn": 64999, "ratio": {"limit": 2}, **more}


def flat(value, path=()):
    """{"a.0.b": "value"} of a JSON document, in the way of the CSV."""
    if isinstance(value, dict):
        return {k: v for name, item in value.items() for k, v in flat(item, (*path, name)).items()}
    if isinstance(value, list):
        return {k: v for n, item in enumerate(value) for k, v in flat(item, (*path, str(n))).items()}
    words = {None: "", True: "true", False: "false"}
    return {".".join(path): words[value] if value is None or isinstance(value, bool) else str(value)}


class Agreements(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        net = int(RUN[:2], 16)
        status, _, text = call("PUT", f"/v1/providers/{PROVIDER}/topology", {
            "format": "p4p-topology/1", "provider": PROVIDER, "asns": [4200000000 + int(RUN, 16)],
            "pids": [{"pid": "core", "prefixes": [f"10.{net}.0.0/16"]}],
            "interconnects": [{"id": "ic-1", "pid": "core", "neighbor_asn": 64999, "relation": "settlement-free",
                               "capacity_mbps": 20000, "reach": "neighbor", "metro": "fra"}]})
        assert status == 201, text
        # 11 Gbit/s out, every 25th bin 12, in half of it; ten bins are missing.
        samples = [sample(n, 450000000000 if n % 25 == 0 else 412500000000, 206250000000)
                   for n in range(BINS) if not 1000 <= n < 1010]
        status, _, text = call("POST", "/v1/samples", samples)
        assert status == 200, text

    def put(self, kind, document):
        code, out, err = ctl(kind, "put", "-", stdin=json.dumps(document))
        self.assertEqual(code, 0, out + err)
        return out

    def figures(self, path):
        reader = csv.reader(io.StringIO(call("GET", path)[2]))
        return [row for row in reader][1:]

    def test_a_contract_is_put_found_changed_and_removed(self):
        path = f"/v1/providers/{PROVIDER}/contracts/c-2"
        document = contract(id="c-2")
        status, headers, text = call("PUT", path, document)
        self.assertEqual(status, 201, text)
        tag = headers["ETag"]
        self.assertEqual(json.loads(call("GET", path)[2]), document)
        self.assertEqual(call("GET", path, If_None_Match=tag)[0], 304)
        self.assertEqual(call("PUT", path, contract(id="c-2", currency="EUR"), If_Match=tag)[0], 201)
        status, _, text = call("PUT", path, contract(id="c-2", currency="CHF"), If_Match=tag)
        self.assertEqual(status, 412, text)
        self.assertIn("of contract c-2 version 2 is in force now", json.loads(text)["detail"])
        code, out, _ = ctl("contract", "list", PROVIDER)
        self.assertEqual(code, 0)
        self.assertIn("c-2", out)
        self.assertEqual(ctl("contract", "rm", PROVIDER, "c-2")[0], 0)
        self.assertEqual(call("GET", path)[0], 404)
        status, _, text = call("PUT", path, document, If_Match=tag)
        self.assertEqual(status, 412, text)
        self.assertIn("of contract c-2 nothing is in force now", json.loads(text)["detail"])
        self.assertEqual(json.loads(call("GET", path + "?version=1")[2]), document)
        versions = get(path + "/versions")["versions"]
        self.assertEqual([v["removed"] for v in versions], [True, False, False])
        audit = get("/v1/audit?limit=20")["audit"]
        self.assertIn(("contract-remove", f"{PROVIDER} c-2 version 3"), [(a["action"], a["subject"]) for a in audit])

    def test_the_longest_names_have_a_location(self):
        provider, name = "p" * 64, f"c-{RUN}-".ljust(64, "c")
        call("PUT", f"/v1/providers/{provider}/topology", {
            "format": "p4p-topology/1", "provider": provider, "asns": [64000], "pids": [{"pid": "core"}],
            "interconnects": [{"id": "ic-1", "pid": "core", "neighbor_asn": 64999, "relation": "settlement-free",
                               "capacity_mbps": 20000, "reach": "neighbor"}]})
        path = f"/v1/providers/{provider}/contracts/{name}"
        status, headers, text = call("PUT", path, contract(provider=provider, id=name))
        self.assertEqual(status, 201, text)
        self.assertEqual(headers["Location"], path + "?version=1")

    def test_faults_name_their_place(self):
        code, _, err = ctl("contract", "check", "-", stdin=json.dumps(
            contract(interconnects=["ic-1", "nowhere"], unit_price="0,80", tz="Europe/Nowhere", comit=1)))
        self.assertEqual(code, 1)
        self.assertIn("/unit_price", err)
        self.assertIn("unknown key 'comit'", err)
        code, _, err = ctl("contract", "check", "-", stdin=json.dumps(
            contract(interconnects=["ic-1", "nowhere"], tz="Europe/Nowhere")))
        self.assertEqual(code, 1)
        self.assertIn("/interconnects/1", err)
        self.assertIn("/tz", err)

    def test_every_preset_is_a_policy_once_it_says_whose(self):
        code, out, err = ctl("policy", "presets", "--json")
        self.assertEqual(code, 0, err)
        presets = json.loads(out)
        self.assertGreaterEqual(len(presets), 10)
        for preset in presets:
            self.assertTrue(preset["source"])
            self.assertRegex(preset["checked_on"], r"^\d{4}-\d\d-\d\d$")
            preset.update(provider=PROVIDER, peer_asn=64999)
            if "limit" not in preset["ratio"] and "min_volume" not in preset:
                preset["ratio"]["limit"] = 2  # it names periods, but no number of its own
            code, out, err = ctl("policy", "check", "-", stdin=json.dumps(preset))
            self.assertEqual(code, 0, preset["id"] + err)

    def test_a_month_from_samples_to_a_statement(self):
        self.put("contract", contract())
        at = f"&at={START + 86400}"
        report = get(f"/v1/reports/contracts?provider={PROVIDER}&contract=c-17{at}")["contracts"][0]
        self.assertEqual(report["quality"]["bins_expected"], BINS)
        self.assertEqual(report["quality"]["bins_missing"], 10)
        self.assertEqual(report["billed"]["percentile_bps"], 11000000000)
        self.assertEqual(report["cost"]["total"], "8700.00")
        figures = {row[2]: row[3] for row in self.figures(
            f"/v1/reports/contracts?provider={PROVIDER}&contract=c-17{at}&format=csv")}
        self.assertEqual(figures, flat(report))
        code, out, _ = ctl("contracts", PROVIDER, "--at", str(START))
        self.assertEqual(code, 0)
        self.assertIn("8700.00", out)

        code, out, err = ctl("statement", "create", PROVIDER, "c-17", PERIOD)
        self.assertEqual(code, 0, err)
        code, _, err = ctl("statement", "create", PROVIDER, "c-17", THIS_MONTH.strftime("%Y-%m"))
        self.assertEqual(code, 1)
        self.assertIn("is not over until", err)
        statement = get(f"/v1/statements?provider={PROVIDER}&contract=c-17")["statements"][0]
        number = str(statement["id"])
        whole = get("/v1/statements/" + number)
        self.assertIsNone(report.pop("projection"))  # it has ended
        self.assertEqual(whole["figures"], report)
        figures = {row[0]: row[1] for row in self.figures(f"/v1/statements/{number}?format=csv")
                   if not row[0].startswith("statement.")}
        self.assertEqual(figures, flat(report))
        page = call("GET", "/v1/statements/" + number, Accept="text/html")
        self.assertIn("text/html", page[1]["Content-Type"])
        self.assertIn(statement["inputs_sha256"], page[2])
        self.assertNotIn("<script", page[2])
        for value in ("8700.00", "11000000000"):
            self.assertIn(value, page[2])

        code, out, err = ctl("statement", "verify", number)
        self.assertEqual(code, 0, out + err)
        status, _, text = call("POST", "/v1/samples", [sample(4000, 1, 1)])
        self.assertEqual(status, 200, text)
        code, out, err = ctl("statement", "verify", number)
        self.assertEqual(code, 1, out + err)
        when = datetime.datetime.fromtimestamp(START + 4000 * BIN, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.assertIn(f"counter ic-1 {when}", out)
        self.assertIn("out 1 B, in 1 B", out)

        code, out, _ = ctl("statement", "create", PROVIDER, "c-17", PERIOD)
        self.assertEqual(code, 0)
        self.assertIn("it supersedes statement " + number, out)
        self.assertIn("Superseded", call("GET", "/v1/statements/" + number, Accept="text/html")[2])

    def test_bins_come_to_a_period_frozen_without_any(self):
        before = datetime.datetime.fromtimestamp(START, datetime.timezone.utc) - datetime.timedelta(days=10)
        self.put("contract", contract(id="bare"))
        code, out, err = ctl("statement", "create", PROVIDER, "bare", before.strftime("%Y-%m"))
        self.assertEqual(code, 0, err)
        number = str(get(f"/v1/statements?provider={PROVIDER}&contract=bare")["statements"][0]["id"])
        code, out, err = ctl("statement", "verify", number)
        self.assertEqual(code, 0, out + err)
        status, _, text = call("POST", "/v1/samples", [sample(-10 * 86400 // BIN, 7, 8)])
        self.assertEqual(status, 200, text)
        code, out, err = ctl("statement", "verify", number)
        self.assertEqual(code, 1, out + err)
        self.assertIn(f"counter ic-1 {before.strftime('%Y-%m-%dT%H:%M:%SZ')}", out)
        self.assertIn("out 7 B, in 8 B", out)

    def test_months_in_which_clocks_change(self):
        self.put("contract", contract(id="berlin", tz="Europe/Berlin"))
        for month, bins in (("2025-03", 8916), ("2025-10", 8940), ("2025-11", 8640)):
            report = get(f"/v1/reports/contracts?provider={PROVIDER}&contract=berlin&at={month}-15T00:00:00Z")
            self.assertEqual(report["contracts"][0]["period"]["bins_expected"], bins)
            _, out, _ = ctl("contracts", PROVIDER, "berlin", "--at", f"{month}-15T00:00:00Z")
            self.assertIn(f"{month}-01 00:00 Europe/Berlin", out)

    def test_a_policy_has_a_verdict_and_a_margin(self):
        self.put("policy", policy())
        report = get(f"/v1/reports/policies?provider={PROVIDER}&at={START + 86400}")["policies"][0]
        self.assertEqual(report["verdict"], "breach")  # a little above 2:1
        self.assertEqual(report["margin"]["out_bytes"], 0)
        self.assertIn("of 2.000:1", report["summary"])
        rows = {row[3]: row[4] for row in self.figures(
            f"/v1/reports/policies?provider={PROVIDER}&at={START + 86400}&format=csv")}
        self.assertEqual({**flat(report), "ratio": rows["ratio"]},
                         {**rows, **{k: flat(report)[k] for k in rows if k.startswith("method.")}})
        code, out, _ = ctl("policies", PROVIDER, "--at", str(START))
        self.assertEqual(code, 0)
        self.assertIn("AS64999", out)
        code, out, _ = ctl("balance", "--provider", PROVIDER)
        self.assertEqual(code, 0)
        self.assertIn(f"ic-1: policy p-1 judges it by its own window and metric: p4pctl policies {PROVIDER} p-1\n", out)
        self.put("policy", policy(id="p-in", tz="Asia/Kolkata"))
        code, out, _ = ctl("policies", PROVIDER, "p-in", "--at", str(START))
        self.assertIn(PERIOD + "-01 00:00 Asia/Kolkata", out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
