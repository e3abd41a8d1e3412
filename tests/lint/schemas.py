#!/usr/bin/env python3
"""The JSON Schemas say what the parser says: every good document is valid, and every bad one whose
fault a schema can see (the table in test_check.c names it) is not."""
import json
import pathlib
import re
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

VISIBLE = {"type", "unknown-key", "missing", "format", "name", "text", "choice", "range", "count",
           "prefix", "address"}
root = pathlib.Path(sys.argv[1])
bad = []
validators = {}
for kind in ("topology", "costs"):
    schema = json.loads((root / f"schema/{kind}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    validators[kind] = Draft202012Validator(schema)


def is_valid(path):
    return validators[path.name.split(".")[1]].is_valid(json.loads(path.read_text()))


maps = root / "tests/fixtures/maps"
for path in [*(maps / "good").glob("*.json"), *(root / "deploy/samples").glob("*.json")]:
    if not is_valid(path):
        bad.append(f"{path.relative_to(root)}: the schema refuses a good document")

table = (root / "tests/unit/map/test_check.c").read_text()
rows = re.findall(r'\{ "([\w-]+\.\w+\.json)",\s+"([\w-]+)",\s+"[^"]*" \}', table)
if len(rows) < 50:
    bad.append(f"test_check.c: only {len(rows)} rows understood")
for name, kind in rows:
    if kind in VISIBLE and is_valid(maps / "bad" / name):
        bad.append(f"bad/{name}: the schema does not see its fault ({kind})")

print("\n".join(bad) or "ok")
sys.exit(bool(bad))
