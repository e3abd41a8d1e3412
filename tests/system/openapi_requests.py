# SPDX-License-Identifier: Apache-2.0
"""Requests to every operation of the document: good ones, and good ones spoilt in one to three ways."""
import copy
import json

from openapi import Maker
from openapi_wire import Request, quote

NUMBERS = (0, -1, 1, 255, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 + 1, 2 ** 63 - 1, 2 ** 63, 2 ** 64, 10 ** 30,
           -2 ** 63 - 1, 0.5, -0.0, 1e-320, 1e308)
TEXTS = ("", " ", "\0", "a\0b", "\ud800", "\u202e", "\U0001f600", "a" * 64, "a" * 65, "a" * 300, "A" * 5000, "%00", "'",
         "\"", "\\", "../..", "null", "0x10", "1e9", "-1", "01", "1 ", "+1", "２", "{{x}}", "'; drop table tokens; --",
         "10.0.0.0/8", "10.0.0.1/8", "::/0", "0.0.0.0/0", "2026-02-30", "2026-11-21T10:05:00Z", "99999999999999999999",
         "4294967296", "18446744073709551616", "9223372036854775808", "-9223372036854775809", "NaN", "<script>")
METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "CONNECT", "get", "BREW", "M" * 300)
MEDIA = (None, "text/plain", "text/csv", "application/xml", "application/json; charset=utf-16", "APPLICATION/JSON",
         "application/json;", "multipart/form-data", "application/x-www-form-urlencoded", ";", "a" * 4000)
RAW_QUERY = (b"", b"&&&", b"=", b"=1", b"dry_run", b"dry_run=%zz", b"version=%", b"limit=%00", b"from=%2", b"a" * 8000,
             b"limit=1&limit=x", b"\xff\xfe=\xff", b"provider=%ff", b"format=csv&format=json", b"at=" + b"9" * 600)
AUTHORIZATION = (None, "", "Bearer", "Bearer ", "bearer x", "Basic YTpi", "Bearer " + "x" * 5000, "Bearer p4pd_" + "0" * 64,
                 "Bearer \xff\xfe", "Token x", "Bearer a b")
TAGS = ("*", '""', '"x"', "x", 'W/"x"', '"' + "a" * 64 + '"', '"a", "b"', '"' + "a" * 3000 + '"', '"', ",", '"a"b"')
RANGES = ("bytes=0-0", "bytes=-1", "bytes=5-1", "bytes=0-99999999999999999999", "items=1-2", "bytes=", "bytes=0-1,2-3")
ACCEPTS = ("text/csv", "text/html", "*/*", "application/xml", "text/csv;q=0", "", ",,,", "a" * 2000)
FRAMES = ("0", "-1", "1x", "99999999999999999999", str(2 ** 40), " 5", "5, 5", "0x5", "")
OFTEN = {"GET": 3, "PUT": 4, "POST": 4, "DELETE": 2}
# What takes the server 20 ms and more, or leaves more behind each time.
SELDOM = {"contractsReport": .03, "policiesReport": .03, "allow": .05, "disallow": .05, "deny": .05, "undeny": .05,
          "denyClient": .05, "undenyClient": .05, "createPasskey": .1, "revokePasskey": .2, "series": .3, "putPolicy": .2,
          "putContract": .2, "putTopology": .3, "putCosts": .3, "activateVersion": .2, "setWebhook": .1, "removeWebhook": .2,
          "testWebhook": .1, "listVersions": .1, "policyVersions": .3, "contractVersions": .3, "verifyStatement": .2,
          "listStatements": .1, "freezeStatement": .1, "listAccess": .5, "audit": .3, "verifyAudit": .02, "steering": .3, "top": .3,
          "matrix": .3, "bindAsns": .2, "delegate": .2, "undelegate": .2,
          "acknowledgeAlarm": .2, "muteAlarm": .2, "postSamples": .3, "metrics": .3, "deletePolicy": .3, "deleteContract": .3,
          "alarmEvents": .3, "balance": .5, "quality": .5}


