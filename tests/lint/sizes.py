#!/usr/bin/env python3
"""Functions fit a screen (60 lines), files have one job (800 lines), lines end at 110 columns."""
import pathlib
import re
import sys

FUNCTION, FILE, COLUMN = 60, 800, 110
root = pathlib.Path(sys.argv[1])
bad = []
for top in ("common", "server", "tools", "tests"):
    for path in sorted((root / top).rglob("*.[ch]")):
        name = path.relative_to(root)
        lines = path.read_text().splitlines()
        if len(lines) > FILE:
            bad.append(f"{name}: {len(lines)} lines, more than {FILE}: one file, one job")
        start = None
        for n, line in enumerate(lines, 1):
            if len(line.expandtabs(8)) > COLUMN and "http" not in line:
                bad.append(f"{name}:{n}: wider than {COLUMN} columns")
            if line == "{":
                start = n
            elif line == "}" and start is not None:
                if n - start - 1 > FUNCTION:
                    bad.append(f"{name}:{start}: a function of {n - start - 1} lines, more than {FUNCTION}")
                start = None
            if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                bad.append(f"{name}:{n}: unfinished")
            if re.search(r"\b(sprintf|strcpy|strcat|gets|alloca)\s*\(", line):
                bad.append(f"{name}:{n}: an unbounded call")

print("\n".join(bad) or "ok")
sys.exit(bool(bad))
