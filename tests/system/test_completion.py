#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The completions in a real bash with a real terminal: what is typed, TAB, what the line is then.

    test_completion.py FOLDER     the completion files
"""
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile
import time

folder = pathlib.Path(sys.argv[1]).resolve()
LINES = [  # typed, and the words after TAB
    ("p4pctl topo", ["p4pctl", "topology"]),
    ("p4pctl topology sh", ["p4pctl", "topology", "show"]),
    ("p4pctl --url http://a:1/ polic", ["p4pctl", "--url", "http://a:1/", "polic"]),  # policies and policy
    ("p4pctl policy pre", ["p4pctl", "policy", "presets"]),
    ("p4pctl --json top", ["p4pctl", "--json", "top"]),  # topology, too
    ("p4pctl topology put ab", ["p4pctl", "topology", "put", "abilene.json"]),
    ("p4pctl topology put isp ab", ["p4pctl", "topology", "put", "isp", "abilene.json"]),
    ("p4pctl topology show --ver", ["p4pctl", "topology", "show", "--version"]),
    ("p4pctl token create --ver", ["p4pctl", "token", "create", "--ver"]),  # no option of it
    ("p4pctl --token-f", ["p4pctl", "--token-file"]),
    ("p4pctl --token-file ab", ["p4pctl", "--token-file", "abilene.json"]),
    ("p4pctl token create ab", ["p4pctl", "token", "create", "ab"]),  # a name, no file
    ("p4pd --print-m", ["p4pd", "--print-manual"]),
    ("p4pd -c ab", ["p4pd", "-c", "abilene.json"]),
    ("p4pd --set udp_w", ["p4pd", "--set", "udp_workers="]),
    ("p4pd --set policy=br", ["p4pd", "--set", "policy=bridge"]),
    ("p4pd --check -s p4p_caps=75", ["p4pd", "--check", "-s", "p4p_caps=75/90"]),
    ("p4pd --set lab=t", ["p4pd", "--set", "lab=true"]),
    ("p4psim --poli", ["p4psim", "--policy"]),
    ("p4psim ab", ["p4psim", "abilene.json"]),
    ("p4pload --hash-file ab", ["p4pload", "--hash-file", "abilene.json"]),
    ("p4pload --keep-nothing", ["p4pload", "--keep-nothing"]),
]


class Shell:
    """An interactive bash without anybody's start files."""

    def __init__(self, home):
        master, slave = pty.openpty()
        self.terminal = master
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-i"], stdin=slave, stdout=slave, stderr=slave, cwd=home,
            start_new_session=True, env={"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": home, "PS1": "$ ", "INPUTRC": "/dev/null"})
        os.close(slave)

    def send(self, text):
        os.write(self.terminal, text.encode())

    def until(self, pattern, seconds=20):
        """The match of `pattern` in what comes."""
        os.set_blocking(self.terminal, False)
        seen, deadline = "", time.monotonic() + seconds
        while True:
            found = re.search(pattern, seen, re.S)
            if found:
                return found
            if time.monotonic() > deadline:
                sys.exit(f"bash did not print {pattern}, but:\n{seen}")
            try:
                seen += os.read(self.terminal, 65536).decode(errors="replace")
            except BlockingIOError:
                time.sleep(0.01)


with tempfile.TemporaryDirectory() as home:
    pathlib.Path(home, "abilene.json").write_text("{}")
    shell = Shell(home)
    for name in ("p4pctl", "p4pd", "p4psim", "p4pload"):
        shell.send(f"source {folder / name}\n")
    shell.send("bind 'set bell-style none' 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous off'\n")
    shell.send("words() { printf '<%s>' \"$@\"; printf '.\\n'; }; echo rea''dy\n")
    shell.until("ready")
    bad = []
    for typed, wanted in LINES:
        shell.send(typed + "\t")
        time.sleep(0.05)  # the beginning of the line is where it is, once the completion is through
        shell.send("\x01words \x05\n")
        got = re.findall("<(.*?)>", shell.until(r"\n((?:<[^>]*>)+)\.\r")[1])
        if got != wanted:
            bad.append(f"{typed!r} became {got}, not {wanted}")
    shell.process.kill()
    shell.process.wait()
print("\n".join(bad) or f"ok: {len(LINES)} lines")
sys.exit(bool(bad))
