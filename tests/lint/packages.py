#!/usr/bin/env python3
"""What meson looks for is in deploy/packages, so that ./deploy/test needs nothing else."""
import pathlib
import re
import sys

PACKAGE = {  # of what meson.build calls it
    "threads": "libc6-dev", "m": "libc6-dev",
    "expat": "libexpat1-dev", "jansson": "libjansson-dev", "libmicrohttpd": "libmicrohttpd-dev", "gnutls": "libgnutls28-dev", "libevent_core": "libevent-dev",
    "libpq": "libpq-dev", "libmaxminddb": "libmaxminddb-dev", "libconfuse": "libconfuse-dev",
    "libsodium": "libsodium-dev", "nettle": "nettle-dev", "libsystemd": "libsystemd-dev", "libcurl": "libcurl4-gnutls-dev",
    "cmocka": "libcmocka-dev", "glpk": "libglpk-dev", "libfixbuf": "libfixbuf-dev",
    "systemd-analyze": "systemd",
    "python3": "python3", "/usr/bin/python3": "python3", "rst2man": "python3-docutils",
    "clang-format-14": "clang-format-14", "clang-format": "clang-format-14",
    "sh": None, "bash": None, "env": None,  # essential
}
root = pathlib.Path(sys.argv[1])
lines = [line.split() for line in (root / "deploy/packages").read_text().splitlines()]
listed = {name for words in lines if words and not words[0].startswith("#") for name in words[1].split("|")}
bad = []
for path in [root / "meson.build", *(p for top in ("schema", "common", "server", "tools", "tests", "deploy")
                                     for p in sorted((root / top).rglob("meson.build")))]:
    text = re.sub(r"#.*", "", path.read_text())
    for call, arguments in re.findall(r"\b(dependency|find_program|find_library)\(([^)]*)", text):
        names = re.match(r"\s*'[^']*'(?:\s*,\s*'[^']*')*", arguments)
        for name in re.findall(r"'([^']*)'", names[0] if names else ""):
            where = f"{path.relative_to(root)}: {call}('{name}')"
            if name.startswith("../"):
                continue
            if name not in PACKAGE:
                bad.append(f"{where}: tests/lint/packages.py does not know its package")
            elif PACKAGE[name] and PACKAGE[name] not in listed:
                bad.append(f"{where}: {PACKAGE[name]} is not in deploy/packages")

print("\n".join(bad) or "ok")
sys.exit(bool(bad))
