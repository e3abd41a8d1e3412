# SPDX-License-Identifier: Apache-2.0
"""Starts real BitTorrent clients and waits until all have the file."""
import hashlib
import json
import os
import pathlib
import subprocess
import sys

from house import wait_for

HERE = pathlib.Path(__file__).parent
PORT = 6881


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


class Libtorrent:
    """A process with several libtorrent clients. `seed_folder` holds the content for seeds."""

    def __init__(self, work, torrent, ips, seeds=(), want=50, up=0, seed_folder=None):
        self.folders = [seed_folder if ip in seeds else work / ip for ip in ips]
        config = {"torrent": str(torrent), "port": PORT, "want": want, "up": up,
                  "clients": [{"ip": ip, "dir": str(folder), "seed": ip in seeds}
                              for ip, folder in zip(ips, self.folders)]}
        self.process = subprocess.Popen([sys.executable, HERE / "libtorrent_peers.py"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.say(json.dumps(config))

    def say(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, word):
        self.say(word)
        return self.answer()

    def done(self):
        return all(client["done"] for client in self.ask("stats"))

    def files(self):
        return [folder / "payload.bin" for folder in self.folders]

    def stop(self):
        stats = self.ask("stop")
        self.process.wait(30)
        return stats

    def kill(self):
        self.process.kill()
        self.process.wait()


class Program:
    """One client that is a program of its own."""

    def __init__(self, work, ip, command, environment=None):
        self.folder = work / ip
        self.log = open(work / f"{ip}.log", "wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT,
                                        env={**os.environ, **(environment or {})})

    def files(self):
        return [self.folder / "payload.bin"]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    kill = stop


def transmission(work, torrent, ip):
    folder, config = work / ip, work / f"{ip}.conf"
    watch = config / "watch"
    watch.mkdir(parents=True)
    folder.mkdir()
    (watch / "payload.torrent").write_bytes(torrent.read_bytes())
    (config / "settings.json").write_text(json.dumps({
        "download-dir": str(folder), "incomplete-dir-enabled": False, "watch-dir": str(watch),
        "watch-dir-enabled": True, "start-added-torrents": True, "bind-address-ipv4": ip,
        "peer-port": PORT, "peer-port-random-on-start": False, "rpc-enabled": False,
        "dht-enabled": False, "lpd-enabled": False, "pex-enabled": False, "utp-enabled": False,
        "port-forwarding-enabled": False, "encryption": 0, "preallocation": 0,
        "rename-partial-files": False, "ratio-limit-enabled": False}))
    return Program(work, ip, ["transmission-daemon", "-f", "-g", str(config)])


def aria2(work, torrent, ip):
    (work / ip).mkdir()
    return Program(work, ip, [
        "aria2c", "--no-conf=true", f"--interface={ip}", f"--listen-port={PORT}", f"--dir={work / ip}",
        # aria2 speaks UDP to trackers only with DHT on; the private torrent keeps it unused
        "--enable-dht=true", f"--dht-listen-port={PORT}", f"--dht-file-path={work / ip}.dht", "--enable-dht6=false", "--bt-enable-lpd=false",
        "--enable-peer-exchange=false", "--disable-ipv6=true", "--seed-ratio=0.0",
        "--file-allocation=none", "--bt-min-crypto-level=plain", "--bt-require-crypto=false",
        "--console-log-level=warn", "--summary-interval=0", str(torrent)])


def start_together(groups):
    """Clients of all groups join in turn, so that when one joins says nothing of where it is."""
    for group in groups:
        group.say("start")
    for group in groups:
        group.answer()


def wait_until_all_have(clients, digest, seconds):
    """Every client's file has the right hash."""
    missing = {path for client in clients for path in client.files()}

    def finished():
        missing.difference_update({path for path in missing if sha256(path) == digest})
        return not missing
    try:
        wait_for("all downloads are whole", seconds, finished)
    except AssertionError as error:
        raise AssertionError(f"{error}; missing: {sorted(map(str, missing))}") from None
