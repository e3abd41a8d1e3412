# SPDX-License-Identifier: Apache-2.0
"""NetFlow v5 and sFlow v5 as an exporter would send them, and what p4pd should make of them."""
import socket
import struct
import time

UPTIME = 100_000_000  # milliseconds


class Exporter:
    """Sends from `address` to a collector on loopback; counts the flows for the sequence."""

    def __init__(self, port, address="127.0.0.1"):
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.to = ("127.0.0.1", port)
        self.sequence = 0

    def send(self, *flows, sampling=1, now=None):
        """Each flow: dict of from_, to, in_if, out_if, bytes, packets, ports=(from, to), age=(first, last) in
        seconds before now."""
        now = time.time() if now is None else now
        records = [struct.pack(
            ">4s4s4sHHIIIIHHBBBBHHBBH", socket.inet_aton(f["from_"]), socket.inet_aton(f["to"]), bytes(4),
            f["in_if"], f["out_if"], f.get("packets", 1), f["bytes"],
            UPTIME - round(f.get("age", (0, 0))[0] * 1000), UPTIME - round(f.get("age", (0, 0))[1] * 1000),
            *f.get("ports", (1, 2)), 0, 0, 6, 0, 0, 0, 0, 0, 0) for f in flows]
        head = struct.pack(">HHIIIIBBH", 5, len(flows), UPTIME, int(now), int(now % 1 * 1e9), self.sequence, 0, 0,
                           1 << 14 | sampling if sampling > 1 else 0)
        self.sequence += len(flows)
        try:
            self.socket.sendto(head + b"".join(records), self.to)
        except ConnectionRefusedError:
            pass  # nobody listens just now; UDP does not care


class Agent:
    """Speaks sFlow v5 from `address`: packet samples, and counters of its interfaces."""

    def __init__(self, port, address="127.0.0.1"):
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.to, self.address, self.started, self.sequence, self.pool = ("127.0.0.1", port), address, time.time(), 0, 0

    def send(self, kind, body):
        uptime = round((time.time() - self.started) * 1000) + 1000
        self.sequence += 1
        head = struct.pack(">II4sIIII", 5, 1, socket.inet_aton(self.address), 0, self.sequence, uptime, 1)
        self.socket.sendto(head + struct.pack(">II", kind, len(body)) + body, self.to)

    def sample(self, from_, to, in_if, out_if, length, one_of):
        self.pool += one_of
        packet = struct.pack(">II4s4sIIII", length, 6, socket.inet_aton(from_), socket.inet_aton(to), 1, 2, 0, 0)
        self.send(1, struct.pack(">IIIIIIII", self.sequence, in_if, one_of, self.pool, 0, in_if, out_if, 1)
                  + struct.pack(">II", 3, len(packet)) + packet)

    def counters(self, ifindex, out_octets, in_octets, speed=10**10):
        counters = struct.pack(">IIQIIQIIIIIIQIIIIII", ifindex, 6, speed, 1, 3, in_octets, 0, 0, 0, 0, 0, 0,
                               out_octets, 0, 0, 0, 0, 0, 0)
        self.send(2, struct.pack(">III", self.sequence, ifindex, 1) + struct.pack(">II", 1, len(counters)) + counters)


def with_exporters(document, ports):
    """The topology with {interconnect: (address, ifindex)}."""
    for interconnect in document["interconnects"]:
        if interconnect["id"] in ports:
            address, ifindex = ports[interconnect["id"]]
            interconnect["exporters"] = [{"address": address, "ifindex": ifindex}]
    return document


def flows_of(report, source="flow"):
    """{(provider, interconnect): (out_bytes, in_bytes)} of one source."""
    rows = [(row, row["sources"][source]) for row in report["interconnects"] if source in row["sources"]]
    return {(row["provider"], row["interconnect"]): (of["out_bytes"], of["in_bytes"]) for row, of in rows}
