#!/usr/bin/env python3
"""Unit tests mirror sources: every module has some, each is named after a file of its module, and each
is registered. Says which modules have none."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
# What only puts others together; tests/system runs it whole.
ELSEWHERE = {"app"}
# What only a whole module can show.
WHOLE = {"accounting/estimate", "balance/postgresql", "choice/churn", "choice/leaning", "choice/meeting",
         "p4psim/lopsided", "steer/oracle", "swarm/model"}

unit = root / "tests/unit"
registered = set(re.findall(r"^\s*'(\w+/\w+)'\s*:", (unit / "meson.build").read_text(), re.M))
modules = {}
for top in ("common", "server", "tools"):
    for source in (root / top).glob("*/**/*.c"):
        modules[source.parent.name] = {s.stem for s in source.parent.glob("*.[ch]")}

bad = []
for module in sorted(modules):
    if module not in ELSEWHERE and not any(unit.glob(f"{module}/test_*.c")):
        bad.append(f"{module}: no unit test")
for test in sorted(unit.glob("*/test_*.c")):
    module, name = test.parent.name, test.stem.removeprefix("test_")
    if name not in modules.get(module, ()) and f"{module}/{name}" not in WHOLE:
        bad.append(f"{test.relative_to(root)}: the module {module} has no {name}.c or {name}.h")
    if f"{module}/{name}" not in registered:
        bad.append(f"{test.relative_to(root)}: not in tests/unit/meson.build")

print("\n".join(bad) or f"ok, {len(modules)} modules")
sys.exit(bool(bad))
