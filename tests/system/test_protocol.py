#!/usr/bin/env python3
"""Every trap of the tracker protocols that a tracker can get right, a row each, over raw sockets.

Run under with_postgres and with_p4pd, which set P4PD_TRACKER_PORT; test_abuse.py has the daemons that
refuse somebody.
"""
import ctypes
import hashlib
import os
import re
import socket
import struct
import unittest
import urllib.parse
import urllib.request

PORT = int(os.environ["P4PD_TRACKER_PORT"])  # of the daemon under test
MAGIC, TID = 0x41727101980, 0xCAFEF00D
CONNECT, ANNOUNCE, SCRAPE, ERROR = range(4)
NONE, COMPLETED, STARTED, STOPPED, PAUSED = range(5)
LOCALHOST = {4: "127.0.0.1", 6: "::1"}
STRIDE = {4: 6, 6: 18}
MOST = 30  # max_peers


def have_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


FAMILIES = (4, 6) if have_ipv6() else (4,)


def info_hash(name):
    return hashlib.sha1(name.encode()).digest()


# ---- BEP 15 ----

class Udp:
    """A client at one address; every client of its own port. `to`: which of ours it asks."""

    def __init__(self, family=4, to=None, port=PORT, source=None):
        self.family = family
        to = to or LOCALHOST[family]
        self.socket = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((to, port))  # hears only whom it asked
        self.id = None

    def close(self):
        self.socket.close()

    def ask(self, packet, wait=5.0):
        """The reply, None for silence."""
        self.socket.settimeout(wait)
        self.socket.send(packet)
        try:
            return self.socket.recv(4096)
        except (socket.timeout, ConnectionRefusedError):
            return None

    def silent(self, packet):
        """Nothing comes back before the answer to a later connect does."""
        self.socket.send(packet)
        reply = self.ask(connect_packet(tid=0x5151))
        return reply is not None and struct.unpack(">II", reply[:8]) == (CONNECT, 0x5151)

    def connect(self):
        reply = self.ask(connect_packet())
        assert reply is not None and len(reply) == 16, reply
        action, tid, self.id = struct.unpack(">IIQ", reply)
        assert (action, tid) == (CONNECT, TID)
        return self.id

    def announce(self, name, **fields):
        """(interval, leechers, seeders, [(address, port)])"""
        reply = self.ask(self.announce_packet(name, **fields))
        assert reply is not None and reply[:8] == struct.pack(">II", ANNOUNCE, TID), reply
        return self.read_peers(reply)

    def announce_packet(self, name, tail=b"", **fields):
        if self.id is None:
            self.connect()
        return announce_packet(self.id, info_hash(name), **fields) + tail

    def read_peers(self, reply):
        stride = STRIDE[self.family]
        rest = reply[20:]
        assert len(rest) % stride == 0, f"{len(rest)} bytes of peers"
        peers = [(socket.inet_ntop(socket.AF_INET6 if stride == 18 else socket.AF_INET, rest[i:i + stride - 2]),
                  int.from_bytes(rest[i + stride - 2:i + stride], "big")) for i in range(0, len(rest), stride)]
        return (*struct.unpack(">III", reply[8:20]), peers)

    def scrape(self, *hashes, tail=b""):
        if self.id is None:
            self.connect()
        return self.ask(struct.pack(">QII", self.id, SCRAPE, TID) + b"".join(hashes) + tail)


def connect_packet(magic=MAGIC, tid=TID):
    return struct.pack(">QII", magic, CONNECT, tid)


def announce_packet(cid, hash20, peer_id=b"-XX0000-abcdefghijkl", downloaded=0, left=1, uploaded=0, event=NONE,
                    ip=0, key=0, want=-1, port=6881, tid=TID, action=ANNOUNCE):
    return struct.pack(">QII20s20sQQQIIIIH", cid, action, tid, hash20, peer_id, downloaded, left, uploaded, event,
                       ip, key, want & 0xFFFFFFFF, port)


def crowd(case, name, n, family=4, **fields):
    """n clients, ports 1001 and on."""
    client = Udp(family)
    case.addCleanup(client.close)
    for i in range(n):
        client.announce(name, **{"port": 1001 + i, "key": i + 1, "want": 0, **fields})


