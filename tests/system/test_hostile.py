# SPDX-License-Identifier: Apache-2.0
"""The API among those who push: two hundred uploads at once, a database that is restarted in the middle, uploads that
end half-way, tokens that are used again, bodies without right. What holds on to it is in test_crowds.py."""
import concurrent.futures
import http.client
import json
import signal
import socket
import threading
import time

import pytest

from house import SLOW, Daemon, new_database, postgres, topology, wait_for

UPLOADS = 200


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


def head(method, path, token, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}",
                        "Content-Type: application/json", *lines, "", ""]).encode()


def send(daemon, raw, seconds=10):
    """The first bytes of the answer to what was sent, and how long it took; b"": hung up on."""
    with socket.create_connection(("127.0.0.1", daemon.api_port), timeout=seconds * SLOW) as connection:
        began = time.monotonic()
        connection.sendall(raw)
        return connection.recv(65536), time.monotonic() - began


HUGE = f"Content-Length: {60 << 20}"


def test_a_long_body_is_refused_before_a_byte_of_it_is_sent():
    with Daemon("early", database=new_database("early"), api_upload_mib=63) as daemon:
        daemon.upload_world()
        token = ask(daemon, "POST", "/v1/tokens", {"name": "b", "role": "operator", "provider": "isp-b"})[1]["token"]
        path = "/v1/providers/isp-a/topology"
        for wanted, raw in {
                b"401": head("PUT", path, "p4pd_" + 64 * "0", HUGE),
                b"403": head("PUT", path, token, HUGE),
                b"404": head("PUT", "/v1/nothing", daemon.token, HUGE),
                b"405": head("POST", path, daemon.token, HUGE),
                b"415": head("PUT", path, daemon.token, HUGE).replace(b"application/json", b"text/xml"),
                b"413": head("PUT", path, daemon.token, f"Content-Length: {64 << 20}")}.items():
            for expecting in (False, True):  # who asks first is not told to go on
                if expecting:
                    raw = raw[:-2] + b"Expect: 100-continue\r\n\r\n"
                answer, seconds = send(daemon, raw)
                assert answer.startswith(b"HTTP/1.1 " + wanted), answer
                assert b"application/problem+json" in answer and b"Connection: close" in answer
                assert seconds < 1 * SLOW
        answer, _ = send(daemon, head("POST", "/v1/tokens", daemon.token, "Content-Length: 200000"))
        assert answer.startswith(b"HTTP/1.1 413") and b"131072 bytes" in answer
        answer, _ = send(daemon, head("PUT", path, daemon.token, HUGE, "Expect: 100-continue"))
        assert answer.startswith(b"HTTP/1.1 100 "), answer
        assert ask(daemon, "GET", path) == (200, topology("isp-a"))


def test_whoever_guesses_a_token_cannot_send_for_long():
    """The body flows: a client that does not read before it has sent all is cut off, and quickly."""
    with Daemon("guess", database=new_database("guess")) as daemon:
        began, sent = time.monotonic(), 0
        with socket.create_connection(("127.0.0.1", daemon.api_port), timeout=10 * SLOW) as connection:
            try:
                connection.sendall(head("PUT", "/v1/providers/isp-a/topology", "p4pd_" + 64 * "0", HUGE))
                while sent < 60 << 20:
                    sent += connection.send(bytes(1 << 20))
            except OSError:
                pass
        assert sent < 60 << 20 and time.monotonic() - began < 2 * SLOW


def test_wrong_tokens_behind_a_listed_proxy_are_the_clients():
    def guess(daemon, client):
        return daemon.api("GET", "/v1/tokens", token="p4pd_" + 64 * "0", headers={"X-Forwarded-For": client})[0]

    with Daemon("behind", database=new_database("behind"), proxies="127.0.0.1/32") as daemon:
        assert [guess(daemon, "192.0.2.7") for _ in range(11)] == 10 * [401] + [429]
        assert guess(daemon, "198.51.100.9, 192.0.2.7") == 429, "what the client wrote is believed"
        assert guess(daemon, "198.51.100.9") == 401
        assert "wrong-tokens address=192.0.2.7\n" in daemon.log_text()
    with Daemon("before", database=new_database("before")) as daemon:
        assert [guess(daemon, f"192.0.2.{n}") for n in range(11)] == 10 * [401] + [429], "anybody can name others"
        assert "wrong-tokens address=127.0.0.1\n" in daemon.log_text()


