# SPDX-License-Identifier: Apache-2.0
"""The API over HTTPS: its own certificate, client certificates, and what SIGHUP does to them.

Run under tests/support/with_postgres and with_network.
"""
import http.client
import os
import shutil
import signal
import ssl
import subprocess

import house
import pytest

P4PCTL = os.environ.get("P4PCTL", "build/tools/p4pctl/p4pctl")
HOST = "api.example.org"


def openssl(*arguments):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_authority(folder, name):
    """Self-signed: name.pem and name.key; good for a server and for signing."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")


def make_ended(folder, name):
    """The same key and name again, but the certificate has ended."""
    openssl("req", "-new", "-key", folder / f"{name}.key", "-subj", f"/CN={name}", "-out", folder / f"{name}.csr")
    openssl("x509", "-req", "-in", folder / f"{name}.csr", "-signkey", folder / f"{name}.key", "-days", "0",
            "-out", folder / f"{name}.pem")
    ended = ["openssl", "x509", "-in", folder / f"{name}.pem", "-noout", "-checkend", "0"]
    house.wait_for("the certificate's end", 10, lambda: subprocess.run(ended, capture_output=True).returncode == 1)


def make_client(folder, name, authority, usage):
    """name.pem and name.key, signed by the authority for `usage`."""
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
    (folder / "usage").write_text(f"extendedKeyUsage={usage}\n")
    openssl("x509", "-req", "-in", folder / f"{name}.csr", "-days", "2", "-CAcreateserial", "-CA",
            folder / f"{authority}.pem", "-CAkey", folder / f"{authority}.key", "-extfile", folder / "usage",
            "-out", folder / f"{name}.pem")


def ask(port, trusted, path="/v1/interconnects", client=None, maximum=None, token=None):
    """The status; raises ssl.SSLError where there is no handshake."""
    context = ssl.create_default_context(cafile=trusted)
    if maximum:
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, maximum
        context.set_ciphers("ALL:@SECLEVEL=0")
    if client:
        context.load_cert_chain(client.with_suffix(".pem"), client.with_suffix(".key"))
    c = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
    c.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
    status = c.getresponse().status
    c.close()
    return status


def hang_up(d):
    before = d.log_text().count("Configuration reloaded")
    d.process.send_signal(signal.SIGHUP)
    house.wait_for("reloaded", 10, lambda: d.log_text().count("Configuration reloaded") > before)


def daemon(tmp_path, **settings):
    port = house.free_port()
    return port, house.Daemon("api-tls", database=house.new_database("api_tls"),
                              listen_api_tls=f"127.0.0.1:{port}", api_tls_certificate=tmp_path / "server.pem",
                              api_tls_key=tmp_path / "server.key", **settings)


def test_https_beside_http_and_a_new_certificate(tmp_path):
    make_authority(tmp_path, "server")
    first = tmp_path / "first.pem"
    shutil.copy(tmp_path / "server.pem", first)
    port, d = daemon(tmp_path)
    with d:
        token = (d.state / "admin.token").read_text().strip()
        assert ask(port, first, token=token) == 200
        assert ask(port, first) == 401
        assert ask(port, first, maximum=ssl.TLSVersion.TLSv1_2, token=token) == 200
        with pytest.raises(ssl.SSLError):
            ask(port, first, maximum=ssl.TLSVersion.TLSv1_1)
        assert d.api("GET", "/v1/interconnects")[0] == 200  # HTTP is still there

        (tmp_path / "server.pem").write_text("broken\n")
        hang_up(d)
        assert "where=api_tls_certificate" in d.log_text()
        assert ask(port, first, token=token) == 200

        make_authority(tmp_path, "server")
        hang_up(d)
        assert ask(port, tmp_path / "server.pem", token=token) == 200
        with pytest.raises(ssl.SSLError):
            ask(port, first)
        assert "warning: The certificate" not in d.log_text()

        def ctl(*arguments):
            return subprocess.run([P4PCTL, "--url", f"https://127.0.0.1:{port}", "--token", token, *arguments,
                                   "interconnects", "list"], capture_output=True, text=True)
        assert ctl("--cacert", tmp_path / "server.pem").returncode == 0
        refused = ctl("--cacert", first)
        assert refused.returncode == 3 and "certificate" in refused.stderr, refused.stderr
        make_ended(tmp_path, "server")
        hang_up(d)
        assert f"The certificate has ended, clients refuse it. file={tmp_path}/server.pem end=20" in d.log_text()


def test_clients_show_certificates(tmp_path):
    make_authority(tmp_path, "server")
    make_authority(tmp_path, "ours")
    make_authority(tmp_path, "theirs")
    make_client(tmp_path, "good", "ours", "clientAuth")
    make_client(tmp_path, "wrong-use", "ours", "serverAuth")
    make_client(tmp_path, "stranger", "theirs", "clientAuth")
    server = tmp_path / "server.pem"
    port, d = daemon(tmp_path, api_tls_client_ca=tmp_path / "ours.pem")
    with d:
        token = (d.state / "admin.token").read_text().strip()
        assert ask(port, server, client=tmp_path / "good", token=token) == 200
        assert ask(port, server, client=tmp_path / "good") == 401  # a token is needed all the same
        for client in (None, "wrong-use", "stranger"):
            for path in ("/v1/interconnects", "/healthz"):
                assert ask(port, server, path, client and tmp_path / client, token=token) == 403, client

        (tmp_path / "ours.pem").write_text("")
        hang_up(d)
        assert "where=api_tls_client_ca" in d.log_text()
        assert ask(port, server, client=tmp_path / "good", token=token) == 200
        assert ask(port, server, client=tmp_path / "stranger", token=token) == 403

        (tmp_path / "ours.pem").write_text((tmp_path / "theirs.pem").read_text())
        hang_up(d)
        assert ask(port, server, client=tmp_path / "stranger", token=token) == 200
        assert ask(port, server, client=tmp_path / "good", token=token) == 403

        done = subprocess.run([P4PCTL, "--url", f"https://127.0.0.1:{port}", "--token", token, "--cacert", server,
                               "interconnects", "list"], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (
            3, "p4pctl: a client certificate is needed, of an authority that is trusted here (403)\n")
        done = subprocess.run([P4PCTL, "--url", f"https://127.0.0.1:{port}", "--token", token, "--cacert", server,
                               "--cert", tmp_path / "stranger.pem", "--cert-key", tmp_path / "stranger.key",
                               "interconnects", "list"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_bad_start_says_why(tmp_path):
    make_authority(tmp_path, "server")
    make_authority(tmp_path, "other")
    for changes, told in (({"api_tls_certificate": "nowhere.pem"}, "there is no file 'nowhere.pem'"),
                          ({"api_tls_key": tmp_path / "other.key"}, "belong together"),
                          ({"api_tls_client_ca": tmp_path / "server.key"}, "certificate of an authority"),
                          ({"api_tls_certificate": ""}, "needs api_tls_certificate")):
        d = daemon(tmp_path, **{})[1]
        d.settings.update(changes)
        with d.start(ready=False):
            assert d.process.wait(timeout=20 * house.SLOW) != 0
            assert told in d.log_text()
