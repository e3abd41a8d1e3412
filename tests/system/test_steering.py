# SPDX-License-Identifier: Apache-2.0
"""Forty-eight real clients: p4p keeps bytes inside the provider, and the report tells what crossed.

The truth is what the clients count for each of their peers, not what p4pd estimates.
"""
import collections

from house import (PROVIDERS, Daemon, address, announced, interconnects_between, make_torrent,
                   new_database, provider_of, wait_booked)
from peers import Libtorrent, start_together, wait_until_all_have

SIZE = 4 << 20
UP = 600_000  # bytes/s of each client
EACH = 8      # clients in each of the six PIDs
BIN = 30      # seconds, and the clients announce every ten


def run_swarm(tmp_path, policy):
    """Runs one swarm to its end; returns ({(from, to): bytes}, {interconnect book: bytes})."""
    work = tmp_path / policy
    with Daemon(policy, database=new_database(f"steering_{policy}"), policy=policy,
                max_peers=10, announce_interval=10, bin_seconds=BIN) as daemon:
        daemon.upload_world()
        since = daemon.metric("p4pd_bin_open_start")
        torrent, digest = make_torrent(work / "seed", SIZE, [daemon.tracker("http")])
        seed = address("isp-a", 1, 1)
        groups = []
        try:
            for provider in PROVIDERS:
                for pid in (1, 2):
                    ips = [address(provider, pid, 10 + i) for i in range(EACH)]
                    first = [seed] if (provider, pid) == ("isp-a", 1) else []
                    groups.append(Libtorrent(work, torrent, first + ips, seeds=first, want=50, up=UP,
                                             seed_folder=work / "seed"))
            start_together(groups)
            wait_until_all_have(groups, digest, 120)
            stats = [client for group in groups for client in group.stop()]
        finally:
            for group in groups:
                group.kill()
        bytes_between = collections.Counter()
        for client in stats:
            for ip, count in client["from"].items():
                bytes_between[provider_of(ip), provider_of(client["ip"])] += count
        return bytes_between, reported(daemon, since)


def reported(daemon, since):
    """The report, once the bins with the last announces are closed and stored."""
    return announced(daemon.balance(since, wait_booked(daemon)))


def inside_share(bytes_between):
    return sum(n for (a, b), n in bytes_between.items() if a == b) / sum(bytes_between.values())


def check_report(bytes_between, books):
    truth = collections.Counter()
    for (sender, receiver), count in bytes_between.items():
        if sender != receiver:
            for book in interconnects_between(sender, receiver):
                truth[book] += count
    crossing, told = sum(truth.values()), sum(books.values())
    print(f"crossing bytes: counted {crossing / 2:.0f}, reported {told / 2:.0f}, "
          f"{told / crossing - 1:+.1%}")
    for book in sorted(truth):
        print(f"  {book[1]:5} {book[2]:9} counted {truth[book]:9} reported {books.get(book, 0):9} "
              f"{books.get(book, 0) / truth[book] - 1:+.1%}")
    assert abs(told / crossing - 1) <= 0.15
    for book, count in truth.items():
        assert abs(books.get(book, 0) / count - 1) <= 0.25, book


def test_p4p_keeps_bytes_inside_and_the_report_agrees(tmp_path):
    native, native_books = run_swarm(tmp_path, "native")
    p4p, p4p_books = run_swarm(tmp_path, "p4p")
    print(f"share of bytes inside the provider: native {inside_share(native):.3f}, "
          f"p4p {inside_share(p4p):.3f}, ratio {inside_share(p4p) / inside_share(native):.2f}")
    check_report(native, native_books)
    check_report(p4p, p4p_books)
    assert inside_share(p4p) >= 1.5 * inside_share(native)
