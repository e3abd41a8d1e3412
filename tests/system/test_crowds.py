# SPDX-License-Identifier: Apache-2.0
"""The API among those who hold on to it: bodies that come slowly or never end, more of them than memory, thousands of
connections that say nothing, strangers who come faster than an upload goes on."""
import concurrent.futures
import json
import resource
import socket
import threading
import time

from house import SLOW, Daemon, new_database, topology
from test_hostile import HUGE, UPLOADS, ask, changed, head

CROWD = 3000


def test_bodies_that_come_slowly_or_never_end_are_cut_and_others_served():
    with Daemon("slow", database=new_database("slow"), api_upload_mib=1) as daemon:
        daemon.upload_world()
        path = "/v1/providers/isp-a/topology"
        slow = []
        for framing in (HUGE.replace(str(60 << 20), "1000000"), "Transfer-Encoding: chunked"):
            connection = socket.create_connection(("127.0.0.1", daemon.api_port), timeout=10 * SLOW)
            connection.sendall(head("PUT", path, daemon.token, framing))
            slow.append((connection, b"1\r\n \r\n" if "chunked" in framing else b" "))
        began = time.monotonic()
        while slow and time.monotonic() - began < 90:
            for connection, piece in list(slow):
                try:
                    connection.sendall(piece)
                    connection.settimeout(.01)
                    if connection.recv(65536) == b"":
                        raise ConnectionError
                except TimeoutError:
                    continue
                except OSError:
                    slow.remove((connection, piece))
                    connection.close()
            assert ask(daemon, "GET", "/v1/providers/isp-b/topology", seconds=2) == (200, topology("isp-b"))
            time.sleep(1)
        assert not slow, "a byte a second is enough"
        with socket.create_connection(("127.0.0.1", daemon.api_port), timeout=10 * SLOW) as connection:
            sent = 0
            try:
                connection.sendall(head("PUT", path, daemon.token, "Transfer-Encoding: chunked"))
                while sent < 64 << 20:
                    connection.sendall(b"%x\r\n%s\r\n" % (1 << 16, bytes(1 << 16)))
                    sent += 1 << 16
            except OSError:
                pass
        assert sent < 16 << 20, "a body without end goes on"
        assert ask(daemon, "GET", path) == (200, topology("isp-a"))


def test_two_hundred_huge_uploads_do_not_fill_the_memory():
    limit = 64  # MiB
    with Daemon("huge", database=new_database("huge"), api_upload_mib=16, api_uploads_mib=limit) as daemon:
        daemon.upload_world()
        size = 15 << 20
        crowd = [socket.create_connection(("127.0.0.1", daemon.api_port), timeout=90 * SLOW) for _ in range(UPLOADS)]
        framing = [f"Content-Length: {size}", "Transfer-Encoding: chunked"]
        for n, connection in enumerate(crowd):
            connection.sendall(head("PUT", "/v1/providers/isp-a/topology", daemon.token, framing[n % 2]))
        answers = []

        def feed(job):
            n, connection = job
            answer = b""
            try:
                for _ in range(size >> 16):
                    piece = b" " * (1 << 16)
                    connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if n % 2 else piece)
                if n % 2:
                    connection.sendall(b"0\r\n\r\n")
            except OSError:  # it was refused before
                pass
            try:
                answer = connection.recv(65536)
            except OSError:
                pass
            answers.append(answer[9:12])
            connection.close()

        with concurrent.futures.ThreadPoolExecutor(UPLOADS) as pool:  # who waited for others would be hung up on
            list(pool.map(feed, enumerate(crowd)))
        assert set(answers) <= {b"422", b"503"} and answers.count(b"503") > 0 and answers.count(b"422") > 0, answers
        status = open(f"/proc/{daemon.process.pid}/status").read()
        peak = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) // 1024
        print(f"{answers.count(b'422')} read, {answers.count(b'503')} refused, peak {peak} MiB")
        assert peak < 16 * limit, "three gigabytes were offered"
        assert ask(daemon, "PUT", "/v1/providers/isp-a/topology", changed("isp-a", 1))[0] == 201


def test_thousands_of_idle_connections_keep_nobody_from_service():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    crowd_size = min(CROWD, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, crowd_size + 200), hard))
    with Daemon("loris", database=new_database("loris"), api_connections_per_address=0) as daemon:
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


def test_a_crowd_does_not_cut_off_an_upload_that_has_leave():
    """A body in pieces with pauses, while strangers come faster than it goes on."""
    with Daemon("crowd", database=new_database("crowd"), api_connections=64, api_connections_per_address=0) as daemon:
        stop, came = threading.Event(), []

        def press():
            while not stop.is_set():
                try:
                    came.append(socket.create_connection(("127.0.0.1", daemon.api_port), timeout=10 * SLOW))
                    came[-1].sendall(b"GET / HT")
                except OSError:
                    pass
                time.sleep(.002)
                for s in came[:-200]:
                    s.close()

        body = json.dumps(topology("isp-a")).encode()
        body = b" " * 200000 + body
        with socket.create_connection(("127.0.0.1", daemon.api_port), timeout=20 * SLOW) as s:
            s.sendall(f"PUT /v1/providers/isp-a/topology HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {daemon.token}\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n".encode())
            presser = threading.Thread(target=press)
            presser.start()
            try:
                for at in range(0, len(body), 20000):
                    s.sendall(body[at:at + 20000])
                    time.sleep(.3)
                assert s.recv(64).startswith(b"HTTP/1.1 201 "), f"after {len(came)} others"
            finally:
                stop.set()
                presser.join()
                for other in came:
                    other.close()
        assert len(came) > 200
