#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The campaign script without a testbed: maps, figures, bars, and what it does beside a tool that is told its
results. Under with_postgres; P4PD_TEST_BUILD is meson's build folder."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import figures  # noqa: E402
import maps  # noqa: E402

NETWORK = {
    "isps": [{"id": "A", "asn": 64501, "pids": ["A1", "A2"]}, {"id": "B", "asn": 64502, "pids": ["B1"]}],
    "transits": [{"id": "T", "asn": 64510}],
    "pids": [{"pid": "A1", "isp": "A", "prefixes": ["10.1.1.0/24"]}, {"pid": "A2", "isp": "A", "prefixes": ["10.1.2.0/24"]},
             {"pid": "B1", "isp": "B", "prefixes": ["10.2.1.0/24"]}],
    "links": [{"a": a, "b": a[0], "kind": "internal", "cost": 1} for a in ("A1", "A2", "B1")],
    "interconnects": [
        {"id": "A-B", "a": "A", "b": "B", "kind": "settlement-free", "capacity_mbit": 1000, "cost": 5},
        {"id": "A-T", "a": "A", "b": "T", "kind": "transit", "capacity_mbit": 500, "cost": 100}],
    "pid_cost": {a: {b: 0 if a == b else 1 if a[0] == b[0] else 7 for b in ("A1", "A2", "B1")}
                 for a in ("A1", "A2", "B1")}}


def result(transit, median, copies=2.0, unfinished=0, busy=0.5, hook=0):
    return {"share": {"intra_pid": 0.5, "intra_isp": 0.1, "settlement_free": 0.4 - transit, "transit": transit},
            "completion_s": {"median": median, "p95": median}, "copies_in": {"A": 9.0, "B": copies},
            "config": {"seed_pid": "A1"}, "unfinished": unfinished, "cpu_busy": busy,
            "pre_cmd": {"status": hook, "output": "why"}, "post_cmd": {"status": 0, "output": ""}}


class Maps(unittest.TestCase):
    def test_each_isp_tells_its_own_side(self):
        documents = maps.documents(NETWORK)
        self.assertEqual(set(documents), {"A", "B"})
        topology, costs = documents["A"]
        self.assertEqual(topology["asns"], [64501])
        self.assertEqual([p["pid"] for p in topology["pids"]], ["A1", "A2", "A"])
        self.assertEqual([link["id"] for link in topology["links"]], ["A1-A", "A2-A"])
        self.assertEqual([(i["id"], i["neighbor_asn"], i["relation"], i["reach"]) for i in topology["interconnects"]],
                         [("A-B", 64502, "settlement-free", "neighbor"), ("A-T", 64510, "transit", "any")])
        self.assertEqual(costs["pid_costs"]["A1"], {"A1": 0, "A2": 1})
        self.assertEqual(costs["interconnect_costs"]["A-T"], {"out": 100, "in": 100})
        self.assertEqual(documents["B"][0]["interconnects"][0]["neighbor_asn"], 64501)

    def test_who_sells_transit_calls_it_a_customer(self):
        sold = dict(NETWORK, interconnects=[dict(NETWORK["interconnects"][0], kind="transit")])
        (a,), (b,) = (topology["interconnects"] for topology, _ in maps.documents(sold).values())
        self.assertEqual((a["relation"], a["reach"]), ("transit", "any"))
        self.assertEqual((b["relation"], b["reach"]), ("customer", "neighbor"))


class Figures(unittest.TestCase):
    def judged(self, ours, base, bars="default"):
        runs = {"base": [figures.of_run(r, NETWORK) for r in base], "ours": [figures.of_run(r, NETWORK) for r in ours]}
        means = figures.rows(runs, "base")
        return {v[0]: v[3] for v in figures.judge(means["ours"], means["base"], figures.BARS[bars])}

    def test_the_bars_are_those_of_means(self):
        self.assertEqual(set(self.judged([result(.04, 80), result(.06, 100)], [result(.4, 90)]).values()), {"pass"})
        self.assertEqual(self.judged([result(.06, 80)], [result(.4, 90)])["transit"], "MISSED")
        self.assertEqual(self.judged([result(.04, 91)], [result(.4, 90)])["x_median"], "MISSED")
        self.assertEqual(self.judged([result(.04, 91)], [result(.4, 90)], "case")["x_median"], "pass")
        self.assertEqual(self.judged([result(.09, 90)], [result(.4, 90)], "case")["x_transit"], "MISSED")

    def test_only_isps_without_a_seed_have_a_bar_of_copies(self):
        self.assertEqual(self.judged([result(.04, 80, copies=3)], [result(.4, 90)])["copies_max"], "pass")
        self.assertEqual(self.judged([result(.04, 80, copies=3.1)], [result(.4, 90)])["copies_max"], "MISSED")

    def test_one_client_that_did_not_finish_is_one_too_many(self):
        ours = [result(.04, 80), result(.04, 80, unfinished=1)]
        self.assertEqual(self.judged(ours, [result(.4, 90)])["unfinished"], "MISSED")
        self.assertEqual(self.judged([result(.04, None)], [result(.4, 90)])["x_median"], "MISSED")

    def test_times_of_a_busy_machine_prove_nothing(self):
        for ours, base in ((.95, .5), (.5, .95)):
            verdicts = self.judged([result(.04, 80, busy=ours)], [result(.4, 90, busy=base)])
            self.assertEqual((verdicts["x_p95"], verdicts["transit"]), ("not valid", "pass"))

    def test_the_table_has_a_line_for_each_tracker(self):
        means = figures.rows({"base": [figures.of_run(result(.4, None), NETWORK)]}, "base")
        title, head, line = figures.table("title", means).splitlines()
        self.assertIn("copies B", head)
        self.assertEqual(len(head), len(line))
        self.assertEqual(line.split()[:5], ["base", "1", "0.400", "0.000", "0.600"])


