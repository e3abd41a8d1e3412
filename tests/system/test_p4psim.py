#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""p4psim as a user meets it, and networks imported from SNDlib and the Topology Zoo.

    test_p4psim.py P4PSIM [RECORDED]

RECORDED: a folder with topology/sndlib/*.xml and topology/topology-zoo/graphml.tar.gz, which are not ours
to publish; what is not there is skipped.
"""
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMPORT = ROOT / "tools/p4psim/import_topology.py"
SWARM = ROOT / "tests/sim/three-isps/swarm.json"
P4PSIM = pathlib.Path(sys.argv[1]).resolve()
RECORDED = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None

SNDLIB = """<network xmlns="http://sndlib.zib.de/network" version="1.0"><meta><unit>MBITPERSEC</unit></meta>
<networkStructure><nodes coordinatesType="geographical">
<node id="Essen"><coordinates><x>7.0</x><y>51.4</y></coordinates></node>
<node id="Berlin"><coordinates><x>13.4</x><y>52.5</y></coordinates></node>
<node id="Ulm/Neu"><coordinates><x>10.0</x><y>48.4</y></coordinates></node></nodes>
<links><link id="L1"><source>Essen</source><target>Berlin</target>
<preInstalledModule><capacity>9920.0</capacity><cost>0</cost></preInstalledModule></link>
<link id="L2"><source>Ulm/Neu</source><target>Berlin</target></link></links></networkStructure></network>"""
GRAPHML = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key attr.name="label" attr.type="string" for="node" id="d1"/><key attr.name="Longitude" for="node" id="d2"/>
<key attr.name="Latitude" for="node" id="d3"/><key attr.name="label" for="graph" id="d4"/>
<graph edgedefault="undirected"><data key="d4">Net</data>
<node id="0"><data key="d1">Rome</data><data key="d2">12.5</data><data key="d3">41.9</data></node>
<node id="1"><data key="d1">Milan</data><data key="d2">9.2</data><data key="d3">45.5</data></node>
<node id="2"><data key="d1">None</data></node><node id="3"><data key="d1">None</data></node>
<edge source="0" target="1"/><edge source="0" target="1"/><edge source="1" target="2"/></graph></graphml>"""


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


class Test(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def simulate(self, topology):
        """A small swarm over all PIDs of a document; also proof that the document has no faults."""
        pids = [f"{topology['provider']}/{p['pid']}" for p in topology["pids"]]
        line = [{"up_mbps": 5, "down_mbps": 20}]
        scenario = {"format": "p4psim-scenario/1", "topologies": ["t.json"], "content": {"kib": 1024},
                    "peers": [{"pids": {p: 1 for p in pids}, "access": line}],
                    "seeds": [{"pids": {pids[0]: 1}, "access": line}], "policies": [{"policy": "p4p"}]}
        self.write("t.json", json.dumps(topology))
        ran = run(P4PSIM, "--json", self.write("s.json", json.dumps(scenario)))
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        policy = json.loads(ran.stdout)["policies"][0]
        self.assertEqual((policy["completed"], policy["unfinished"]), (len(pids), 0))
        return policy

    def load(self, path, *options):
        ran = run(IMPORT, path, *options)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return json.loads(ran.stdout), ran.stderr

    def test_sndlib(self):
        doc, _ = self.load(self.write("net.xml", SNDLIB), "--transit", "essen", "--asn", "64999")
        self.assertEqual([p["pid"] for p in doc["pids"]], ["essen", "berlin", "ulm-neu"])
        self.assertEqual((doc["provider"], doc["asns"]), ("net", [64999]))
        self.assertEqual([(k["a"], k["b"], k.get("capacity_mbps")) for k in doc["links"]],
                         [("essen", "berlin", 9920), ("ulm-neu", "berlin", None)])
        self.assertAlmostEqual(doc["links"][0]["weight"], 455, delta=10)
        self.assertEqual(doc["interconnects"][0]["pid"], "essen")
        policy = self.simulate(doc)
        self.assertGreater(policy["links"][0]["ab_bytes"], 1000000)  # the seed is in Essen

    def test_graphml(self):
        doc, said = self.load(self.write("Zoo Net.graphml", GRAPHML), "--capacity-mbps", "100")
        self.assertIn("1 of 4 nodes", said)
        self.assertEqual([p["pid"] for p in doc["pids"]], ["rome", "milan", "none"])
        self.assertEqual([k["id"] for k in doc["links"]], ["rome-milan", "rome-milan-2", "milan-none"])
        self.assertEqual([k["weight"] for k in doc["links"][:2]], [doc["links"][2]["weight"]] * 2)
        self.assertEqual({k["capacity_mbps"] for k in doc["links"]}, {100})
        self.assertEqual(doc["interconnects"][0]["pid"], "milan")
        self.simulate(doc)

    def test_what_cannot_be_imported_is_named(self):
        for text, options, said in [
                ("<network/>", [], "must be SNDlib's XML or GraphML, not <network>"),
                ("<", [], "line 1, column"),
                (SNDLIB.replace("<source>Essen", "<source>Bonn"), [], "a link ends at Bonn, which is no node"),
                (SNDLIB, ["--transit", "bonn"], "must be one of berlin, essen, ulm-neu"),
                (SNDLIB, ["--net", "10.0.0.0/31"], "has no room for 3 nodes")]:
            ran = run(IMPORT, self.write("net.xml", text), *options)
            self.assertEqual((ran.returncode, ran.stdout), (1, ""))
            self.assertIn(said, ran.stderr)

    def test_recorded_networks(self):
        sndlib = sorted(RECORDED.glob("topology/sndlib/*.xml")) if RECORDED else []
        zoo = RECORDED / "topology/topology-zoo/graphml.tar.gz" if RECORDED else None
        if not sndlib or not zoo.exists():
            self.skipTest("no recorded networks here")
        for path in sndlib:
            with self.subTest(path.name):
                self.simulate(self.load(path)[0])
        with tarfile.open(zoo) as tar:
            for name in ("Abilene", "Geant2012", "Garr201004", "Cogentco"):
                with self.subTest(name):
                    text = tar.extractfile(f"graphml/{name}.graphml").read().decode()
                    self.simulate(self.load(self.write(f"{name}.graphml", text))[0])

    def test_the_command_line(self):
        policy = json.loads(run(P4PSIM, "--json", "--policy", "p4p-20", SWARM).stdout)["policies"]
        self.assertEqual([p["name"] for p in policy], ["p4p-20"])
        lines = run(P4PSIM, SWARM).stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines[:4]], ["policy", "random-50", "random-20", "p4p-20"])
        first, again, other = (run(P4PSIM, "--json", "--seed", s, SWARM).stdout.split("\n", 1)[1] for s in (2, 2, 3))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)
        bad = self.write("bad.json", SWARM.read_text().replace('"kib": 16384', '"kib": -1')
                         .replace('"isp-', f'"{SWARM.parent}/isp-', 3))
        for args, status, said in [
                (["--policy", "bridge-to-nowhere", SWARM], 2, 'no policy is named "bridge-to-nowhere"'),
                (["--seed", "x", SWARM], 2, "--seed must be a whole number"),
                ([], 2, "name one scenario"),
                ([self.folder / "none.json"], 1, "cannot be read: No such file"),
                ([self.folder], 1, "cannot be read: Is a directory"),
                ([bad], 2, "/content/kib: must be a whole number from 1 to")]:
            ran = run(P4PSIM, *args)
            self.assertEqual((ran.returncode, ran.stdout), (status, ""))
            self.assertIn(said, ran.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
