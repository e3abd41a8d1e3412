#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Short runs of p4pload against the daemon: every answer is checked, clients come and go, both families,
UDP and HTTP, from addresses of their own where a network namespace allows them.

    test_load.py P4PD P4PLOAD

under tests/support/with_network.
"""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from ports import free_port  # noqa: E402

P4PD, P4PLOAD = sys.argv[1:]
NAMESPACE = os.environ.get("P4PD_TEST_NET") == "10"
CHURN = ["--stops", "5", "--completes", "5"]
# On, and out of the way.
LIMITS = {f"{what}_per_minute_per_{whom}": 1000000 for what in ("announces", "connects")
          for whom in ("address", "prefix")}
SOME = ["--seconds", "1", "--peers", "2000", "--hashes", "40", "--want", "30", "--verify", "--json"]


def wait_ready(process, port):
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            sys.exit("p4pd ended at once")
        time.sleep(0.05)
    sys.exit("p4pd does not listen")


@contextlib.contextmanager
def daemon():
    """A fresh one, or the next run would meet the clients of the one before; gives its port."""
    tracker, api = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="p4pd-load.") as state:
        options = {"listen_tracker": f"[::]:{tracker}", "listen_api": f"127.0.0.1:{api}", "listen_flow": "",
                   "state_dir": state, "database": "", "lab": "true", "policy": "native",
                   "http_keep_alive": "true", **LIMITS}
        process = subprocess.Popen([P4PD, *(f"--set={k}={v}" for k, v in options.items())])
        try:
            wait_ready(process, tracker)
            yield tracker
        finally:
            process.terminate()
            ended = process.wait(30)
        if ended != 0:
            sys.exit("p4pd ended badly")


def load(target, *arguments):
    text = " ".join((target, *arguments))
    with daemon() as port:
        done = subprocess.run([P4PLOAD, "--target", f"{target}:{port}", *SOME, *arguments],
                              capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        sys.exit(f"{text}: {done.returncode}: {done.stderr}{done.stdout}")
    result = json.loads(done.stdout)
    print(f"{text}: {result['answered']} answers, {result['peers_per_announce']} peers")
    if result["answered"] != result["good"] or result["answered"] < 100 or result["lost"] > 0:
        sys.exit(f"{text}: not what it should be: {result}")
    if result["peers_per_announce"] < 10:
        sys.exit(f"{text}: short lists: {result}")
    return result


def refuse(words, *arguments):
    """Before anything is sent: nobody listens at the target."""
    done = subprocess.run([P4PLOAD, "--target", "127.0.0.1:1", *SOME, *arguments], capture_output=True, text=True, timeout=60)
    if done.returncode != 2 or done.stdout or words not in done.stderr:
        sys.exit(f"{' '.join(arguments)}: {done.returncode}: {done.stderr}{done.stdout}")


def main():
    refuse("--pid: there is no process 2147483647", "--pid", "2147483647")
    refuse("--from: ", "--from", "192.0.2.1/32")
    v4, v6 = "10.1.1.1" if NAMESPACE else "127.0.0.1", "[::1]"
    from4 = ["--addresses", "300"] + (["--from", "10.2.0.0/16"] if NAMESPACE else [])
    from6 = ["--addresses", "300", "--from", "fd00:2::/64"] if NAMESPACE else []
    load(v4, *from4, *CHURN, "--mix", "2.1:1:0.1", "--bytes")
    load(v6, *from6, *CHURN, "--mix", "50:50:1", "--no-keys")
    # Below 128 connections: libmicrohttpd 0.9.75 waits for more when exactly 128 are ready at once.
    load(v4, *from4, "--addresses", "100", *CHURN, "--mix", "0:20:1", "--http", "keep-alive",
         "--window", "100")
    load(v6, *from6, *CHURN, "--http", "close", "--window", "50")
    series = load(v4, *from4, "--rate", "500", "--series")["series"]
    if len(series) != 1 or not 400 <= series[0]["answered"] <= 501:
        sys.exit(f"an odd series: {series}")


if __name__ == "__main__":
    main()
