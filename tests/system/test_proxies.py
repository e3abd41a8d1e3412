# SPDX-License-Identifier: Apache-2.0
"""HTTPS, and the tracker behind a real proxy: HAProxy in both of its modes."""
import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

import house

PROXY = f"{house.NET}.9.9.9"


def request(path, *headers):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: tracker", *headers, "", ""]).encode()


def announce(number, *headers, claim=""):
    """Of the number-th client; all in one swarm."""
    return request(f"/announce?info_hash={'a' * 20}&peer_id=-XX0001-{number:012}&port={7000 + number}"
                   f"&left=1&compact=1{claim}", *headers)


def read_reply(stream):
    """The body of one reply; None when the other side hangs up instead."""
    status = stream.readline()
    if not status:
        return None
    assert b" 200 " in status, status
    size = 0
    while (line := stream.readline().strip()):
        name, value = line.split(b":", 1)
        size = int(value) if name.lower() == b"content-length" else size
    return stream.read(size)


def connect(source, to):
    family = socket.AF_INET6 if ":" in to[0] else socket.AF_INET
    s = socket.socket(family)
    s.settimeout(10 * house.SLOW)
    s.bind((source, 0))
    s.connect(to)
    return s


def ask(source, to, number, *headers, claim=""):
    """An announce on a connection of its own."""
    with connect(source, to) as s:
        s.sendall(announce(number, *headers, claim=claim))
        body = read_reply(s.makefile("rb"))
        assert body is not None, "hung up"
        return body


def external(body):
    """Whom the tracker takes the client for (BEP 24)."""
    match = re.search(rb"11:external ip(4|16):", body)
    size = int(match[1])
    raw = body[match.end():match.end() + size]
    return socket.inet_ntop(socket.AF_INET if size == 4 else socket.AF_INET6, raw)


def peers(body):
    match = re.search(rb"5:peers(\d+):", body)
    raw = body[match.end():match.end() + int(match[1])]
    return [socket.inet_ntoa(raw[i:i + 4]) for i in range(0, len(raw), 6)]


@contextlib.contextmanager
def haproxy(folder, text):
    if shutil.which("haproxy") is None:
        pytest.skip("haproxy is not installed")
    path = folder / "haproxy.cfg"
    path.write_text("defaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n" + text)
    with open(folder / "haproxy.log", "wb") as log:
        process = subprocess.Popen([shutil.which("haproxy"), "-db", "-f", path], stdout=log, stderr=log)
    try:
        port = int(re.search(r"bind \S+:(\d+)", text)[1])

        def is_up():
            assert process.poll() is None, (folder / "haproxy.log").read_text()
            with socket.socket() as s:
                return s.connect_ex((PROXY, port)) == 0
        house.wait_for("haproxy listens", 10, is_up)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def daemon(name, **settings):
    return house.Daemon(name, database="", proxies="127.0.0.1/32", **settings)


def client(number):
    return house.address("isp-a", 1, number)


def test_http_mode_with_x_forwarded_for(tmp_path):
    with daemon("xff") as d, haproxy(tmp_path, f"""
frontend tracker
  mode http
  bind {PROXY}:{house.free_port()}
  option forwardfor
  default_backend p4pd
backend p4pd
  mode http
  http-reuse always
  server p4pd 127.0.0.1:{d.tracker_port} source 127.0.0.1
""") as port:
        for n in range(1, 4):
            assert external(ask(client(n), (PROXY, port), n)) == client(n)
        # What a client claims stands before what the proxy heard, or in a header nobody reads.
        body = ask(client(4), (PROXY, port), 4, "X-Forwarded-For: 198.51.100.1",
                   "Forwarded: for=198.51.100.2", claim="&ip=198.51.100.3")
        assert external(body) == client(4)
        assert sorted(peers(body)) == [client(n) for n in (1, 2, 3)]
        # Around the proxy nothing is believed.
        body = ask(client(5), (PROXY, d.tracker_port), 5, "X-Forwarded-For: 198.51.100.1")
        assert external(body) == client(5)


