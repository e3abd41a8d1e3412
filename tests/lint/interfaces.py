#!/usr/bin/env python3
"""What the code offers and what is written about it are the same: the API's routing table against
schema/openapi.yaml, and p4pctl's tables against its manual page."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
bad = []


def compare(what, code, written):
    bad.extend(f"{what}: {item} is not described" for item in sorted(code - written))
    bad.extend(f"{what}: {item} is described but not there" for item in sorted(written - code))


def read(path):
    return (root / path).read_text()


routes = set(re.findall(r'\{ "([A-Z]+)", "(/[^"]*)",', read("server/api/api.c")))
described = set()
path = None
for line in read("schema/openapi.yaml").splitlines():
    if found := re.fullmatch(r"  (/\S*):", line):
        path = found[1]
    elif found := re.fullmatch(r"    (get|put|post|patch|delete):", line):
        described.add((found[1].upper(), path))
    elif line == "components:":
        break
compare("openapi.yaml", {" ".join(r) for r in routes}, {" ".join(r) for r in described})

main = read("tools/p4pctl/main.c")
manual = read("deploy/man/p4pctl.1.rst")
commands = {f"{words} {args}".strip() for words, args in re.findall(r'(?m)^\t\{ "([a-z0-9 ]+)",\s*"([^a-z"]*)",', main)}
options = set(re.findall(r'\[CTL_\w+\] = \{ "([a-z-]+)"', main)) | set(re.findall(r'\[[A-Z_]+\] = \{ "([a-z-]+)", \w+_arg', main))
titles = [line for line in manual.split("COMMANDS\n")[1].split("OPTIONS\n")[0].splitlines() if line.startswith("``")]
compare("p4pctl.1.rst", commands, {words for line in titles for words in re.findall(r"``([^`]+)``", line)})
compare("p4pctl.1.rst", options, set(re.findall(r"(?m)^--([a-z][a-z-]*)", manual)))
if len(routes) < 20 or len(commands) < 20 or len(options) < 10:
    bad.append("interfaces.py no longer finds the tables")

print("\n".join(bad) or "ok")
sys.exit(bool(bad))
