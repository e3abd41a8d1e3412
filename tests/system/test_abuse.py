#!/usr/bin/env python3
"""Daemons that refuse somebody: floods, lists, passkeys, peers that lead nowhere. Under with_postgres and
with_p4pd (for P4PD; each test has a daemon of its own)."""
import ipaddress
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent.parent))
import house  # noqa: E402
import test_protocol as protocol  # noqa: E402

FILTER = HERE.parent.parent / "deploy" / "fail2ban" / "p4pd.conf"
ERROR, ANNOUNCE = protocol.ERROR, protocol.ANNOUNCE


def url_data(text):
    return b"\x02" + bytes([len(text)]) + text.encode()


class Abuse(unittest.TestCase):
    def daemon(self, **settings):
        daemon = house.Daemon(self.id().rsplit(".", 1)[1], **{"database": "", **settings})
        daemon.start()
        self.addCleanup(daemon.__exit__, None, None, None)
        return daemon

    def client(self, daemon, **more):
        client = protocol.Udp(port=daemon.tracker_port, **more)
        self.addCleanup(client.close)
        return client

    def http(self, daemon, target="/announce", name="torrent", head=None, **fields):
        fields = {"port": 1, "left": 1, **fields}
        query = "&".join(f"{k}={v}" for k, v in fields.items())
        more = {"head": head} if head else {}
        return protocol.http(f"{target}?info_hash={protocol.quote(protocol.info_hash(name))}&peer_id={'p' * 20}&{query}",
                             port=daemon.tracker_port, **more).dict

    def udp(self, client, name="torrent", **more):
        """The text of a refusal, "" for an answer, None for silence."""
        reply = client.ask(client.announce_packet(name, **more), wait=1)
        if reply is None:
            return None
        action = int.from_bytes(reply[:4], "big")
        self.assertIn(action, (ANNOUNCE, ERROR))
        return reply[8:].decode() if action == ERROR else ""

    def wait_log(self, daemon, pattern):
        found = house.wait_for(pattern, 10, lambda: re.findall(pattern, daemon.log_text(), re.M))
        return found

    # ---- floods ----

    def test_a_flood_meets_silence_and_is_named_in_the_log(self):
        daemon = self.daemon(lab="false", announces_per_minute_per_address=5, connects_per_minute_per_address=20)
        client = self.client(daemon)
        said = [self.udp(client) for _ in range(7)]
        self.assertEqual(said, [""] * 5 + [None] * 2)
        reply = self.http(daemon)
        self.assertIn(b"too many", reply[b"failure reason"])
        self.assertGreater(reply[b"interval"], 0)
        other = self.client(daemon, source="127.0.0.2")
        self.assertEqual(self.udp(other), "")  # another address
        lines = self.wait_log(daemon, r"^.*flood address=127\.0\.0\.1 what=announces count=\d+$")
        time.sleep(1.5)
        self.udp(client)
        time.sleep(1.5)
        lines = [line for line in daemon.log_text().splitlines() if "flood address=127.0.0.1 what=announces" in line]
        self.assertEqual(len(lines), 1)  # a minute
        self.check_filter(lines[0])
        self.assertEqual(daemon.metric("p4pd_rate_limited_total"), 4)

    def check_filter(self, line):
        """fail2ban bans the address in this line, and nobody for a connect, a prefix or other lines."""
        rule = re.search(r"(?m)^failregex = (.*)$", FILTER.read_text())[1]
        rule = re.compile(rule.replace("<HOST>", r"(?P<host>[0-9a-fA-F:.]+)"))
        stripped = re.sub(r"^\S+Z ", "", line)  # fail2ban takes the date away first
        self.assertEqual(rule.search(stripped)["host"], "127.0.0.1")
        good = "warning: flood address=2001:db8::1 what=announces count=12"
        self.assertEqual(rule.search(good)["host"], "2001:db8::1")
        self.assertEqual(rule.search("host p4pd[123]: " + good)["host"], "2001:db8::1")
        for other in ("warning: flood address=192.0.2.1 what=connects count=12",
                      "warning: flood prefix=192.0.2.0/24 what=announces count=12",
                      'error: why="warning: flood address=192.0.2.1 what=announces count=1"',
                      "warning: flood address=192.0.2.1 what=announces count=12 more"):
            self.assertIsNone(rule.search(other), other)
        if tool := shutil.which("fail2ban-regex"):
            out = subprocess.run([tool, line, str(FILTER)], capture_output=True, text=True).stdout
            self.assertIn("1 matched", out)

    def test_a_flood_of_connects_meets_silence(self):
        daemon = self.daemon(lab="false", connects_per_minute_per_address=3)
        client = self.client(daemon)
        answered = [client.ask(protocol.connect_packet(), wait=1) is not None for _ in range(5)]
        self.assertEqual(answered, [True] * 3 + [False] * 2)

    def test_a_prefix_has_a_limit_of_its_own(self):
        daemon = self.daemon(lab="false", announces_per_minute_per_prefix=3)
        said = [self.udp(self.client(daemon, source=f"127.0.0.{i}")) for i in range(1, 6)]
        self.assertEqual(said, [""] * 3 + [None] * 2)
        self.wait_log(daemon, r"flood prefix=127\.0\.0\.0/24 what=announces count=\d+$")

    def test_a_lab_is_exempt_from_limits(self):
        for lab, third in ("false", None), ("true", ""):
            with self.subTest(lab=lab):
                client = self.client(self.daemon(lab=lab, announces_per_minute_per_address=2))
                self.assertEqual([self.udp(client) for _ in range(3)], ["", "", third])

    def test_each_family_of_a_client_has_its_limit(self):
        if len(protocol.FAMILIES) == 1:
            self.skipTest("no IPv6 here")
        port = house.free_port()
        daemon = self.daemon(lab="false", announces_per_minute_per_address=2, listen_tracker=f"[::]:{port}")
        daemon.tracker_port = port
        said = [self.udp(self.client(daemon, family=family), key=7) for family in (4, 6) * 3]
        self.assertEqual(said, [""] * 4 + [None] * 2)

    def test_half_requests_keep_no_place(self):
        """Nor does a byte now and then; whoever asks meanwhile is served."""
        daemon = self.daemon(http_connections=32, http_connections_per_address=0)
        crowd = []
        for n in range(100):
            s = socket.create_connection(("127.0.0.1", daemon.tracker_port), timeout=20)
            self.addCleanup(s.close)
            s.sendall((b"GET /announce?", b"GET /announce HTTP/1.1\r\nx: ")[n % 2])
            s.setblocking(False)
            crowd.append(s)
            if n % 10 == 9:
                self.assertIn(b"peers", self.http(daemon))

        def all_gone():
            for s in list(crowd):
                try:
                    s.sendall(b"x")
                    self.assertEqual(s.recv(1), b"")
                except BlockingIOError:
                    continue
                except ConnectionError:
                    pass
                crowd.remove(s)
            return not crowd
        house.wait_for("the last is hung up on", 60, all_gone)

    # ---- peers that lead nowhere ----

    def test_bogons_and_own_proxies_are_counted_and_not_handed_out(self):
        forwarded = "HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {}\r\nConnection: close"
        for name, settings, from_proxy, from_client in (
                ("loopback without a lab", {"lab": "false"}, b"", b""),
                ("loopback in a lab", {"lab": "true"}, bytes([127, 0, 0, 1, 0, 9]), b""),
                ("a proxy in a lab", {"lab": "true", "proxies": "127.0.0.1/32"}, b"", bytes([198, 51, 100, 7, 0, 9]))):
            with self.subTest(name):
                daemon = self.daemon(**settings)
                self.http(daemon, port=9)
                reply = self.http(daemon, port=8)
                self.assertEqual((reply[b"incomplete"], reply[b"peers"]), (2, from_proxy))
                self.http(daemon, name="forwarded", port=9, head=forwarded.format("198.51.100.7"))
                reply = self.http(daemon, name="forwarded", port=8, head=forwarded.format("198.51.100.8"))
                if from_client:
                    self.assertEqual(reply[b"peers"], from_client)

    def test_addresses_that_reach_nobody(self):
        """Counted, and nobody's peer; the next one on each side of such a range is one."""
        rows = ["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
                "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
                "223.255.255.255", "2001:db8::7", "::1:0:0", "fbff::1", "::ffff:198.51.100.7"]
        bogons = ["0.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.2",
                  "127.255.255.255", "169.254.0.0", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0",
                  "192.168.255.255", "224.0.0.0", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1",
                  "::198.51.100.7", "fc00::1", "fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ffff::1",
                  "::ffff:10.0.0.1", "::ffff:127.0.0.2"]
        daemon = self.daemon(lab="false", proxies="127.0.0.1/32")
        head = "HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {}\r\nConnection: close"
        for address in rows + bogons:
            with self.subTest(address):
                real = ipaddress.ip_address(address)
                real = getattr(real, "ipv4_mapped", None) or real
                asker = "2001:db8::8" if real.version == 6 else "198.51.100.8"
                told = self.http(daemon, name=address, port=9, head=head.format(address))
                self.assertEqual(told[b"external ip"], real.packed)
                reply = self.http(daemon, name=address, port=8, head=head.format(asker))
                self.assertEqual(reply[b"incomplete"], 2)
                peers = reply[b"peers6" if real.version == 6 else b"peers"]
                self.assertEqual(peers, b"" if address in bogons else real.packed + bytes([0, 9]))
        self.assertEqual(daemon.metric("p4pd_peers_bogon_total"), len(bogons))

    def test_who_moves_while_the_server_is_away_is_no_ghost(self):
        daemon = self.daemon()
        client = self.client(daemon)
        client.announce("away", port=1, key=5)
        client.announce("away", port=6, key=6)
        client.announce("away", port=6, key=6, event=protocol.COMPLETED, left=0)
        daemon.stop()
        daemon.start()
        client = self.client(daemon)
        client.announce("away", port=2, key=5)
        client.announce("away", port=7, key=6, event=protocol.COMPLETED, left=0)
        self.assertEqual(client.scrape(protocol.info_hash("away"))[8:], struct.pack(">III", 1, 1, 1))
        told = client.announce("away", port=3, key=7)
        self.assertEqual((told[1:3], sorted(told[3])), ((2, 1), [("127.0.0.1", 2), ("127.0.0.1", 7)]))

    # ---- lists ----

    def test_lists_come_from_files_and_sighup_reads_them_again(self):
        with house.tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            deny, clients = folder / "deny", folder / "clients"
            deny.write_text(f"# never\n{protocol.info_hash('bad').hex()} # this one\n")
            clients.write_text("-XL00\n")
            daemon = self.daemon(deny_file=deny, deny_clients_file=clients)
            client = self.client(daemon)
            self.assertEqual(self.udp(client), "")
            self.assertEqual(self.udp(client, "bad"), "this torrent is not allowed here")
            self.assertEqual(self.udp(client, peer_id=b"-XL0012-abcdefghijkl"), "this client is not allowed here")
            reply = self.http(daemon, name="bad")
            self.assertIn(b"not allowed", reply[b"failure reason"])
            self.assertEqual((reply[b"interval"], reply[b"retry in"]), (60, 2))  # seconds; minutes (BEP 31)

            deny.write_text(f"{protocol.info_hash('torrent').hex()}\n")
            clients.write_text("-XX\n")
            daemon.signal(signal.SIGHUP)
            house.wait_for("the new lists", 10, lambda: self.udp(client, "bad", peer_id=b"-XL0012-abcdefghijkl") == "")
            self.assertEqual(self.udp(client, peer_id=b"-XL0012-abcdefghijkl"), "this torrent is not allowed here")
            self.assertEqual(self.udp(client, "other"), "this client is not allowed here")

            deny.write_text("no hash\n")  # a broken file changes nothing, and says where
            daemon.signal(signal.SIGHUP)
            self.wait_log(daemon, r"where=.*deny line 1 why='no' is no info-hash")
            self.assertEqual(self.udp(client, "other"), "this client is not allowed here")

    def test_the_allowed_may_be_marked_private(self):
        with house.tempfile.TemporaryDirectory() as folder:
            allow = pathlib.Path(folder) / "allow"
            marked, plain = protocol.info_hash("marked").hex(), protocol.info_hash("plain").hex()
            allow.write_text(f"{marked}\tprivate # by p4pctl torrent create\n{plain} \r\n")
            daemon = self.daemon(access="list", access_file=allow)
            client = self.client(daemon)
            for name in "marked", "plain":
                self.assertEqual(self.udp(client, name), "")
            self.assertEqual(self.udp(client, "other"), "this tracker does not serve this torrent")

            allow.write_text(f"{marked} privat\n")
            daemon.signal(signal.SIGHUP)
            self.wait_log(daemon, r"where=.*allow line 1 why='privat' behind an info-hash: only .private. may")
            self.assertEqual(self.udp(client, "plain"), "")  # the old list stays

    def test_lists_change_by_api_and_outlive_the_database(self):
        daemon = self.daemon(database=os.environ["P4PD_TEST_DB"], node="abuse-lists")
        client = self.client(daemon)
        denied = protocol.info_hash("by api").hex()
        self.assertEqual(self.udp(client, "by api"), "")
        self.assertEqual(daemon.api("PUT", f"/v1/denied/{denied}")[0], 204)
        self.assertEqual(daemon.api("PUT", "/v1/denied-clients/-YY")[0], 204)
        self.assertEqual(self.udp(client, "by api"), "this torrent is not allowed here")
        self.assertEqual(self.udp(client, peer_id=b"-YY000--abcdefghijkl"), "this client is not allowed here")
        daemon.stop()
        daemon.settings["database"] = ""
        daemon.start()
        client = self.client(daemon)
        self.assertEqual(self.udp(client, "by api"), "this torrent is not allowed here")
        self.assertEqual(self.udp(client, peer_id=b"-YY000--abcdefghijkl"), "this client is not allowed here")
        daemon.stop()
        daemon.settings["database"] = os.environ["P4PD_TEST_DB"]
        daemon.start()
        client = self.client(daemon)
        self.assertEqual(daemon.api("DELETE", f"/v1/denied/{denied}")[0], 204)
        self.assertEqual(daemon.api("DELETE", "/v1/denied-clients/-YY")[0], 204)
        self.assertEqual(self.udp(client, "by api"), "")

    # ---- passkeys ----

    def test_passkeys_open_and_close(self):
        daemon = self.daemon(database=os.environ["P4PD_TEST_DB"], node="abuse-keys", passkeys="required")
        client = self.client(daemon)
        self.assertIn(b"passkey is needed", self.http(daemon)[b"failure reason"])
        self.assertEqual(self.udp(client), "a passkey is needed in the announce URL")
        self.assertEqual(client.scrape(protocol.info_hash("torrent"))[8:], b"scrape by HTTP, with passkey")
        status, made = daemon.api("POST", "/v1/passkeys", {"name": "one", "max_peers": 2})
        self.assertEqual(status, 201, made)
        key = made["passkey"]
        for path in f"/{key}/announce", f"/announce/{key}":
            self.assertIn(b"peers", self.http(daemon, path, key="00000001"))
        self.assertEqual(self.udp(client, key=1, tail=url_data(f"/{key}/announce")), "")  # the same client
        self.assertEqual(self.udp(client, key=2, tail=url_data(f"/announce/{key}?x=1")), "")
        for tail in (url_data("/announce/" + key[:5]) + url_data(key[5:]), bytes([7, 255]) + bytes(255) + bytes([9, 200]) +
                     bytes(200) + b"\x01" * 300 + url_data("/announce/" + key)):  # in pieces, far behind
            self.assertEqual(self.udp(client, key=2, tail=tail), "")
        for query in f"passkey={key}", f"authkey=1&torrent_pass={key}":
            self.assertIn(b"peers", self.http(daemon, f"/announce?{query}", key="00000001"))
            self.assertEqual(self.udp(client, key=2, tail=url_data(f"/announce?{query}")), "")
        self.assertIn("as many peers", self.udp(client, key=3, tail=url_data(f"/announce/{key}")))
        self.assertIn("as many peers", self.udp(client, key=3, tail=url_data(f"/announce?passkey={key}")))
        self.assertIn("not known", self.udp(client, tail=url_data("/announce/" + "0" * 32)))
        self.assertIn("not known", self.udp(client, tail=url_data("/announce?passkey=" + "0" * 32)))
        self.assertIn(b"not known", self.http(daemon, "/announce?passkey=short")[b"failure reason"])
        self.assertIn(b"files", self.http(daemon, f"/{key}/scrape"))
        self.assertIn(b"files", self.http(daemon, f"/scrape?passkey={key}"))
        self.assertIn(b"failure reason", self.http(daemon, "/scrape"))
        listed = daemon.api("GET", "/v1/passkeys")[1]["passkeys"]
        seen = [(k["name"], k["peers"], k["announces"], k["refused"]) for k in listed]
        self.assertEqual(seen, [("one", 2, 10, 2)])
        self.assertNotIn(key, json.dumps(listed))
        self.assertNotIn(key, daemon.log_text())
        self.check_copy_serves_without_database(daemon, key)

    def check_copy_serves_without_database(self, daemon, key):
        copy = daemon.state / "passkeys"
        self.assertNotIn(key, copy.read_text())
        self.assertEqual(copy.stat().st_mode & 0o777, 0o600)
        for database in "", os.environ["P4PD_TEST_DB"]:
            daemon.stop()
            daemon.settings["database"] = database
            daemon.start()
            house.wait_for("the passkey", 5, lambda: b"peers" in self.http(daemon, f"/{key}/announce"))
        self.assertEqual(daemon.api("DELETE", "/v1/passkeys/one")[0], 204)
        self.assertIn(b"not known", self.http(daemon, f"/{key}/announce")[b"failure reason"])

    # ---- statistics ----

    def test_every_swarm_in_every_form(self):
        daemon = self.daemon()
        client = self.client(daemon)
        expected = {}
        for i in range(300):
            name = f"swarm {i}"
            client.announce(name, key=1, left=0, event=protocol.STARTED)
            if i % 2:
                client.announce(name, key=2, port=2)
            expected[protocol.info_hash(name)] = (1, i % 2, 0)
        csv = daemon.api("GET", "/v1/swarms")[1].splitlines()
        self.assertEqual(csv[0], "info_hash,seeds,leechers,snatches")
        rows = [line.split(",") for line in csv[1:]]
        self.assertEqual({bytes.fromhex(r[0]): tuple(map(int, r[1:])) for r in rows}, expected)
        self.assertEqual([r[0] for r in rows], sorted(h.hex() for h in expected))
        lines = daemon.api("GET", "/v1/swarms?format=json-lines")[1].splitlines()
        self.assertEqual({bytes.fromhex(d["info_hash"]): (d["seeds"], d["leechers"], d["snatches"])
                          for d in map(json.loads, lines)}, expected)
        ctl = [os.environ["P4PCTL"], "--url", daemon.url, "--token", daemon.token, "swarms", "--format", "bencode"]
        files = protocol.bdecode(subprocess.run(ctl, capture_output=True, check=True).stdout)[b"files"]
        self.assertEqual({h: (f[b"complete"], f[b"incomplete"], f[b"downloaded"]) for h, f in files.items()}, expected)
        self.assertEqual(daemon.api("GET", "/v1/swarms?format=xml")[0], 400)


if __name__ == "__main__":
    unittest.main()