class UdpProtocol(unittest.TestCase):
    def client(self, family=4, **more):
        client = Udp(family, **more)
        self.addCleanup(client.close)
        return client

    case = ""

    def rows(self, rows):
        """Each row in each family: a client, a name for its torrent, and what stands behind its name."""
        for family in FAMILIES:
            for name, *row in rows:
                self.case = f"{name} over IPv{family}: "
                yield (self.client(family), f"{name}-{family}", *row)

    def _formatMessage(self, msg, standardMsg):
        return self.case + super()._formatMessage(msg, standardMsg)

    def test_packets_that_are_answered_or_not(self):
        hash20 = info_hash("packets")
        rows = [  # name, packet from an id, expected: action, or None for silence
            ("a connect", lambda i: connect_packet(), CONNECT),
            ("a longer connect", lambda i: connect_packet() + b"xyz" * 100, CONNECT),
            ("a connect cut short", lambda i: connect_packet()[:15], None),
            ("a connect without the magic", lambda i: connect_packet(magic=0), None),
            ("one byte", lambda i: b"\0", None),
            ("zeros", lambda i: bytes(98), None),
            ("an error packet", lambda i: struct.pack(">QII", i, ERROR, TID), None),
            ("an action of another protocol", lambda i: struct.pack(">QII", i, 9, TID) + bytes(90), None),
            ("an announce", lambda i: announce_packet(i, hash20), ANNOUNCE),
            ("an announce cut short", lambda i: announce_packet(i, hash20)[:97], ERROR),
            ("the head of an announce", lambda i: announce_packet(i, hash20)[:16], ERROR),
            ("trailing bytes", lambda i: announce_packet(i, hash20) + bytes(400), ANNOUNCE),
            ("URL data without end of options", lambda i: announce_packet(i, hash20) + b"\x02\x10/announce?pk=abc", ANNOUNCE),
            ("URL data that is cut off", lambda i: announce_packet(i, hash20) + b"\x02\xff/ann", ANNOUNCE),
            ("options of unknown types", lambda i: announce_packet(i, hash20) + b"\x07\x02zz\xff\x00\x02\x01/\x00", ANNOUNCE),
            ("an option without its length", lambda i: announce_packet(i, hash20) + b"\x07", ANNOUNCE),
            ("nothing but NOPs", lambda i: announce_packet(i, hash20) + b"\x01" * 9, ANNOUNCE),
            ("an announce that fills a frame", lambda i: announce_packet(i, hash20) + b"\x01" * (1472 - 98), ANNOUNCE),
            ("an announce longer than a frame", lambda i: announce_packet(i, hash20) + b"\x01" * (1501 - 98), ANNOUNCE),
            ("an announce of options of a frame each", lambda i: announce_packet(i, hash20) + b"\x02\xff" + bytes(9000), ANNOUNCE),
            ("the longest datagram", lambda i: announce_packet(i, hash20) + bytes(65507 - 98), ANNOUNCE),
            ("a scrape", lambda i: struct.pack(">QII", i, SCRAPE, TID) + hash20, SCRAPE),
            ("a scrape without a hash", lambda i: struct.pack(">QII", i, SCRAPE, TID), ERROR),
            ("a scrape with half a hash", lambda i: struct.pack(">QII", i, SCRAPE, TID) + hash20[:10], ERROR),
            ("an announce with a wrong id", lambda i: announce_packet(i ^ 1, hash20), None),
            ("an announce with the magic as id", lambda i: announce_packet(MAGIC, hash20), None),
            ("a scrape with a wrong id", lambda i: struct.pack(">QII", i ^ 1, SCRAPE, TID) + hash20, None),
        ]
        for client, _, make, expected in self.rows(rows):
            packet = make(client.connect())
            if expected is None:
                self.assertTrue(client.silent(packet))
                continue
            reply = client.ask(packet)
            self.assertIsNotNone(reply)
            self.assertEqual(struct.unpack(">II", reply[:8]), (expected, TID))
            if expected == ERROR:
                self.assertLessEqual(len(reply), len(packet))  # no amplification
                self.assertRegex(reply[8:].decode("ascii"), r"^[a-z _]+$|^$")

    def test_events(self):
        rows = [  # name, event, left, seeders after, leechers after
            ("none", NONE, 5, 0, 1), ("started", STARTED, 5, 0, 1), ("completed", COMPLETED, 0, 1, 0),
            ("a seed", STARTED, 0, 1, 0), ("paused is a partial seed", PAUSED, 5, 0, 1),
            ("seven is none", 7, 5, 0, 1), ("all ones is none", 0xFFFFFFFF, 5, 0, 1),
            ("stopped of an unknown peer", STOPPED, 5, 0, 0)]
        for client, name, event, left, seeders, leechers in self.rows(rows):
            _, got_leechers, got_seeders, peers = client.announce("event " + name, event=event, left=left)
            self.assertEqual((got_seeders, got_leechers, peers), (seeders, leechers, []))

    def test_left(self):
        rows = [("zero is a seed", 0, 1), ("one byte", 1, 0), ("more than the torrent", 1 << 50, 0),
                ("the sign bit", 1 << 63, 0), ("unknown, all ones", (1 << 64) - 1, 0)]
        for client, name, left, seeders in self.rows(rows):
            self.assertEqual(client.announce("left " + name, left=left)[1:3], (1 - seeders, seeders))

    def test_numwant(self):
        rows = [("minus one", -1, MOST), ("zero", 0, 0), ("one", 1, 1), ("seven", 7, 7), ("as many as there are", 40, MOST),
                ("huge", 0x7FFFFFFF, MOST), ("the least", -0x80000000, MOST)]
        for family in FAMILIES:
            crowd(self, f"numwant-{family}", 45, family)
        for client, name, want, n in self.rows(rows):
            peers = client.announce(f"numwant-{client.family}", want=want, port=900, key=900)[3]
            self.assertEqual(len(peers), n)
            self.assertEqual(len(set(peers)), n)

    def test_who_is_handed_out(self):
        rows = [  # name, other's fields, asker's fields, is the other handed out
            ("a leecher to a leecher", {}, {}, True),
            ("a seed to a leecher", {"left": 0}, {}, True),
            ("a seed to a seed", {"left": 0}, {"left": 0}, False),
            ("a leecher to a seed", {}, {"left": 0}, True),
            ("a seed to a partial seed", {"left": 0}, {"event": PAUSED}, False),
            ("a partial seed to a leecher", {"event": PAUSED}, {}, True),
            ("port 0", {"port": 0}, {}, False),
            ("one that stopped", {"event": STOPPED}, {}, False),
            ("to one that stops", {}, {"event": STOPPED, "want": 50}, False),
            ("oneself with the same key", {"port": 2002, "key": 7}, {"port": 3003, "key": 7}, False),
            ("another with a key of its own", {"key": 8}, {"key": 7}, True)]
        for client, name, other, asker, handed in self.rows(rows):
            first = {"port": 2002, "peer_id": b"-XX0000-first_______", **other}
            if "key" in other and other["key"] == asker.get("key"):
                first.pop("peer_id")
            client.announce("handed " + name, **first)
            peers = client.announce("handed " + name, **{"port": 3003, **asker})[3]
            self.assertEqual(peers, [(LOCALHOST[client.family], 2002)] if handed else [])

    def test_port_0_is_counted(self):
        for client, name in self.rows([("port 0 counts",)]):
            client.announce(name, port=0, key=1)
            self.assertEqual(client.announce(name, port=5, key=2)[1:], (2, 0, []))

    def test_the_address_in_the_packet_is_not_believed(self):
        for client, name in self.rows([("ip",)]):
            client.announce(name, port=2002, ip=0x08080808, key=1)
            self.assertEqual(client.announce(name, port=3, key=2)[3], [(LOCALHOST[client.family], 2002)])

    def test_the_family_of_the_packet_decides_the_stride(self):
        if len(FAMILIES) == 1:
            self.skipTest("no IPv6 here")
        for family in FAMILIES:
            crowd(self, "stride", 3, family)
        for family in FAMILIES:
            _, leechers, _, peers = self.client(family).announce("stride", port=9, key=9)
            self.assertEqual(len(peers), 3)
            self.assertEqual({ip for ip, _ in peers}, {LOCALHOST[family]})
            self.assertGreaterEqual(leechers, 7 if family == 6 else 6)

    def test_a_key_joins_what_moved(self):
        for client, name in self.rows([("moved",)]):
            client.announce(name, port=1111, key=5)
            client.announce(name, port=2222, key=5)
            self.assertEqual(client.announce(name, port=3, key=6)[1:], (2, 0, [(LOCALHOST[client.family], 2222)]))

    def test_who_comes_back_with_another_key_is_nobody_new(self):
        for client, name in self.rows([("restarted",)]):
            client.announce(name, port=1111, key=5)
            client.announce(name, port=1111, key=6)
            self.assertEqual(client.announce(name, port=3, key=7)[1:], (2, 0, [(LOCALHOST[client.family], 1111)]))

    def test_without_keys_a_peer_is_its_endpoint(self):
        for client, name in self.rows([("endpoints",)]):
            for port in 1111, 2222, 1111:
                client.announce(name, port=port)
            self.assertEqual(client.announce(name, port=3)[1], 3)

    def test_a_snatch_counts_once(self):
        for client, name in self.rows([("snatch",)]):
            client.announce(name, event=STARTED, left=5, key=1)
            for _ in range(3):
                client.announce(name, event=COMPLETED, left=0, key=1)
            self.assertEqual(struct.unpack(">III", client.scrape(info_hash(name))[8:]), (1, 1, 0))

    def test_one_id_serves_everything(self):
        for client, name in self.rows([("one id",)]):
            client.announce(name, event=STARTED)
            self.assertEqual(struct.unpack(">III", client.scrape(info_hash(name))[8:]), (0, 0, 1))
            client.announce(name, event=STOPPED)
            self.assertEqual(struct.unpack(">III", client.scrape(info_hash(name))[8:]), (0, 0, 0))

    def test_an_id_belongs_to_an_address_and_not_to_a_port(self):
        for client, name in self.rows([("another port",)]):
            other = self.client(client.family)
            other.id = client.connect()
            self.assertEqual(other.announce(name)[1], 1)
        cid = self.client(4).connect()
        stranger = self.client(4, source="127.0.0.2")
        self.assertTrue(stranger.silent(announce_packet(cid, info_hash("stranger"))))

    def test_a_mapped_address_is_an_ipv4_address(self):
        """A socket for both families, as many clients have, and one for IPv4."""
        if len(FAMILIES) == 1:
            self.skipTest("no IPv6 here")
        both, plain = self.client(4, to="::ffff:127.0.0.1"), self.client(4)
        plain.id = both.connect()
        plain.announce("mapped", port=1, key=1)
        self.assertEqual(both.announce("mapped", port=2, key=2)[1:], (2, 0, [("127.0.0.1", 1)]))
        self.assertEqual(plain.announce("mapped", port=1, key=1)[3], [("127.0.0.1", 2)])
        both.announce("mapped", port=1, key=3)  # the same endpoint, started anew
        self.assertEqual(plain.announce("mapped", port=9, key=9)[1], 3)

    def test_wrong_ids_ban_nobody(self):
        """uTorrent is known to use one for an hour."""
        for client, name in self.rows([("old ids",)]):
            good = client.connect()
            for i in range(50):
                client.socket.send(announce_packet(good ^ (i + 1), info_hash(name)))
            self.assertEqual(client.announce(name)[1], 1)

    def test_ids_do_not_stay_the_same(self):
        client = self.client()
        first = client.connect()
        for _ in range(40):
            if client.connect() != first:
                return
            self.client().ask(b"", wait=0.1)  # a moment
        self.fail("the same connection id for seconds")

    def test_the_reply_comes_from_the_address_that_was_asked(self):
        for to in "127.0.0.1", "127.0.0.3", "127.9.9.9":
            with self.subTest(to):
                self.assertTrue(self.client(4, to=to).connect())

    def test_scrapes_of_every_size_in_order(self):
        known = self.client()
        known.announce("scraped", left=0, key=1)
        known.announce("scraped", left=5, key=2, port=2)
        for family in FAMILIES:
            client = self.client(family)
            for n in (1, 2, 3, 73, 74, 75, 80):
                with self.subTest(n=n, family=family):
                    hashes = [info_hash("scraped") if i % 3 == 1 else info_hash(f"unknown {i}") for i in range(n)]
                    reply = client.scrape(*hashes)
                    expected = [(1, 0, 1) if i % 3 == 1 else (0, 0, 0) for i in range(min(n, 74))]
                    self.assertEqual(reply[:8], struct.pack(">II", SCRAPE, TID))
                    self.assertEqual(list(struct.iter_unpack(">III", reply[8:])), expected)
            reply = client.scrape(info_hash("scraped"), tail=b"xyz")
            self.assertEqual(len(reply), 8 + 12)  # and no record for three bytes

    def test_asking_makes_no_swarm(self):
        def swarms():
            with urllib.request.urlopen(os.environ["P4PD_URL"] + "/metrics") as page:
                return re.search(rb"(?m)^p4pd_swarms (\d+)$", page.read())[1]
        for client, name in self.rows([("no swarm",)]):
            before = swarms()
            client.announce(name, event=STOPPED)
            self.assertEqual(client.scrape(info_hash(name))[8:], bytes(12))
            self.assertEqual(swarms(), before)


