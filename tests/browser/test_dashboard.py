#!/usr/bin/env python3
"""The dashboard in headless Chromium, against the API at P4PD_URL with P4PD_TOKEN.

Skipped (77) where there is no chromium. With P4PD_PICTURES=FOLDER it also leaves screenshots there.
"""
import html.parser
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

from window import CHROMIUM, FLAGS, Window

URL, TOKEN = os.environ["P4PD_URL"], os.environ["P4PD_TOKEN"]
PROVIDER = "dash-isp"
LONG = "long-" + "x" * 59  # the longest name there may be
READY = "document.querySelectorAll('#links tbody tr').length > 6 && document.querySelector('#chart svg') !== null"
OUTSIDE = """[...document.querySelectorAll('body *')].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && (box.left < 0 || box.right > innerWidth);
}).map((e) => `${e.tagName} ${e.textContent.trim().slice(0, 20)}`)"""
INTERCONNECTS = [  # id, neighbour, relation, limit, out and in of a mean bin (None: nothing counted)
    ("over", 64601, "settlement-free", 1.8, 90e9, 30e9),
    ("near", 64602, "settlement-free", None, 55e9, 30e9),
    ("inside", 64603, "settlement-free", None, 33e9, 30e9),
    ("transit", 64610, "transit", None, 5e9, 25e9),
    ("guessed", 64605, "customer", None, None, None),
    ("silent", 64604, "paid-peering", None, None, None),
]


def call(method, path, body=None):
    request = urllib.request.Request(URL + path, method=method, data=body and json.dumps(body).encode(), headers={
        "Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def estimate(last):
    """Bins as the tracker's accounting writes them: the API takes no estimates."""
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", os.environ["P4PD_TEST_DB"], "-c",
                    "INSERT INTO bins SELECT i.number, 'announce', " + str(last) + " - n * 300, 'node-1', 300, 300, "
                    f"4e9, 3e9 FROM interconnects i, generate_series(0, 99) n WHERE i.id = 'guessed'"], check=True)


def fill():
    call("PUT", f"/v1/providers/{PROVIDER}/topology", {
        "format": "p4p-topology/1", "provider": PROVIDER, "asns": [64600],
        "pids": [{"pid": "core", "prefixes": ["10.60.0.0/16"]}],
        "interconnects": [
            {"id": name, "pid": "core", "neighbor_asn": asn, "relation": relation, "capacity_mbps": 10000,
             "reach": "any" if relation == "transit" else "neighbor"}
            for name, asn, relation, *_ in INTERCONNECTS]})
    bin_seconds = json.loads(call("GET", "/v1/reports/balance"))["bin_seconds"]
    last = int(time.time()) // bin_seconds * bin_seconds - bin_seconds
    samples = []
    for name, _, _, limit, out, into in INTERCONNECTS:
        if limit:
            call("PUT", f"/v1/interconnects/{PROVIDER}/{name}", {"ratio_limit": limit})
        for i in range(280) if out else ():
            start = last - i * bin_seconds
            day = 1 + 0.8 * math.sin((i + 200) / 288 * 2 * math.pi) + 0.05 * math.sin(i * 1.7)
            if not 60 < i < 75:  # an outage of the poller
                samples.append({"provider": PROVIDER, "interconnect": name, "bin": start,
                                "out_bytes": int(out * day), "in_bytes": str(int(into * day))})
    call("POST", "/v1/samples", samples)
    call("PUT", f"/v1/providers/{LONG}/topology", {
        "format": "p4p-topology/1", "provider": LONG, "asns": [64609],
        "pids": [{"pid": "core", "prefixes": ["10.69.0.0/16"]}],
        "interconnects": [{"id": LONG, "pid": "core", "neighbor_asn": 4200000000, "relation": "settlement-free",
                           "capacity_mbps": 10, "reach": "neighbor"}]})
    call("PUT", f"/v1/providers/{PROVIDER}/policies/pol-in", {
        "format": "p4p-policy/1", "provider": PROVIDER, "id": "pol-in", "peer_asn": 64603, "ratio": {"limit": 1.05}})
    estimate(last)


def browse(path, *flags):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        return subprocess.run(
            [CHROMIUM, *FLAGS, "--virtual-time-budget=8000", f"--user-data-dir={profile}", *flags, URL + path],
            capture_output=True, timeout=90, check=True, text=True).stdout