def test_pages_of_listed_origins_alone_may_read_answers():
    good = "https://noc.example.net"

    def headers(daemon, method, origin, path="/v1/providers/isp-a/topology"):
        connection = http.client.HTTPConnection("127.0.0.1", daemon.api_port, timeout=10 * SLOW)
        about = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,if-match"} \
            if method == "OPTIONS" else {"Authorization": "Bearer " + daemon.token}
        connection.request(method, path, headers={"Origin": origin, **about})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders() if k.lower().startswith("access-control")}

    with Daemon("pages", database=new_database("pages"), api_cors_origins=f"http://a.example {good}") as daemon:
        daemon.upload_world()
        status, said = headers(daemon, "OPTIONS", good)
        assert status == 204 and said["access-control-allow-origin"] == good
        assert "PUT" in said["access-control-allow-methods"]
        assert {"Authorization", "If-Match"} <= set(said["access-control-allow-headers"].split(", "))
        status, said = headers(daemon, "GET", good)
        assert status == 200 and said["access-control-allow-origin"] == good and "credentials" not in str(said)
        for other in ("null", "http://noc.example.net", good + ".evil.example", good + ":8443", "*"):
            assert headers(daemon, "OPTIONS", other) == (405, {}), other
            assert headers(daemon, "GET", other) == (200, {}), other
    with Daemon("noone", database=new_database("noone")) as daemon:
        daemon.upload_world()
        assert headers(daemon, "OPTIONS", good) == (405, {}) and headers(daemon, "GET", good) == (200, {})


def test_sighup_changes_who_is_a_proxy_and_whose_pages_may_read():
    good, other = "https://noc.example.net", "http://localhost:3000"

    def preflight(daemon, origin):
        return daemon.api("OPTIONS", "/v1/tokens", headers={"Origin": origin, "Access-Control-Request-Method": "GET"})[0]

    def guesses(daemon, client):
        daemon.api("GET", "/v1/tokens", token="p4pd_" + 64 * "0", headers={"X-Forwarded-For": client})
        return daemon.log_text().count(f"wrong-tokens address={client}\n")

    def is_believed(daemon, client):
        return [guesses(daemon, client) for _ in range(11)][-1] == 1

    with Daemon("listed", in_file=True, database=new_database("listed"), proxies="", api_cors_origins="") as daemon:
        assert not is_believed(daemon, "192.0.2.1") and preflight(daemon, good) == 405
        assert "not reloaded" not in daemon.reload(proxies="127.0.0.1/32", api_cors_origins=good)
        assert is_believed(daemon, "192.0.2.2") and (preflight(daemon, good), preflight(daemon, other)) == (204, 405)
        for wrong in {"proxies": "127.0.0.1/8"}, {"proxies": "127.0.0.1/32", "api_cors_origins": "noc.example.net"}:
            told = daemon.reload(**wrong)
            assert f"where={list(wrong)[-1]} " in told and "old one stays" in told
            assert is_believed(daemon, f"192.0.2.{2 + len(wrong)}") and preflight(daemon, good) == 204
        daemon.reload(proxies="", api_cors_origins=other)
        assert not is_believed(daemon, "192.0.2.5") and (preflight(daemon, good), preflight(daemon, other)) == (405, 204)


def test_deep_documents_and_long_headers_are_refused():
    with Daemon("deep", database=new_database("deep")) as daemon:
        daemon.upload_world()
        deep = b'{"a":' + 100_000 * b"[" + 100_000 * b"]" + b"}"
        for method, path in (("PUT", "/v1/providers/isp-a/topology"), ("PUT", "/v1/providers/isp-a/costs"),
                             ("POST", "/v1/samples")):
            status, answer = daemon.api(method, path, deep)
            assert status == 422 and "depth" in json.dumps(answer), answer
        shallow = deep[:5] + deep[60_005:140_005] + b"}"  # 40,000 levels: short enough for any route
        for method, path in (("POST", "/v1/tokens"), ("PUT", "/v1/providers/isp-a/policies/p"),
                             ("PUT", "/v1/providers/isp-a/contracts/c"), ("PUT", "/v1/webhooks/w")):
            status, answer = daemon.api(method, path, shallow)
            assert status == 422, (path, answer)
        for lines in (["X: " + 100_000 * "a"], [f"X-{n}: {100 * 'a'}" for n in range(2000)]):
            try:
                answer, _ = send(daemon, head("GET", "/v1/providers/isp-a/topology", daemon.token, *lines))
            except ConnectionError:  # what was not read is thrown away with the answer
                answer = b""
            assert answer[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b""), answer
        assert ask(daemon, "GET", "/v1/providers/isp-a/topology") == (200, topology("isp-a"))


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
