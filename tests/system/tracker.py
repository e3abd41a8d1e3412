# SPDX-License-Identifier: Apache-2.0
"""Asks a tracker as a client would, byte by byte: BEP 15 by UDP, BEP 3 and 48 by HTTP."""
import os
import socket
import struct
import urllib.parse

CONNECT, ANNOUNCE, SCRAPE, ERROR = range(4)
MAGIC = 0x41727101980
EVENTS = {"": 0, "completed": 1, "started": 2, "stopped": 3}


def udp_socket(ip, address, timeout=5):
    """A UDP socket of the client `ip`, connected to the tracker."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((ip, 0))
    s.connect(address)
    s.settimeout(timeout)
    return s


def udp_ask(s, request, transaction):
    """Sends, and returns the reply to this transaction; what is older is skipped."""
    s.send(request)
    while True:
        reply = s.recv(65536)
        if len(reply) >= 8 and reply[4:8] == transaction:
            return reply


def udp_connect(s):
    """A connection id, 8 bytes."""
    transaction = os.urandom(4)
    reply = udp_ask(s, struct.pack(">QI", MAGIC, CONNECT) + transaction, transaction)
    assert len(reply) == 16 and reply[:4] == b"\0\0\0\0", reply
    return reply[8:]


def udp_announce(connection, transaction, info_hash, peer, event="", left=0, port=6881, want=50, key=1,
                 downloaded=0):
    return (connection + struct.pack(">I", ANNOUNCE) + transaction + info_hash + peer +
            struct.pack(">QQQIIIiH", downloaded, left, 0, EVENTS[event], 0, key, want, port))


def udp_scrape(s, info_hash):
    """(complete, downloaded, incomplete) by UDP."""
    transaction = os.urandom(4)
    request = udp_connect(s) + struct.pack(">I", SCRAPE) + transaction + info_hash
    reply = udp_ask(s, request, transaction)
    assert len(reply) == 20 and reply[:4] == struct.pack(">I", SCRAPE), reply
    return struct.unpack(">III", reply[8:])


def http_ask(address, raw, source="", timeout=10):
    """Sends raw bytes, and returns all that comes back until the tracker closes."""
    with socket.create_connection(address, timeout, (source, 0)) as s:
        s.sendall(raw)
        return b"".join(iter(lambda: s.recv(65536), b""))


def http_get(address, path, source=""):
    """The body of a GET that must succeed."""
    reply = http_ask(address, f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode(), source)
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), reply
    return body


def http_scrape(address, info_hash, source=""):
    """(complete, downloaded, incomplete) by HTTP."""
    body = http_get(address, "/scrape?info_hash=" + urllib.parse.quote(info_hash, safe=""), source)
    return tuple(number_of(body, name) for name in (b"complete", b"downloaded", b"incomplete"))


def number_of(body, key):
    """The integer behind a bencoded key."""
    mark = b"%d:%si" % (len(key), key)
    start = body.index(mark) + len(mark)
    return int(body[start:body.index(b"e", start)])