# ---- BEP 3 and its heirs ----

def bdecode(raw):
    """Strict: sorted keys, none twice, nothing behind the end."""
    def value(i):
        c = raw[i:i + 1]
        if c == b"i":
            end = raw.index(b"e", i)
            number = int(raw[i + 1:end])
            assert str(number).encode() == raw[i + 1:end], "a number in another spelling"
            return number, end + 1
        if c == b"l":
            i, items = i + 1, []
            while raw[i:i + 1] != b"e":
                item, i = value(i)
                items.append(item)
            return items, i + 1
        if c == b"d":
            i, items, last = i + 1, {}, None
            while raw[i:i + 1] != b"e":
                key, i = value(i)
                assert isinstance(key, bytes) and (last is None or key > last), f"{key} after {last}"
                items[key], i = value(i)
                last = key
            return items, i + 1
        colon = raw.index(b":", i)
        size = int(raw[i:colon])
        assert len(raw) >= colon + 1 + size
        return raw[colon + 1:colon + 1 + size], colon + 1 + size
    out, end = value(0)
    assert end == len(raw), "bytes behind the end"
    return out


def libmicrohttpd():
    """The one that p4pd runs with."""
    library = ctypes.CDLL("libmicrohttpd.so.12")
    library.MHD_get_version.restype = ctypes.c_char_p
    return library


