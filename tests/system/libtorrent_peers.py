#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Several libtorrent clients in one process, each with an address of its own.

Reads one JSON line: {"torrent", "port", "want", "up", "clients": [{"ip", "dir", "seed"}, ...]}; then
the words "start", "scrape", "stats" and "stop", a line each. Answers each with one JSON line.
"""
import json
import queue
import sys
import threading
import time

import libtorrent as lt


class Client:
    def __init__(self, config, about):
        self.about = about
        self.counted = {}  # peer address -> [bytes of connections that ended, bytes of this one]
        self.session = lt.session({
            "listen_interfaces": f"{about['ip']}:{config['port']}", "outgoing_interfaces": about["ip"],
            "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
            "enable_outgoing_utp": False, "enable_incoming_utp": False,
            "in_enc_policy": 2, "out_enc_policy": 2,
            "close_redundant_connections": False,  # seeds stay, so that their counters can be read
            "num_want": config["want"], "min_announce_interval": 5, "min_reconnect_time": 2,
            "udp_tracker_token_expiry": 0,  # the cache is the process's, not the session's
            "stop_tracker_timeout": 5, "aio_threads": 1, "hashing_threads": 1, "alert_mask": 0})
        parameters = lt.add_torrent_params()
        parameters.ti = lt.torrent_info(config["torrent"])
        parameters.save_path = about["dir"]
        parameters.upload_limit = config["up"]
        parameters.flags = lt.torrent_flags.disable_dht | lt.torrent_flags.disable_lsd | \
            lt.torrent_flags.disable_pex | (lt.torrent_flags.seed_mode if about["seed"] else 0)
        self.torrent = self.session.add_torrent(parameters)

    def sample(self):
        for peer in self.torrent.get_peer_info():
            row = self.counted.setdefault(peer.ip[0], [0, 0])
            if peer.total_download < row[1]:  # a new connection to the same peer
                row[0] += row[1]
            row[1] = peer.total_download

    def stats(self):
        self.sample()
        status = self.torrent.status()
        return {"ip": self.about["ip"], "seed": self.about["seed"], "done": status.is_seeding,
                "downloaded": status.total_payload_download, "uploaded": status.total_payload_upload,
                "from": {ip: sum(row) for ip, row in self.counted.items() if sum(row)}}


def read_words(words):
    for line in sys.stdin:
        words.put(line.strip())
    words.put("stop")


def main():
    config = json.loads(sys.stdin.readline())
    words, clients = queue.Queue(), []
    threading.Thread(target=read_words, args=[words], daemon=True).start()
    while True:
        try:
            word = words.get(timeout=0.2)
        except queue.Empty:
            word = None
        if word == "start":
            clients = [Client(config, about) for about in config["clients"]]
        for client in clients:
            client.sample()
        if word == "scrape":
            for client in clients:
                client.torrent.scrape_tracker()
        if word == "stop":
            for client in clients:
                client.torrent.pause()  # announces "stopped" with the final counters
            time.sleep(3)
        if word:
            print(json.dumps([client.stats() for client in clients]), flush=True)
        if word == "stop":
            return


main()
