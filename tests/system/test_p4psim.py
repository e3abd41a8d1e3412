#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""p4psim as a user meets it, and networks that p4pctl imports from SNDlib and the Topology Zoo.

    test_p4psim.py P4PSIM P4PCTL [RECORDED]

RECORDED: a folder with topology/sndlib/*.xml and topology/topology-zoo/graphml.tar.gz, which are not ours
to publish; what is not there is skipped.
"""
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWARM = ROOT / "tests/sim/three-isps/swarm.json"
P4PSIM = pathlib.Path(sys.argv[1]).resolve()
P4PCTL = pathlib.Path(sys.argv[2]).resolve()
RECORDED = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
SHARED_OUT = "--net", "10.0.0.0/16", "--lab"

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
        kind = "graphml" if path.suffix == ".graphml" else "sndlib"
        ran = run(P4PCTL, "import", kind, "--provider", "net", "--asn", "64999", *SHARED_OUT, *options, path)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return json.loads(ran.stdout), ran.stderr

    def test_sndlib(self):
        doc, _ = self.load(self.write("net.xml", SNDLIB), "--transit", "essen", "--neighbor", "64511")
        self.assertEqual([p["pid"] for p in doc["pids"]], ["essen", "berlin", "ulm-neu"])
        self.assertEqual([p["prefixes"] for p in doc["pids"]], [["10.0.0.0/24"], ["10.0.1.0/24"], ["10.0.2.0/24"]])
        self.assertEqual([(k["a"], k["b"], k.get("capacity_mbps")) for k in doc["links"]],
                         [("essen", "berlin", 9920), ("ulm-neu", "berlin", None)])
        self.assertAlmostEqual(doc["links"][0]["weight"], 455, delta=10)
        self.assertEqual([(x["pid"], x["neighbor_asn"], x["relation"]) for x in doc["interconnects"]],
                         [("essen", 64511, "transit")])
        policy = self.simulate(doc)
        self.assertGreater(policy["links"][0]["ab_bytes"], 1000000)  # the seed is in Essen

    def test_graphml(self):
        doc, said = self.load(self.write("Zoo Net.graphml", GRAPHML), "--capacity-mbps", "100")
        self.assertIn("1 of 4 nodes", said)
        self.assertEqual([p["pid"] for p in doc["pids"]], ["rome", "milan", "none"])
        self.assertEqual([k["id"] for k in doc["links"]], ["rome-milan", "rome-milan-2", "milan-none"])
        self.assertEqual([k["weight"] for k in doc["links"][:2]], [doc["links"][2]["weight"]] * 2)
        self.assertEqual({k["capacity_mbps"] for k in doc["links"]}, {100})
        self.simulate(doc)

    def test_speeds_are_taken_from_graphml(self):
        text = GRAPHML.replace('<graph edge', '<key attr.name="LinkSpeedRaw" for="edge" id="d5"/><graph edge').replace(
            '<edge source="1" target="2"/>', '<edge source="1" target="2"><data key="d5">2.5e9</data></edge>')
        doc, _ = self.load(self.write("x.graphml", text))
        self.assertEqual([k.get("capacity_mbps") for k in doc["links"]], [None, None, 2500])

    def test_what_cannot_be_imported_is_named(self):
        bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + SNDLIB.replace("Essen", "&b;")
        for text, options, said in [
                ("<graphml/>", [], "line 1: this is XML of another kind"),
                ("<", [], "line 1: "),
                (bomb, [], "must have no document type"),
                ("<network>" + "<a>" * 40, [], "must not nest so deep"),
                (SNDLIB.replace("51.4", "north"), [], 'line 3: must be a number, not "north"'),
                (SNDLIB.replace('id="Essen"', 'id="Berlin"'), [], "line 4: a node's id must come once"),
                (SNDLIB.replace("<source>Essen", "<source>Bonn"), [], 'line 6: a link must end at a node, but "Bonn"'),
                (SNDLIB, ["--transit", "bonn", "--neighbor", "1"], '--transit must be a PID of the network, not "bonn"'),
                (SNDLIB, ["--transit", "essen"], "--transit must come with one --neighbor"),
                (SNDLIB, ["--capacity-mbps", "0"], "--capacity-mbps must be a whole number from 1"),
                (SNDLIB, ["--net", "10.0.0.0/31"], "--net must have room for 3 nodes")]:
            ran = run(P4PCTL, "import", "sndlib", "--provider", "net", "--asn", "1", *SHARED_OUT, *options,
                      self.write("net.xml", text))
            self.assertEqual((ran.returncode, ran.stdout), (2, ""), text)
            self.assertIn(said, ran.stderr)

    def compare(self, path, namespace, edge):
        """An imported document against what another parser finds: nothing is lost but what is said to be."""
        top = ET.parse(path).getroot()
        nodes, edges = (len(list(top.iter(f"{{{namespace}}}{tag}"))) for tag in ("node", edge))
        doc, said = self.load(path)
        left_out = re.search(r"(\d+) of \d+ nodes have no link", said)
        loops = re.search(r"(\d+) links end where they begin", said)
        self.assertEqual(len(doc["pids"]) + (int(left_out[1]) if left_out else 0), nodes)
        if not left_out:
            self.assertEqual(len(doc["links"]) + (int(loops[1]) if loops else 0), edges)
        return doc

    def test_recorded_networks(self):
        sndlib = sorted(RECORDED.glob("topology/sndlib/*.xml")) if RECORDED else []
        zoo = RECORDED / "topology/topology-zoo/graphml.tar.gz" if RECORDED else None
        if not sndlib or not zoo.exists():
            self.skipTest("no recorded networks here")
        for path in sndlib:
            with self.subTest(path.name):
                self.simulate(self.compare(path, "http://sndlib.zib.de/network", "link"))
        with tarfile.open(zoo) as tar:
            members = [m for m in tar.getmembers() if m.name.endswith(".graphml")]
            self.assertGreater(len(members), 200)
            for member in members:
                name = pathlib.Path(member.name)
                with self.subTest(name.stem):
                    path = self.write(name.name, tar.extractfile(member).read().decode())
                    doc = self.compare(path, "http://graphml.graphdrawing.org/xmlns", "edge")
                    if name.stem in ("Abilene", "Geant2012", "Garr201004", "Cogentco"):
                        self.simulate(doc)

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
