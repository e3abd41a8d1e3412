# SPDX-License-Identifier: Apache-2.0
"""The API among those who push: two hundred uploads at once, a database that is restarted in the middle, uploads that
end half-way, tokens that are used again, and thousands of connections that say nothing."""
import concurrent.futures
import http.client
import json
import resource
import signal
import socket
import threading
import time

import pytest

from house import SLOW, Daemon, new_database, postgres, topology, wait_for

UPLOADS, CROWD = 200, 3000


def ask(daemon, method, path, body=None, token=None, seconds=60):
    """(status, parsed JSON) over a connection of its own; (None, None): none came."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.api_port, timeout=seconds * SLOW)
    try:
        connection.request(method, path, None if body is None else json.dumps(body),
                           {"Authorization": "Bearer " + (token or daemon.token), "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    except (OSError, http.client.HTTPException):
        return None, None
    finally:
        connection.close()


def held(port):
    """Connections that the listener at a port has not closed (Linux's table: local address, remote address, state)."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in list(table)[1:]]
    return [r for r in rows if int(r[1].split(":")[1], 16) == port and r[3] in ("01", "08")]  # established, close-wait


def changed(provider, n):
    """The topology with a capacity that tells which upload it was."""
    document = topology(provider)
    document["links"][0]["capacity_mbps"] = 1000 + n
    return document


def versions(daemon, provider):
    status, answer = ask(daemon, "GET", f"/v1/providers/{provider}/versions")
    assert status == 200, answer
    return answer["versions"]


def test_two_hundred_uploads_at_once_are_answered_and_kept():
    with Daemon("crowd", database=new_database("crowd")) as daemon:
        daemon.upload_world()
        uploads = [("isp-a", n) for n in range(UPLOADS // 2)] + \
            [(provider, n) for provider in ("isp-b", "isp-c") for n in range(UPLOADS // 4)]
        begin = threading.Barrier(UPLOADS)

        def upload(job):
            provider, n = job
            begin.wait()
            return ask(daemon, "PUT", f"/v1/providers/{provider}/topology", changed(provider, n + 1))

        with concurrent.futures.ThreadPoolExecutor(UPLOADS) as pool:
            answers = list(pool.map(upload, uploads))
        assert {status for status, _ in answers} == {201}
        for provider in ("isp-a", "isp-b", "isp-c"):
            told = {answer["version"]: n for (who, n), (_, answer) in zip(uploads, answers) if who == provider}
            history = versions(daemon, provider)
            numbers = sorted(v["version"] for v in history)
            assert numbers == list(range(1, len(numbers) + 1)), "a gap, or a version twice"
            assert set(told) == set(numbers) - {1} and len(told) == len(numbers) - 1
            for version, n in told.items():
                status, document = ask(daemon, "GET", f"/v1/providers/{provider}/topology?version={version}")
                assert (status, document) == (200, changed(provider, n + 1))
            in_force = [v["version"] for v in history if v["in_force"]]
            assert in_force == [max(numbers)], "the last one that was stored is not the one in force"
            assert ask(daemon, "GET", f"/v1/providers/{provider}/topology")[1] == changed(provider, told[in_force[0]] + 1)


def test_activations_while_the_database_is_restarted_are_kept_or_refused():
    with Daemon("failover", database=new_database("failover")) as daemon:
        daemon.upload_world()
        for n in range(1, 4):
            assert ask(daemon, "PUT", "/v1/providers/isp-a/topology", changed("isp-a", n))[0] == 201
        stop = threading.Event()
        activated, uploaded = [], []

        def push():
            n = 0
            while not stop.is_set():
                n += 1
                activated.append((1 + n % 4, ask(daemon, "POST", f"/v1/providers/isp-a/versions/{1 + n % 4}/activate")))
                uploaded.append((n, ask(daemon, "PUT", "/v1/providers/isp-b/topology", changed("isp-b", n))))

        pusher = threading.Thread(target=push)
        pusher.start()
        try:
            for _ in range(4):
                time.sleep(1)
                postgres("stop")
                time.sleep(.5)
                postgres("start")
            wait_for("the database is used again", 30, lambda: activated[-1][1][0] == 200)
        finally:
            stop.set()
            pusher.join()
        assert {status for _, (status, _) in activated} == {200, 503}
        assert {status for _, (status, _) in uploaded} == {201, 503}
        number, last = next((v, a) for v, (status, a) in reversed(activated) if status == 200)
        assert last["version"] == number
        assert [v["version"] for v in versions(daemon, "isp-a") if v["in_force"]] == [number]
        kept = {v["version"] for v in versions(daemon, "isp-b")}
        assert sorted(kept) == list(range(1, len(kept) + 1))
        for n, (status, answer) in uploaded:
            if status == 201:
                path = f"/v1/providers/isp-b/topology?version={answer['version']}"
                assert ask(daemon, "GET", path) == (200, changed("isp-b", n)), "answered 201, and lost"


def test_a_revoked_token_is_worth_nothing_again():
    with Daemon("replay", database=new_database("replay")) as daemon:
        daemon.upload_world()
        about = {"name": "op", "role": "operator", "provider": "isp-a"}
        token = ask(daemon, "POST", "/v1/tokens", about)[1]["token"]
        path = "/v1/providers/isp-a/topology"
        kept = http.client.HTTPConnection("127.0.0.1", daemon.api_port, timeout=30)  # a connection that it was good on

        def replay():
            kept.request("GET", path, headers={"Authorization": "Bearer " + token})
            answer = kept.getresponse()
            answer.read()
            return answer.status

        assert replay() == 200
        assert ask(daemon, "DELETE", "/v1/tokens/op")[0] == 204
        assert replay() == 401
        again = ask(daemon, "POST", "/v1/tokens", about)[1]["token"]  # of the same name, but another one
        assert again != token and replay() == 401
        assert ask(daemon, "PUT", path, changed("isp-a", 1), token)[0] == 401
        assert ask(daemon, "PUT", path, changed("isp-a", 1), again)[0] == 201


@pytest.mark.parametrize("share", [.1, .5, .999])
def test_an_upload_that_is_cut_changes_nothing(share):
    with Daemon("cut", database=new_database("cut")) as daemon:
        daemon.upload_world()
        before = versions(daemon, "isp-a")
        body = json.dumps(changed("isp-a", 1)).encode()
        head = (f"PUT /v1/providers/isp-a/topology HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {daemon.token}\r\n"
                f"Content-Type: application/json\r\n")
        for framing in (f"Content-Length: {len(body)}\r\n\r\n".encode() + body,
                        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)):  # no last chunk
            for half in (False, True):
                raw = head.encode() + framing
                connection = socket.create_connection(("127.0.0.1", daemon.api_port), timeout=10 * SLOW)
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert connection.recv(65536).endswith(b"ok\n")
                daemon.signal(signal.SIGSTOP)  # so that it hears of the bytes and of their end at once
                connection.sendall(raw[:len(head) + int(len(framing) * share)])
                connection.shutdown(socket.SHUT_WR)
                if not half:
                    connection.close()
                daemon.signal(signal.SIGCONT)
                if half:  # an answer would be heard
                    answer = b"".join(iter(lambda: connection.recv(65536), b""))
                    assert not answer.startswith(b"HTTP/1.1 2"), answer
                connection.close()
        wait_for("their places are free again", 5, lambda: not held(daemon.api_port))
        assert versions(daemon, "isp-a") == before
        assert ask(daemon, "GET", "/v1/providers/isp-a/topology")[1] == topology("isp-a")


def test_thousands_of_idle_connections_keep_nobody_from_service():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    crowd_size = min(CROWD, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, crowd_size + 200), hard))
    with Daemon("loris", database=new_database("loris")) as daemon:
        daemon.upload_world()
        crowd, stop = [], threading.Event()

        def press():
            """Begins requests and ends none; a byte now and then, so that none is silent for long."""
            while not stop.is_set():
                if len(crowd) < crowd_size:
                    s = socket.create_connection(("127.0.0.1", daemon.api_port), timeout=10 * SLOW)
                    s.setblocking(False)
                    s.send(b"GET /v1/pro")
                    crowd.append(s)
                    continue
                for s in crowd:
                    try:
                        s.send(b"x")
                    except OSError:
                        pass
                time.sleep(1)

        presser = threading.Thread(target=press)
        presser.start()
        try:
            waits = []
            deadline = time.monotonic() + 8 * SLOW
            while len(crowd) < crowd_size or time.monotonic() < deadline:
                began = time.monotonic()
                status, _ = ask(daemon, "PUT", "/v1/providers/isp-a/topology?dry_run=1", changed("isp-a", len(waits)))
                waits.append(time.monotonic() - began)
                assert status == 200, f"not served, with {len(crowd)} idle connections"
                time.sleep(.05)
            waits.sort()
            print(f"{len(crowd)} idle, {len(waits)} asked, median {waits[len(waits) // 2]:.3f} s, worst {waits[-1]:.3f} s")
            assert waits[-1] < 2 * SLOW
        finally:
            stop.set()
            presser.join()
            for s in crowd:
                s.close()