def test_http_mode_with_forwarded(tmp_path):
    port6 = house.free_port()
    with daemon("forwarded", proxy_header="Forwarded") as d, haproxy(tmp_path, f"""
frontend tracker
  mode http
  bind {PROXY}:{house.free_port()}
  bind [::1]:{port6}
  http-request add-header Forwarded for=%[src];proto=http if {{ src 0.0.0.0/0 }}
  http-request add-header Forwarded "for=\\"[%[src]]\\"" if !{{ src 0.0.0.0/0 }}
  default_backend p4pd
backend p4pd
  mode http
  server p4pd 127.0.0.1:{d.tracker_port} source 127.0.0.1
""") as port:
        body = ask(client(1), (PROXY, port), 1, "Forwarded: for=198.51.100.1",
                   "X-Forwarded-For: 198.51.100.2")
        assert external(body) == client(1)
        assert external(ask("::1", ("::1", port6), 2)) == "::1"


@pytest.mark.parametrize("how", ["send-proxy", "send-proxy-v2"])
def test_tcp_mode_with_the_proxy_protocol(tmp_path, how):
    proxied = house.free_port()
    with daemon(how, listen_tracker_proxied=f"127.0.0.1:{proxied}") as d, haproxy(tmp_path, f"""
frontend tracker
  mode tcp
  bind {PROXY}:{house.free_port()}
  default_backend p4pd
backend p4pd
  mode tcp
  server p4pd 127.0.0.1:{proxied} {how} source 127.0.0.1
""") as port:
        for n in range(1, 21):
            # A header inside is the client's own: it is no proxy.
            body = ask(client(n), (PROXY, port), n, "X-Forwarded-For: 198.51.100.1")
            assert external(body) == client(n)
        assert client(1) in {p for n in range(10) for p in peers(ask(client(20), (PROXY, port), 20))}
        # Not a proxy of ours, whatever it says; and one of ours that says nothing of the sort.
        for source, first in ((client(1), b"PROXY TCP4 198.51.100.1 198.51.100.2 1 2\r\n"),
                              ("127.0.0.1", b"")):
            with connect(source, ("127.0.0.1", proxied)) as s, contextlib.suppress(OSError):
                s.sendall(first + announce(30))
                assert s.recv(1) == b""
        assert "p4pd_http_unproxied_total 2\n" in metrics(d)


MAGIC = b"\r\n\r\n\0\r\nQUIT\n"


OTHER = "203.0.113.1"


def version_1(address):
    return f"PROXY TCP4 {address} 192.0.2.1 7000 80\r\n".encode()


def version_2(address, command=0x21, tlvs=b"", size=None):
    body = socket.inet_aton(address) + socket.inet_aton("192.0.2.1") + bytes([27, 88, 0, 80]) + tlvs
    return MAGIC + bytes([command, 0x11]) + (len(body) if size is None else size).to_bytes(2, "big") + body


def tlv(kind, value):
    return bytes([kind]) + len(value).to_bytes(2, "big") + value


HEADERS = [  # name, header of an address, whom the client is told to be: that one, the proxy or nobody
    ("version 1", version_1, "named"),
    ("version 2", version_2, "named"),
    ("version 1, of nobody", lambda a: b"PROXY UNKNOWN\r\n", "proxy"),
    ("LOCAL, a health check", lambda a: MAGIC + b"\x20\0\0\0", "proxy"),
    ("LOCAL with addresses, which do not count", lambda a: version_2(a, 0x20), "proxy"),
    ("LOCAL with TLVs", lambda a: version_2(a, 0x20, tlv(4, bytes(9))), "proxy"),
    ("TLVs, known and unknown", lambda a: version_2(a, tlvs=tlv(1, b"h2") + tlv(2, b"t.example.org") + tlv(4, bytes(40)) +
                                                    tlv(0x20, bytes(9)) + tlv(0xee, b"x")), "named"),
    ("a TLV like a request", lambda a: version_2(a, tlvs=tlv(4, b"GET / HTTP/1.1\r\n\r\n")), "named"),
    ("as many TLVs as may be", lambda a: version_2(a, tlvs=tlv(4, bytes(2017))), "named"),
    ("more TLVs than may be", lambda a: version_2(a, tlvs=tlv(4, bytes(2018))), None),
    ("a length that cuts the addresses", lambda a: version_2(a, size=11)[:-1], None),
    ("an unknown command", lambda a: version_2(a, 0x22), None),
    ("version 1 twice", lambda a: version_1(a) + version_1(OTHER), None),
    ("version 2 twice", lambda a: version_2(a) + version_2(OTHER), None),
    ("version 1, then 2", lambda a: version_1(a) + version_2(OTHER), None),
    ("version 2, then 1", lambda a: version_2(a) + version_1(OTHER), None),
]


