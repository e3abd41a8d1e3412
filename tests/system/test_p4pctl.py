#!/usr/bin/env python3
"""p4pctl (P4PCTL) against the server at P4PD_URL with P4PD_TOKEN: what it prints and how it exits."""
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest
import uuid

CTL = os.environ["P4PCTL"]
OK, REFUSED, USAGE, AWAY = 0, 1, 2, 3
RUN = uuid.uuid4().hex[:6]
ISP = f"t-ctl-{RUN}"
NET, ASN = int(RUN[:2], 16), 4210000000 + int(RUN, 16)
DOCUMENT = {
    "format": "p4p-topology/1", "provider": ISP, "asns": [ASN],
    "pids": [{"pid": "east", "prefixes": [f"10.{NET}.0.0/18"]}, {"pid": "west", "prefixes": [f"10.{NET}.64.0/18"]}],
    "links": [{"id": "l", "a": "east", "b": "west"}],
    "interconnects": [{"id": "ic", "pid": "east", "neighbor_asn": 64999, "relation": "settlement-free",
                       "capacity_mbps": 10000, "reach": "neighbor"}]}


class P4pctl(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, content, name="isp.json"):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return str(path)

    def ctl(self, *words, expect=OK, **env):
        """(standard output, standard error); checks the exit code."""
        done = subprocess.run([CTL, *words], capture_output=True, text=True, timeout=60, cwd=self.folder,
                              env={**os.environ, **env})
        self.assertEqual(done.returncode, expect, (words, done.stdout, done.stderr))
        return done.stdout, done.stderr

    def put(self, **more):
        return self.file({**DOCUMENT, **more})

    def test_a_map_goes_up_and_back(self):
        out, _ = self.ctl("topology", "put", self.put())
        self.assertIn("is in force", out)
        out, _ = self.ctl("topology", "put", self.put())
        self.assertIn("this very document is in force", out)
        self.ctl("topology", "check", ISP, self.put())
        self.assertIn("provider", self.ctl("topology", "check", "t-ctl-other", self.put(), expect=REFUSED)[1])
        same = self.file(json.dumps(DOCUMENT))  # in other bytes
        nothing = "no PID, link, prefix, interconnect or cost\n"
        self.assertIn(f"good; it would change {nothing}", self.ctl("topology", "check", same)[0])
        self.assertIn(f"it would change {nothing}", self.ctl("plan", same, expect=4)[0])
        self.assertEqual(json.loads(self.ctl("topology", "show", ISP)[0]), DOCUMENT)
        wider = self.put(pids=[{"pid": "east", "prefixes": [f"10.{NET}.0.0/17"]}, {"pid": "west"}])
        self.assertIn("prefixes removed", self.ctl("topology", "check", wider)[0])
        out, _ = self.ctl("topology", "diff", wider)
        self.assertIn(f'- pids[east].prefixes: "10.{NET}.0.0/18"\n', out)
        self.assertIn(f'+ pids[east].prefixes: "10.{NET}.0.0/17"\n', out)
        self.assertEqual(self.ctl("topology", "diff", self.put())[0], "no difference\n")
        first = json.loads(self.ctl("versions", ISP, "--json")[0])["versions"][-1]["version"]
        self.ctl("topology", "put", wider)
        self.ctl("activate", ISP, str(first))
        out, _ = self.ctl("versions", ISP)
        self.assertRegex(out, rf"(?m)^ +{first}  topology .* in force$")
        self.assertEqual(json.loads(self.ctl("topology", "show", ISP, "--version", str(first))[0]), DOCUMENT)

    def test_faults_name_file_place_and_line(self):
        bad = self.put(asns=[ASN], pids=[{"pid": "east", "prefixes": [f"10.{NET}.0.1/18"]}])
        for verb in ("put", "check"):
            out, err = self.ctl("topology", verb, bad, expect=REFUSED)
            self.assertIn(f"{bad}: /pids/0/prefixes/0: ", err)
            self.assertIn("[host-bits] (line 11)", err)
        out, _ = self.ctl("topology", "put", bad, "--json", expect=REFUSED)
        self.assertEqual(json.loads(out)["status"], 422)
        self.ctl("costs", "put", bad, expect=REFUSED)
        self.ctl("topology", "put", self.file("{\n]"), expect=USAGE)
        self.ctl("topology", "put", self.file("{}"), expect=USAGE)
        _, err = self.ctl("topology", "put", self.file("\ufeff{}"), expect=USAGE)
        self.assertIn("isp.json:1: begins with a byte order mark; save it as UTF-8 without one", err)
        _, err = self.ctl("apply", "--over", "newest", self.put(), expect=USAGE)
        self.assertIn("--over: the number of a version, or 0, not 'newest'", err)
        self.ctl("topology", "put", "/nowhere/at/all", expect=USAGE)
        long = self.file(json.dumps(DOCUMENT) + " " * (64 << 20), "long.json")  # api_upload_mib
        for verb in (("topology", "put"), ("plan",)):
            self.assertRegex(self.ctl(*verb, long, expect=REFUSED)[1], rf"^{long}: the body is longer than \d+ bytes \(413\)$")
        _, err = self.ctl("token", "create", "no blanks", expect=REFUSED)  # of a body that no file holds
        self.assertRegex(err, r"(?m)^p4pctl: /name: .* \[malformed\]$")

    def test_a_map_is_judged_without_a_server(self):
        nowhere = {"P4PD_URL": "http://127.0.0.1:1"}
        check = ["topology", "check", "--offline"]
        out, err = self.ctl(*check, "--lab", self.put(), **nowhere)
        self.assertIn(f"topology of {ISP}: good by itself", out)
        self.assertEqual(err, "")
        mobile = self.put(pids=[{"pid": "east", "prefixes": [f"10.{NET}.0.0/18"], "access": "mobile", "uploads": "normal"},
                                {"pid": "west"}])
        self.assertRegex(self.ctl(*check, "--lab", mobile, **nowhere)[0], r"(?m)^warning: /pids/0/uploads: .* \[radio\]$")
        said = json.loads(self.ctl(*check, "--lab", "--json", mobile, **nowhere)[0])
        self.assertEqual(said["faults"], [])
        self.assertEqual([(w["code"], w["where"]) for w in said["warnings"]], [("radio", "/pids/0/uploads")])

        # What could not be read hides nothing else: a range, a prefix twice, and no private ones without --lab.
        bad = self.put(asns=[-1], pids=[{"pid": "east", "prefixes": [f"10.{NET}.0.0/18"]},
                                        {"pid": "west", "prefixes": [f"10.{NET}.0.0/18"]}])
        out, err = self.ctl(*check, "--lab", bad, expect=REFUSED, **nowhere)
        self.assertEqual(out, "")
        self.assertRegex(err, r"(?m)isp.json: /asns/0: .* \[range\] \(line \d+\)$")
        self.assertRegex(err, r"(?m)isp.json: /pids/1/prefixes/0: .* \[overlap\] \(line \d+\)$")
        said = json.loads(self.ctl(*check, "--json", bad, expect=REFUSED, **nowhere)[0])
        self.assertEqual({fault["code"] for fault in said["faults"]}, {"range", "overlap", "bogon"})
        self.assertIn("/provider", self.ctl(*check, "--lab", "t-other", self.put(), expect=REFUSED, **nowhere)[1])

        self.ctl(*check, self.file("{\n]"), expect=USAGE, **nowhere)
        self.ctl(*check, "/nowhere/at/all", expect=USAGE, **nowhere)
        self.ctl(*check, "--limit", "1", self.put(), expect=USAGE, **nowhere)
        self.ctl("topology", "check", "--lab", self.put(), expect=USAGE)

    def test_costs_are_judged_without_a_server(self):
        nowhere = {"P4PD_URL": "http://127.0.0.1:1"}
        check = ["costs", "check", "--offline"]
        costs = {"format": "p4p-costs/1", "provider": ISP, "pid_costs": {"east": {"west": 3}},
                 "interconnect_costs": {"ic": {"out": 2, "in": 1}}}
        beside = ["--lab", "--topology", self.put()]
        good = self.file(costs, "costs.json")
        self.assertIn(f"costs of {ISP}: good by themselves", self.ctl(*check, good, **nowhere)[0])
        self.assertIn(f"costs of {ISP}: good beside that topology", self.ctl(*check, *beside, good, **nowhere)[0])

        # What it says by itself, and what a topology lacks: with the server's own codes, all at once.
        bad = self.file({**costs, "pid_costs": {"east": {"west": -1}, "north": {"west": 1}}}, "costs.json")
        said = json.loads(self.ctl(*check, "--json", bad, expect=REFUSED, **nowhere)[0])
        self.assertEqual([(f["code"], f["where"]) for f in said["faults"]], [("range", "/pid_costs/east/west")])
        said = json.loads(self.ctl(*check, *beside, "--json", bad, expect=REFUSED, **nowhere)[0])
        self.assertEqual({(f["code"], f["where"]) for f in said["faults"]},
                         {("range", "/pid_costs/east/west"), ("unknown-pid", "/pid_costs/north")})
        self.assertIn("/provider", self.ctl(*check, "t-other", good, expect=REFUSED, **nowhere)[1])

        self.ctl(*check, self.put(), expect=REFUSED, **nowhere)  # a topology
        self.ctl(*check, "--topology", "/nowhere/at/all", good, expect=USAGE, **nowhere)
        self.assertIn("[bogon]", self.ctl(*check, *beside[1:], good, expect=USAGE, **nowhere)[1])  # no --lab
        self.assertIn("goes with --offline", self.ctl("costs", "check", *beside[1:], good, expect=USAGE)[1])

    def test_counters_become_a_balance(self):
        self.ctl("topology", "put", self.put())
        self.ctl("interconnects", "set", ISP, "ic", "--ratio-limit", "1.5")
        for words in (("interconnects", "list"), ("interconnects",)):
            self.assertRegex(self.ctl(*words, "--provider", ISP)[0], r"ic .* 10\.0 Gbit/s  1\.50:1 +10  10\n")
        bin_seconds = json.loads(self.ctl("balance", "--json")[0])["bin_seconds"]
        start = int(time.time()) // bin_seconds * bin_seconds - bin_seconds
        samples = self.file(f"provider,interconnect,bin,out_bytes,in_bytes\n{ISP},ic,{start},{2**64 - 1},5000000\n", "s.csv")
        self.assertEqual(self.ctl("samples", "put", samples)[0], "1 samples stored\n")
        out, _ = self.ctl("balance", "--provider", ISP)
        self.assertRegex(out, rf"{ISP} +ic +AS64999 +settlement-free +counter +18\.4 EB  5\.00 MB .* 1/\d+  breach\n")
        self.assertIn(str(2**64 - 1), self.ctl("balance", "--provider", ISP, "--csv")[0])
        flat = {"format": "p4p-contract/1", "provider": ISP, "id": "flat", "interconnects": ["ic"], "model": "flat",
                "commit_mbps": 1, "unit_price": "1", "currency": "EUR"}
        self.ctl("contract", "put", self.file(flat))
        period = ("contracts", ISP, "--at", str(start))  # in the first minutes of a month it is the one before
        self.assertIn("flat: a bin holds", self.ctl(*period)[0])
        self.ctl("samples", "put", self.file(f"provider,interconnect,bin,out_bytes,in_bytes\n{ISP},ic,{start},{2**60},5\n", "s.csv"))
        self.assertRegex(self.ctl(*period)[0], r" 1\.00 +EUR .*\nflat: of ic only 1 of .*\nflat: more is used than its commit, and it has no price")
        self.ctl("contract", "put", self.file({**flat, "model": "commit_blended"}))
        self.assertNotIn("it has no price", self.ctl(*period)[0])
        bad = self.file("provider,interconnect,bin,out_bytes,in_bytes\nx,ic,1,2,3\n", "s.csv")
        self.assertIn(f"{bad}: line 2: ", self.ctl("samples", "put", bad, expect=REFUSED)[1])
        self.ctl("balance", "--from", "yesterday", expect=REFUSED)
        self.ctl("interconnects", "set", ISP, "ic", expect=USAGE)
        self.ctl("interconnects", "set", ISP, "ic", "--ratio-limit", "many", expect=USAGE)
        self.ctl("interconnects", "set", ISP, "ic", "--ratio-limit", "none")

    def test_readings_tell_what_came_to_nothing(self):
        self.ctl("topology", "put", self.put())
        bin_seconds = json.loads(self.ctl("balance", "--json")[0])["bin_seconds"]
        first = (int(time.time()) // bin_seconds - 5) * bin_seconds
        rows = "".join(f"{ISP},ic,xe-0,{first + i * bin_seconds},{n},{n}\n" for i, n in enumerate((1000, 2000, 500)))
        file = self.file("provider,interconnect,port,at,in_octets,out_octets\n" + rows, "readings.csv")
        out, err = self.ctl("samples", "put", file)
        self.assertEqual(out, "0 samples stored\n3 readings stored, 1 bins made of them\n")
        self.assertRegex(err, rf"^{file}: line 4: .+ \[\w+\]\n$")
        self.assertEqual(self.ctl("samples", "put", file), ("0 samples stored\n0 readings stored, 0 bins made of them\n", ""))

    def test_an_empty_secret_is_none(self):
        _, err = self.ctl("webhook", "set", "t-ctl", "http://127.0.0.1:9/", "--secret-file", self.file("\n", "s"), expect=USAGE)
        self.assertIn("its first line is empty", err)
        self.assertNotIn("t-ctl ", self.ctl("webhook", "list")[0])

    def test_what_other_tools_counted_becomes_bins(self):
        self.ctl("topology", "put", self.put())
        bin_seconds = json.loads(self.ctl("balance", "--json")[0])["bin_seconds"]
        t = int(time.time()) // bin_seconds * bin_seconds - 2000 * bin_seconds  # older than late_seconds
        window = ("--provider", ISP, "--from", str(t), "--to", str(t + 10 * bin_seconds))

        def totals():
            link = json.loads(self.ctl("balance", "--json", *window)[0])["interconnects"][0]
            return {k: link["sources"]["counter"][k] for k in ("out_bytes", "in_bytes", "bins_known")}

        def series(name, **values):
            return {"metric": {"__name__": name, "instance": "r1", **({"ifName": values.pop("port")} if "port" in values else {})},
                    "values": [[t + float(at[1:]) * bin_seconds, str(v)] for at, v in values.items()]}

        # Two ports of one interconnect; one restarts in the third bin, both end within the sixth.
        answer = {"status": "success", "data": {"resultType": "matrix", "result": [
            series("sysUpTime", _0=100, _1=100 + 100 * bin_seconds, _2=100 + 200 * bin_seconds, _3=9, _4=9 + 100 * bin_seconds,
                   _5=9 + 200 * bin_seconds, **{"_5.5": 9 + 250 * bin_seconds}),
            series("ifHCInOctets", port="a", _0=0, _1=10, _2=20, _3=25, _4=35, _5=45, **{"_5.5": 99}),
            series("ifHCOutOctets", port="a", _0=2**53 - 50, _1=50, _2=150, _3=25, _4=125, _5=225, **{"_5.5": 999})]}}
        file = self.file(answer, "answer.json")
        words = ("samples", "import", "--format", "prometheus", file)
        self.ctl(*words, expect=USAGE)
        self.ctl(*words, "--interconnect", "ic", expect=USAGE)
        self.assertIn("no interconnect", self.ctl(*words, "--interconnect", f"{ISP}/none", expect=USAGE)[1])
        out, err = self.ctl(*words, "--interconnect", f"{ISP}/ic", "--dry-run")
        self.assertRegex(out, rf"{ISP}/ic +1 +7 +4 +0 +0 +1 +1 +1 +400 B +40 B\n")
        self.assertIn("periods: 5 counted, 0 duplicate, 1 reset,", out)
        self.assertIn("nothing was sent", out)
        self.assertRegex(err, rf"{file}: r1/a at 20..-.*Z: the counters began anew")
        # The same as text, as /federate writes it.
        page = self.file("".join(
            f'{s["metric"]["__name__"]}{{instance="r1",ifName="{s["metric"].get("ifName", "")}"}} {value} {int(at * 1000)}\n'
            for s in answer["data"]["result"] for at, value in s["values"]), "page.txt")
        same, _ = self.ctl("samples", "import", "--format", "prometheus", page, "--interconnect", f"{ISP}/ic", "--dry-run")
        self.assertEqual(same, out)
        for _ in range(2):  # again changes nothing
            self.assertIn("4 bins stored", self.ctl(*words, "--interconnect", f"{ISP}/ic")[0])
            self.assertEqual(totals(), {"out_bytes": 400, "in_bytes": 40, "bins_known": 4})
        self.ctl(*words, "--interconnect", f"{ISP}/ic", "--swap")
        self.assertEqual(totals(), {"out_bytes": 40, "in_bytes": 400, "bins_known": 4})

        # LibreNMS: periods that are no bins; a map says which bill is whose.
        rows = [(7, t + bin_seconds * n + 1, bin_seconds, 1000 + n, 2000) for n in range(1, 8)] + [(9, t, 300, 1, 1)]
        table = self.file("bill_id\ttimestamp\tperiod\tin_delta\tout_delta\n" +
                          "".join("\t".join(map(str, r)) + "\n" for r in rows), "bill_data.tsv")
        bills = self.file(f"# whose\nbill 7  {ISP}/ic\nbill 8 {ISP}/ic\n", "bills.map")
        out, err = self.ctl("samples", "import", "--format", "librenms", table, "--map", bills)
        self.assertIn("6 bins stored", out)
        self.assertIn('has no port "bill 8", which line 3 of the map names', err)
        self.assertIn('port "bill 9" is of no interconnect', err)
        self.assertEqual(totals()["bins_known"], 7)
        bad = self.file("timestamp,period,in_delta,out_delta\n1,2,3,x\n", "bad.csv")
        self.assertIn(f"{bad}: line 2: ", self.ctl("samples", "import", "--format", "librenms", bad, "--map", bills, expect=USAGE)[1])

    def test_tokens_and_rights(self):
        self.ctl("topology", "put", self.put())
        token = self.ctl("token", "create", f"t-{RUN}", "--provider", ISP)[0].strip()
        self.assertIn(f"t-{RUN}", self.ctl("token", "list")[0])
        self.ctl("versions", ISP, "--token", token)
        self.ctl("versions", ISP, "--token-file", self.file(token + "\n", "token"), P4PD_TOKEN="nonsense")
        _, err = self.ctl("topology", "put", self.put(), "--token", token, expect=AWAY)
        self.assertIn("403", err)
        self.ctl("token", "create", f"t-{RUN}", "--provider", ISP, expect=REFUSED)
        self.ctl("token", "revoke", f"t-{RUN}")
        self.ctl("versions", ISP, "--token", token, expect=AWAY)
        self.ctl("token", "revoke", f"t-{RUN}", expect=REFUSED)

    def test_access_and_audit(self):
        info_hash = uuid.uuid4().hex + RUN + "ff"
        self.ctl("access", "allow", info_hash)
        self.assertIn(info_hash, self.ctl("access", "list")[0].split())
        self.assertIn(info_hash, self.ctl("audit", "--limit", "5")[0])
        self.ctl("access", "deny", info_hash)
        self.assertNotIn(info_hash, self.ctl("access", "list")[0].split())
        self.assertIn(info_hash, self.ctl("access", "list", "--denied")[0].split())
        self.ctl("access", "forget", info_hash)
        self.assertNotIn(info_hash, self.ctl("access", "list", "--denied")[0].split())
        _, err = self.ctl("access", "allow", "zz", expect=REFUSED)
        self.assertIn('"zz" is none; one has 40 hexadecimal digits', err)

    def test_passkeys(self):
        name = f"k-{RUN}"
        key = self.ctl("passkey", "create", name, "--max-peers", "7")[0].strip()
        self.assertRegex(key, r"^[0-9a-f]{32}$")
        self.assertRegex(self.ctl("passkey")[0], rf"(?m)^{name} .* 7 ")
        self.ctl("passkey", "create", name, expect=REFUSED)
        self.ctl("passkey", "create", name + "2", "--key", "short", expect=REFUSED)
        self.ctl("passkey", "create", name + "2", "--max-peers", "many", expect=USAGE)
        own = f"other_tracker-{RUN}"
        self.assertEqual(self.ctl("passkey", "create", name + "2", "--key", own)[0], own + "\n")
        for each in name, name + "2":
            self.ctl("passkey", "revoke", each)
        self.assertNotIn(name, self.ctl("passkey", "list")[0])
        self.ctl("passkey", "revoke", name, expect=REFUSED)

    def test_clients(self):
        prefix = f"-{RUN[:2]}"
        self.assertEqual(self.ctl("client", "deny", "--", prefix)[0], f"denied {prefix}\n")
        self.assertIn(prefix, self.ctl("client")[0].split())
        self.ctl("client", "forget", "--", prefix)
        self.assertNotIn(prefix, self.ctl("client", "list")[0].split())
        _, err = self.ctl("client", "deny", "a b", expect=REFUSED)
        self.assertIn('"a b" is not how a peer id begins: 1 to 20 printable', err)
        _, err = self.ctl("client", "deny", "x", "", expect=USAGE)  # and the first is not denied
        self.assertEqual(err, "p4pctl: argument 2 is empty; usage: p4pctl client deny PREFIX...\n")
        self.assertNotIn("x", self.ctl("client", "list")[0].split())

    def test_torrents(self):
        """No server is asked: its address only says whose a tracker is."""
        content, here = self.file("content", "content.bin"), {"P4PD_URL": "http://t.example:8080"}
        made = str(self.folder / "content.bin.torrent")
        url = "http://t.example:6969/announce"
        _, err = self.ctl("torrent", "create", content, "--tracker", url, "--output", content, expect=USAGE)
        self.assertIn(f"{content}: is there already", err)
        self.ctl("torrent", "create", content, "--tracker", url)
        self.assertIn("steering      binds\n", self.ctl("torrent", "check", made, **here)[0])
        self.assertIn("foreign", self.ctl("torrent", "check", made, P4PD_URL="http://u.example", expect=REFUSED)[0])
        self.ctl("torrent", "check", made, "--tracker", "udp://t.example:6970", expect=REFUSED, **here)
        open_one = str(self.folder / "open")
        self.ctl("torrent", "create", content, "--tracker", url, "--public", "--output", open_one)
        out, err = self.ctl("torrent", "check", made, content, open_one, expect=USAGE, **here)
        self.assertIn("does not bind", out)
        self.assertIn(f"{content}: /: ", err)
        self.assertIn("(byte 0)", err)
        self.ctl("torrent", "check", made, open_one, expect=REFUSED, **here)
        self.ctl("torrent", "check", expect=USAGE)
        self.ctl("torrent", "check", made, "--tracker", "nonsense", expect=USAGE)
        self.ctl("torrent", "create", content, expect=USAGE)
        self.ctl("torrent", "create", content, "--tracker", url, "--date", "yesterday", expect=USAGE)
        self.ctl("torrent", "create", "/nowhere/at/all", "--tracker", url, expect=USAGE)

    def test_where_the_token_comes_from(self):
        token = os.environ["P4PD_TOKEN"]
        (self.folder / "var").mkdir()
        (self.folder / "var/admin.token").write_text(token + "\n")
        env = {name: value for name, value in os.environ.items() if name != "P4PD_TOKEN"}
        run = lambda folder: subprocess.run([CTL, "token", "list"], cwd=folder, env=env, capture_output=True, text=True)
        self.assertEqual(run(self.folder).returncode, OK)
        lost = run("/")
        self.assertEqual(lost.returncode, AWAY)
        self.assertIn("var/admin.token", lost.stderr)

    def test_trouble_has_its_exit_code(self):
        self.assertIn("ready", self.ctl("status")[0])
        self.assertTrue(json.loads(self.ctl("status", "--json")[0])["ready"])
        self.assertIn("is p4pd running?", self.ctl("status", "--url", "http://127.0.0.1:1", expect=AWAY)[1])
        self.ctl("status", "--url", "file:///etc/passwd", expect=AWAY)
        self.ctl(expect=USAGE)
        self.ctl("fly", expect=USAGE)
        self.ctl("topology", expect=USAGE)
        self.ctl("topology", "put", expect=USAGE)
        self.ctl("topology", "put", "a", "b", "c", expect=USAGE)
        self.ctl("versions", ISP, "--limit", "3", expect=USAGE)
        self.ctl("versions", ISP, "--colour", expect=USAGE)
        self.ctl("versions", "t-ctl-nobody", expect=REFUSED)

    def test_names_of_files_are_fit_for_a_terminal(self):
        """What a terminal obeys is not sent to it, whatever a file is called."""
        name = self.folder / "\x1b[2J\nall is well\x9b"
        for words in (["topology", "put"], ["topology", "minimize"], ["import", "geofeed"], ["torrent", "check"],
                      ["samples", "put"]):
            said = self.ctl(*words, str(name), expect=USAGE)[1]
            self.assertNotRegex(said, "[\x00-\x09\x0b-\x1f\x7f-\x9f]", words)
            self.assertEqual(said.count("\n"), 1, words)
            self.assertIn("No such file", said)
        name.write_text("{")
        for words in (["topology", "minimize"], ["import", "geofeed"], ["torrent", "check"]):
            said = self.ctl(*words, str(name), expect=USAGE)[1]
            self.assertNotRegex(said, "[\x00-\x09\x0b-\x1f\x7f-\x9f]", words)
            self.assertIn("all is well", said)

    def test_every_command_has_help(self):
        listed = self.ctl("--help")[0].split("Commands:\n")[1].split("\nOptions:")[0].splitlines()
        names = [" ".join(word for word in line[2:42].split() if word.isalnum() and word.islower()) for line in listed if line]
        self.assertGreater(len(names), 20)
        groups = {name.split()[0] for name in names if " " in name}
        for name in set(names) - groups:
            self.assertIn(f"usage: p4pctl {name}", self.ctl(*name.split(), "--help")[0])
        self.assertIn("--to N ", self.ctl("rollback", "--help")[0])
        self.assertIn("--to TIME ", self.ctl("balance", "--help")[0])
        for words in ("import csv", "topology coarsen", "torrent create"):  # they ask no server
            self.assertNotIn("--url", self.ctl(*words.split(), "--help")[0])
        for group in groups:
            page = self.ctl(group, "--help")[0]
            self.assertIn(f"usage: p4pctl [OPTIONS] {group} COMMAND", page)
            told = page.split("Commands:\n")[1].split("\nOptions:")[0].splitlines()
            self.assertEqual([line for line in told if line], [line for line in listed if line.split()[0] == group])
        self.assertIn("p4pctl topology --help lists them", self.ctl("topology", expect=USAGE)[1])
        self.ctl("nonsense", "--help", expect=USAGE)
        self.ctl("topology", "nonsense", "--help", expect=USAGE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
