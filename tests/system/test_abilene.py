# SPDX-License-Identifier: Apache-2.0
"""Seventeen days of a real backbone through the whole chain: five-minute matrices of Abilene (2004) become
counter samples, bins, packed days, reports; and every figure is what adding the file up gives."""
import csv
import datetime
import gzip
import os
import pathlib
import subprocess
from collections import defaultdict
from decimal import Decimal

import pytest

from house import Daemon, new_database, wait_for

FILES = pathlib.Path(os.environ.get("P4P_TEST_DATA", "shared/data")) / "topology" / "traffic-matrices"
BIN, DAY = 300, 86400
PROVIDER = "abilene"


def matrices():
    """{(PoP, bin): [bytes out, bytes in]}: rows are pairs of PoPs, cells Mbit/s."""
    found = sorted(FILES.glob("directed-abilene-*.csv.gz"))
    if not found:
        pytest.skip(f"no traffic matrices in {FILES}")
    bins = defaultdict(lambda: [0, 0])
    with gzip.open(found[0], "rt", newline="") as file:
        for row in csv.DictReader(file):
            start = bin_of(row.pop("time"))
            for pair, mbps in row.items():
                size = int(Decimal(mbps or 0) * 1_000_000 * BIN / 8)
                source, target = pair.split(">")
                bins[source, start][0] += size
                bins[target, start][1] += size
    return bins


def bin_of(text):
    digits = "".join(c for c in text if c.isdigit())[:12]
    at = datetime.datetime.strptime(digits, "%Y%m%d%H%M").replace(tzinfo=datetime.timezone.utc)
    return int(at.timestamp())


def topology(pops):
    return {"format": "p4p-topology/1", "provider": PROVIDER, "asns": [11537],
            "pids": [{"pid": "core", "prefixes": ["198.32.8.0/22"]}],
            "interconnects": [{"id": pop, "pid": "core", "neighbor_asn": 64600 + n, "relation": "transit",
                               "capacity_mbps": 10000, "reach": "any"} for n, pop in enumerate(pops)]}


def expected(bins, pop, begin, end):
    """What the report must say of a PoP, by the file alone."""
    chosen = [figures for (name, start), figures in bins.items() if name == pop and begin <= start < end]
    rank = -(-95 * len(chosen) // 100)
    p95 = [sorted(figures[way] for figures in chosen)[rank - 1] for way in (0, 1)]
    return {"out_bytes": sum(f[0] for f in chosen), "in_bytes": sum(f[1] for f in chosen),
            "p95_out_bps": (p95[0] * 8 + BIN // 2) // BIN, "p95_in_bps": (p95[1] * 8 + BIN // 2) // BIN,
            "bins_known": len(chosen), "bins_expected": (end - begin) // BIN}


def assert_report(daemon, bins, pops, begin, end):
    rows = {row["interconnect"]: row["sources"]["counter"]
            for row in daemon.balance(begin, end)["interconnects"] if row["sources"]}
    assert sorted(rows) == pops
    for pop in pops:
        want = expected(bins, pop, begin, end)
        assert {key: rows[pop][key] for key in want} == want, pop
        assert rows[pop]["quality"]["missing"] == want["bins_expected"] - want["bins_known"]


def ask(conninfo, sql):
    done = subprocess.run(["psql", "-XqAt", "-d", conninfo, "-c", sql], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_abilene():
    bins = matrices()
    pops = sorted({pop for pop, _ in bins})
    starts = sorted({start for _, start in bins})
    assert len(pops) == 12 and len(starts) == 4896
    database = new_database("abilene")
    with Daemon("abilene", database=database, bin_seconds=BIN, bins_keep_days=0) as daemon:
        status, reply = daemon.api("PUT", f"/v1/providers/{PROVIDER}/topology", topology(pops))
        assert status == 201, reply
        for first in range(0, len(starts), 288):
            samples = [{"provider": PROVIDER, "interconnect": pop, "bin": start, "out_bytes": bins[pop, start][0],
                        "in_bytes": bins[pop, start][1]} for start in starts[first:first + 288] for pop in pops]
            status, reply = daemon.api("POST", "/v1/samples", samples)
            assert status == 200, reply
        begin, end = starts[0], starts[-1] + BIN
        # March with its hole, a whole month; some days; and not on the border of any.
        windows = [(begin, end), (begin, begin + 31 * DAY), (begin + 3 * DAY, begin + 9 * DAY),
                   (begin + 7 * BIN, end - 13 * BIN)]
        for window in windows:
            assert_report(daemon, bins, pops, *window)
        # Only those of the files: once a bin of today closes, today is due, and stays so until tomorrow.
        wait_for("days and months are packed", 60, lambda: ask(
            database, f"SELECT (SELECT count(*) FROM bin_days_due WHERE start < {end}) + "
            f"(SELECT count(*) FROM bin_months_due WHERE start < {end})") == "0")
        assert ask(database, "SELECT count(*) FROM bin_days") == str(12 * 17)
        for window in windows:
            assert_report(daemon, bins, pops, *window)