def test_headers_of_the_proxy_protocol(proxied):
    """Only who is named joins, and only by a header that is whole and alone."""
    d, port = proxied
    named = []
    for n, (name, header, said) in enumerate(HEADERS, 1):
        address = f"198.51.100.{n}"
        with connect("127.0.0.1", ("127.0.0.1", port)) as s:
            reply = b""
            with contextlib.suppress(ConnectionError):
                s.sendall(header(address) + announce(n, "Connection: close"))
                while data := s.recv(65536):
                    reply += data
        assert (external(reply) if b" 200 " in reply else None) == {"named": address, "proxy": "127.0.0.1"}.get(said), name
        named += [address] if said == "named" else []
        assert sorted(peers(ask(client(99), (PROXY, d.tracker_port), 99))) == sorted(named), name


def test_cut_headers_of_the_proxy_protocol(proxied):
    d, port = proxied
    refused = int(d.metric("p4pd_http_unproxied_total"))
    whole = version_1("198.51.100.1"), version_2("198.51.100.1", tlvs=tlv(4, b"abc"))
    cuts = [header[:n] for header in whole for n in (0, 1, 5, 12, 15, 16, 27, len(header) - 1)]
    for n, cut in enumerate(cuts):  # the proxy says no more
        with connect("127.0.0.1", ("127.0.0.1", port)) as s, contextlib.suppress(ConnectionError):
            s.sendall(cut)
            s.shutdown(socket.SHUT_WR)
            assert s.recv(1) == b"", cut
    # Or stays silent: it is not waited for longer than some seconds.
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect("127.0.0.1", ("127.0.0.1", port))) for _ in whole]
        for s, header in zip(silent, whole):
            s.sendall(header[:20])
        assert external(ask_proxied(port, 1)) == "198.51.100.1"  # others are served meanwhile
        for s in silent:
            with contextlib.suppress(ConnectionError):
                assert s.recv(1) == b""
    assert d.metric("p4pd_http_unproxied_total") - refused == len(cuts) + len(whole)


def ask_proxied(port, number):
    with connect("127.0.0.1", ("127.0.0.1", port)) as s:
        s.sendall(version_1("198.51.100.1") + announce(number))
        return read_reply(s.makefile("rb"))


@pytest.fixture
def proxied():
    port = house.free_port()
    with daemon("headers", listen_tracker_proxied=f"127.0.0.1:{port}") as d:
        yield d, port


def metrics(d):
    with connect("127.0.0.1", ("127.0.0.1", d.api_port)) as s:
        s.sendall(request("/metrics"))
        return read_reply(s.makefile("rb")).decode()


def test_sighup_changes_who_is_a_proxy():
    port = house.free_port()
    with house.Daemon("listed", in_file=True, database="", listen_tracker_proxied=f"0.0.0.0:{port}", proxies="") as d:
        def believed(header="X-Forwarded-For: 198.51.100.1"):
            return external(ask("127.0.0.1", (PROXY, d.tracker_port), 1, header)) == "198.51.100.1"

        def admitted():
            with connect("127.0.0.1", (PROXY, port)) as s, contextlib.suppress(ConnectionError):
                s.sendall(b"PROXY TCP4 198.51.100.1 192.0.2.1 1 2\r\n" + announce(1))
                body = read_reply(s.makefile("rb"))
                return body is not None and external(body) == "198.51.100.1"

        assert not believed() and not admitted()
        assert "not reloaded" not in d.reload(proxies="192.0.2.0/24 127.0.0.1/32")
        assert believed() and admitted()
        told = d.reload(proxies="127.0.0.1/8")
        assert "where=proxies" in told and "old one stays" in told
        assert believed() and admitted()
        d.reload(proxies="127.0.0.1/32", proxy_header="Forwarded")
        assert not believed() and believed("Forwarded: for=198.51.100.1")
        d.reload(proxies="")
        assert not believed("Forwarded: for=198.51.100.1") and not admitted()


def test_a_proxy_is_nobodys_peer(tmp_path):
    """One that is listed, but says nothing about its clients."""
    with daemon("mute") as d, haproxy(tmp_path, f"""
listen tracker
  mode tcp
  bind {PROXY}:{house.free_port()}
  server p4pd 127.0.0.1:{d.tracker_port} source 127.0.0.1
""") as port:
        with connect(client(1), (PROXY, port)) as s:
            s.sendall(announce(1))
            assert external(read_reply(s.makefile("rb"))) == "127.0.0.1"
        assert peers(ask(client(2), (PROXY, d.tracker_port), 2)) == []


