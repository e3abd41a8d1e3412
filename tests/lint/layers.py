#!/usr/bin/env python3
"""The law of the house: who may include whom (layers.txt), which third-party header lives where,
and that headers of ours include none."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])

HOMES = {  # third-party header -> the folders whose .c files may include it
    "libpq-fe.h": {"server/store"},
    "microhttpd.h": {"server/net"},
    "event2/": {"server/net", "server/app"},
    "maxminddb.h": {"server/geo"},
    "jansson.h": {"common/map", "server/api", "server/report", "server/alto", "tools/p4pctl", "tools/sketch"},
    "expat.h": {"tools/sketch"},
    "confuse.h": {"server/config"},
    "nettle/": {"tools/p4pctl"},
    "curl/": {"server/alarms", "tools/p4pctl"},
    "common/base/log.h": {"common/base", "server/app", "server/net", "server/store", "server/claims", "server/maps",
                          "server/geo", "server/api", "server"},
}

rules = {}
bad = []
for line in (root / "tests/lint/layers.txt").read_text().splitlines():
    words = line.split("#")[0].split()
    if words:
        bad += [f"layers.txt: {words[0]} names {u} before it is defined"
                for u in words[1:] if u != "-" and u not in rules]
        rules[words[0]] = set(words[1:]) - {"-"}

for top in ("common", "server", "tools"):
    for path in sorted((root / top).rglob("*.[ch]")):
        here = str(path.parent.relative_to(root))
        name = path.relative_to(root)
        if here not in rules:
            bad.append(f"{here}: no rule in layers.txt")
            continue
        text = path.read_text()
        if path.suffix == ".h" and "#pragma once" not in text:
            bad.append(f"{name}: no #pragma once")
        if "SPDX-License-Identifier: Apache-2.0" not in text.split("\n", 1)[0] and path.suffix != ".def":
            bad.append(f"{name}:1: no SPDX line")
        for n, line in enumerate(text.splitlines(), 1):
            own = re.match(r'\s*#\s*include\s+"([^"]+)/[^/"]+"', line)
            if own and own[1] != here and own[1] not in rules[here]:
                bad.append(f"{name}:{n}: {here} may not include {own[1]}")
            any_ = re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line)
            if not any_:
                continue
            for header, homes in HOMES.items():
                if any_[1].startswith(header) and here not in homes and not here.startswith("tools/"):
                    bad.append(f"{name}:{n}: {header} lives in {', '.join(sorted(homes))}")
                elif any_[1].startswith(header) and path.suffix == ".h" and "/" not in header:
                    bad.append(f"{name}:{n}: a header of ours includes {header}")

print("\n".join(bad) or "ok")
sys.exit(bool(bad))
