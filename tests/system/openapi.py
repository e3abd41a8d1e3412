# SPDX-License-Identifier: Apache-2.0
"""What schema/openapi.yaml says: its operations, and values that its schemas allow.

Nothing here knows p4pd: a new route is known as soon as it is in the document.
"""
import json
import math
import pathlib
import sre_constants
import sre_parse

import yaml
from jsonschema import Draft202012Validator

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
DEEPEST = 40  # references inside references


class Operation:
    """One method of one path, with all references resolved."""

    def __init__(self, method, path, said, shared, is_open):
        self.id = said["operationId"]
        self.method, self.path, self.is_open = method.upper(), path, is_open
        self.parameters = [*shared, *said.get("parameters", [])]
        body = said.get("requestBody", {})
        self.body_required = body.get("required", False)
        self.bodies = {media: about.get("schema", {}) for media, about in body.get("content", {}).items()}
        self.responses = said["responses"]
        self.body_validators = {media: Draft202012Validator(schema) for media, schema in self.bodies.items()}
        self.validators = {
            (status, media): Draft202012Validator(about["schema"])
            for status, response in self.responses.items()
            for media, about in response.get("content", {}).items()
            if "json" in media and media != "application/x-ndjson" and "schema" in about}

    def named(self, where):
        return [p for p in self.parameters if p["in"] == where]


class Document:
    def __init__(self, path):
        self.folder = pathlib.Path(path).parent
        self.files = {}
        self.root = self.load(pathlib.Path(path).name)
        closed = bool(self.root.get("security"))
        self.operations = []
        for path_, item in self.resolve(self.root["paths"], self.root).items():
            for method in METHODS:
                if method in item:
                    said = item[method]
                    is_open = said.get("security") == [] if "security" in said else not closed
                    self.operations.append(Operation(method, path_, said, item.get("parameters", []), is_open))
        self.by_route = {(o.method, o.path): o for o in self.operations}
        self.methods = {}
        for o in self.operations:
            self.methods.setdefault(o.path, set()).add(o.method)
            if o.method == "GET":
                self.methods[o.path].add("HEAD")

    def load(self, name):
        if name not in self.files:
            text = (self.folder / name).read_text()
            self.files[name] = json.loads(text) if name.endswith(".json") else \
                yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return self.files[name]

    def resolve(self, value, home, depth=0):
        """A copy without references; what stands beside one is added to what it names."""
        if depth > DEEPEST:
            raise ValueError("references that go in circles")
        if isinstance(value, list):
            return [self.resolve(v, home, depth) for v in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("$ref"), str):
            file, _, pointer = value["$ref"].partition("#")
            there = self.load(file) if file else home
            target = there
            for step in filter(None, pointer.split("/")):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            target = self.resolve(target, there, depth + 1)
            beside = {k: v for k, v in value.items() if k != "$ref"}
            return {**target, **self.resolve(beside, home, depth)} if beside else target
        return {k: self.resolve(v, home, depth) for k, v in value.items() if k != "$defs"}

    def operation(self, method, target):
        """Of a path as it would be sent, without its query; None: there is none."""
        steps = target.split("/")
        for o in self.operations:
            pattern = o.path.split("/")
            if o.method == method and len(pattern) == len(steps) and \
                    all(p == s or (p.startswith("{") and s) for p, s in zip(pattern, steps)):
                return o
        return None


# ---- values ----

def text_of(pattern, rng):
    """A text that matches a regular expression, as simple as those of our schemas."""
    out = []

    def one_of(items):
        if items[0][0] == sre_constants.NEGATE:
            refused = set()
            for op, value in items[1:]:
                refused |= set(range(value[0], value[1] + 1)) if op == sre_constants.RANGE else {value}
            return chr(rng.choice([c for c in (*range(32, 127), 0xe9, 0x4e2d) if c not in refused]))
        op, value = rng.choice(items)
        if op == sre_constants.RANGE:
            return chr(rng.randint(*value))
        if op == sre_constants.CATEGORY:
            return rng.choice("0123456789")
        return chr(value)

    def walk(parts):
        for op, value in parts:
            if op == sre_constants.LITERAL:
                out.append(chr(value))
            elif op == sre_constants.ANY:
                out.append(chr(rng.randint(33, 126)))
            elif op == sre_constants.IN:
                out.append(one_of(value))
            elif op in (sre_constants.MAX_REPEAT, sre_constants.MIN_REPEAT):
                least, most, again = value
                most = min(int(most), least + 8) if rng.random() < .9 else min(int(most), 200)
                for _ in range(rng.randint(least, max(least, most))):
                    walk(again)
            elif op == sre_constants.BRANCH:
                walk(rng.choice(value[1]))
            elif op == sre_constants.SUBPATTERN:
                walk(value[-1])
            elif op != sre_constants.AT and op not in (sre_constants.ASSERT_NOT, sre_constants.ASSERT):
                raise ValueError(f"{pattern}: {op} is not understood")

    walk(sre_parse.parse(pattern))
    return "".join(out)


