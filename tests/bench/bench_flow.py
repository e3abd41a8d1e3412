#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Flow records per CPU-second over UDP: our decoder behind recvmmsg beside nfdump's nfcapd.

Both get the same datagrams over loopback, from one sender that leaves them time, in turns; what counts is the
CPU time of the whole receiving process, user and system, by the records it says it has got. nfcapd also
writes them to a file, in memory where there is /dev/shm; ours adds them up, as a collector would.
A receiver that lost more than one datagram of a hundred makes the row void.

    tests/bench/bench_flow.py --build BUILD

Exit status: 0 fine; 1 a receiver failed, or --check and ours needs more CPU than nfcapd; 77 nfcapd is not
installed; 2 wrong usage.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from ports import free_port  # noqa: E402

WORKLOADS = {"netflow5": 30, "netflow9": 27, "netflow9-softflowd": 2, "ipfix": 27, "ipfix-softflowd": 2}


def stop(process):
    """Ends it; the seconds of CPU it has used."""
    process.send_signal(signal.SIGTERM)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def send(bench, workload, port, datagrams):
    subprocess.run([bench, "--send", workload, str(port), str(datagrams)], check=True)
    time.sleep(0.5)  # what is still in the socket


def ours(bench, workload, datagrams):
    port = free_port()
    process = subprocess.Popen([bench, "--receive", str(port)], stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    send(bench, workload, port, datagrams)
    cpu = stop(process)
    return int(process.stdout.read()), cpu


def nfcapd(bench, workload, datagrams):
    port = free_port()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        process = subprocess.Popen(["nfcapd", "-l", folder, "-b", "127.0.0.1", "-p", str(port), "-B", "64000000",
                                    "-t", "3600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        send(bench, workload, port, datagrams)
        cpu = stop(process)
        files = [f for f in pathlib.Path(folder).glob("nfcapd.*")]
        counts = subprocess.run(["nfdump", "-I", "-r", files[0]], capture_output=True, text=True, check=True).stdout
        return int(re.search(r"^Flows:\s*(\d+)", counts, re.M)[1]), cpu


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", type=pathlib.Path, required=True)
    p.add_argument("--datagrams", type=int, default=60000)
    p.add_argument("--check", action="store_true", help="ours must need less CPU than nfcapd")
    options = p.parse_args()
    if not shutil.which("nfcapd") or not shutil.which("nfdump"):
        print("no nfcapd (nfdump) to compare with")
        return 77
    bench = options.build / "tests/bench/bench_flow"
    bad = 0
    for workload, records in WORKLOADS.items():
        row = {"workload": workload, "records": options.datagrams * records}
        for name, receive in (("ours", ours), ("nfcapd", nfcapd)):
            count, cpu = receive(bench, workload, options.datagrams)
            row[name] = round(count / cpu)
            row[name + "_got"] = count
            bad |= count < 0.99 * options.datagrams * records - records
        row["ratio"] = round(row["ours"] / row["nfcapd"], 2)
        bad |= options.check and row["ratio"] < 1
        print(json.dumps(row), flush=True)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
