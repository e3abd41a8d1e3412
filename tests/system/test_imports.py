#!/usr/bin/env python3
"""p4pctl import on published data, which is not ours to publish: test_imports.py P4PCTL DATA. What is not there is
skipped. Each topology goes through the importer once more and comes out as it was."""
import gzip
import json
import lzma
import pathlib
import subprocess
import sys
import tempfile
import unittest

CTL, DATA = sys.argv[1], pathlib.Path(sys.argv[2])


class Imports(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def unpack(self, name):
        path, to = DATA / name, self.folder / pathlib.Path(name).stem
        if not path.exists():
            self.skipTest(f"no {path}")
        opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
        with opener(path, "rb") as f:
            to.write_bytes(f.read())
        return str(to)

    def ctl(self, *words):
        """(the topology, standard error)"""
        done = subprocess.run([CTL, "import", *words], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        made = self.folder / "made.json"
        made.write_text(done.stdout)
        (self.folder / "none.csv").write_text("")
        again = subprocess.run([CTL, "import", "geofeed", "--into", str(made), str(self.folder / "none.csv")],
                               capture_output=True, text=True, timeout=120)
        self.assertEqual((again.returncode, again.stdout), (0, done.stdout))
        return json.loads(done.stdout), done.stderr

    def test_relations_of_toposcope(self):
        made, said = self.ctl("asrel", "--provider", "p", "--asn", "9318",
                              self.unpack("bgp/toposcope-asrel_201806.txt.xz"))
        self.assertEqual(len(made["interconnects"]), 502)
        self.assertIn("176 peers are taken for settlement-free", said)

    def test_origins_of_pyasn(self):
        made, _ = self.ctl("pfx2as", "--provider", "p", "--asn", "7922", "--asn", "7015", "--minimize",
                           self.unpack("bgp/pyasn/ipasn_20140513.dat.gz"))
        self.assertEqual({p["pid"] for p in made["pids"]}, {"as7922", "as7015"})
        self.assertEqual(sum(len(p["prefixes"]) for p in made["pids"]), 223)

    def test_a_rib_of_bgpdump(self):
        into = self.folder / "into.json"
        into.write_text(json.dumps({
            "format": "p4p-topology/1", "provider": "p", "asns": [1853], "pids": [{"pid": "core"}],
            "interconnects": [{"id": "t", "pid": "core", "neighbor_asn": 1239, "relation": "transit", "reach": "any"},
                              {"id": "g", "pid": "core", "neighbor_asn": 20965, "relation": "settlement-free"}]}))
        rib = self.unpack("bgp/mrt-bgpdump/test_expect/bview.20020722.2337.gz.bgp.gz")
        made, said = self.ctl("mrt", "--into", str(into), rib)
        self.assertIn("is a collector's", said)
        transit, peer = made["interconnects"]
        self.assertEqual(transit["reach"], "any")
        self.assertGreater(len(peer["reach"]["prefixes"]), 1000)
        self.assertGreater(len(self.ctl("mrt", "--by", "asn", "--into", str(into), rib)[0]
                               ["interconnects"][1]["reach"]["asns"]), 100)

    def test_tables_of_peeringdb(self):
        files = [self.unpack(f"bgp/peeringdb-2018/{t}.json.gz") for t in ("net", "ix", "netixlan")]
        made, said = self.ctl("peeringdb", "--provider", "p", "--asn", "20940", *files)
        self.assertEqual((len(made["interconnects"]), len(made["pids"])), (3438, 109))
        self.assertIn("3438 interconnects are candidates", said)
        made, said = self.ctl("peeringdb", "--provider", "p", "--asn", "8075", "--neighbor", "20940", *files)
        self.assertIn("AS20940 (Akamai Technologies): ", said)
        self.assertEqual({x["neighbor_asn"] for x in made["interconnects"]}, {20940})

    def test_many_lines(self):
        feed = self.folder / "feed.csv"
        with feed.open("w") as f:
            for i in range(300_000):
                a = 0x17000000 + i * 256
                f.write(f"{a >> 24}.{a >> 16 & 255}.{a >> 8 & 255}.0/24,US,,City {i % 900},\n")
        made, _ = self.ctl("geofeed", "--provider", "p", "--asn", "64500", str(feed))
        self.assertEqual((len(made["pids"]), sum(len(p["prefixes"]) for p in made["pids"])), (900, 300_000))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