class Http:
    def __init__(self, raw):
        self.interim = raw.startswith(b"HTTP/1.1 100 ")
        head, self.body = raw.split(b"\r\n\r\n", 2 if self.interim else 1)[-2:]
        status, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}

    @property
    def dict(self):
        assert self.status == 200, (self.status, self.body)
        return bdecode(self.body)


def http(target, family=4, head="HTTP/1.1\r\nHost: x\r\nConnection: close", method="GET", port=PORT):
    """One request, byte for byte."""
    with socket.create_connection((LOCALHOST[family], port), timeout=20) as s:
        s.sendall(f"{method} {target} {head}\r\n\r\n".encode("latin-1"))
        raw = b""
        while chunk := s.recv(65536):
            raw += chunk
    return Http(raw)


def quote(raw):
    return urllib.parse.quote(raw, safe="")


def announce(name, extra="", peer=b"-XX0000-abcdefghijkl", port=6881, left=1, **more):
    query = f"info_hash={quote(info_hash(name))}&peer_id={quote(peer)}&port={port}&left={left}{extra}"
    return http("/announce?" + query, **more)


def endpoint(port, family=4):
    return socket.inet_pton(socket.AF_INET if family == 4 else socket.AF_INET6, LOCALHOST[family]) + struct.pack(">H", port)


