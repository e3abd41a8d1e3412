# SPDX-License-Identifier: Apache-2.0
"""Real exporters on a wire between two network namespaces: what the bins say against what the interface
counted. Root, ethtool, and softflowd or pmacctd; else skipped."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from exports import flows_of, with_exporters
from house import Daemon, new_database, topology, wait_for

HERE, THERE = {4: "192.168.77.1", 6: "2001:db8:77::1"}, {4: "192.168.77.2", 6: "2001:db8:77::2"}
NEAR = f"near{os.getpid()}"  # an interface here
MEGABYTES = {"out": 150, "in": 120}  # of each family
ETHERNET = 14
SO_MAX_PACING_RATE = 47  # asm-generic/socket.h; the module does not know it


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, **more)


@pytest.fixture
def wire():
    """The interface NEAR here, `far` in a namespace of its own; all offloads off, or bytes are wrong."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if not shutil.which("ethtool"):
        pytest.skip("no ethtool")
    name = f"p4pd-far-{os.getpid()}"
    try:
        run("ip", "netns", "add", name)
    except subprocess.CalledProcessError as error:
        pytest.skip("no network namespace to be had: " + error.stderr.strip())
    try:
        run("ip", "link", "add", "name", NEAR, "type", "veth", "peer", "name", "far", "netns", name)
        far = ("ip", "netns", "exec", name)
        for prefix, link, ends in (((), NEAR, HERE), (far, "far", THERE)):
            run(*prefix, "ip", "addr", "add", ends[4] + "/24", "dev", link)
            run(*prefix, "ip", "addr", "add", ends[6] + "/64", "dev", link, "nodad")
            run(*prefix, "ip", "link", "set", link, "up")
            run(*prefix, "ethtool", "-K", link, "tso", "off", "gso", "off", "gro", "off", "tx", "off")
        time.sleep(1)
        yield far
    finally:
        # The kernel takes a namespace down after the call, with the links in it; this one is gone at once.
        subprocess.run(["ip", "link", "del", NEAR], capture_output=True)
        run("ip", "netns", "del", name)


def counted():
    """IP bytes that the near interface has sent and received."""
    (link,) = json.loads(run("ip", "-s", "-j", "link", "show", NEAR).stdout)
    return [link["stats64"][way]["bytes"] - ETHERNET * link["stats64"][way]["packets"] for way in ("tx", "rx")]


SINK = """
import socket, sys
family, pace, megabytes_in, megabytes_back = map(int, sys.argv[1:])
with socket.create_server(("::" if family == 6 else "0.0.0.0", 7777 + family),
                          family=socket.AF_INET6 if family == 6 else socket.AF_INET) as server:
    print("listening", flush=True)
    peer, _ = server.accept()
    with peer:
        peer.setsockopt(socket.SOL_SOCKET, %d, pace.to_bytes(4, sys.byteorder))
        left = megabytes_in << 20
        while left > 0:
            left -= len(peer.recv(1 << 20))
        peer.sendall(bytes(megabytes_back << 20))
""" % SO_MAX_PACING_RATE


def transfer(far, family, pace):
    """In both directions, at `pace` bytes a second (2**32 - 1: as fast as can be)."""
    words = [family, pace, MEGABYTES["out"], MEGABYTES["in"]]
    sink = subprocess.Popen([*far, "python3", "-c", SINK, *map(str, words)], stdout=subprocess.PIPE)
    assert sink.stdout.readline() == b"listening\n"
    with socket.create_connection((THERE[family], 7777 + family)) as peer:
        peer.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, pace.to_bytes(4, sys.byteorder))
        peer.sendall(bytes(MEGABYTES["out"] << 20))
        left = MEGABYTES["in"] << 20
        while left > 0:
            left -= len(peer.recv(1 << 20))
    assert sink.wait(30) == 0


def upload(daemon):
    document = with_exporters(topology("isp-a"), {"a-b": ("127.0.0.1", 7)})
    document["pids"][0]["prefixes"] += [HERE[4] + "/32", HERE[6] + "/128"]
    status, reply = daemon.api("PUT", "/v1/providers/isp-a/topology", document)
    assert status in (200, 201), reply


