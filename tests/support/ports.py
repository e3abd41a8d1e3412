# SPDX-License-Identifier: Apache-2.0
"""Ports for the servers that a test starts."""
import random
import socket

GIVEN = set()  # by this process; a server that is not started yet holds none


def free_port():
    """Free at every address, TCP and UDP, and not of those that the kernel gives to clients' sockets."""
    while True:
        port = random.randrange(10000, 32768)
        if port in GIVEN:
            continue
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("", port))
                udp.bind(("", port))
            except OSError:
                continue
        GIVEN.add(port)
        return port