class Builder:
    def __init__(self, document, rng, world):
        self.document, self.rng, self.world = document, rng, world
        self.maker = Maker(rng, self.known)
        self.weights = [OFTEN.get(o.method, 1) * SELDOM.get(o.id, 1) for o in document.operations]
        self.segment = ""
        self.spoilers = [
            (6, self.spoil_value), (3, self.spoil_body_bytes), (2, self.no_body), (2, self.other_media),
            (4, self.spoil_parameter), (2, self.spoil_query), (2, self.spoil_path), (2, self.other_method),
            (3, self.other_token), (2, self.spoil_tag), (1, self.odd_headers), (1, self.chunks),
            (.4, self.bad_chunks), (.6, self.false_length), (0, self.cut_short), (.4, self.many_headers),
            (.6, self.other_version), (.05, self.deep), (.02, self.wide), (.1, self.garbage)]

    def known(self, name):
        return self.world.pick(self.segment, name, self.rng)

    def good(self, operation):
        rng, r = self.rng, Request(operation)
        self.segment = (operation.path.split("/") + ["", ""])[2]
        for p in operation.named("path"):
            value = self.maker.make(p["schema"], p["name"])
            r.path = r.path.replace("{%s}" % p["name"], quote(value) or "-")
        for p in operation.named("query"):
            if p.get("required") or rng.random() < .35:
                value = self.maker.make(p["schema"], p["name"])
                r.query.append((p["name"], str(value).lower() if isinstance(value, bool) else value))
        for p in operation.named("header"):
            if p.get("required") or rng.random() < .3:
                r.set(p["name"], self.tag(r))
        r.who = None if operation.is_open and rng.random() < .9 else self.world.someone(rng, r)
        if r.who is not None:
            r.set("Authorization", "Bearer " + r.who.secret)
        if operation.bodies:
            media = rng.choice(list(operation.bodies)) if rng.random() < .3 else next(iter(operation.bodies))
            value = self.world.document_for(operation, r, rng) if rng.random() < .7 else None
            if media == "text/csv":
                r.body = self.world.csv(rng).encode()
            else:
                r.body = dump(self.maker.make(operation.bodies[media]) if value is None else value)
            r.set("Content-Type", media)
        return r

    def tag(self, r):
        rng = self.rng
        tag = self.world.pick("", "etag", rng)
        return tag if tag is not None and rng.random() < .7 else rng.choice(TAGS)

    def request(self):
        rng = self.rng
        r = self.good(rng.choices(self.document.operations, self.weights)[0])
        for _ in range(rng.choices((0, 1, 2, 3), (40, 40, 15, 5))[0]):
            spoil = rng.choices([s for _, s in self.spoilers], [w for w, _ in self.spoilers])[0]
            if spoil(r) is not False:
                r.how.append(spoil.__name__)
        return r

    # ---- one way each to spoil a request; False: there is nothing to be spoilt so ----

    def spoil_value(self, r):
        """Another value somewhere in the JSON body."""
        rng = self.rng
        try:
            value = json.loads(r.body)
        except (TypeError, ValueError, RecursionError):
            return False
        places = list(places_in(value))
        holder, key = rng.choice(places) if places else (None, None)
        odd = rng.choice((rng.choice(NUMBERS), rng.choice(TEXTS), None, True, False, [], {}, [[]], {"a": {}}, "again",
                          "gone", "more", "long"))
        if holder is None or (odd in ("gone", "more") and not isinstance(holder, dict)):
            value = odd
        elif odd == "gone":
            del holder[key]
        elif odd == "more":
            holder[rng.choice(TEXTS)] = rng.choice(TEXTS)
        elif odd == "long":
            holder[key] = [holder[key]] * rng.choice((2, 50, 500))
        elif odd == "again" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[key] = odd
        r.body = dump(value, rng.random() < .3)

    def spoil_body_bytes(self, r):
        rng = self.rng
        if not r.body:
            return False
        at = rng.randrange(len(r.body))
        junk = rng.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\0", b"\xef\xbb\xbf", b"{", b"}", b"]", b'"', b",", b"\\u12",
                           b"1e999", b"NaN", b"-", b"/* */", b'"a":1,"a":2,', bytes([rng.randrange(256)])))
        r.body = rng.choice((r.body[:at], r.body[:at] + junk + r.body[at:], r.body[:at] + junk + r.body[at + 1:],
                             junk + r.body, r.body + junk, r.body + r.body, r.body.replace(b'{', b'{"x":1,"x":1,', 1)))

    def deep(self, r):
        depth = self.rng.choice((30, 2000, 3000, 100000))
        opened, closed = self.rng.choice(((b"[", b"]"), (b'{"pids":', b"}"), (b'{"a":[', b"]}")))
        r.body = opened * depth + self.rng.choice((b"", b"1" + closed * depth))

    def wide(self, r):
        n = self.rng.choice((5000, 100000))
        r.body = self.rng.choice((b'{"pids":[' + b"{}," * n + b"{}]}", b"[" + b"0," * n + b"0]", b"1" * n,
                                  b'{"format":"' + b"a" * n + b'"}', b"{" + b",".join(b'"%d":0' % i for i in range(n)) + b"}",
                                  b'[' + b'{"provider":"x"},' * n + b'{}]'))

    def no_body(self, r):
        r.body = None if r.body is not None else b"{}"

    def other_media(self, r):
        r.set("Content-Type", self.rng.choice(MEDIA))

    def spoil_parameter(self, r):
        rng = self.rng
        odd = rng.choice((*TEXTS, *NUMBERS))
        if r.query and rng.random() < .8:
            i = rng.randrange(len(r.query))
            name = r.query[i][0]
            r.query[i] = (name, odd)
            if rng.random() < .1:
                r.query.append((name, rng.choice(TEXTS)))
            return True
        named = r.operation.named("query")
        if not named:
            return False
        r.query.insert(0, (rng.choice(named)["name"], odd))
        return True

    def spoil_query(self, r):
        r.raw_query = self.rng.choice(RAW_QUERY)

    def spoil_path(self, r):
        rng = self.rng
        steps = r.path.split("/") if isinstance(r.path, str) else [""]
        at = rng.randrange(len(steps))
        odd = rng.choice(("%00", "%2f", "%zz", "%", "..", ".", "", "a" * 64, "a" * 65, "a" * 3000, "%ff%fe", "%C3%A9", "*",
                          "a%00b", "\x7f", ";", "~", "%25", "{}", "topology", "-1", "0", "18446744073709551616", "1e3"))
        steps[at] = rng.choice((odd, steps[at] + odd, "".join(f"%{ord(c) & 255:02x}" for c in steps[at])))
        path = "/".join(steps)
        if rng.random() < .1:
            path = rng.choice(("*", "http://p4pd" + path, "//" + path, path + "/", "", "/" * 500, path + "#x", "p4pd:80"))
        r.path = path.replace(" ", "%20").encode("utf-8", "surrogatepass")
        r.astray = r.dirty = True

    def other_method(self, r):
        r.method = self.rng.choice(METHODS)
        if r.method in ("CONNECT", "TRACE") or len(r.method) > 20:
            r.dirty = True

    def other_token(self, r):
        r.who = None
        r.set("Authorization", self.rng.choice(AUTHORIZATION))

    def spoil_tag(self, r):
        r.set(self.rng.choice(("If-Match", "If-None-Match")), self.tag(r))

    def odd_headers(self, r):
        rng = self.rng
        name, value = rng.choice((("Range", rng.choice(RANGES)), ("Accept", rng.choice(ACCEPTS)),
                                  ("Expect", "100-continue"), ("Content-Encoding", "gzip"), ("Accept-Encoding", "gzip"),
                                  ("Origin", "http://evil.example"), ("Cookie", "a=b"), ("X-Forwarded-For", "1.2.3.4"),
                                  ("X-HTTP-Method-Override", "DELETE"), ("If-Modified-Since", "x"), ("Upgrade", "h2c"),
                                  ("Connection", rng.choice(("close", "keep-alive", "Upgrade", "x"))), ("Host", "")))
        if name == "Host":
            r.dirty = True
        r.set(name, value)

    def chunks(self, r):
        if r.body is None:
            return False
        r.framing = "chunked"
        return True

    def bad_chunks(self, r):
        if r.body is None:
            return False
        r.dirty, r.framing, r.cut = True, "none", 0
        r.set("Transfer-Encoding", self.rng.choice(("chunked", "chunked", "gzip, chunked", "gzip", "identity", "Chunked")))
        r.tail = self.rng.choice((b"zz\r\n", b"-1\r\n\r\n", b"ffffffffffffffffff\r\n", b"5\r\nab", b"2\r\nabcd\r\n0\r\n\r\n",
                                  b"0\r\nX: y\r\n\r\n", b"1;a=b\r\n{\r\n0\r\n\r\n", b"\r\n", b"3\n{}\n\n0\n\n"))
        return True

    def false_length(self, r):
        r.framing, r.dirty = self.rng.choice(FRAMES), True

    def cut_short(self, r):
        if not r.body or r.framing != "length":
            return False
        r.cut, r.dirty = self.rng.randrange(len(r.body)), True
        return True

    def many_headers(self, r):
        rng = self.rng
        if rng.random() < .5:
            r.headers += [(f"X-{i}", "y" * rng.choice((1, 100, 1000))) for i in range(rng.choice((50, 500)))]
        else:
            r.headers.append(rng.choice((("X-Long", "y" * 100000), ("X\0Y", "z"), ("", "x"), ("X Y", "z"), ("X-Bad", "\x01\x02"),
                                         ("X-Fold", "a\r\n b"), ("Transfer-Encoding", "x"), ("X-Lone", "a\rb"), ("X-LF", "a\nb: c"))))
        r.dirty = True

    def other_version(self, r):
        r.version = self.rng.choice((b"HTTP/1.0", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.9", b"http/1.1", b"HTTP/1", b"",
                                     b"HTTP/1.1 x"))
        r.dirty = True

    def garbage(self, r):
        """No HTTP at all."""
        r.version = bytes(self.rng.randrange(256) for _ in range(self.rng.choice((4, 60))))
        r.dirty = r.astray = True


def dump(value, escaped=False):
    return json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")


def places_in(value):
    """(holder, key) of every value inside a JSON value."""
    inside = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    for key, held in inside:
        yield value, key
        yield from places_in(held)
