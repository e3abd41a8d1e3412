# SPDX-License-Identifier: Apache-2.0
"""Starts real BitTorrent clients and waits until all have the file."""
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

from house import free_port, wait_for

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

    leave = stop

    def kill(self):
        self.process.kill()
        self.process.wait()


class Program:
    """One client that is a program of its own."""

    def __init__(self, work, ip, command, environment=None, ends_by=signal.SIGTERM):
        self.folder, self.ends_by = work / ip, ends_by
        self.log = open(work / f"{ip}.log", "wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT,
                                        env={**os.environ, **(environment or {})})

    def files(self):
        return [self.folder / "payload.bin"]

    def leave(self):
        """Tells the tracker, and need not end."""
        self.process.send_signal(self.ends_by)

    def stop(self):
        self.process.send_signal(self.ends_by)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    kill = stop


class Transmission(Program):
    """transmission-daemon, with its RPC on a loopback port. `held`: it has the torrent and does not run it.
    What is in its folder already it has. Its port is not the others': version 4 listens on all addresses."""

    def __init__(self, work, torrent, ip, held=False):
        folder, config = work / ip, work / f"{ip}.conf"
        self.watched = config / "watch"
        self.watched.mkdir(parents=True)
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.watch(torrent)
        (config / "settings.json").write_text(json.dumps({
            "download-dir": str(folder), "incomplete-dir-enabled": False, "watch-dir": str(self.watched),
            "watch-dir-enabled": True, "start-added-torrents": not held, "bind-address-ipv4": ip,
            "peer-port": PORT + 1, "peer-port-random-on-start": False, "rpc-port": self.port,
            "rpc-bind-address": "127.0.0.1", "dht-enabled": False, "lpd-enabled": False, "pex-enabled": False,
            "utp-enabled": False, "port-forwarding-enabled": False, "encryption": 0, "preallocation": 0,
            "rename-partial-files": False, "ratio-limit-enabled": False}))
        super().__init__(work, ip, ["transmission-daemon", "-f", "-g", str(config)])

    def watch(self, torrent, name="payload"):
        """One torrent more."""
        (self.watched / f"{name}.torrent").write_bytes(torrent.read_bytes())

    def leave(self):
        """Tells the tracker; a daemon that ends forgets to, when it is an HTTP tracker."""
        self.rpc("torrent-stop")

    def rpc(self, method, arguments=None):
        """The answer's arguments."""
        url = f"http://127.0.0.1:{self.port}/transmission/rpc"
        try:
            urllib.request.urlopen(url, b"{}", 5)
        except urllib.error.HTTPError as refused:  # 409 brings the session id
            session = {"X-Transmission-Session-Id": refused.headers["X-Transmission-Session-Id"]}
        body = json.dumps({"method": method, "arguments": arguments or {}}).encode()
        with urllib.request.urlopen(urllib.request.Request(url, body, session), timeout=5) as reply:
            answer = json.load(reply)
        assert answer["result"] == "success", answer
        return answer["arguments"]


def aria2(work, torrent, ip):
    (work / ip).mkdir()
    return Program(work, ip, [
        "aria2c", "--no-conf=true", f"--interface={ip}", f"--listen-port={PORT}", f"--dir={work / ip}",
        # aria2 speaks UDP to trackers only with DHT on; the private torrent keeps it unused
        "--enable-dht=true", f"--dht-listen-port={PORT}", f"--dht-file-path={work / ip}.dht", "--enable-dht6=false", "--bt-enable-lpd=false",
        "--enable-peer-exchange=false", "--disable-ipv6=true", "--seed-ratio=0.0",
        "--file-allocation=none", "--bt-min-crypto-level=plain", "--bt-require-crypto=false",
        "--console-log-level=warn", "--summary-interval=0", str(torrent)],
        ends_by=signal.SIGINT)  # SIGTERM is its emergency: it tells the tracker nothing


def rtorrent(work, torrent, ip, held=False):
    (work / ip).mkdir()
    settings = [
        "system.daemon.set=true",  # no terminal
        f"directory.default.set={work / ip}", f"network.bind_address.set={ip}",
        f"network.local_address.set={ip}", f"network.port_range.set={PORT}-{PORT}",
        "network.port_random.set=no", "trackers.use_udp.set=yes", "dht.mode.set=disable",
        "protocol.pex.set=no", "protocol.encryption.set=none", "pieces.hash.on_completion.set=no",
        f"load.{'normal' if held else 'start'}={torrent}"]
    path = work / f"{ip}.rc"
    path.write_text("\n".join(settings) + "\n")
    return Program(work, ip, ["rtorrent", "-n", "-o", f"import={path}"], ends_by=signal.SIGINT)


class Qbittorrent(Program):
    """qbittorrent-nox; its one interface without a screen is an API on a loopback port. `held`: in its queue."""

    def __init__(self, work, torrent, ip, held=False):
        profile = work / f"{ip}.profile"
        config = profile / "qBittorrent" / "config"
        config.mkdir(parents=True)
        (work / ip).mkdir()
        self.port = free_port()
        (config / "qBittorrent.conf").write_text("\n".join([
            "[LegalNotice]", "Accepted=true",
            "[BitTorrent]", f"Session\\InterfaceAddress={ip}", f"Session\\Port={PORT}",
            f"Session\\DefaultSavePath={work / ip}", "Session\\DHTEnabled=false", "Session\\LSDEnabled=false",
            "Session\\PeXEnabled=false", "Session\\BTProtocol=TCP", "Session\\Encryption=2",
            f"Session\\QueueingSystemEnabled={str(held).lower()}", "Session\\MaxActiveDownloads=0",
            "Session\\StopTrackerTimeout=5",
            "[Network]", "PortForwardingEnabled=false",
            "[Preferences]", "WebUI\\Address=127.0.0.1", "WebUI\\LocalHostAuth=false", "WebUI\\UseUPnP=false",
            ""]))
        super().__init__(work, ip, ["qbittorrent-nox", f"--profile={profile}", f"--webui-port={self.port}"],
                         {"HOME": str(profile)})
        wait_for("qBittorrent answers", 20, self.version)
        self.call("torrents/add", {"urls": torrent.as_uri()})

    def call(self, method, fields=None):
        """One call of its web API; fields make it a POST."""
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/{method}", data, 5) as reply:
            return reply.read().decode()

    def version(self):
        try:
            return self.call("app/version")
        except OSError:
            return None

    def leave(self):
        """Once it has seen that it is a seed: 5.0 falls over when it is told to end before, and tells nobody."""
        wait_for("qBittorrent seeds", 20,
                 lambda: all(t["state"].endswith("UP") for t in json.loads(self.call("torrents/info"))))
        super().leave()


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
