#!/usr/bin/env python3
"""The manual says what the programs say: the options of p4pd.conf(5) and the example are those of the
table, each page names the options that --help names, and all pages are built without a warning.

    manual.py ROOT PROGRAM...
"""
import pathlib
import re
import shutil
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
programs = {pathlib.Path(p).name: p for p in sys.argv[2:]}
pages = {p.name: p.read_text() for p in sorted((root / "deploy/man").glob("*.rst"))}
bad = []


def output(program, argument):
    return subprocess.run([programs[program], argument], capture_output=True, text=True, check=True).stdout


def long_options(text):
    return set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", text))


if output("p4pd", "--print-config") != (root / "deploy/p4pd.conf.example").read_text():
    bad.append("deploy/p4pd.conf.example: not what p4pd --print-config prints")
section = re.search(r"\nOPTIONS\n=+\n\n(.*?)\n\n[A-Z]+\n=", pages["p4pd.conf.5.rst"], re.S)
if section is None or section[1].strip() != output("p4pd", "--print-manual").strip():
    bad.append("p4pd.conf.5.rst: OPTIONS is not what p4pd --print-manual prints")

for program in programs:
    page = next((name for name in pages if re.fullmatch(rf"{program}\.\d\.rst", name)), None)
    if page is None:
        bad.append(f"{program}: no page in deploy/man")
        continue
    options = re.search(r"\nOPTIONS\n=+\n(.*?)\n[A-Z ]+\n=", pages[page], re.S)
    told, said = long_options(output(program, "--help")), long_options(options[1] if options else "")
    bad += [f"{page}: --{o} of --help is missing" for o in sorted(told - said)]
    bad += [f"{page}: --{o} is not in --help" for o in sorted(said - told)]

rst2man = shutil.which("rst2man")
for name in pages if rst2man else ():
    run = subprocess.run([rst2man, "--strict", root / "deploy/man" / name], capture_output=True, text=True)
    bad += [run.stderr.strip()] if run.returncode else []

print("\n".join(bad) or ("ok" if rst2man else "the pages were not built: no rst2man"))
sys.exit(1 if bad else 0 if rst2man else 77)
