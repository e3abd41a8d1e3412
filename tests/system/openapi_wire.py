# SPDX-License-Identifier: Apache-2.0
"""Requests as bytes, and a connection that reads answers to the letter."""
import json
import socket
import time
import urllib.parse

NO_BODY = (204, 304)


class Broken(Exception):
    """The answer is no HTTP, or none came; `late`: not within the time there is."""

    def __init__(self, why, late=False, silent=False):
        super().__init__(why)
        self.late, self.silent = late, silent


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def media(self):
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def closes(self):
        return "close" in self.headers.get("connection", "").lower()

    def json(self):
        return json.loads(self.body)


class Request:
    """What is to be sent, in parts that can be spoilt one by one."""

    def __init__(self, operation):
        self.operation = operation  # None: there is none, as far as we know
        self.method, self.path, self.version = operation.method, operation.path, b"HTTP/1.1"
        self.query = []      # pairs, not escaped yet
        self.raw_query = None  # as it is sent, instead
        self.headers = [("Host", "p4pd")]
        self.body = None
        self.framing = "length"  # or chunked, none, or the value of a Content-Length that lies
        self.cut = None      # so many bytes of the body are sent, and no more
        self.tail = b""      # behind the head, instead of a body
        self.who = None
        self.dirty = False   # spoilt as HTTP: an answer of HTTP's own, or none, will do
        self.astray = False  # the path is perhaps none of ours
        self.how = []        # what was done to it

    def header(self, name):
        return next((v for n, v in reversed(self.headers) if n.lower() == name.lower()), None)

    def set(self, name, value):
        self.headers = [(n, v) for n, v in self.headers if n.lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    def bytes(self):
        target = self.path if isinstance(self.path, bytes) else self.path.encode()
        query = self.raw_query
        if query is None and self.query:
            query = "&".join(f"{quote(k)}={quote(v)}" for k, v in self.query).encode()
        if query is not None:
            target += b"?" + query
        lines = [b" ".join((as_bytes(self.method), target, self.version))]
        lines += [as_bytes(n) + b": " + as_bytes(v) for n, v in self.headers]
        body = self.body
        if body is not None and self.framing == "chunked":
            lines.append(b"Transfer-Encoding: chunked")
            body = chunked(body)
        elif body is not None and self.framing == "length":
            lines.append(b"Content-Length: %d" % len(body))
        elif self.framing not in ("length", "chunked", "none"):
            lines.append(b"Content-Length: " + as_bytes(self.framing))
        if self.cut is not None and body is not None:
            body = body[:self.cut]
        return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"") + self.tail


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def quote(text):
    return urllib.parse.quote(as_bytes(str(text)), safe="-_.~:@,")


def chunked(body):
    size = max(1, len(body) // 3)
    parts = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


class Connection:
    """Kept open over requests; opened when it is needed."""

    def __init__(self, host, port, seconds):
        self.place, self.seconds = (host, port), seconds
        self.socket, self.rest = None, b""

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket, self.rest = None, b""

    def ask(self, raw, head_only=False, end=False):
        """Sends and reads one answer; `end`: says that no more will come."""
        fresh = self.socket is None
        if fresh:
            self.socket = socket.create_connection(self.place, timeout=self.seconds)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.deadline = time.monotonic() + self.seconds
        try:
            try:
                self.socket.sendall(raw)
                if end:
                    self.socket.shutdown(socket.SHUT_WR)
            except socket.timeout as error:
                raise Broken("the request is not taken", late=True) from error
            except OSError:
                pass  # it may have answered before it hung up
            answer = self.read(head_only)
        except Broken as error:
            self.close()
            if error.silent and not fresh and not end:
                return self.ask(raw, head_only, end)  # it was closed between two requests
            raise
        if answer.closes or end:
            self.close()
        elif self.rest:
            rest = self.rest[:80]
            self.close()
            raise Broken(f"more came than the answer: {rest!r}")
        return answer

    def more(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Broken(f"no answer in {self.seconds:.0f} s", late=True)
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(262144)
        except socket.timeout as error:
            raise Broken(f"no answer in {self.seconds:.0f} s", late=True) from error
        except OSError:
            data = b""
        self.rest += data
        return bool(data)

    def until(self, mark):
        while mark not in self.rest:
            if not self.more():
                raise Broken("closed inside an answer" if self.rest else "closed without an answer",
                             silent=not self.rest)
        found, _, self.rest = self.rest.partition(mark)
        return found

    def exactly(self, size):
        while len(self.rest) < size:
            if not self.more():
                raise Broken("closed inside a body")
        found, self.rest = self.rest[:size], self.rest[size:]
        return found

    def read(self, head_only):
        while True:
            lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            words = lines[0].split(" ", 2)
            if not words[0].startswith("HTTP/1.") or len(words) < 2 or not words[1].isdigit():
                raise Broken(f"no status line: {lines[0][:80]!r}")
            status = int(words[1])
            if status != 100:
                break
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise Broken(f"no header line: {line[:80]!r}")
            headers[name.lower()] = value.strip()
        answer = Answer(status, headers, b"")
        if head_only or status in NO_BODY:
            return answer
        if "chunked" in headers.get("transfer-encoding", ""):
            while size := int(self.until(b"\r\n").split(b";")[0], 16):
                answer.body += self.exactly(size)
                self.exactly(2)
            self.until(b"\r\n")
        elif "content-length" in headers:
            answer.body = self.exactly(int(headers["content-length"]))
        else:
            while self.more():
                pass
            answer.body, self.rest = self.rest, b""
        return answer
