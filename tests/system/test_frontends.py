# SPDX-License-Identifier: Apache-2.0
"""The front ends of deploy/frontend as they are, but for ports, address and certificate: announces come
through with their clients' addresses, and the API with its tokens."""
import contextlib
import json
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

import house
from test_proxies import PROXY, announce, client, external, read_reply

FRONTEND = pathlib.Path(__file__).resolve().parents[2] / "deploy/frontend"
TLS = ssl.create_default_context()
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE


def certificate(folder):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=tracker.example.org", "-keyout", folder / "key.pem", "-out", folder / "only.pem"],
                   check=True, capture_output=True)
    (folder / "certificate.pem").write_text((folder / "only.pem").read_text() + (folder / "key.pem").read_text())


def placed(name, folder, daemon, ports, proxied=0):
    """The example with this test's places."""
    text = (FRONTEND / name).read_text()
    for theirs, ours in {"/etc/ssl/p4pd/": f"{folder}/", "127.0.0.1:6969": f"127.0.0.1:{daemon.tracker_port}",
                         "127.0.0.1:6970": f"127.0.0.1:{proxied}", "127.0.0.1:8080": f"127.0.0.1:{daemon.api_port}"}.items():
        text = text.replace(theirs, ours)
    text = re.sub(r"\n\s*listen \[::\].*", "", text)
    return re.sub(r"\b(listen|bind) :?(80|443|8443)\b", lambda m: f"{m[1]} {PROXY}:{ports[int(m[2])]}", text)


@contextlib.contextmanager
def running(folder, command, port):
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        def is_up():
            assert process.poll() is None, (folder / "log").read_text()
            with socket.socket() as s:
                return s.connect_ex((PROXY, port)) == 0
        house.wait_for("it listens", 10, is_up)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def announced_address(port, number, tls):
    """Whom the tracker takes a client behind the front end for."""
    with socket.socket() as s:
        s.settimeout(10 * house.SLOW)
        s.bind((client(number), 0))
        s.connect((PROXY, port))
        if tls:
            s = TLS.wrap_socket(s, server_hostname="tracker.example.org")
        s.sendall(announce(number, "X-Forwarded-For: 203.0.113.9").replace(b"Host: tracker", b"Host: tracker.example.org"))
        return external(read_reply(s.makefile("rb")))


def api(port, path, token=None, source="127.0.0.1"):
    """(status, body) through the front end."""
    s = TLS.wrap_socket(socket.create_connection((PROXY, port), 10, (source, 0)), server_hostname="p4pd.example.org")
    with s:
        s.sendall(f"GET {path} HTTP/1.0\r\nHost: p4pd.example.org\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        head, _, body = b"".join(iter(lambda: s.recv(65536), b"")).partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def check(daemon, ports, api_port):
    for number, port, tls in ((1, ports[80], False), (2, ports[443], True)):
        assert announced_address(port, number, tls) == client(number)
    status, body = api(ports[api_port], "/v1/interconnects", daemon.token)
    assert status == 200 and "interconnects" in json.loads(body)
    assert api(ports[api_port], "/v1/interconnects", "wrong")[0] == 401
    assert api(ports[api_port], "/metrics", source=client(3))[0] == 403
    assert "<html" in api(ports[api_port], "/")[1]


def ports_():
    return {80: house.free_port(), 443: house.free_port(), 8443: house.free_port()}


def test_nginx(tmp_path):
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    certificate(tmp_path)
    ports = ports_()
    with house.Daemon("nginx", database=house.new_database("nginx"), proxies="127.0.0.1/32 ::1/128") as daemon:
        (tmp_path / "site").write_text(placed("nginx.conf", tmp_path, daemon, ports))
        (tmp_path / "nginx.conf").write_text(
            f"user root; daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p; include {tmp_path}/site; }}\n")
        command = [shutil.which("nginx"), "-e", "stderr", "-c", tmp_path / "nginx.conf"]
        tested = subprocess.run([*command, "-t"], capture_output=True, text=True)
        assert tested.returncode == 0 and "warn" not in tested.stderr, tested.stderr
        with running(tmp_path, command, ports[80]):
            check(daemon, ports, 443)


def test_haproxy(tmp_path):
    if shutil.which("haproxy") is None:
        pytest.skip("haproxy is not installed")
    certificate(tmp_path)
    ports, proxied = ports_(), house.free_port()
    with house.Daemon("haproxy", database=house.new_database("haproxy"), proxies="127.0.0.1/32",
                      listen_tracker_proxied=f"127.0.0.1:{proxied}") as daemon:
        path = tmp_path / "haproxy.cfg"
        path.write_text(placed("haproxy.cfg", tmp_path, daemon, ports, proxied))
        tested = subprocess.run([shutil.which("haproxy"), "-c", "-f", path], capture_output=True, text=True)
        assert tested.returncode == 0 and "WARNING" not in tested.stderr, tested.stderr
        with running(tmp_path, [shutil.which("haproxy"), "-db", "-f", path], ports[80]):
            check(daemon, ports, 8443)
