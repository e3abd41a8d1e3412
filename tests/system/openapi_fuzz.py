#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""openapi_fuzz.py [--requests N] [--minutes N] [--seed N] [--workers N] [--outages N] [--log FILE]

Holds the server at P4PD_URL (an admin's token in P4PD_TOKEN) to schema/openapi.yaml: requests to every operation that
are good, or spoilt in one to three ways (openapi_requests.py), and sequences of good ones whose answers depend on each
other (openapi_sequences.py). What it asks of an answer:

  - it comes in time, is HTTP to the letter, and leaves the connection as it says
  - its status and its media type are documented for the operation, its JSON fits the schema, documented headers are there
  - no 5xx; but 503 while the database is stopped, which --outages N does N times (P4PD_TEST_PG says how)
  - 401 without a token that is known, no success with one of another provider, nor for what the schemas refuse
  - 405 names the methods that there are

Where the HTTP itself was spoilt, an answer of HTTP's own or a connection that is closed will do. The same seed asks the
same; more than one worker do so in an order that differs. Exit status 1: there was a finding; each is told with the
request.
"""
import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import random
import subprocess
import sys
import time
import traceback
import urllib.parse

from jsonschema import Draft202012Validator

from openapi import Document
from openapi_requests import Builder
from openapi_sequences import SEQUENCES
from openapi_wire import Broken, Connection
from openapi_world import Admin, Refused, World, set_up

PROBLEM = "application/problem+json"
OWN_OF_HTTP = {400, 404, 405, 408, 411, 413, 414, 417, 426, 431, 501, 505}
BODY_MAX = 131072  # of what no document says
GRACE = 10  # seconds in which the server finds its database again
SEQUENCE_EVERY = 150
TOLD = 5  # requests of one finding
SLOW = float(os.environ.get("P4PD_TEST_SLOW", "1"))


class Judge:
    def __init__(self, document):
        self.document = document
        self.fine = set()  # (operation, status, hash of the body) that were looked at

    def operation(self, r):
        """Which operation this request is one of, now that it is spoilt."""
        method = "GET" if r.method == "HEAD" else r.method
        return self.document.operation(method, path_of(r))

    def findings(self, r, a, away):
        """What is wrong with an answer, one text each; `away`: the database was."""
        o = self.operation(r)
        if r.dirty and a.status in OWN_OF_HTTP:
            return
        if a.status == 503 and away:
            return
        if a.status >= 500:
            yield f"{a.status}"
        if o is None:
            yield from self.nothing_there(r, a)
            return
        said = o.responses.get(str(a.status))
        if said is None:
            if not (r.astray and a.status == 404) and not (a.status == 413 and long_where_none_belongs(o, r, a)):
                yield f"{a.status} is not documented"
            return
        if not o.is_open and r.who is None and not r.astray and a.status < 400:
            yield f"{a.status} without a token that is known"
        if a.status < 300 and r.who is not None and r.who.provider and "{provider}" in o.path and not r.astray \
                and f"/{r.who.provider}" not in r.path:
            yield f"{a.status} to a token of another provider"
        yield from self.form(o, r, a, said)
        if a.status < 300 and not r.dirty:
            yield from self.taken(o, r)

    def nothing_there(self, r, a):
        if a.status not in (404, 405, 413, 401, 429):
            yield f"{a.status} for what is not documented"
        elif a.status == 405 and not r.astray and r.operation.path != "/{file}":
            allow = set(a.headers.get("allow", "").replace(" ", "").split(","))
            if allow != self.document.methods[r.operation.path]:
                yield f"405 with Allow: {a.headers.get('allow')}"
        elif a.media != PROBLEM and a.status != 413:
            yield f"{a.status} for {path_of(r)[:20]} as {a.media or 'nothing'}"

    def form(self, o, r, a, said):
        """Media type, schema, headers."""
        content = said.get("content", {})
        if a.body and content and a.media not in content:
            yield f"{a.status} as {a.media or 'nothing'}, which is not documented"
        if content and not a.body and r.method != "HEAD" and not any("csv" in m or "octet" in m or "ndjson" in m for m in content):
            yield f"{a.status} without a body"
        for name, about in said.get("headers", {}).items():
            if about.get("required") and name.lower() not in a.headers:
                yield f"{a.status} without {name}"
        validator = o.validators.get((str(a.status), a.media))
        if validator is None or not a.body:
            return
        key = (o.id, a.status, hash(a.body))
        if key in self.fine:
            return
        try:
            value = json.loads(a.body)
        except ValueError as error:
            yield f"{a.status} whose JSON is none: {error}"
            return
        wrong = next(validator.iter_errors(value), None)
        if wrong is not None:
            yield f"{a.status} that its schema refuses: /{'/'.join(str(s) for s in wrong.absolute_path)}: {wrong.message[:200]}"
        elif len(self.fine) < 100000:
            self.fine.add(key)

    def taken(self, o, r):
        """It went well: was it allowed to?"""
        media = (r.header("Content-Type") or "application/json").split(";")[0]
        if (r.body or o.body_required and r.body is not None) and media in o.body_validators and "json" in media:
            try:
                value = json.loads(r.body.decode("utf-8"), object_pairs_hook=only_once, parse_constant=refuse)
                json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
            except (ValueError, RecursionError) as error:
                yield f"a body was taken that is no JSON: {type(error).__name__}"
            else:
                wrong = next(o.body_validators[media].iter_errors(value), None)
                if wrong is not None:
                    yield f"a body was taken that its schema refuses: {wrong.message[:160]}"
        if r.raw_query is None:  # a filter by a name that nothing has finds nothing
            seen = {p["name"] for p in o.named("query") if "pattern" in p["schema"] or p["schema"] == {"type": "string"}}
            for p in o.named("query"):
                for name, value in r.query:
                    if name == p["name"] and name not in seen:
                        seen.add(name)
                        if not may_be(p["schema"], value):
                            yield f"?{name}={str(value)[:60]!r} was taken, which its schema refuses"


def long_where_none_belongs(o, r, a):
    """The document says once for all what becomes of such a body."""
    return not o.bodies and len(r.body or b"") > BODY_MAX and a.media == PROBLEM


def path_of(r):
    """Without scheme and host."""
    path = r.path.decode("latin-1") if isinstance(r.path, bytes) else r.path
    if "://" in path and not path.startswith("/"):
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    return path


def only_once(pairs):
    if len({k for k, _ in pairs}) != len(pairs):
        raise ValueError("a key came twice")
    return dict(pairs)


def refuse(word):
    raise ValueError(word)


def may_be(schema, value):
    """Can the text of a query parameter be a value of this schema?"""
    for reading in (str, int, lambda v: {"true": True, "false": False}[v]):
        try:
            if Draft202012Validator(schema).is_valid(reading(str(value))):
                return True
        except (ValueError, KeyError):
            pass
    return False


class Findings:
    def __init__(self, log):
        self.log, self.counts = log, collections.Counter()

    def tell(self, what, r, answer=None):
        key = (r.operation.id if r else "", what if len(what) < 60 else what[:60])
        self.counts[key] += 1
        if self.counts[key] > TOLD:
            return
        lines = [f"{key[0]}: {what}", f"  spoilt: {' '.join(r.how) or 'no'}; token: {r.who.name if r.who else 'none'}",
                 f"  sent: {r.bytes()[:1500]!r}"] if r else [what]
        if answer is not None:
            lines.append(f"  answer: {answer.status} {answer.headers} {answer.body[:400]!r}")
        with open(self.log, "a", encoding="utf-8", errors="replace") as out:
            out.write("\n".join(lines) + "\n")


class Worker:
    def __init__(self, options, number, document, shared, away):
        self.options, self.number, self.away = options, number, away
        self.rng = random.Random(f"{options.seed}/{number}")
        self.world = World(shared)
        self.builder = Builder(document, self.rng, self.world)
        self.judge, self.findings = Judge(document), Findings(options.log)
        self.connection = Connection(*options.place, options.seconds)
        self.statuses = collections.Counter()
        self.slowest = (0, "")

    def database_away(self, since):
        return self.away.value > since - GRACE * SLOW

    def one(self):
        r = self.builder.request()
        began = time.monotonic()
        try:
            answer = self.connection.ask(r.bytes(), r.method == "HEAD", end=r.dirty)
        except Broken as error:
            self.statuses[r.operation.id, "closed"] += 1
            # Of who still sends a long body the answer may be lost with the connection (RFC 9112, 9.6).
            unheard = error.silent and len(r.body or b"") > BODY_MAX
            if error.late or not (r.dirty or unheard):
                self.findings.tell(str(error), r)
            return
        took = time.monotonic() - began
        if took > self.slowest[0]:
            self.slowest = (took, f"{r.operation.id} {' '.join(r.how)}")
        self.statuses[r.operation.id, answer.status] += 1
        for what in self.judge.findings(r, answer, self.database_away(began)):
            self.findings.tell(what, r, answer)
        if answer.status < 300 and not r.dirty and answer.status != 204:
            self.world.learn(r, answer)

    def sequence(self):
        steps = SEQUENCES[self.rng.randrange(len(SEQUENCES))]
        admin = Admin(self.options.place, self.options.token, self.options.seconds)
        began = time.monotonic()
        try:
            steps(admin, f"own-{self.number}", self.world.documents[f"own-{self.number}"], self.rng)
            self.statuses["sequence " + steps.__name__, "held"] += 1
        except (Refused, Broken, AssertionError) as error:
            if not self.database_away(began):
                self.findings.tell(f"sequence {steps.__name__}: {error or traceback.format_exc()}", None)
        finally:
            admin.connection.close()

    def run(self, requests):
        for n in range(requests):
            if time.monotonic() > self.options.until:
                break
            self.one()
            if n % SEQUENCE_EVERY == SEQUENCE_EVERY - 1:
                self.sequence()
        return self.statuses, self.findings.counts, self.slowest


def work(options, number, document, shared, away, results):
    try:
        share = options.requests // options.workers + (number < options.requests % options.workers)
        results.put(Worker(options, number, document, shared, away).run(share))
    except Exception:
        results.put(traceback.format_exc())


def outages(options, workers, away):
    """Stops the database, so many times, spread over the run."""
    command = os.environ["P4PD_TEST_PG"]
    for _ in range(options.outages):
        time.sleep(random.Random(options.seed).uniform(3, 6))
        if not any(w.is_alive() for w in workers):
            return
        away.value = float("inf")
        try:
            subprocess.run([command, "stop"], check=True)
            time.sleep(3)
        finally:
            subprocess.run([command, "start"], check=True)
            away.value = time.monotonic()
        time.sleep(GRACE * SLOW)


def gather(workers, results):
    statuses, found, slowest = collections.Counter(), collections.Counter(), (0, "")
    for _ in workers:
        result = results.get()
        if isinstance(result, str):
            sys.exit("the fuzzer itself failed:\n" + result)
        statuses += result[0]
        found += result[1]
        slowest = max(slowest, result[2])
    return statuses, found, slowest


def main():
    about = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    about.add_argument("--requests", type=int, default=20000)
    about.add_argument("--minutes", type=float, default=float("inf"), help="ends then, however many there were")
    about.add_argument("--seed", type=int, default=1)
    about.add_argument("--workers", type=int, default=4)
    about.add_argument("--outages", type=int, default=0)
    about.add_argument("--seconds", type=float, default=10 * SLOW, help="that one answer may take")
    about.add_argument("--log", default="openapi_fuzz.log", help="findings, in full")
    about.add_argument("--document", default=pathlib.Path(__file__).parents[2] / "schema/openapi.yaml")
    options = about.parse_args()
    url = urllib.parse.urlsplit(os.environ["P4PD_URL"])
    options.place, options.token = (url.hostname, url.port), os.environ["P4PD_TOKEN"]
    pathlib.Path(options.log).write_text("")
    document = Document(options.document)
    create = next(o for o in document.operations if o.id == "createToken")
    roles = create.bodies["application/json"]["properties"]["role"]["enum"]
    shared = set_up(options.place, os.environ.get("P4PD_TRACKER_PORT"), options.token, roles, options.workers, options.seconds)

    began = time.monotonic()
    options.until = began + 60 * options.minutes
    away, results = multiprocessing.Value("d", float("-inf")), multiprocessing.Queue()
    workers = [multiprocessing.Process(target=work, args=(options, n, document, shared, away, results))
               for n in range(options.workers)]
    for w in workers:
        w.start()
    outages(options, workers, away)
    statuses, found, slowest = gather(workers, results)
    for w in workers:
        w.join()
    took = time.monotonic() - began
    return report(options, document, statuses, found, slowest, took)


def report(options, document, statuses, found, slowest, took):
    for name in sorted({o for o, _ in statuses}):
        print(f"{name:40} " + "  ".join(f"{s} {n}" for (o, s), n in sorted(statuses.items(), key=str) if o == name))
    well = {o for (o, s), _ in statuses.items() if isinstance(s, int) and s < 300}
    print("never answered with success:", " ".join(o.id for o in document.operations if o.id not in well) or "none")
    asked = sum(n for (o, _), n in statuses.items() if not o.startswith("sequence "))
    print(f"{asked} requests in {took:.0f} s, {asked / took:.0f}/s, seed {options.seed}, "
          f"{options.workers} workers; the slowest {slowest[0]:.2f} s ({slowest[1]})")
    for (operation, what), n in found.most_common():
        print(f"FOUND {n} times: {operation}: {what}")
    alive = Admin(options.place, options.token, options.seconds).call("GET", "/healthz").status == 200
    print("alive" if alive else "FOUND: the server does not answer any more")
    if found:
        print("\n" + pathlib.Path(options.log).read_text()[:8000])
    return 1 if found or not alive else 0


if __name__ == "__main__":
    sys.exit(main())