def test_connections_of_proxies_are_kept_and_pipelined():
    with daemon("keep") as d:
        with connect("127.0.0.1", ("127.0.0.1", d.tracker_port)) as s:
            stream = s.makefile("rb")
            for n in range(3):
                s.sendall(announce(n, f"X-Forwarded-For: {client(n + 1)}"))
                assert external(read_reply(stream)) == client(n + 1)
            s.sendall(b"".join(announce(n, f"X-Forwarded-For: {client(n + 1)}") for n in range(5)))
            assert [external(read_reply(stream)) for _ in range(5)] == [client(n + 1) for n in range(5)]
        with connect(client(9), (PROXY, d.tracker_port)) as s:
            s.sendall(announce(9))
            stream = s.makefile("rb")
            assert external(read_reply(stream)) == client(9)
            assert stream.read() == b""  # the open Internet's are not


# ---- HTTPS ----

def make_certificate(folder, name):
    """A new self-signed one; returns its serial number."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                    "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
                   check=True, capture_output=True)
    return (folder / "certificate.pem").read_text()


def ask_tls(port, certificate, number, minimum=None):
    context = ssl.create_default_context(cadata=certificate)
    if minimum:
        context.minimum_version = context.maximum_version = minimum
    with connect(client(number), (PROXY, port)) as raw, \
            context.wrap_socket(raw, server_hostname="tracker.example.org") as s:
        s.sendall(announce(number))
        return read_reply(s.makefile("rb"))


def serves(port, certificate):
    """False with another certificate, and for a connection that ends while one is replaced."""
    try:
        body = ask_tls(port, certificate, 1)
    except OSError:
        return False
    return body is not None and external(body) == client(1)


@contextlib.contextmanager
def few_descriptors(d, free):
    """p4pd may open only so many more files at a time."""
    used = {int(fd) for fd in os.listdir(f"/proc/{d.process.pid}/fd")}
    lowest = [n for n in range(len(used) + free) if n not in used][:free]
    before = resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (lowest[-1] + 1, before[1]))
    yield
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, before)


def test_https_and_a_new_certificate(tmp_path):
    first = make_certificate(tmp_path, "tracker.example.org")
    port = house.free_port()
    with daemon("tls", listen_tracker_tls=f"0.0.0.0:{port}", tls_certificate=tmp_path / "certificate.pem",
                tls_key=tmp_path / "key.pem", http_threads=2) as d:
        for n in range(1, 9):
            assert external(ask_tls(port, first, n)) == client(n)
        assert external(ask(client(9), (PROXY, d.tracker_port), 9)) == client(9)  # plain beside it
        assert external(ask_tls(port, first, 1, ssl.TLSVersion.TLSv1_2)) == client(1)

        (tmp_path / "key.pem").write_text("no key\n")
        d.process.send_signal(signal.SIGHUP)
        house.wait_for("the refusal is logged", 10, lambda: "certificate was not reloaded" in d.log_text())
        assert serves(port, first)

        second = make_certificate(tmp_path, "tracker.example.org")
        with few_descriptors(d, 2):  # to read a file, not to serve
            d.process.send_signal(signal.SIGHUP)
            house.wait_for("it does not start", 10, lambda: "Too many open files" in d.log_text())
        assert d.log_text().count("the old one stays") == 2
        assert serves(port, first)

        d.process.send_signal(signal.SIGHUP)
        house.wait_for("the new certificate is served", 10, lambda: serves(port, second))
        assert not serves(port, first)
        assert external(ask(client(9), (PROXY, d.tracker_port), 9)) == client(9)

        # The same again: a connection that is open stays open.
        context = ssl.create_default_context(cadata=second)
        with connect(client(3), (PROXY, port)) as raw, \
                context.wrap_socket(raw, server_hostname="tracker.example.org") as s:
            before = d.log_text().count("Configuration reloaded")
            d.process.send_signal(signal.SIGHUP)
            house.wait_for("reloaded", 10, lambda: d.log_text().count("Configuration reloaded") > before)
            s.sendall(announce(3))
            assert external(read_reply(s.makefile("rb"))) == client(3)


def test_https_without_its_files(tmp_path):
    for settings, told in (({"tls_certificate": "nowhere.pem", "tls_key": "nowhere.pem"},
                            "there is no file 'nowhere.pem'"), ({}, "needs tls_certificate and tls_key")):
        d = daemon("untls", listen_tracker_tls=f"127.0.0.1:{house.free_port()}", **settings)
        with d.start(ready=False):
            assert d.process.wait(timeout=20 * house.SLOW) != 0
            assert told in d.log_text()
