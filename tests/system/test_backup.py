# SPDX-License-Identifier: Apache-2.0
"""BACKUP of p4pd(8), command by command: saved while it runs, restored with another database and folder."""
import os
import pathlib
import re
import shutil
import subprocess
import time

from house import (PROVIDERS, Daemon, address, announced, new_database, postgres, topology, wait_booked, wait_for,
                   wait_stored)
from test_trouble import announce

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "deploy/man/p4pd.8.rst"


def manual(verb):
    """The commands of BACKUP that the manual introduces so, without their prompts."""
    section = re.search(r"\nBACKUP\n=+\n(.*?)\n[A-Z ]+\n=", MANUAL.read_text(), re.S)[1]
    block = re.search(rf"{verb}[^\n]*::\n\n((?:    .*\n)+)", section)[1]
    return [line.strip() for line in block.splitlines()]


def run(command, **places):
    """A command of the manual, at the test's places."""
    for theirs, ours in places.items():
        command = command.replace({"state": "/var/lib/p4pd", "into": "/backup", "conf": "/etc/p4pd"}[theirs], str(ours))
    subprocess.run(["bash", "-euc", command.removeprefix("sudo -u postgres ")], check=True)


def connection(conninfo, monkeypatch):
    """libpq's environment, as the commands name no server."""
    words = dict(word.split("=", 1) for word in conninfo.split())
    monkeypatch.setenv("PGHOST", words["host"])
    monkeypatch.setenv("PGUSER", words["user"])
    return words["dbname"]


def save(daemon, database, folder, since, monkeypatch):
    commands = manual("To save")
    assert ["tar" in c for c in commands] == [True, False] and "pg_dump" in commands[1]
    conf = folder / "etc"
    conf.mkdir()
    (conf / "p4pd.conf").write_text("# as it was\n")
    run(commands[0], state=daemon.state, into=folder, conf=conf)
    postgres("resume")
    time.sleep(0.5)
    announce(daemon, address("isp-a", 1, 8), uploaded=9_000_000)  # into a bin that was open when the folder was saved
    announce(daemon, address("isp-b", 1, 8), downloaded=9_000_000, left=1)
    until = wait_booked(daemon)
    wait_for("all is booked", 30, lambda: announced(daemon.balance(since, until))["isp-a", "a-b", "out_bytes"] == 9_000_000)
    books = announced(daemon.balance(since, until))
    name = connection(database, monkeypatch)
    run(re.sub(r"\bp4pd\b(?=\s*>|$)", name, commands[1]), into=folder)
    return until, books


def restore(folder, monkeypatch):
    """A new machine: another folder, another database."""
    database = new_database("backup_new")
    name = connection(database, monkeypatch)
    daemon = Daemon("restored", database=database)
    for command in manual("To restore"):
        if re.search("createdb|systemctl|^rm |^chown |floor", command):
            continue  # the test's own daemon and database, and no service here
        command = re.sub(r"-d p4pd\b", f"-d {name}", command).replace(" -C /", f" -C {folder}/new")
        (folder / "new").mkdir(exist_ok=True)
        run(command, into=folder)
    return daemon


def test_a_server_is_saved_while_it_runs_and_restored_elsewhere(tmp_path, monkeypatch):
    database = new_database("backup_old")
    with Daemon("saved", database=database) as daemon:
        daemon.upload_world()
        assert daemon.api("PUT", "/v1/providers/isp-a/costs", {
            "format": "p4p-costs/1", "provider": "isp-a", "interconnect_costs": {"a-t": {"out": 77, "in": 78}}})[0] == 201
        status, made = daemon.api("POST", "/v1/tokens", {"name": "night", "role": "operator", "provider": "isp-a"})
        assert status == 201
        a, b = address("isp-a", 1, 8), address("isp-b", 1, 8)
        announce(daemon, a, event="started")
        announce(daemon, b, left=1 << 30, event="started")
        since = int(daemon.metric("p4pd_bin_open_start"))  # after a border it is the one before for a moment
        announce(daemon, a, uploaded=3_000_000)
        announce(daemon, b, downloaded=3_000_000, left=1)
        wait_stored(daemon, since + 5)
        postgres("pause")  # a bin that is in the spool when the folder is saved, and in the database after
        try:
            announce(daemon, a, uploaded=6_000_000)
            announce(daemon, b, downloaded=6_000_000, left=1)
            wait_for("the spool has a bin", 30, lambda: daemon.metric("p4pd_spool_bins") > 0)
            announce(daemon, a, uploaded=7_000_000)
            announce(daemon, b, downloaded=7_000_000, left=1)
            time.sleep(1.5)  # the journal is a second behind at most
        finally:
            until, books = save(daemon, database, tmp_path, since, monkeypatch)
        before = {provider: daemon.api("GET", f"/v1/providers/{provider}/versions")[1] for provider in PROVIDERS}
        admin = daemon.token
        daemon.kill()

    restored = restore(tmp_path, monkeypatch)
    shutil.rmtree(restored.state)
    shutil.move(next((tmp_path / "new").rglob("admin.token")).parent, restored.state)
    with restored.start():
        assert restored.token == admin
        for provider in PROVIDERS:
            assert restored.api("GET", f"/v1/providers/{provider}/topology")[1] == topology(provider)
            assert restored.api("GET", f"/v1/providers/{provider}/versions")[1] == before[provider]
        token = made["token"]
        assert restored.api("GET", "/v1/providers/isp-a/costs", token=token)[1]["interconnect_costs"]["a-t"]["in"] == 78
        assert restored.api("PUT", "/v1/providers/isp-b/topology", topology("isp-b"), token=token)[0] == 403
        # Bins that are in both, in the spool and as what was open, count once and in full.
        wait_stored(restored, int(time.time()) // 5 * 5)
        assert announced(restored.balance(since, until)) == books
        assert re.search(r"etc", " ".join(str(p) for p in (tmp_path / "new").rglob("p4pd.conf")))
        assert b"5:peers" in announce(restored, address("isp-a", 1, 9), event="started")
