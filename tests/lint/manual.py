#!/usr/bin/env python3
"""The manual says what the programs say: the options of p4pd.conf(5) and the example are those of the
table, each page names the options that --help names, and all pages are built without a warning.

    manual.py ROOT PROGRAM...
"""
import json
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

# p4p-topology(5) names every member of its documents, every choice and every default.
for name in ("topology", "costs"):
    def told(value):
        return f"``{value}``" in pages["p4p-topology.5.rst"]

    def walk(schema):
        if isinstance(schema, list):
            for each in schema:
                walk(each)
        elif isinstance(schema, dict):
            wanted = [m for m in schema.get("properties", {})] + [f'"{c}"' for c in schema.get("enum", [])]
            bad.extend(f"p4p-topology.5.rst: ``{w}`` of {name}.schema.json is missing" for w in wanted if not told(w))
            default = schema.get("default")
            if default is not None and not re.search(
                    rf'``"{default}"``(, the default:| is the default)|the default is {default}\b', pages["p4p-topology.5.rst"]):
                bad.append(f"p4p-topology.5.rst: the default {default} of {name}.schema.json is missing")
            for each in schema.values():
                walk(each)

    walk(json.loads((root / "schema" / f"{name}.schema.json").read_text()))

for name, page in pages.items():
    if name != "p4p-topology.5.rst" and "SEE ALSO" in page and "p4p-topology" not in page and not name.startswith("p4pload"):
        bad.append(f"{name}: does not lead to p4p-topology(5)")

rst2man = shutil.which("rst2man")
for name in pages if rst2man else ():
    run = subprocess.run([rst2man, "--strict", root / "deploy/man" / name], capture_output=True, text=True)
    bad += [run.stderr.strip()] if run.returncode else []

print("\n".join(bad) or ("ok" if rst2man else "the pages were not built: no rst2man"))
sys.exit(1 if bad else 0 if rst2man else 77)