class Maker:
    """Values for schemas. `known` is asked first: (name, rng) -> a value that means something, or None."""

    def __init__(self, rng, known):
        self.rng, self.known = rng, known

    def make(self, schema, name="", depth=0):
        rng = self.rng
        value = self.known(name) if name else None
        if value is not None and self.fits(schema, value):
            return value
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return rng.choice(schema["enum"])
        for several in ("anyOf", "oneOf"):
            if several in schema and "properties" not in schema:
                return self.make(rng.choice(schema[several]), name, depth)
        if "allOf" in schema and "properties" not in schema:
            merged = {}
            for part in schema["allOf"]:
                made = self.make(part, name, depth)
                merged.update(made if isinstance(made, dict) else {})
            return merged
        if "examples" in schema and rng.random() < .7:
            return rng.choice(schema["examples"])
        kind = schema.get("type")
        if kind is None:
            kind = "object" if "properties" in schema else "string"
        if isinstance(kind, list):
            kind = rng.choice(kind)
        return getattr(self, "a_" + kind)(schema, name, depth)

    @staticmethod
    def fits(schema, value):
        kinds = schema.get("type")
        if kinds is None:
            return True
        kinds = kinds if isinstance(kinds, list) else [kinds]
        is_kind = {"string": isinstance(value, str), "integer": isinstance(value, int) and not isinstance(value, bool),
                   "number": isinstance(value, (int, float)) and not isinstance(value, bool),
                   "object": isinstance(value, dict), "array": isinstance(value, list),
                   "boolean": isinstance(value, bool), "null": value is None}
        return any(is_kind[k] for k in kinds)

    def a_null(self, _schema, _name, _depth):
        return None

    def a_boolean(self, _schema, _name, _depth):
        return self.rng.random() < .5

    def a_integer(self, schema, _name, _depth):
        low, high = schema.get("minimum", -10), schema.get("maximum", 10 ** 6)
        return self.rng.choice([low, high, min(high, low + 1), self.rng.randint(low, high),
                                min(high, max(low, self.rng.randint(1, 300)))])

    def a_number(self, schema, _name, _depth):
        low, high = schema.get("minimum", -10), schema.get("maximum", 10 ** 6)
        if "exclusiveMinimum" in schema:
            low = math.nextafter(schema["exclusiveMinimum"], math.inf)
        return self.rng.choice([low, high, round(self.rng.uniform(low, high), 3)])

    def a_string(self, schema, _name, _depth):
        rng = self.rng
        if "pattern" in schema:
            return text_of(schema["pattern"], rng)
        if schema.get("format") == "uri":
            return f"http://127.0.0.1:9/{rng.randint(0, 9)}"
        least, most = schema.get("minLength", 0), schema.get("maxLength", 40)
        length = rng.choice([least, min(most, least + 1), most, rng.randint(least, most)])
        return "".join(chr(rng.choice((97, 48, 45, 32, 0xe9, 0x1f600))) for _ in range(length))

    def a_array(self, schema, name, depth):
        rng = self.rng
        least = schema.get("minItems", 0)
        most = min(schema.get("maxItems", 4), 4 if depth < 4 else 1)
        return [self.make(schema.get("items", {}), name.rstrip("s"), depth + 1)
                for _ in range(rng.randint(least, max(least, most)))]

    def a_object(self, schema, _name, depth):
        rng = self.rng
        properties = schema.get("properties", {})
        wanted = set(schema.get("required", []))
        if "oneOf" in schema:
            wanted |= set(rng.choice(schema["oneOf"]).get("required", []))
        made = {key: self.make(about, key, depth + 1) for key, about in properties.items()
                if key in wanted or rng.random() < (.4 if depth < 5 else .1)}
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            keys = schema.get("propertyNames", {"type": "string", "pattern": "^[a-z]{1,8}$"})
            for _ in range(rng.randint(0, 3)):
                made[str(self.make(keys, "pid", depth + 1))] = self.make(more, "", depth + 1)
        return made

