# SPDX-License-Identifier: Apache-2.0
"""Alarms: a source falls silent and comes back, and a receiver of webhooks is told of it, once and signed."""
import concurrent.futures
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import threading
import time

from house import Daemon, free_port, new_database, postgres, wait_for

BIN = 2
CAPACITY = 10_000_000_000 // 8 * BIN
P4PCTL = os.environ.get("P4PCTL", "build/tools/p4pctl/p4pctl")


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps every POST: (accepted, headers, body). `refuse` of them get a 500 first."""

    def __init__(self):
        self.posts, self.refuse, self.redirect = [], 0, False
        super().__init__(("127.0.0.1", free_port()), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def events(self, what, accepted=True):
        """The bodies of this kind, as often as they came."""
        bodies = [json.loads(body) for good, _, body in list(self.posts) if good >= accepted]
        return [body for body in bodies if body["what"] == what]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        good = server.refuse == 0 and not server.redirect
        server.refuse -= server.refuse > 0
        server.posts.append((good, dict(self.headers), body))
        self.send_response(307 if server.redirect else 200 if good else 500)
        if server.redirect:
            self.send_header("Location", server.url + "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def ask(daemon, method, path, body=None, status=200):
    got, reply = daemon.api(method, path, body)
    assert got == status, reply
    return reply


def ctl(daemon, *arguments, code=0):
    run = subprocess.run([P4PCTL, "--url", daemon.url, "--token", daemon.token, *arguments],
                         capture_output=True, text=True, timeout=60)
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout + run.stderr


def count(daemon):
    """What routers say of the last bin."""
    now = int(time.time() - 0.1) // BIN * BIN
    samples = [{"provider": "isp-b", "interconnect": "b-a", "bin": now, "in_bytes": 1000, "out_bytes": 1000}]
    ask(daemon, "POST", "/v1/samples", samples)


def firing(daemon, rule="source-silent"):
    return [a for a in ask(daemon, "GET", "/v1/alarms")["alarms"] if a["rule"] == rule]


class Counting:
    """Samples come while it runs."""

    def __init__(self, daemon):
        self.daemon, self.stop = daemon, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stop.wait(BIN / 4):
            count(self.daemon)

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def check_signatures(receiver, secret):
    for _, headers, body in receiver.posts:
        stamp = headers["X-P4pd-Timestamp"]
        good = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert headers["X-P4pd-Signature"] == "sha256=" + good
        assert headers["X-P4pd-Event"] == json.loads(body)["event"]
        assert abs(int(stamp) - time.time()) < 600


def test_a_source_falls_silent_and_comes_back():
    receiver, database = Receiver(), new_database("alarms")
    settings = {"database": database, "bin_seconds": BIN}
    with Daemon("alarms", **settings) as daemon:
        daemon.upload_world()
        secret = ctl(daemon, "webhook", "set", "pager", receiver.url).split()[0]
        assert len(secret) == 64
        assert secret not in json.dumps(ask(daemon, "GET", "/v1/webhooks"))
        assert ctl(daemon, "webhook", "test", "pager") == "delivered\n"
        assert len(receiver.events("test")) == 1

        with Counting(daemon):
            time.sleep(4 * BIN)
        receiver.refuse = 2
        wait_for("it is told", 60, lambda: receiver.events("firing"))
        tries = receiver.events("firing", accepted=False)
        assert len(tries) == 3 and len({e["event"] for e in tries}) == 1
        told = tries[0]
        assert told["format"] == "p4p-alarm/1"
        alarm = told["alarm"]
        assert (alarm["rule"], alarm["provider"], alarm["subject"]) == ("source-silent", "isp-b", "b-a counters")
        assert alarm["value"] > alarm["threshold"] == 2 and alarm["severity"] == "warning"
        assert [a["id"] for a in firing(daemon)] == [alarm["id"]]
        assert daemon.metric("p4pd_alarms_firing") >= 1
        assert daemon.metric("p4pd_alarm_deliveries_total") == 4
        assert alarm["id"] in ctl(daemon, "alarms")
        assert ctl(daemon, "alarms", "ack", alarm["id"]) == "acknowledged\n"
        assert firing(daemon)[0]["acknowledged_by"] == "admin"

        daemon.stop()  # what is known survives, and is not told again
        daemon.start()
        time.sleep(4 * BIN)
        assert firing(daemon)[0]["acknowledged_by"] == "admin"
        assert len(receiver.events("firing")) == 1

        with Daemon("other", **settings, node="other") as other, Counting(daemon):
            wait_for("its end is told", 60, lambda: receiver.events("resolved"))
            assert not firing(other)
            time.sleep(3 * BIN)
        assert [e["alarm"]["id"] for e in receiver.events("resolved")] == [alarm["id"]]

        assert ctl(daemon, "alarms", "mute", alarm["id"], "--for", "1h") == "muted\n"
        wait_for("it fires again", 60, lambda: firing(daemon))
        assert "muted" in ctl(daemon, "alarms")
        time.sleep(3 * BIN)
        assert len(receiver.events("firing")) == 1
        ctl(daemon, "alarms", "mute", alarm["id"], "--for", "0")
        wait_for("the mute is over", 60, lambda: len(receiver.events("firing")) == 2)
        history = [e["what"] for e in ask(daemon, "GET", f"/v1/alarms/{alarm['id']}/events")["events"]]
        assert history == ["firing", "unmuted", "muted", "resolved", "acknowledged", "firing"]
        assert "unmuted" in ctl(daemon, "alarms", "history", alarm["id"])
        assert daemon.api("GET", "/v1/alarms/77/events")[0] == 404
        check_signatures(receiver, secret)


def check_scopes(daemon, theirs):
    """An operator of isp-a sees and changes nothing of isp-b's alarm, nor of anybody's webhooks."""
    token = ask(daemon, "POST", "/v1/tokens", {"name": "a", "role": "operator", "provider": "isp-a"}, 201)["token"]

    def status(method, path, body=None):
        return daemon.api(method, path, body, token=token)[0]

    assert daemon.api("GET", "/v1/alarms?state=all", token=token)[1]["alarms"] == []
    assert status("GET", f"/v1/alarms/{theirs}/events") == 404
    assert status("GET", "/v1/alarms?provider=isp-b") == 403
    assert status("POST", f"/v1/alarms/{theirs}/ack") == 404
    assert status("POST", f"/v1/alarms/{theirs}/mute", {"seconds": 60}) == 404
    assert status("PUT", "/v1/alarm-rules/map-stale", {"threshold": 7, "provider": "isp-b"}) == 422
    assert status("PUT", "/v1/alarm-rules/map-stale", {"threshold": 7}) == 200
    rules = {(r["rule"], r["provider"]): r for r in ask(daemon, "GET", "/v1/alarm-rules")["rules"]}
    assert (rules["map-stale", ""]["threshold"], rules["map-stale", "isp-a"]["threshold"]) == (90, 7)
    for method, path in (("GET", ""), ("PUT", "/w"), ("DELETE", "/w"), ("POST", "/w/test")):
        assert status(method, "/v1/webhooks" + path, {"url": "http://a/"}) == 403
    for body in ({}, {"until": "tomorrow"}, {"seconds": -1}, {"seconds": 1, "until": "2026-11-21T10:05:00Z"}):
        assert daemon.api("POST", f"/v1/alarms/{theirs}/mute", body)[0] == 422, body
    assert daemon.api("GET", "/v1/alarms?state=odd")[0] == 400


def test_rules_are_set_for_one_provider_or_all():
    with Daemon("rules", database=new_database("rules"), bin_seconds=BIN) as daemon:
        daemon.upload_world()
        ctl(daemon, "alarms", "rule", "source-silent", "--threshold", "9", "--bins", "4")
        ctl(daemon, "alarms", "rule", "source-silent", "--provider", "isp-b", "--off")
        rules = {(r["rule"], r["provider"]): r for r in ask(daemon, "GET", "/v1/alarm-rules")["rules"]}
        every, one = rules["source-silent", ""], rules["source-silent", "isp-b"]
        assert (every["threshold"], every["for_bins"], every["enabled"]) == (9, 4, True)
        assert (one["threshold"], one["for_bins"], one["enabled"]) == (9, 4, False)
        assert "as it was at first" in ctl(daemon, "alarms", "rule", "source-silent")
        status, reply = daemon.api("PUT", "/v1/alarm-rules/source-silent",
                                   {"threshold": -1, "for_bins": 0, "enabled": 1, "more": 1})
        assert status == 422 and len(reply["faults"]) == 4
        assert daemon.api("PUT", "/v1/alarm-rules/none", {})[0] == 404
        with concurrent.futures.ThreadPoolExecutor(8) as people:  # of whom none finds it set
            for _ in range(10):
                assert {status for status, _ in people.map(lambda n: daemon.api(
                    "PUT", "/v1/alarm-rules/map-stale", {"threshold": n}), range(1, 9))} == {200}
                assert daemon.api("PUT", "/v1/alarm-rules/map-stale", {})[0] == 200
        with Counting(daemon):
            time.sleep(2 * BIN)
        time.sleep(8 * BIN)
        assert not firing(daemon)  # off
        ctl(daemon, "alarms", "rule", "source-silent", "--provider", "isp-b", "--on")
        alarm = wait_for("it is looked at", 60, lambda: firing(daemon))[0]
        check_scopes(daemon, alarm["id"])
        ctl(daemon, "alarms", "rule", "source-silent", "--provider", "isp-b", "--off")
        wait_for("it is no longer", 60, lambda: not firing(daemon))


def test_a_receiver_that_redirects_is_told_nothing_elsewhere():
    receiver = Receiver()
    with Daemon("redirect", database=new_database("redirect"), bin_seconds=BIN) as daemon:
        daemon.upload_world()
        receiver.redirect = True
        hidden = {"url": "https://user:word@hooks.example:8443/services/T0/B1/x?key=y", "secret": "0123456789abcdef"}
        ask(daemon, "PUT", "/v1/webhooks/w", hidden, 201)
        assert ask(daemon, "GET", "/v1/webhooks")["webhooks"][0]["url"] == "https://hooks.example:8443/..."
        ask(daemon, "PUT", "/v1/webhooks/w", {"url": receiver.url, "secret": "0123456789abcdef"})
        assert "redirects are not followed" in ctl(daemon, "webhook", "test", "w", code=1)
        time.sleep(2)
        assert len({json.loads(body)["event"] for _, _, body in receiver.posts}) == 1
        receiver.redirect = False
        wait_for("it is tried again", 30, lambda: receiver.events("test"))
        check_signatures(receiver, "0123456789abcdef")
        for bad in ("ftp://a/", "http://", "/x", "file:///etc/passwd", ""):
            assert daemon.api("PUT", "/v1/webhooks/w", {"url": bad})[0] == 422, bad
        assert daemon.api("PUT", "/v1/webhooks/w", {"url": receiver.url, "secret": "short"})[0] == 422
        assert daemon.api("POST", "/v1/webhooks/none/test")[0] == 404
        ctl(daemon, "webhook", "remove", "w")
        assert not ask(daemon, "GET", "/v1/webhooks")["webhooks"]


def test_postgresql_away_is_told_by_the_daemon_itself():
    receiver = Receiver()
    with Daemon("away", database=new_database("away"), bin_seconds=BIN) as daemon:
        daemon.upload_world()
        ask(daemon, "PUT", "/v1/webhooks/w", {"url": receiver.url, "secret": "0123456789abcdef"}, 201)
        ctl(daemon, "alarms", "rule", "database-away", "--threshold", "2")
        daemon.stop()  # it reads both at the start, and every half minute
        daemon.start()
        ctl(daemon, "webhook", "test", "w")
        time.sleep(3)
        postgres("stop")
        try:
            wait_for("it is told", 60, lambda: receiver.events("firing"))
            assert daemon.metric("p4pd_alarms_firing") == 1
        finally:
            postgres("start")
        ended = wait_for("its end is told", 90, lambda: receiver.events("resolved"))
        assert {e["alarm"]["rule"] for e in receiver.events("firing")} == {"database-away"}
        assert len({e["event"] for e in receiver.events("firing")}) == 1
        assert ended[0]["alarm"]["subject"] == "test"
        kept = ask(daemon, "GET", f"/v1/alarms/{ended[0]['alarm']['id']}/events")["events"]
        assert [e["what"] for e in kept] == ["resolved", "firing"]
        check_signatures(receiver, "0123456789abcdef")