class Rows(html.parser.HTMLParser):
    """The cells of the table's rows, by data-key."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.row = {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "tr":
            self.row = attributes.get("data-key")
        elif tag in ("td", "th") and self.row:
            self.rows.setdefault(self.row, []).append("")

    def handle_endtag(self, tag):
        if tag == "tr":
            self.row = None

    def handle_data(self, data):
        if self.row and self.rows.get(self.row):
            self.rows[self.row][-1] += data


class Dashboard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        fill()
        cls.dom = browse(f"/#token={TOKEN}", "--dump-dom")
        cls.table = Rows(cls.dom)
        cls.report = json.loads(call("GET", "/v1/reports/balance"))

    def test_every_interconnect_has_a_row_with_its_verdict(self):
        words = {"breach": "over the limit", "warn": "near the limit", "ok": "inside the limit",
                 "no-limit": "no limit", "no-data": "no figures yet"}
        links = self.report["interconnects"]
        self.assertEqual(len(self.table.rows), len(links))
        for link in links:
            cells = self.table.rows[f"{link['provider']}/{link['interconnect']}"]
            self.assertIn(words[link["verdict"]], cells[1])
            self.assertEqual(cells[2], f"AS{link['neighbor_asn']} {link['relation']}")
        verdicts = {link["interconnect"]: link["verdict"] for link in links if link["provider"] == PROVIDER}
        self.assertEqual(verdicts, {"over": "breach", "near": "warn", "inside": "ok", "transit": "no-limit",
                                    "guessed": "no-limit", "silent": "no-data"})

    def test_policies_that_judge_it_otherwise_are_named(self):
        self.assertIn("policies: pol-in", self.table.rows[f"{PROVIDER}/inside"][1])
        self.assertNotIn("policies", self.table.rows[f"{PROVIDER}/near"][1])

    def test_the_worst_come_first(self):
        names = [key.split("/")[1] for key in self.table.rows if key.startswith(PROVIDER + "/")]
        self.assertEqual(names, ["over", "near", "inside", "transit", "guessed", "silent"])

    def test_figures_are_those_of_the_report(self):
        link = next(l for l in self.report["interconnects"] if l["interconnect"] == "over")
        figures = link["sources"]["counter"]
        cells = self.table.rows[f"{PROVIDER}/over"]
        self.assertIn(f"{figures['out_bytes'] / 1e12:.1f} TB", cells[3])
        self.assertIn(f"{figures['ratio']:.2f}:1", cells[5])
        self.assertIn("1.8:1", cells[5])
        self.assertIn(f"{figures['p95_out_bps'] / 1e9:.2f} Gbit/s", cells[6])
        self.assertIn(f"{figures['bins_known']}/{figures['bins_expected']} bins", cells[8])

    def test_an_estimate_says_so(self):
        cells = self.table.rows[f"{PROVIDER}/guessed"]
        self.assertEqual([cell[:2] for cell in (cells[3], cells[4], cells[6], cells[7])], ["≈ "] * 4)
        self.assertIn("estimate", cells[8])
        self.assertNotIn("≈", "".join(self.table.rows[f"{PROVIDER}/over"]))

    def test_the_chart_shows_the_worst_and_leaves_gaps_open(self):
        self.assertIn(f"{PROVIDER}/over to AS64601", self.dom)
        self.assertEqual(len(re.findall(r'class="curve out"', self.dom)), 2)  # before and after the outage
        self.assertEqual(len(re.findall(r'class="area in"', self.dom)), 2)

    def test_the_token_does_not_stay_in_the_page(self):
        self.assertNotIn(TOKEN, self.dom)

    def test_without_a_token_it_asks_for_one(self):
        dom = browse("/", "--dump-dom")
        self.assertRegex(dom, r'<form id="login">')
        self.assertRegex(dom, r'<section id="links"[^>]* hidden')

    def test_a_wrong_token_is_said_to_be_wrong(self):
        self.assertIn("That token is not known to this server.", browse("/#token=wrong", "--dump-dom"))

    def test_no_request_leaves_the_origin(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder, "net.json")
            browse(f"/#token={TOKEN}", f"--log-net-log={log}", "--dump-dom")
            net = json.loads(log.read_text())
        start = net["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
        asked = [event.get("params", {}) for event in net["events"] if event["type"] == start]
        by_page = [p["url"] for p in asked if p.get("initiator", "").startswith("http")]
        for part in ("/app.js", "/style.css", "/v1/reports/balance", "/v1/reports/series"):
            self.assertTrue(any(part in url for url in by_page), part)
        for url in by_page:
            self.assertTrue(url.startswith((URL + "/", "data:", "blob:" + URL)), url)

    def test_nothing_sticks_out_of_a_narrow_window(self):
        for width in (320, 390, 500, 768, 1060, 1280):
            with self.subTest(width=width), Window(width, 844) as window:
                window.open(f"{URL}/#token={TOKEN}", READY)
                window.value("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
                self.assertEqual(window.value("innerWidth"), width)
                self.assertEqual(window.value("document.documentElement.scrollWidth"), width)
                self.assertEqual(window.value(OUTSIDE), [])

    def test_a_folded_row_says_what_its_figures_are(self):
        with Window(390, 844) as window:
            window.open(f"{URL}/#token={TOKEN}", READY)
            before = "[...document.querySelector('#links tbody tr').cells].map(" \
                "(cell) => getComputedStyle(cell, '::before').content.replaceAll('\"', '').trim()).join()"
            self.assertEqual(window.value(before), "none,none,none,Out,In,Ratio out:in,95th out,95th in,Source")

    def test_the_keyboard_alone_reaches_everything(self):
        focus = "(() => { const e = document.activeElement, style = getComputedStyle(e); " \
            "return `${style.outlineStyle} ${e.id || e.dataset.key || e.tagName}`; })()"
        with Window(390, 844) as window:
            window.open(URL + "/", "document.activeElement?.id === 'token'")
            window.call("Input.insertText", text=TOKEN)
            window.press("Enter")
            window.wait(READY)
            stops = [window.value(focus)]
            for key in ("Tab", "Tab", "Tab", "ArrowDown", "Tab", "Tab"):
                window.press(key)
                stops.append(window.value(focus))
            self.assertEqual(stops, ["solid " + name for name in (
                "filter", "csv", "leave", f"{PROVIDER}/over", f"{PROVIDER}/near", "SUMMARY", "chart")])
            window.press("Tab", modifiers=8)  # shift
            window.press("Tab", modifiers=8)
            window.press("Enter")
            window.wait("document.querySelector('#chart').ariaLabel.includes('ratio out:in 1.83:1')")
            bottom = window.value("document.querySelector('#chart').getBoundingClientRect().bottom")
            self.assertLessEqual(bottom, 844)
            self.check_chart(window)

    def check_chart(self, window):
        readout = "document.querySelector('#readout').textContent"
        window.press("Tab")
        window.press("Tab")
        window.press("Home")
        first = window.value(readout)
        self.assertRegex(first, r"^\d{4}-\d\d-\d\d \d\d:\d\d UTC: out ")
        window.press("ArrowRight")
        second = window.value(readout)
        self.assertNotEqual(second, first)
        window.call("Runtime.evaluate", expression="refresh()", awaitPromise=True)
        self.assertEqual(window.value(readout), second)  # the place is not lost

    def test_a_chart_that_cannot_be_had_leaves_the_one_before_its_title(self):
        with Window(1280, 800) as window:
            window.open(f"{URL}/#token={TOKEN}", READY)
            window.value("fetch = async () => { throw new TypeError('away'); }")
            window.value(f"document.querySelector('[data-key=\"{PROVIDER}/near\"]').click()")
            window.wait("document.querySelector('#message').textContent.startsWith('The server does not answer')")
            self.assertIn(f"{PROVIDER}/over", window.value("document.querySelector('#traffic-title').textContent"))

    def test_what_counts_nothing_has_no_chart(self):
        with Window(1280, 800) as window:
            window.open(f"{URL}/#token={TOKEN}", READY)
            said = window.value(f"""(() => {{
                state.report.interconnects.find((link) => link.interconnect === 'silent').sources = {{}};
                document.querySelector('[data-key="{PROVIDER}/silent"]').click();
                return [document.querySelector('#readout').textContent,
                        document.querySelector('#chart').getClientRects().length];
            }})()""")
            self.assertEqual(said, ["Nothing was counted on this interconnect in this window.", 0])

    def test_a_refresh_does_not_scroll_back_to_the_row(self):
        with Window(390, 400) as window:
            window.open(f"{URL}/#token={TOKEN}", READY)
            window.value("document.querySelector('#links tbody tr').focus()")
            window.value("scrollTo(0, document.documentElement.scrollHeight)")
            before = window.value("scrollY")
            self.assertGreater(before, 400)
            window.call("Runtime.evaluate", expression="refresh()", awaitPromise=True)
            self.assertEqual(window.value("document.activeElement.dataset.key"), f"{PROVIDER}/over")
            self.assertEqual(window.value("scrollY"), before)

    def test_a_finger_reads_the_chart(self):
        with Window(390, 844) as window:
            window.open(f"{URL}/#token={TOKEN}", READY)
            window.call("Emulation.setTouchEmulationEnabled", enabled=True)
            window.value("document.querySelector('#chart').scrollIntoView({ block: 'center' })")
            window.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": 150, "y": 422}])
            window.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
            self.assertIn(" UTC: out ", window.value("document.querySelector('#readout').textContent"))

    def test_pictures(self):
        folder = os.environ.get("P4PD_PICTURES")
        if not folder:
            self.skipTest("P4PD_PICTURES names no folder")
        for width, height in ((390, 844), (500, 800), (768, 1024), (1280, 800)):
            for dark in (False, True):
                with Window(width, height, dark) as window:
                    window.open(f"{URL}/#token={TOKEN}", READY)
                    window.picture(f"{folder}/{width}-{'dark' if dark else 'light'}.png")
        with Window(390, 844) as window:
            window.open(URL + "/", "document.activeElement?.id === 'token'")
            window.picture(f"{folder}/login.png")


if __name__ == "__main__":
    if CHROMIUM is None:
        print("skipped: chromium is not installed", file=sys.stderr)
        sys.exit(77)
    unittest.main(verbosity=2)