class Softflowd:
    tool = "softflowd"
    paces = (2**32 - 1,)
    lost = False

    def __init__(self, daemon, version, folder, one_of):
        self.control = folder / "control"
        more = ["-s", str(one_of)] if one_of > 1 else []
        self.process = subprocess.Popen(
            ["softflowd", "-i", f"7:{NEAR}", "-n", f"127.0.0.1:{daemon.flow_port}", "-v", version, "-A", "milli",
             "-6", "-d", "-B", "67108864", "-c", str(self.control), "-p", str(folder / "pid"), "-t", "expint=1", "-t", "tcp.fin=1",
             "-t", "maxlife=5", *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("softflowd runs", 10, self.control.exists)
        time.sleep(1)

    def end(self):
        time.sleep(2)
        run("softflowctl", "-c", self.control, "expire-all")
        time.sleep(1)
        run("softflowctl", "-c", self.control, "shutdown")
        self.process.wait(10)


class Sfprobe:
    """pmacct's sFlow probe. It learns of no direction from a capture, so that there is a plugin for each, told by
    addresses which packets are its own. Its capture has libpcap's 2 MB and no option for more (pmacctd_pipe_size is
    not it): at full speed it loses packets before it samples any, and on a busy machine at less, which it says only
    when it ends."""
    tool = "pmacctd"
    paces = (40_000_000, 10_000_000)

    def __init__(self, daemon, _version, folder, one_of):
        lines = ["daemonize: false", f"pcap_interface: {NEAR}", "plugins: sfprobe[out], sfprobe[in]",
                 "plugin_pipe_size: 67108864", "plugin_buffer_size: 65536",
                 f"sfprobe_receiver: 127.0.0.1:{daemon.flow_port}", "sfprobe_agentip: 127.0.0.1"]
        for number, (way, end) in enumerate((("out", HERE), ("in", THERE)), 1):
            lines += [f"aggregate_filter[{way}]: src host {end[4]} or src host {end[6]}",
                      f"sfprobe_agentsubid[{way}]: {number}",
                      f"sfprobe_direction[{way}]: {way}", f"sfprobe_ifindex[{way}]: 7",
                      f"sampling_rate[{way}]: {one_of}"]
        (folder / "pmacctd.conf").write_text("\n".join(lines) + "\n")
        self.log = folder / "pmacctd.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(["pmacctd", "-f", str(folder / "pmacctd.conf")], stdout=log, stderr=log)
        wait_for("pmacctd listens", 10, lambda: "link type" in self.log.read_text())
        time.sleep(1)

    def end(self):
        time.sleep(3)  # the plugins catch up, and what waits for a datagram to fill goes each second
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        said = self.log.read_text()
        print(said)
        self.lost = int(re.search(r"dropped_packets=(\d+)", said)[1]) > 0


def allowed(bytes_, one_of):
    """The share by which bytes may be off: 0.3 %, or twice the 95 % bound of sampling (1.96 / sqrt of samples)."""
    return 0.003 if one_of == 1 else 2 * 1.96 / (bytes_ / 1400 / one_of) ** 0.5


@pytest.mark.parametrize("exporter, version, families, one_of",
                         [(Softflowd, "5", (4,), 1), (Softflowd, "9", (4, 6), 1), (Softflowd, "10", (4, 6), 1),
                          (Softflowd, "10", (4, 6), 50), (Sfprobe, "sflow", (4, 6), 1), (Sfprobe, "sflow", (4, 6), 50)])
def test_bytes_are_those_that_the_interface_counted(wire, tmp_path, exporter, version, families, one_of):
    if not shutil.which(exporter.tool):
        pytest.skip(f"no {exporter.tool}")
    assert any(is_counted(wire, tmp_path, pace, exporter, version, families, one_of) for pace in exporter.paces)


def is_counted(wire, folder, pace, exporter, version, families, one_of):
    """False: the probe says that it lost packets; what the bins say is not looked at then."""
    with Daemon("probe", database=new_database(f"probe{version}-{one_of}")) as daemon:
        upload(daemon)
        since, before = time.time() // 5 * 5, counted()
        probe = exporter(daemon, version, folder, one_of)
        for family in families:
            transfer(wire, family, pace)
        probe.end()
        if probe.lost:
            return False
        wanted = [now - then for now, then in zip(counted(), before)]
        assert wanted[0] > MEGABYTES["out"] << 20

        def close():
            out_in = flows_of(daemon.balance(since - 5, time.time() + 5)).get(("isp-a", "a-b"), (0, 0))
            return all(abs(is_ / should - 1) < allowed(should, one_of) for is_, should in zip(out_in, wanted))
        try:
            wait_for("the bins", 30, close)
        finally:
            got = flows_of(daemon.balance(since - 5, time.time() + 5)).get(("isp-a", "a-b"), (0, 0))
            print(f"version {version}, 1 of {one_of}:",
                  *(f"{way} {is_} of {should} ({100 * (is_ / should - 1):+.3f} %)"
                    for way, is_, should in zip(("out", "in"), got, wanted)))
        return True
