#!/usr/bin/env python3
"""A FIRST MAP of p4pctl(1): the commands of the manual, as they stand there, with the geofeed of tests/fixtures."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CTL = pathlib.Path(os.environ["P4PCTL"])
FEED = ROOT / "tests/fixtures/imports/geofeed.csv"


def manual():
    """The section, and the commands in it: indented lines that begin with p4pctl."""
    page = (ROOT / "deploy/man/p4pctl.1.rst").read_text()
    section = re.search(r"\nA FIRST MAP\n=+\n(.*?)\n[A-Z ]+\n=+\n", page, re.S)[1]
    return section, re.findall(r"^    (p4pctl .*)$", section, re.M)


class FirstMap(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        shutil.copy(FEED, self.folder / "geofeed.csv")

    def run_line(self, line):
        for command in ("import", "topology minimize", "topology coarsen"):  # its prefixes are documentation's
            line = line.replace(f"p4pctl {command} ", f"p4pctl {command} --lab ")
        return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60, cwd=self.folder,
                              env={**os.environ, "PATH": f"{CTL.parent}:{os.environ['PATH']}"})

    def test_the_manuals_commands_put_a_map_in_force(self):
        section, commands = manual()
        self.assertEqual(len(commands), 5)  # and the quickstart is the sixth
        shown = re.findall(r"^    (\S+/\d+,.*)$", section, re.M)
        self.assertTrue(shown and all(line in FEED.read_text() for line in shown))
        start, said = time.monotonic(), {}
        for line in commands:
            done = self.run_line(line)
            self.assertEqual(done.returncode, 0, (line, done.stdout, done.stderr))
            said[" ".join(line.split()[1:3])] = done
        self.assertLess(time.monotonic() - start, 60)

        self.assertIn("isp: 5 PIDs, 7 prefixes", said["import geofeed"].stderr)
        self.assertIn('1 entries name no place', said["import geofeed"].stderr)
        self.assertIn("topology of isp: good; it would change:", said["topology check"].stdout)
        self.assertIn("5 PIDs added", said["topology check"].stdout)
        self.assertIn("version 1 is in force", said["topology put"].stdout)
        self.assertIn("in force", said["versions isp"].stdout)
        self.assertEqual(said["topology diff"].stdout, "no difference\n")
        served = json.loads(self.run_line("p4pctl topology show isp").stdout)
        self.assertEqual({p["pid"]: p["prefixes"] for p in served["pids"]}, {
            "de-he-frankfurt-am-main": ["192.0.2.0/25", "2001:db8:1::/48"],
            "de-be-berlin": ["192.0.2.128/25", "2001:db8:2::/48"],
            "de-by-munchen": ["198.51.100.0/24"],
            "nl-nh-amsterdam": ["203.0.113.0/24"],
            "unplaced": ["2001:db8:ffff::/48"]})

    def test_a_feed_with_faults_makes_no_map(self):
        lines = FEED.read_text().splitlines()
        lines[2] = lines[2].replace("DE-BE", "Berlin")
        lines[5] = "203.0.113.0/23" + lines[5][14:]
        (self.folder / "geofeed.csv").write_text("\n".join(lines) + "\n")
        done = self.run_line(manual()[1][0])
        self.assertEqual((done.returncode, (self.folder / "isp.json").read_text()), (2, ""))
        self.assertIn('geofeed.csv: line 3: the third field must be a region of ISO 3166-2', done.stderr)
        self.assertIn("geofeed.csv: line 6: \"203.0.113.0/23\" has host bits set; did you mean 203.0.112.0/23? "
                      "[host-bits]", done.stderr)
        self.assertIn("nothing was written; faults: 2", done.stderr)

    def test_what_is_on_standard_input_joins_a_topology(self):
        done = self.run_line("p4pctl import geofeed --provider isp --asn AS64500 geofeed.csv >a.json && "
                             "echo '64500|64510|0' | p4pctl import asrel --into a.json --pid core - >b.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        made = json.loads((self.folder / "b.json").read_text())
        self.assertEqual(len(made["pids"]), 6)
        self.assertEqual(made["interconnects"], [{"id": "as64510", "pid": "core", "neighbor_asn": 64510,
                                                  "relation": "settlement-free", "reach": "neighbor"}])

    def test_prefixes_are_minimized(self):
        done = self.run_line("p4pctl import geofeed --provider isp --asn 64500 geofeed.csv >a.json && "
                             "p4pctl topology minimize a.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("8 prefixes became 7 that place every address as before", done.stderr)
        self.assertNotIn("access", done.stderr.split("became")[1])
        self.assertIn("192.0.2.128/25", done.stdout)

    def test_sheets_make_costs_too(self):
        (self.folder / "pids.csv").write_text("pid,prefixes,access\neast,192.0.2.0/24,fiber\nwest,198.51.100.0/24,dsl\n")
        (self.folder / "costs.csv").write_text("from,to,cost\neast,west,7\n")
        line = "p4pctl import csv --provider isp --asn 64500 pids.csv costs.csv >isp.json"
        self.assertIn("the files have costs, too; --costs FILE writes them", self.run_line(line).stderr)
        done = self.run_line(line + " --costs costs.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads((self.folder / "costs.json").read_text()),
                         {"format": "p4p-costs/1", "provider": "isp", "pid_costs": {"east": {"west": 7}}})

    def test_fewer_pids_are_proposed(self):
        pids = [{"pid": f"m{i}", "prefixes": [f"192.0.2.{16 * i}/28"]} for i in range(6)]
        links = [{"id": f"l{i}", "a": f"m{i - 1}", "b": f"m{i}", "weight": 50 if i == 3 else i} for i in range(1, 6)]
        (self.folder / "a.json").write_text(json.dumps({"format": "p4p-topology/1", "provider": "isp", "asns": [64500],
                                                        "pids": pids, "links": links}))
        done = self.run_line("p4pctl topology coarsen a.json --pids 2 --mapping mapping.csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([p["pid"] for p in json.loads(done.stdout)["pids"]], ["m0", "m3"])
        self.assertIn("6 PIDs become 2.", done.stderr)
        self.assertEqual((self.folder / "mapping.csv").read_text(),
                         "old,new\nm0,m0\nm1,m0\nm2,m0\nm3,m3\nm4,m3\nm5,m3\n")
        done = self.run_line("p4pctl topology coarsen a.json --pids none")
        self.assertEqual((done.returncode, done.stdout), (2, ""))

    def test_fewer_pids_have_costs_too(self):
        pids = [{"pid": f"m{i}", "prefixes": [f"192.0.2.{16 * i}/28"]} for i in range(4)]
        links = [{"id": f"l{i}", "a": f"m{i - 1}", "b": f"m{i}", "weight": 3 - i % 2} for i in range(1, 4)]
        ways_out = [{"id": "out", "pid": "m1", "neighbor_asn": 64510, "relation": "transit", "reach": "any"}]
        costs = {"format": "p4p-costs/1", "provider": "isp",
                 "pid_costs": {"m3": {"m0": 10, "m1": 19, "m2": 10}}, "interconnect_costs": {"out": {"out": 70, "in": 60}}}
        (self.folder / "a.json").write_text(json.dumps(
            {"format": "p4p-topology/1", "provider": "isp", "asns": [64500], "pids": pids, "links": links,
             "interconnects": ways_out}))
        (self.folder / "costs.json").write_text(json.dumps(costs))
        coarsen = "p4pctl topology coarsen a.json --costs costs.json"
        check = ("p4pctl topology check --offline --lab b.json && "
                 "p4pctl costs check --offline --lab --topology b.json costs-b.json")
        for more, pid_costs, said in (
                ("--pids 3", {"m3": {"m0": 10, "m1": 19}}, "that become one, is 0."),
                ("--pids 1 --threshold 0", {"m3": {"m0": 10, "m1": 19}}, "or by more than --threshold in costs"),
                ("--pids 2", {"m3": {"m0": 13}}, "that become one, is 9."),
                ("--pids 4", costs["pid_costs"], "Costs: 3 between PIDs become 3.")):
            done = self.run_line(f"{coarsen} {more} --costs-out costs-b.json >b.json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(said, done.stderr)
            self.assertEqual(json.loads((self.folder / "costs-b.json").read_text()), {**costs, "pid_costs": pid_costs})
            checked = self.run_line(check)
            self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn("the files have costs, too; --costs-out FILE writes them", self.run_line(coarsen).stderr)

        for words in ("--threshold 1", "--costs-out b.json", "--costs a.json", "--costs costs.json --threshold -1"):
            done = self.run_line(f"p4pctl topology coarsen a.json {words}")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
        costs["pid_costs"]["m4"] = {"m0": 1}
        (self.folder / "costs.json").write_text(json.dumps(costs))
        done = self.run_line(coarsen)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"costs.json: /pid_costs/m4: .* \[unknown-pid\]")


if __name__ == "__main__":
    unittest.main(verbosity=2)
