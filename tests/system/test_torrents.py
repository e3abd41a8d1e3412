# SPDX-License-Identifier: Apache-2.0
"""Torrents that p4pctl makes, in real clients; torrents that libtorrent makes, before p4pctl."""
import contextlib
import json
import os
import random
import shutil
import subprocess

import libtorrent as lt
import pytest

from house import NET, Daemon, address, wait_for
from peers import Libtorrent, Transmission
from tracker import http_scrape

CTL = os.environ["P4PCTL"]
BINDS, PARTLY, NO_TORRENT = 0, 1, 2
OURS, FOREIGN = "http://t.example:6969/announce", "udp://other.example:1337/announce"


def ctl(*words, expect=0):
    run = subprocess.run([CTL, *map(str, words)], capture_output=True, text=True, timeout=60)
    assert run.returncode == expect, (words, run.stdout, run.stderr)
    return run.stdout


def check(path, expect, *words):
    (report,) = json.loads(ctl("torrent", "check", path, "--json", *words, expect=expect))["torrents"]
    return report


def write_content(folder, single):
    """What is shared, the same wherever it is written; returns its path."""
    chance = random.Random(7)
    if single:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "content").write_bytes(chance.randbytes(700_000))
        return folder / "content"
    for name, size in {"a/deep/x": 100_000, "a/same": 0, "a.txt": 50_000, "b/empty": 0, "b/\u00e9t\u00e9": 32768,
                       "c": 40_000, "z": 5}.items():
        path = folder / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(size))
    shutil.copy(folder / "content/a/deep/x", folder / "content/a/same")
    return folder / "content"


def made_by_libtorrent(path, content, flags=0, private=True, trackers=(OURS,), web_seeds=(), nodes=()):
    storage = lt.file_storage()
    lt.add_files(storage, str(content))
    torrent = lt.create_torrent(storage, 32768, flags=flags)
    for tier, url in enumerate(trackers):
        torrent.add_tracker(url, tier)
    for url in web_seeds:
        torrent.add_url_seed(url)
    for node in nodes:
        torrent.add_node(*node)
    torrent.set_priv(private)
    lt.set_piece_hashes(torrent, str(content.parent))
    path.write_bytes(lt.bencode(torrent.generate()))
    return path


def agree(report, torrent):
    """p4pctl's report and libtorrent read the same."""
    info = lt.torrent_info(str(torrent))
    hashes = info.info_hashes()
    assert report["info_hash_v1"] == (str(hashes.v1) if hashes.has_v1() else None)
    assert report["info_hash_v2"] == (str(hashes.v2) if hashes.has_v2() else None)
    assert report["private"] == info.priv()
    assert report["name"] == info.name()
    assert report["piece_length"] == info.piece_length()
    assert report["pieces"] == info.num_pieces()
    pads = lt.file_flags_t.flag_pad_file
    sizes = [info.files().file_size(i) for i in range(info.num_files()) if not info.files().file_flags(i) & pads]
    assert (report["files"], report["size"]) == (len(sizes), sum(sizes))
    # in libtorrent's order: by tier
    assert [t["url"] for t in report["trackers"]] == [t.url for t in info.trackers()]
    assert report["web_seeds"] == [seed["url"] for seed in info.web_seeds() if seed["type"] == 0]
    return hashes


@pytest.mark.parametrize("single", [True, False], ids=["file", "folder"])
@pytest.mark.parametrize("version", ["v1", "hybrid"])
def test_clients_have_all_of_a_torrent_made_here(tmp_path, version, single):
    """They find the data whole before the first byte came, and say so to the tracker."""
    if NET != "10":
        pytest.skip("clients refuse loopback peers, and namespaces are not allowed here")
    here, there = address("isp-a", 1, 1), address("isp-b", 1, 1)
    torrent = tmp_path / "made.torrent"
    content = write_content(tmp_path / here, single)
    write_content(tmp_path / there, single)
    with Daemon("torrents", database="") as daemon, contextlib.ExitStack() as stack:
        words = ["--tracker", daemon.tracker("http"), *(["--hybrid"] if version == "hybrid" else [])]
        ctl("torrent", "create", content, "--output", torrent, *words)
        report = check(torrent, BINDS, *words[:2])
        hashes = agree(report, torrent)
        assert report["steering"] == "full" and report["findings"] == [] and report["private"]
        libtorrent = Libtorrent(tmp_path, torrent, [here])
        stack.callback(libtorrent.kill)
        libtorrent.ask("start")
        wait_for("libtorrent has all", 30, libtorrent.done)
        seeds = 1
        if version == "v1" and shutil.which("transmission-daemon"):  # 3.00 loads no hybrid, of nobody's make
            transmission = Transmission(tmp_path, torrent, there)
            stack.callback(transmission.kill)

            def has_all():
                fields = ["hashString", "leftUntilDone", "isPrivate", "status", "haveValid"]
                try:
                    got = transmission.rpc("torrent-get", {"fields": fields})["torrents"]
                except OSError:  # it is not up yet
                    return None
                return got if got and got[0]["leftUntilDone"] == 0 and got[0]["status"] == 6 else None

            (loaded,) = wait_for("Transmission has all", 30, has_all)
            assert loaded["hashString"] == report["info_hash_v1"]
            assert loaded["isPrivate"] and loaded["haveValid"] == report["size"]
            seeds += 1
        tracker = (f"{NET}.9.9.9", daemon.tracker_port)
        wait_for("p4pd counts them as seeds", 30, lambda: http_scrape(
            tracker, hashes.v1.to_bytes(), address("isp-c", 1, 1)) == (seeds, 0, 0))


