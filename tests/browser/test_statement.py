#!/usr/bin/env python3
"""A statement as a page: printed to PDF by headless Chromium, against the API at P4PD_URL with P4PD_TOKEN.

Skipped (77) where there is no chromium. With P4PD_PICTURES=FOLDER it also leaves the PDF and a picture there.
"""
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from window import CHROMIUM, FLAGS

URL, TOKEN = os.environ["P4PD_URL"], os.environ["P4PD_TOKEN"]
PROVIDER = "printed-isp"
END = datetime.datetime.now(datetime.timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
START = (END - datetime.timedelta(days=1)).replace(day=1)


def call(method, path, body=None, accept="application/json"):
    request = urllib.request.Request(URL + path, method=method, data=body and json.dumps(body).encode(), headers={
        "Authorization": "Bearer " + TOKEN, "Content-Type": "application/json", "Accept": accept})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode()


def page():
    """The page of a statement over two interconnects, one with a gap and a name that must be escaped."""
    call("PUT", f"/v1/providers/{PROVIDER}/topology", {
        "format": "p4p-topology/1", "provider": PROVIDER, "asns": [64610],
        "pids": [{"pid": "core", "prefixes": ["10.61.0.0/16"]}],
        "interconnects": [{"id": name, "pid": "core", "neighbor_asn": 64699, "relation": "transit",
                           "capacity_mbps": 20000, "reach": "any"} for name in ("fra-1", "ams-2")]})
    start = int(START.timestamp())
    samples = [{"provider": PROVIDER, "interconnect": name, "bin": start + n * 300,
                "out_bytes": 150000000000 + n * 10000000, "in_bytes": 90000000000}
               for name in ("fra-1", "ams-2") for n in range(int((END - START).total_seconds()) // 300)
               if name == "fra-1" or n > 50]
    for i in range(0, len(samples), 5000):
        call("POST", "/v1/samples", samples[i:i + 5000])
    call("PUT", f"/v1/providers/{PROVIDER}/contracts/c-1", {
        "format": "p4p-contract/1", "provider": PROVIDER, "id": "c-1", "interconnects": ["fra-1", "ams-2"],
        "model": "commit_blended", "commit_mbps": 5000, "unit_price": "0.80",
        "tiers": [{"from_mbps": 8000, "price": "0.70"}], "currency": "EUR", "method": "peak_of_sums",
        "charges": [{"name": "<b>cross</b> & connect", "amount": "250.00", "per": "month"}]})
    made = json.loads(call("POST", "/v1/statements", {"provider": PROVIDER, "contract": "c-1",
                                                      "period": START.strftime("%Y-%m")}))
    return call("GET", f"/v1/statements/{made['id']}", accept="text/html"), made


def chromium(profile, *arguments):
    subprocess.run([CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *arguments], capture_output=True, timeout=120,
                   check=True)


class Statement(unittest.TestCase):
    def test_it_prints(self):
        text, made = page()
        self.assertIn('<meta name="viewport"', text)  # else phones show it as wide as a desk
        self.assertNotIn("<script", text)
        self.assertNotIn("<b>cross", text)
        self.assertIn("&lt;b&gt;cross&lt;/b&gt; &amp; connect", text)
        self.assertIn(made["inputs_sha256"], text)
        self.assertIn(made["figures"]["cost"]["total"], text)
        self.assertNotRegex(text, r'(src|href)=')  # it stands alone
        pictures = os.environ.get("P4PD_PICTURES")
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            file = pathlib.Path(folder) / "statement.html"
            file.write_text(text)
            pdf = pathlib.Path(pictures or folder) / "statement.pdf"
            chromium(folder + "/profile", f"--print-to-pdf={pdf}", "--no-pdf-header-footer", file.as_uri())
            printed = pdf.read_bytes()
            if pictures:
                chromium(folder + "/profile", f"--screenshot={pictures}/statement.png", "--window-size=800,2600",
                         file.as_uri())
        self.assertTrue(printed.startswith(b"%PDF-"))
        pages = len(re.findall(rb"/Type\s*/Page\b", printed))
        self.assertTrue(1 <= pages <= 5, pages)
        for width, height in re.findall(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)", printed):
            self.assertAlmostEqual(float(width), 595, delta=1)  # A4, in points
            self.assertAlmostEqual(float(height), 842, delta=1)


if __name__ == "__main__":
    if CHROMIUM is None:
        print("no chromium: the statement was not printed")
        sys.exit(77)
    unittest.main(verbosity=2)
