#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents that the manual shows are ones that the server takes; called under with_p4pd, with P4PCTL."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import textwrap
import unittest

MAN = pathlib.Path(__file__).resolve().parents[2] / "deploy/man"


def documents(page):
    """Every JSON document of ours that is shown whole, in the order of the page."""
    blocks = re.findall(r"::\n\n((?:    .*\n|\n)+)", (MAN / page).read_text())
    return [json.loads(block) for block in map(textwrap.dedent, blocks) if block.startswith('{"format": "p4p-')]


class Manual(unittest.TestCase):
    def ctl(self, words, document):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document, file)
            file.flush()
            run = subprocess.run([os.environ["P4PCTL"], "--url", os.environ["P4PD_URL"], "--token", os.environ["P4PD_TOKEN"],
                                  *words.split(), file.name], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertNotIn("warning", run.stderr)

    def test_what_the_manual_shows_is_taken_without_a_warning(self):
        topology, costs = documents("p4p-topology.5.rst")
        policy, contract = documents("p4pd.8.rst")
        self.ctl("topology check", topology)
        self.ctl("topology put", topology)  # the others rest on it
        self.ctl("costs put", costs)
        self.ctl("policy put", policy)
        self.ctl("contract put", contract)

    def test_every_member_is_in_the_example(self):
        shown = json.dumps(documents("p4p-topology.5.rst"))

        def members(schema):
            if isinstance(schema, dict):
                yield from schema.get("properties", {})
            for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
                yield from members(each)
        for name in ("topology", "costs"):
            schema = json.loads((MAN.parents[1] / "schema" / f"{name}.schema.json").read_text())
            for member in members(schema):
                self.assertIn(f'"{member}":', shown)


if __name__ == "__main__":
    unittest.main()
