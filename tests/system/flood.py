# SPDX-License-Identifier: Apache-2.0
"""Malformed packets: where they start from, how they are spoilt, and how they are sent."""
import pathlib
import random
import re
import selectors
import socket
import struct
import time

from tracker import ANNOUNCE, CONNECT, ERROR, MAGIC, SCRAPE

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures" / "flood"
PLACEHOLDER = b"\x20" * 8  # where a seed wants a connection id
# One socket sends packets of one length only: whoever answers there knows how long the question was.
LENGTHS = [*range(0, 201), 255, 256, 257, 511, 512, 513, 1023, 1024, 1200, 1201, 1472, 1473, 4096, 9000]


def written_datagrams():
    lines = (FIXTURES / "datagrams.hex").read_text().splitlines()
    return [bytes.fromhex(line) for line in lines if line and line[0] != "#"]


def written_requests():
    lines = (FIXTURES / "requests.txt").read_text().splitlines()
    return [f"{line}\r\nHost: t\r\nConnection: close\r\n\r\n".encode() for line in lines]


def captured_datagrams(folder):
    """What real clients sent: of the recorder's log some fields only, so the packets are put together again."""
    seeds = [bytes.fromhex(line.split("\t")[3])
             for line in (folder / "udp-tracker-datagrams.tsv").read_text().splitlines() if line[0] != "#"]
    for log in sorted((folder / "captures").glob("*.log")):
        for line in log.read_text(errors="replace").splitlines():
            if match := re.search(r"UDP act \d+ len \d+ ([0-9a-f]+)$", line):
                seeds.append(bytes.fromhex(match[1]))
            elif match := re.search(r"UDP announce len \d+ peer_id b(['\"])(.*?)\1 down (\d+) left (\d+) up (\d+) "
                                    r"event (\d+) ip \d+ key (\w+) numwant (-?\d+) port (\d+) opts b'(.*)'", line):
                seeds.append(announce_again(*match.groups()[1:]))
    return seeds


def announce_again(peer, down, left, up, event, key, want, port, options):
    def raw(text):
        return text.encode().decode("unicode_escape").encode("latin-1")
    return (PLACEHOLDER + struct.pack(">II", ANNOUNCE, 1) + bytes(20) + raw(peer) +
            struct.pack(">QQQIIIiH", int(down), int(left), int(up), int(event), 0, int(key, 16), int(want),
                        int(port)) + raw(options))


def captured_requests(folder):
    seeds = [line.split("\t")[5] + " HTTP/1.1"
             for line in (folder / "announce-requests.tsv").read_text().splitlines() if line[0] != "#"]
    seeds = [f"GET {line}\r\nHost: t\r\nConnection: close\r\n\r\n" for line in seeds]
    for log in sorted((folder / "captures").glob("*.log")):
        for head in re.findall(r" HTTP (GET .*)$", log.read_text(errors="replace"), re.M):
            seeds.append(head.replace(" | ", "\r\n") + "\r\n\r\n")
    return [seed.encode("latin-1", "replace") for seed in seeds]


def spoil(packet, seeds, chance):
    """One mutation: a bit, a byte, a number at its limits, a cut, a repeat, or another packet's tail."""
    data = bytearray(packet)
    at = chance.randrange(len(data) + 1)
    kind = chance.randrange(7)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 1 and at < len(data):
        data[at] = chance.randrange(256)
    elif kind == 2:
        number = chance.choice([0, 1, 0x7fffffff, 0x80000000, 0xffffffff])
        data[at & ~3:(at & ~3) + 4] = struct.pack(">I", number)
    elif kind == 3:
        del data[at:]
    elif kind == 4:
        data[at:at] = data[at:at + chance.randrange(64)]
    elif kind == 5:
        data[at:at] = chance.randbytes(chance.randrange(32))
    else:
        data[at:] = chance.choice(seeds)[at:]
    return bytes(data)


def spoilt(seeds, chance):
    """A seed with one to four mutations, sometimes none; or noise."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.choice(LENGTHS))
    packet = chance.choice(seeds)
    for _ in range(chance.choice([0, 1, 1, 2, 4])):
        packet = spoil(packet, seeds, chance)
    return packet


def fit(packet, chance):
    """Its length is one of LENGTHS."""
    length = next(n for n in (*LENGTHS, len(packet)) if n >= len(packet))
    return (packet + chance.randbytes(length - len(packet)))[:LENGTHS[-1]]


class UdpFlood:
    """Sends as fast as one process can, and looks at every byte that comes back."""

    def __init__(self, source, tracker, connection=None):
        self.source, self.tracker, self.connection = source, tracker, connection
        self.sockets, self.selector = {}, selectors.EpollSelector()
        self.sent, self.replies, self.faults = 0, 0, []

    def socket_for(self, length):
        if length not in self.sockets:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((self.source, 0))
            s.connect(self.tracker)
            s.setblocking(False)
            self.sockets[length] = s
            self.selector.register(s, selectors.EVENT_READ, length)
        return self.sockets[length]

    def run(self, seeds, seconds, chance):
        """Returns how many packets it sent."""
        if self.connection:
            seeds = [seed.replace(PLACEHOLDER, self.connection, 1) for seed in seeds]
        packets = [fit(spoilt(seeds, chance), chance) for _ in range(20000)]
        plan = [(self.socket_for(len(packet)).send, packet) for packet in packets]
        at, before, end = 0, self.sent, time.monotonic() + seconds
        while time.monotonic() < end:
            for send, packet in plan[at:at + 200]:
                try:
                    send(packet)
                    self.sent += 1
                except BlockingIOError:
                    pass  # our own buffer is full
            self.drain()
            at = (at + 200) % len(plan)
        time.sleep(0.3)
        self.drain()
        return self.sent - before

    def drain(self):
        for key, _ in self.selector.select(0):
            while True:
                try:
                    reply = key.fileobj.recv(65536)
                except BlockingIOError:
                    break
                self.replies += 1
                if fault := self.fault(reply, key.data):
                    self.faults.append(f"{len(reply)} bytes for {key.data}: {fault}: {reply[:64].hex()}")

    def fault(self, reply, asked):
        """What is wrong with a reply to a request of `asked` bytes; None: nothing."""
        action = int.from_bytes(reply[:4], "big")
        if len(reply) < 8:
            return "shorter than any reply"
        if self.connection is None and action != CONNECT:
            return "an answer without a connection id"
        if action in (CONNECT, ERROR) or self.connection is None:
            return "longer than the request" if len(reply) > asked else None
        if action == ANNOUNCE:
            return None if len(reply) <= 1200 and len(reply) >= 20 and (len(reply) - 20) % 6 == 0 else "no list"
        if action == SCRAPE:
            return None if len(reply) == 8 + 12 * min((asked - 16) // 20, 74) else "not a row for each hash"
        return "no such action"

    def close(self):
        for s in self.sockets.values():
            s.close()
        self.selector.close()