def test_a_hybrid_is_that_of_libtorrent(tmp_path):
    """Pieces, padding, order and trees: the same info-hashes, with small pieces and large. (Whether padding comes
    before or after an empty file depends on libtorrent's flags; it reads both.)"""
    content = write_content(tmp_path, single=False)
    (content / "b/empty").unlink()
    for length in 16384, 32768, 262144:
        storage = lt.file_storage()
        lt.add_files(storage, str(content))
        theirs = lt.create_torrent(storage, length,
                                   flags=lt.create_torrent.canonical_files_no_tail_padding)
        theirs.set_priv(True)
        lt.set_piece_hashes(theirs, str(tmp_path))
        path = tmp_path / f"{length}.torrent"
        ctl("torrent", "create", content, "--hybrid", "--tracker", OURS, "--piece-length", length, "--output", path)
        expect = lt.torrent_info(lt.bdecode(lt.bencode(theirs.generate()))).info_hashes()
        made = lt.torrent_info(str(path)).info_hashes()
        assert (made.v1, made.v2) == (expect.v1, expect.v2)


def test_the_same_files_make_the_same_torrent(tmp_path):
    torrents = []
    for name in "one", "two":
        content = write_content(tmp_path / name, single=False)
        os.utime(content / "c", (len(torrents), len(torrents)))
        torrents.append(tmp_path / f"{name}.torrent")
        ctl("torrent", "create", content, "--tracker", OURS, "--output", torrents[-1])
    assert torrents[0].read_bytes() == torrents[1].read_bytes()
    assert b"date" not in torrents[0].read_bytes()
    ctl("torrent", "create", content, "--tracker", OURS, "--output", torrents[0], expect=NO_TORRENT)


FLAGS = {"v1": lt.create_torrent.v1_only, "v2": lt.create_torrent.v2_only, "hybrid": 0}


@pytest.mark.parametrize("version", FLAGS)
@pytest.mark.parametrize("how, status, steering, findings", [
    ({}, BINDS, "full", set()),
    ({"private": False}, PARTLY, "none", {"not-private"}),
    ({"trackers": [OURS, FOREIGN]}, PARTLY, "part", {"foreign-tracker"}),
    ({"trackers": [FOREIGN]}, PARTLY, "none", {"foreign-tracker", "no-tracker-of-ours"}),
    ({"trackers": []}, PARTLY, "none", {"no-tracker-of-ours"}),
    ({"web_seeds": ["http://w.example/"]}, PARTLY, "part", {"web-seed"}),
    ({"nodes": [("dht.example", 6881)]}, BINDS, "full", {"private-with-nodes"}),
    ({"private": False, "trackers": ["wss://t.example:6969"]}, PARTLY, "part", {"browsers-only", "web-tracker"}),
    ({"private": False, "trackers": [FOREIGN, OURS], "web_seeds": ["http://w.example/"]}, PARTLY, "none",
     {"not-private", "foreign-tracker", "web-seed"}),
], ids=lambda value: "" if isinstance(value, (int, str, set)) else "+".join(value) or "plain")
def test_what_steering_can_do(tmp_path, version, how, status, steering, findings):
    torrent = made_by_libtorrent(tmp_path / "t", write_content(tmp_path, single=False), FLAGS[version], **how)
    report = check(torrent, status, "--tracker", OURS)
    agree(report, torrent)
    assert report["steering"] == steering
    assert {finding["kind"] for finding in report["findings"]} == findings
    assert [t["ours"] for t in report["trackers"]] == ["t.example:6969" in t["url"] for t in report["trackers"]]
    said = ctl("torrent", "check", torrent, "--tracker", OURS, expect=status)
    assert all(f"[{kind}]" in said for kind in findings)


def test_damage_is_refused_where_libtorrent_refuses_it(tmp_path):
    """Cut anywhere: no torrent, for both. With its reader a whole one is."""
    whole = made_by_libtorrent(tmp_path / "t", write_content(tmp_path, single=False)).read_bytes()
    for size in range(0, len(whole), 97):
        (tmp_path / "cut").write_bytes(whole[:size])
        report = check(tmp_path / "cut", NO_TORRENT)
        assert report["fault"]["byte"] <= size and report["fault"]["where"].startswith("/")
        with pytest.raises(RuntimeError):
            lt.torrent_info(str(tmp_path / "cut"))
