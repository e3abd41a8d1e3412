# SPDX-License-Identifier: Apache-2.0
"""What the fuzzer has made on the server and what it has seen there, so that its requests mean something."""
import collections
import copy
import datetime
import json
import pathlib
import time
import urllib.request

from openapi_wire import Connection, Request

PREFIX = "fz-"
KEPT = 48  # values of a name
PEERS = 8  # of each of the first swarms
LAST_MONTH = (datetime.date.today().replace(day=1) - datetime.timedelta(days=1)).strftime("%Y-%m")
LEARNT = {"provider", "interconnect", "pid", "id", "name", "version", "sha256", "rule", "contract", "policy", "url", "prefix",
          "subject", "period", "metro", "at", "from", "to"}
FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"


class Token:
    def __init__(self, name, role, provider, secret):
        self.name, self.role, self.provider, self.secret = name, role, provider, secret


class Refused(Exception):
    """What must go well did not."""


class World:
    """Of one worker; `shared` is what set_up() made for all."""

    def __init__(self, shared):
        self.tokens = shared["tokens"]
        self.providers = shared["providers"]
        self.documents = shared["documents"]
        self.seen = collections.defaultdict(lambda: collections.deque(maxlen=KEPT))
        for name, values in shared["seen"].items():
            self.seen[name].extend(values)

    def pick(self, segment, name, rng):
        """A value of that name that was seen, mostly; None: make one up."""
        if name == "provider" and rng.random() < .85:
            return rng.choice(self.providers)
        if name == "name" and rng.random() < .6:
            return f"{PREFIX}{rng.randint(0, 40)}"
        if name == "prefix" and segment == "delegations" and rng.random() < .9:
            return f"10.{rng.randint(200, 201)}.{rng.randint(0, 3)}.0/24"
        if name in ("info_hash", "prefix") and rng.random() < .9:
            n = rng.randint(0, 40)
            return f"{n:040x}" if name == "info_hash" else f"-F{n:04d}"
        if name in ("from", "to", "at", "bin", "start", "end", "until") and rng.random() < .6:
            return str(int(time.time()) // 300 * 300 - 300 * rng.randint(0, 600))
        if name == "address":
            return f"10.200.0.{rng.randint(1, PEERS + 1)}"
        held = self.seen.get(segment + "/" + name) or self.seen.get(name)
        return rng.choice(held) if held and rng.random() < .8 else None

    def someone(self, rng, request):
        """Mostly one that may do it."""
        fit = [t for t in self.tokens if t.role == "admin" or (t.provider and t.provider in request.path)]
        return rng.choice(fit if fit and rng.random() < .8 else self.tokens)

    def document_for(self, operation, request, rng):
        """A document that was good when the fuzzer began, perhaps of another capacity or price; None: there is none."""
        kind = {"putTopology": "topology", "putCosts": "costs", "putPolicy": "policy", "putContract": "contract"}.get(operation.id)
        steps = request.path.split("/")
        if operation.id == "postSamples":
            return self.samples(rng)
        if operation.id == "bindAsns" and steps[3] in self.documents:
            return {"asns": self.documents[steps[3]]["topology"][0]["asns"]}
        if operation.id == "muteAlarm":
            return {"seconds": rng.randint(0, 5)}
        if operation.id == "freezeStatement":
            provider = rng.choice(self.providers)
            return {"provider": provider, "contract": self.documents[provider]["contract"][0]["id"], "period": LAST_MONTH}
        if kind is None or len(steps) < 5 or steps[3] not in self.documents:
            return None
        document = copy.deepcopy(rng.choice(self.documents[steps[3]][kind]))
        if "id" in document and len(steps) > 5:
            document["id"] = steps[5]
        for interconnect in document.get("interconnects", []):
            if isinstance(interconnect, dict) and rng.random() < .3:
                interconnect["capacity_mbps"] = rng.choice((1000, 10000, 40000))
        return document

    def samples(self, rng):
        provider = rng.choice(self.providers)
        now = int(time.time()) // 300
        bins = sorted(rng.sample(range(2, 600), rng.randint(1, 5)))
        rows = [{"provider": provider, "interconnect": "fz-peer", "bin": (now - n) * 300,
                 "out_bytes": rng.choice((0, 10 ** 9, 2 ** 53 + 1, str(10 ** 9))), "in_bytes": rng.randint(0, 10 ** 10)} for n in bins]
        if rng.random() < .3:
            rows = [{"provider": provider, "interconnect": "fz-peer", "port": "p1", "at": now * 300 - n * 300 + rng.randint(0, 299),
                     "out_octets": rng.choice((0, 2 ** 32 - 1, 2 ** 40)), "in_octets": n, "counter_bits": rng.choice((32, 64))}
                    for n in bins]
            return {"readings": rows}
        return rng.choice((rows, rows[0], {"samples": rows}))

    def csv(self, rng):
        rows = self.samples(rng)
        rows = rows if isinstance(rows, list) else rows.get("samples") or rows.get("readings") or [rows]
        return "\r\n".join([",".join(rows[0]), *(",".join(str(v) for v in row.values()) for row in rows)]) + "\r\n"

    def learn(self, request, answer):
        """From an answer that went well."""
        tag = answer.headers.get("etag")
        if tag:
            self.seen["etag"].append(tag)
        if len(answer.body) > 20000 or "json" not in answer.media:
            return
        segment = (request.operation.path.split("/") + ["", ""])[2]

        def walk(value, depth):
            if isinstance(value, list):
                for item in value[:8]:
                    walk(item, depth + 1)
            elif isinstance(value, dict) and depth < 6:
                for key, held in value.items():
                    if isinstance(held, (dict, list)):
                        walk(held, depth + 1)
                    elif key in LEARNT and isinstance(held, (str, int)) and not isinstance(held, bool) \
                            and not str(held).startswith(("own-", "t-")):
                        self.seen[key].append(held)
                        self.seen[f"{segment}/{key}"].append(held)
        try:
            walk(json.loads(answer.body), 0)
        except ValueError:
            pass


class Admin:
    """Plain requests that must go well."""

    def __init__(self, place, secret, seconds):
        self.connection, self.secret = Connection(*place, seconds), secret

    def call(self, method, path, body=None, secret=None, **headers):
        class Nothing:
            pass
        operation = Nothing()
        operation.method, operation.path = method, path
        r = Request(operation)
        r.set("Authorization", "Bearer " + (secret or self.secret))
        for name, value in headers.items():
            r.set(name.replace("_", "-"), value)
        if body is not None:
            r.set("Content-Type", "application/json")
            r.body = json.dumps(body).encode()
        return self.connection.ask(r.bytes(), method == "HEAD")

    def must(self, statuses, method, path, body=None, **more):
        answer = self.call(method, path, body, **more)
        if answer.status not in (statuses if isinstance(statuses, tuple) else (statuses,)):
            raise Refused(f"{method} {path}: {answer.status}, not {statuses}: {answer.body[:300]!r}")
        return answer


def topology(name, number):
    net = f"10.{200 + number}"
    return {"format": "p4p-topology/1", "provider": name, "asns": [4210000000 + number],
            "pids": [{"pid": "fz-east", "prefixes": [f"{net}.0.0/17", f"2001:db8:{200 + number:x}::/48"]},
                     {"pid": "fz-west", "prefixes": [f"{net}.128.0/17"], "access": "mobile", "uploads": "never"}, {"pid": "fz-core"}],
            "links": [{"id": "fz-1", "a": "fz-east", "b": "fz-core", "capacity_mbps": 1000, "weight": 10},
                      {"id": "fz-2", "a": "fz-west", "b": "fz-core", "capacity_mbps": 1000}],
            "interconnects": [
                {"id": "fz-peer", "pid": "fz-core", "neighbor_asn": 4210000000 + 1 - number % 2, "relation": "settlement-free",
                 "capacity_mbps": 10000, "reach": "neighbor", "metro": "fra"},
                {"id": "fz-up", "pid": "fz-core", "neighbor_asn": 64510, "relation": "transit", "capacity_mbps": 20000,
                 "reach": "any"}]}


def fixtures(kind, name, interconnects, asn):
    """Of the parsers' own good documents, those that can be this provider's."""
    for path in sorted((FIXTURES / "agreements/good").glob(f"*.{kind}.json")):
        document = json.loads(path.read_text())
        document["provider"] = name
        if "interconnects" in document:
            document["interconnects"] = interconnects[:len(document["interconnects"])]
        if "peer_asn" in document:
            document["peer_asn"] = asn
        yield document


def announce(tracker):
    """Swarms to ask about, when there is a tracker that believes us whom we speak for."""
    for n in range(2 * PEERS if tracker else 0):
        info_hash = "%00" * 19 + f"%{1 + n % 2:02x}"
        query = f"info_hash={info_hash}&peer_id={'-FZ0001-' + 'x' * 11}{n:x}&port=6881&uploaded=0&downloaded=0" \
            f"&left={n % 3}&compact=1&ip=10.200.0.{1 + n // 2}"
        urllib.request.urlopen(f"http://127.0.0.1:{tracker}/announce?{query}", timeout=10).read()


def set_up(place, tracker, secret, roles, workers, seconds):
    """Providers with documents, counters, and a token of each role; what World wants."""
    admin = Admin(place, secret, seconds)
    names = [f"{PREFIX}{letter}" for letter in "ab"]
    own = [f"own-{n}" for n in range(workers)]  # of the sequences: nobody else changes them
    documents, tokens = {}, [Token("admin", "admin", None, secret)]
    for number, name in enumerate(names + own):
        document = topology(name, number)
        costs = {"format": "p4p-costs/1", "provider": name, "pid_costs": {"fz-east": {"fz-west": 5}},
                 "interconnect_costs": {"fz-peer": {"out": 1, "in": 2}}}
        agreements = {kind: list(fixtures(kind, name, ["fz-peer", "fz-up"],
                                           document["interconnects"][0]["neighbor_asn"])) for kind in ("policy", "contract")}
        documents[name] = {"topology": [document], "costs": [costs], **agreements}
        admin.must(201, "PUT", f"/v1/providers/{name}/topology", document)
        admin.must(201, "PUT", f"/v1/providers/{name}/costs", costs)
        for folder, kind in (("policies", "policy"), ("contracts", "contract")):
            admin.must((201, 422), "PUT", f"/v1/providers/{name}/{folder}/{agreements[kind][0]['id']}", agreements[kind][0])
    for role in roles:
        for provider in ([None] if role == "admin" else names):
            about = {"name": f"t-{role}-{provider or 'all'}", "role": role, **({"provider": provider} if provider else {})}
            admin.call("DELETE", f"/v1/tokens/{about['name']}")
            made = admin.must(201, "POST", "/v1/tokens", about).json()
            tokens.append(Token(about["name"], role, provider, made["token"]))
    admin.connection.close()
    announce(tracker)
    return {"tokens": tokens, "providers": names, "documents": documents,
            "seen": {"interconnect": ["fz-peer", "fz-up"], "pid": ["fz-east", "fz-west"], "period": [time.strftime("%Y-%m")]}}
