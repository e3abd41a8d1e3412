# SPDX-License-Identifier: Apache-2.0
"""libtorrent, Transmission and aria2 finish a download through p4pd, over UDP and over HTTP."""
import shutil

import pytest

from house import NET, Daemon, address, make_torrent, new_database
from peers import Libtorrent, Transmission, aria2, wait_until_all_have


@pytest.mark.parametrize("protocol", ["udp", "http"])
def test_twelve_clients_of_three_kinds_finish(tmp_path, protocol):
    for program in ("transmission-daemon", "aria2c"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    if NET != "10":
        pytest.skip("Transmission refuses loopback peers, and namespaces are not allowed here")

    with Daemon("clients", database=new_database(f"clients_{protocol}"), announce_interval=10,
                peer_timeout=60) as daemon:
        daemon.upload_world()
        torrent, digest = make_torrent(tmp_path / "seed", 1 << 20, [daemon.tracker(protocol)])
        clients = []
        try:
            seed = address("isp-a", 1, 1)
            clients.append(Libtorrent(tmp_path, torrent, [seed], seeds=[seed],
                                      seed_folder=tmp_path / "seed"))
            clients[0].ask("start")
            leechers = [address(p, pid, 10) for p in ("isp-a", "isp-b", "isp-c") for pid in (1, 2)]
            clients.append(Libtorrent(tmp_path, torrent, leechers[:3]))
            clients[1].ask("start")
            clients += [Transmission(tmp_path, torrent, address(p, 1, 20))
                        for p in ("isp-a", "isp-b", "isp-c")]
            clients += [aria2(tmp_path, torrent, address(p, 2, 30)) for p in ("isp-a", "isp-b", "isp-c")]
            clients.append(Libtorrent(tmp_path, torrent, leechers[3:5]))
            clients[-1].ask("start")
            assert sum(len(client.files()) for client in clients) == 12
            wait_until_all_have(clients, digest, 90)
            assert daemon.metric("p4pd_seeds") >= 1
        finally:
            for client in clients:
                client.kill()