TOOL = """#!/usr/bin/env python3
import json, os, shlex, sys
given = dict(zip(sys.argv[2:], sys.argv[3:]))
ours = "--tracker-cmd" in given
with open(os.environ["TOOL_CALLS"], "a") as calls:
    print("p4pd" if ours else given["--tracker"], given["--first-seed"], given.get("--file-mb"), file=calls)
answer = json.loads(os.environ["TOOL_ANSWER"])
if ours and answer["report"]:
    open(shlex.split(given["--post-cmd"].format(dir="."))[-2], "w").write('{"metrics": "", "balance": {}}')
json.dump(answer["ours" if ours else "base"], open(given["--out"], "w"))
json.dump(answer["network"], open(given["--map-out"], "w"))
sys.exit(2 if answer["fails"] else 0)
"""


class Campaign(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "a {folder}").mkdir()  # names of ours are not for the tool to fill in, or for a shell to cut
        for name in ("ip", "tc", "nft", "opentracker", "transmission-daemon", "aria2c"):
            (self.folder / name).symlink_to("/bin/true")
        (self.folder / "tool").write_text(TOOL)
        (self.folder / "tool").chmod(0o755)

    def script(self, *options, tool=True, **answer):
        answer = {"base": result(.4, 90), "ours": result(.04, 80), "network": NETWORK, "fails": False, "report": True,
                  **answer}
        env = dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}", TOOL_ANSWER=json.dumps(answer),
                   TMPDIR=str(self.folder / "a {folder}"),
                   TOOL_CALLS=str(self.folder / "calls"))
        env.pop("SWARMBED", None)
        with_tool = ["--tool", self.folder / "tool"] if tool else []
        run = subprocess.run([sys.executable, HERE / "swarmbed", "--build", os.environ["P4PD_TEST_BUILD"], *with_tool,
                              *options], env=env, capture_output=True, text=True)
        if tool and run.returncode == 77:
            self.skipTest(run.stderr.strip())
        return run

    def test_skips_without_the_tool_and_says_why(self):
        run = self.script(tool=False)
        self.assertEqual(run.returncode, 77)
        self.assertIn("--tool", run.stderr)

    def test_trackers_take_turns_and_everything_is_kept(self):
        run = self.script("--policy", "p4p", "--seeds", "1,2", "--bars", "--json", self.folder / "all.json",
                          "--", "--file-mb", "3")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual((self.folder / "calls").read_text().splitlines(),
                         ["opentracker 1 3", "p4pd 1 3", "opentracker 2 3", "p4pd 2 3"])
        kept = json.loads((self.folder / "all.json").read_text())
        self.assertEqual([r["seed"] for r in kept["cases"][0]["runs"]], [1, 1, 2, 2])
        self.assertAlmostEqual(kept["cases"][0]["means"]["p4pd p4p"]["x_transit"], 0.1)

    def test_a_missed_bar_is_status_1_only_when_bars_are_asked_for(self):
        slow = result(.04, 91)
        self.assertEqual(self.script("--policy", "p4p", "--seeds", "1", ours=slow).returncode, 0)
        self.assertEqual(self.script("--policy", "p4p", "--seeds", "1", "--bars", ours=slow).returncode, 1)
        self.assertEqual(self.script("--policy", "native", "--seeds", "1", "--bars", ours=slow).returncode, 0)

    def test_a_run_that_failed_is_never_a_figure(self):
        for answer, why in (({"fails": True}, "status 2"), ({"ours": result(.04, 80, hook=1)}, "pre_cmd failed"),
                            ({"ours": result(.04, 80, unfinished=1)}, "unfinished")):
            run = self.script("--policy", "p4p", "--seeds", "1", **answer)
            self.assertEqual(run.returncode, 1)
            self.assertIn(why, run.stderr + run.stdout)

    def test_a_policy_that_p4pd_does_not_have_is_said_at_once(self):
        run = self.script("--policy", "random")
        self.assertEqual(run.returncode, 2)
        self.assertIn("random", run.stderr)
        self.assertFalse((self.folder / "calls").exists())


if __name__ == "__main__":
    unittest.main()
