#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""p4pd as swarmbed's tracker: the commands that it runs in the tracker's namespace.

  tracker.py upload P4PCTL MAP STATE    before the clients start: every ISP's documents
  tracker.py report FILE STATE          after the swarm: /metrics and the balance report, as JSON

Loopback is private there, so the API's port is always free.
"""
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import maps

API = "127.0.0.1:8080"
BIN = 10  # seconds


def options_of(p4pd):
    """{option: default}, from its own example configuration."""
    text = subprocess.run([p4pd, "--print-config"], capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r'^#(\w+) = "?(.*?)"?$', text, re.M))


def settings(p4pd, policy, more):
    """The options of a p4pd that runs under swarmbed, but for what only a run knows."""
    fixed = {"lab": "true", "node": "testbed", "bin_seconds": BIN, "listen_api": API, "listen_flow": "",
             "policy": policy}
    if "control_percent" in options_of(p4pd):
        fixed["control_percent"] = 0
    return [f"--set={name}={value}" for name, value in fixed.items()] + [f"--set={one}" for one in more]


def swarmbed_options(p4pd, p4pctl, arguments, database, report):
    """How `swarmbed run` is told of it. {ip} and such are swarmbed's to fill in; braces of ours are not."""
    def line(given, *words):
        return " ".join([shlex.quote(str(w)).replace("{", "{{").replace("}", "}}") for w in given] + list(words))
    this = [sys.executable, pathlib.Path(__file__).resolve()]
    return ["--tracker-cmd", line([p4pd, *arguments, f"--set=database={database}"],
                                  "--set=listen_tracker={ip}:{port}", "--set=state_dir={dir}"),
            "--pre-cmd", line([*this, "upload", p4pctl], "{map}", "{dir}"),
            "--post-cmd", line([*this, "report", report], "{dir}")]


def get(path, token=""):
    request = urllib.request.Request(f"http://{API}{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def wait_for(path, part, seconds=25):
    """Until `path` answers with `part`; returns the answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            answer = get(path)
            if part in answer:
                return answer
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    sys.exit(f"{path} did not say {part!r} within {seconds} seconds")


def upload(p4pctl, network, state):
    wait_for("/readyz", "")
    documents = maps.documents(json.loads(pathlib.Path(network).read_text()))
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "document.json")
        for provider, pair in documents.items():
            for kind, document in zip(("topology", "costs"), pair):
                file.write_text(json.dumps(document))
                subprocess.run([p4pctl, "--url", f"http://{API}", "--token-file", f"{state}/admin.token",
                                kind, "put", provider, file], check=True)
    wait_for("/metrics", f"p4pd_map_providers {len(documents)}\n")


def report(file, state):
    end = time.time() // BIN * BIN + BIN
    time.sleep(end + 1 - time.time())  # the bin of the last announces is closed then
    metrics = wait_for("/metrics", "p4pd_spool_bins 0\n")
    token = pathlib.Path(state, "admin.token").read_text().strip()
    balance = json.loads(get(f"/v1/reports/balance?from={int(end) - 3600}&to={int(end)}", token))
    pathlib.Path(file).write_text(json.dumps({"metrics": metrics, "balance": balance}))


if __name__ == "__main__":
    {"upload": upload, "report": report}[sys.argv[1]](*sys.argv[2:])