class HttpProtocol(unittest.TestCase):
    def test_shapes_of_the_request(self):
        p, key = quote(b"-XX0000-abcdefghijkl"), "&key="
        rows = [  # name, target; HASH and GOOD are put in
            ("plain", "/announce?GOOD"),
            ("a doubled slash", "//announce?GOOD"),
            ("announce.php", "/announce.php?GOOD"),
            ("a slash at the end", "/announce/?GOOD"),
            ("an escaped blank before the query", "/announce%20?GOOD"),
            ("semicolons", f"/announce?info_hash=HASH;peer_id={p};port=1;left=1"),
            ("a query before the query", "/announce?pk=abc%20d?GOOD"),
            ("a parameter before", "/announce?pk=abc%20d&GOOD"),
            ("ampersands at both ends", "/announce?&GOOD&&"),
            ("a bad escape of a stranger", "/announce?x=%zz&GOOD"),
            ("lower-case escapes", f"/announce?info_hash=LOWER&peer_id={p}&port=1&left=1"),
            ("upper-case escapes", f"/announce?info_hash=UPPER&peer_id={p}&port=1&left=1"),
            ("needless escapes", "/announce?info_hash=HASH&peer_id=%2DXX0000%2Dabcdefghijkl&port=%31&left=1"),
            ("what libtorrent adds", "/announce?GOOD&corrupt=0&redundant=0&no_peer_id=1&supportcrypto=1" + key + "E96680BC"),
            ("an echoed tracker id", "/announce?GOOD&trackerid=%00%ff"),
            ("what Transmission 4 adds", "/announce?GOOD&ipv4=127.0.0.1&ipv6=%3A%3A1"),
            ("eight raw bytes as key", "/announce?GOOD" + key + "%00%01%02%ff%fe%fd%fc%fb"),
            ("a key that is no hex", "/announce?GOOD" + key + "q9z8y7x6"),
            ("an absolute URI", "http://x/announce?GOOD"),
            ("an absolute URI of HTTPS", "https://x/announce?GOOD"),
            ("an absolute URI with user and port", "HTTPS://u:p@[2001:db8::1]:443//announce?GOOD"),
            ("a path of the operator's", "/tracker/announce?GOOD"),
        ]
        for name, target in rows:
            with self.subTest(name):
                raw = info_hash("shape " + name)
                target = target.replace("GOOD", f"info_hash=HASH&peer_id={p}&port=1&left=1")
                for word, text in (("HASH", quote(raw)), ("LOWER", "".join(f"%{b:02x}" for b in raw)),
                                   ("UPPER", "".join(f"%{b:02X}" for b in raw))):
                    target = target.replace(word, text)
                self.assertEqual(http(target).dict[b"peers"], b"")
                self.assertEqual(http(f"/scrape?info_hash={quote(raw)}").dict[b"files"][raw][b"incomplete"], 1)

    def test_a_blank_before_the_query(self):
        """libmicrohttpd from 1.0 on sends the client to the target with an escaped one."""
        ask = f"info_hash={quote(info_hash('blank'))}&peer_id={'p' * 20}&port=1&left=1"
        reply = http(f"/announce ?{ask}")
        if reply.status == 301:
            self.assertEqual(reply.headers["location"], f"/announce%20?{ask}")
            reply = http(reply.headers["location"])
        self.assertEqual(reply.dict[b"peers"], b"")
        self.assertEqual(http(f"/scrape?info_hash={quote(info_hash('blank'))}").dict[b"files"][info_hash("blank")][b"incomplete"], 1)

    def test_heads_of_the_request(self):
        end = "\r\nHost: x\r\nConnection: close"
        rows = [("HTTP/1.0 without Host", "HTTP/1.0"), ("HTTP/1.1 that closes", "HTTP/1.1" + end),
                ("one that would take gzip", "HTTP/1.1\r\nAccept-Encoding: deflate, gzip, br, zstd" + end),
                ("bare line feeds", "HTTP/1.1\nHost: x\nConnection: close\n\n"),
                ("Expect", "HTTP/1.1\r\nExpect: 100-continue" + end),
                ("Expect of HTTP/1.0", "HTTP/1.0\r\nExpect: 100-continue" + end),
                ("Expect of something else", "HTTP/1.1\r\nExpect: tea" + end),
                ("a body of no bytes", "HTTP/1.1\r\nContent-Length: 0" + end)]
        for name, head in rows:
            with self.subTest(name):
                reply = announce("heads", head=head)  # and the server closes
                self.assertIn(b"peers", reply.dict)
                self.assertNotIn("content-encoding", reply.headers)
                self.assertEqual(int(reply.headers["content-length"]), len(reply.body))
                if "HTTP/1.0" in head:
                    self.assertFalse(reply.interim)  # it would take it for the answer

    def test_what_is_no_request_of_a_client(self):
        """Told so, once, and nobody joins."""
        ask = f"/announce?info_hash={quote(info_hash('unasked'))}&peer_id={'p' * 20}&port=1&left=1"
        hidden = f"GET {ask} HTTP/1.1\r\nHost: x\r\n\r\n"
        piece = f"{len(hidden):x}\r\n{hidden}\r\n0\r\n\r\n"
        fine = f"GET {ask} HTTP/1.1\r\nHost: x\r\n"
        rows = [  # name, request, status
            ("a body", f"{fine}Content-Length: {len(hidden)}\r\n\r\n{hidden}", 413),
            ("a body that waits", f"{fine}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", 413),
            ("chunks", f"{fine}Transfer-Encoding: chunked\r\n\r\n{piece}", 413),
            ("no chunks", f"{fine}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
            ("another coding", f"{fine}Transfer-Encoding: gzip\r\n\r\n{hidden}", 400),
            ("two lengths", f"{fine}Content-Length: 0\r\nContent-Length: {len(hidden)}\r\n\r\n{hidden}", 400),
            ("a length and chunks", f"{fine}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n{piece}", 400),
            ("a blank before the colon", f"{fine}Content-Length : {len(hidden)}\r\n\r\n{hidden}", 400),
            ("a NUL before the line", f"\0{fine}\r\n", 400),
            ("a NUL in a name", f"{fine}X\0Y: 1\r\n\r\n", 400),
            ("a NUL in the method", fine.replace("GET", "GE\0T") + "\r\n", 405),
            ("a NUL in the path", fine.replace("?", "\0?") + "Connection: close\r\n\r\n", b"info_hash"),
            ("a NUL in the query", fine.replace("&port", "\0&port") + "Connection: close\r\n\r\n", b"port"),
            ("a NUL in the hash", fine.replace("hash=", "hash=\0") + "Connection: close\r\n\r\n", b"info_hash"),
            ("a HEAD", f"{fine.replace('GET', 'HEAD')}Connection: close\r\n\r\n", 200),
            ("no version", f"GET {ask}\r\n", 400),
            ("HTTP/2", fine.replace("/1.1", "/2.0") + "\r\n", 505)]
        for name, raw, expected in rows:
            with self.subTest(name):
                in_line = "\0" in raw.partition("\r\n")[0]
                with socket.create_connection((LOCALHOST[4], PORT), timeout=20) as s:
                    s.sendall(raw.encode("latin-1"))
                    raw = b"".join(iter(lambda: s.recv(65536), b""))  # and the server closes
                if in_line and libmicrohttpd().MHD_get_version() >= b"1":  # says nothing
                    self.assertEqual(raw, b"")
                    continue
                self.assertEqual(raw.count(b"HTTP/1.1 "), 1)
                if isinstance(expected, int):
                    self.assertEqual(Http(raw).status, expected)
                else:
                    self.assertIn(expected, Http(raw).dict[b"failure reason"])
        self.assertEqual(http(f"/scrape?info_hash={quote(info_hash('unasked'))}").dict[b"files"][info_hash("unasked")][b"incomplete"], 0)

    def test_failures_are_200_and_say_when_to_come_back(self):
        h, p = quote(info_hash("failures")), quote(b"-XX0000-abcdefghijkl")
        rows = [  # name, query, a word of the reason
            ("nothing", "", b"info_hash"), ("no info_hash", f"peer_id={p}&port=1", b"info_hash"),
            ("no peer_id", f"info_hash={h}&port=1", b"peer_id"), ("no port", f"info_hash={h}&peer_id={p}", b"port"),
            ("a short info_hash", f"info_hash=abc&peer_id={p}&port=1", b"info_hash"),
            ("a hash in hex", f"info_hash={info_hash('x').hex()}&peer_id={p}&port=1", b"info_hash"),
            ("a bad escape", f"info_hash=%zz&peer_id={p}&port=1", b"info_hash"),
            ("a short peer_id", f"info_hash={h}&peer_id=abc&port=1", b"peer_id"),
            ("two info_hashes", f"info_hash={h}&info_hash={h}&peer_id={p}&port=1", b"twice"),
            ("a port that is no number", f"info_hash={h}&peer_id={p}&port=x", b"port"),
            ("a port too high", f"info_hash={h}&peer_id={p}&port=65536", b"port"),
            ("a negative port", f"info_hash={h}&peer_id={p}&port=-1", b"port")]
        for name, query, word in rows:
            with self.subTest(name):
                reply = http("/announce?" + query).dict
                self.assertIn(word, reply[b"failure reason"])
                self.assertGreaterEqual(reply[b"interval"], 300)
                self.assertGreaterEqual(reply[b"retry in"] * 60, reply[b"interval"])  # minutes (BEP 31)
                self.assertIn(b"min interval", reply)
                self.assertNotIn(b"peers", reply)
        for name, query in (("a scrape of nothing", ""), ("a scrape of half a hash", "info_hash=abc")):
            with self.subTest(name):
                self.assertIn(b"info_hash", http("/scrape?" + query).dict[b"failure reason"])

    def test_an_empty_answer_has_everything(self):
        for family in FAMILIES:
            with self.subTest(family=family):
                reply = announce(f"empty-{family}", family=family).dict
                self.assertEqual(reply[b"peers"], b"")
                self.assertEqual(reply.get(b"peers6"), b"" if family == 6 else None)
                self.assertEqual(reply[b"external ip"], endpoint(0, family)[:-2])
                self.assertEqual((reply[b"complete"], reply[b"incomplete"], reply[b"downloaded"]), (0, 1, 0))
                self.assertTrue(300 <= reply[b"min interval"] <= reply[b"interval"] <= 3 * 3600)

    def test_the_form_of_peers(self):
        first, second = b"-XX0000-first_______", b"-XX0000-second______"
        for family in FAMILIES:
            announce(f"form-{family}", peer=first, port=258, family=family)
            entry = {b"ip": LOCALHOST[family].encode(), b"peer id": first, b"port": 258}
            bare = {k: v for k, v in entry.items() if k != b"peer id"}
            rows = [("compact absent", "", endpoint(258, family)), ("compact=1", "&compact=1", endpoint(258, family)),
                    ("compact=0", "&compact=0", [entry]), ("no peer ids", "&compact=0&no_peer_id=1", [bare]),
                    ("numwant=0", "&numwant=0", b""), ("numwant=-1", "&numwant=-1", endpoint(258, family)),
                    ("numwant of no number", "&numwant=many", endpoint(258, family)),
                    ("numwant huge", "&numwant=99999999999999999999", endpoint(258, family)),
                    ("numwant=0 as dictionaries", "&compact=0&numwant=0", [])]
            for name, extra, expected in rows:
                with self.subTest(name, family=family):
                    reply = announce(f"form-{family}", extra, peer=second, port=9, family=family).dict
                    key = b"peers6" if family == 6 and isinstance(expected, bytes) else b"peers"
                    self.assertEqual(reply[key], expected)
                    self.assertIn(b"peers", reply)

    def test_both_families_in_one_answer(self):
        if len(FAMILIES) == 1:
            self.skipTest("no IPv6 here")
        name = "families"
        announce(name, peer=b"-XX0000-four________", port=4)
        announce(name, peer=b"-XX0000-six_________", port=6, family=6)
        reply = announce(name, "&ipv6=2001:db8::1", peer=b"-XX0000-both________", port=9).dict
        self.assertEqual((reply[b"peers"], reply[b"peers6"]), (endpoint(4), endpoint(6, 6)))
        reply = announce(name, "&ipv6=2001:db8::1&compact=0", peer=b"-XX0000-both________", port=9).dict
        self.assertEqual({p[b"ip"] for p in reply[b"peers"]}, {b"127.0.0.1", b"::1"})
        self.assertNotIn(b"peers6", reply)
        self.assertNotIn(b"peers6", announce(name, peer=b"-XX0000-both________", port=9).dict)

    def test_left_is_what_it_can_be_read_as(self):
        rows = [("0", 1), ("1", 0), ("00", 1), ("18446744073709551615", 0), ("18446744073709551616", 0),
                ("99999999999999999999999999", 0), ("-1", 0), ("-0", 0), ("", 0), ("abc", 0), ("0x0", 0), ("0.0", 0)]
        for text, seeds in rows:
            with self.subTest(left=text):
                self.assertEqual(announce("left=" + text, left=text).dict[b"complete"], seeds)
        h, p = quote(info_hash("no left")), quote(b"-XX0000-abcdefghijkl")
        self.assertEqual(http(f"/announce?info_hash={h}&peer_id={p}&port=1").dict[b"complete"], 0)

    def test_events(self):
        rows = [("started", 1), ("completed", 1), ("paused", 1), ("", 1), ("none", 1), ("Stopped", 1), ("stopped", 0)]
        for word, left_over in rows:
            with self.subTest(event=word):
                reply = announce("event=" + word, "&event=" + word).dict
                self.assertEqual((reply[b"incomplete"], reply[b"peers"]), (left_over, b""))

    def test_hashes_of_every_kind(self):
        rows = [("a NUL at the start", b"\0" * 20), ("a NUL inside", b"abc\0def" + b"x" * 13), ("plus signs", b"+" * 20),
                ("separators", b"&;=?%#+ /" + b"y" * 11), ("high bytes", bytes(range(236, 256)))]
        for name, raw in rows:
            with self.subTest(name):
                self.assertEqual(http(f"/announce?info_hash={quote(raw)}&peer_id={'p' * 20}&port=7&left=0").status, 200)
                self.assertEqual(http(f"/scrape?info_hash={quote(raw)}").dict[b"files"][raw][b"complete"], 1)
        with self.subTest("a plus is a plus"):
            self.assertEqual(http("/scrape?info_hash=" + "+" * 20).dict[b"files"][b"+" * 20][b"complete"], 1)

    def test_a_scrape_has_every_hash_that_was_asked(self):
        known, zero = info_hash("scraped by http"), {b"complete": 0, b"downloaded": 0, b"downloaders": 0, b"incomplete": 0}
        announce("scraped by http", left=0, peer=b"-XX0000-seed________")
        announce("scraped by http", "&event=paused", peer=b"-XX0000-partial_____", port=2)
        full = {b"complete": 1, b"downloaded": 0, b"downloaders": 0, b"incomplete": 1}
        unknown = [info_hash(f"unknown {i}") for i in range(50)]
        rows = [("one unknown", [unknown[0]]), ("two unknown", unknown[:2]), ("known and unknown", [unknown[0], known]),
                ("the same twice", [known, known]), ("fifty", unknown[:25] + [known] + unknown[25:])]
        for name, hashes in rows:
            with self.subTest(name):
                reply = http("/scrape?" + "&".join("info_hash=" + quote(h) for h in hashes)).dict
                self.assertEqual(reply[b"files"], {h: full if h == known else zero for h in hashes})
                self.assertGreater(reply[b"flags"][b"min_request_interval"], 0)
        many = [known] + [info_hash(f"unknown {i}") for i in range(79)]
        for n in 74, 75, 80:  # as over UDP; every byte escaped, and headers beside them
            with self.subTest(n=n):
                query = "&".join("info_hash=" + "".join(f"%{byte:02x}" for byte in h) for h in many[:n])
                reply = http("/scrape?" + query, head="HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: " + "x" * 300)
                self.assertEqual(reply.dict[b"files"], {h: full if h == known else zero for h in many[:74]})
        for path in "/scrape.php", "//scrape", "/scrape/":
            with self.subTest(path):
                self.assertEqual(http(f"{path}?info_hash={quote(known)}").dict[b"files"], {known: full})

    def test_a_v2_hash_joins_its_truncation(self):
        v2 = hashlib.sha256(b"hybrid").digest()
        query = f"&peer_id={'a' * 20}&port=1&left=0"
        self.assertEqual(http(f"/announce?info_hash={quote(v2[:20])}{query}").dict[b"complete"], 1)
        reply = http(f"/announce?info_hash={quote(v2)}&peer_id={'b' * 20}&port=2&left=1").dict
        self.assertEqual((reply[b"complete"], reply[b"peers"]), (1, endpoint(1)))
        self.assertEqual(http(f"/scrape?info_hash={quote(v2)}").dict[b"files"][v2[:20]][b"incomplete"], 1)

    def test_one_client_over_both_protocols_is_one_peer(self):
        client = Udp()
        self.addCleanup(client.close)
        peer = b"-XX0000-twoprotocols"
        announce("both protocols", "&key=0000000a", peer=peer, port=1)
        self.assertEqual(client.announce("both protocols", key=10, peer_id=peer, port=2)[1:], (1, 0, []))

    def test_a_key_joins_what_moved_and_both_families(self):
        for family in FAMILIES:
            with self.subTest(family=family):
                for port, key in (1, "a"), (2, "a"), (2, "b"):  # moved; started anew
                    reply = announce(f"moved by http {family}", f"&key={key}", port=port, family=family).dict
                self.assertEqual((reply[b"incomplete"], reply[b"peers"]), (1, b""))
        for family in FAMILIES * 3:  # at once, again and again
            reply = announce("families by http", "&key=c&ipv4=127.0.0.1&ipv6=::1", family=family).dict
        self.assertEqual((reply[b"incomplete"], reply[b"peers"] + reply.get(b"peers6", b"")), (len(FAMILIES), b""))

    def test_other_paths_and_methods(self):
        for target, status in (("/", 404), ("/announcer", 404), ("/favicon.ico", 404)):
            with self.subTest(target):
                self.assertEqual(http(target).status, status)
        reply = http("/announce", method="POST", head="HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close")
        self.assertEqual(reply.status, 405)


if __name__ == "__main__":
    unittest.main()
