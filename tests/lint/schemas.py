#!/usr/bin/env python3
"""The JSON Schemas say what the parser says: every good document is valid, and every bad one whose
fault a schema can see (the tables in test_check.c and test_terms.c name it) is not."""
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
           "prefix", "address", "money", "malformed"}
root = pathlib.Path(sys.argv[1])
bad = []
validators = {}
for kind in ("topology", "costs", "policy", "contract"):
    schema = json.loads((root / f"schema/{kind}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    validators[kind] = Draft202012Validator(schema)


def is_valid(path):
    return validators[path.name.split(".")[1]].is_valid(json.loads(path.read_text()))


def check(folder, more, test, least):
    """The documents of a folder of fixtures, beside the table of bad ones in a test of their parser."""
    for path in [*(root / folder / "good").glob("*.json"), *more]:
        if not is_valid(path):
            bad.append(f"{path.relative_to(root)}: the schema refuses a good document")
    table = (root / test).read_text()
    rows = re.findall(r'\{ "([\w-]+\.\w+\.json)",\s+"([\w-]+)",\s+"[^"]*" \}', table)
    if len(rows) < least:
        bad.append(f"{test}: only {len(rows)} rows understood")
    for name, kind in rows:
        if kind in VISIBLE and is_valid(root / folder / "bad" / name):
            bad.append(f"{folder}/bad/{name}: the schema does not see its fault ({kind})")


check("tests/fixtures/maps", (root / "deploy/samples").glob("*.json"), "tests/unit/map/test_check.c", 50)
check("tests/fixtures/agreements", [], "tests/unit/report/test_terms.c", 50)

print("\n".join(bad) or "ok")
sys.exit(bool(bad))
