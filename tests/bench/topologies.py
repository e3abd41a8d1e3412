# SPDX-License-Identifier: Apache-2.0
"""Providers of any size over 127.64.0.0/10, for benches: who has which addresses, and who meets whom.

Every PID has a block of 16 addresses; p4pload takes its clients' addresses one after the other, so a
run with addresses(pids) of them has peers in every PID. Providers are as unequal as real ones (the n-th
has a share of 1/n); each has a core that its PIDs hang from, meets every other provider once, and the
last ones buy transit from the first.
"""
import json

BLOCK = 16
FIRST = (127 << 24) + (64 << 16)
PREFIX = "127.64.0.0/10"


def addresses(pids):
    """How many addresses p4pload shall use: all blocks, without the name of the network."""
    return pids * BLOCK - 1


def split(pids, providers):
    """PIDs of each provider, by Zipf's law; each has one at least."""
    total = sum(1 / n for n in range(1, providers + 1))
    sizes = [max(1, int(pids / n / total)) for n in range(1, providers + 1)]
    sizes[0] += pids - sum(sizes)
    return sizes


def block(index):
    first = FIRST + index * BLOCK
    return ".".join(str(first >> shift & 255) for shift in (24, 16, 8, 0)) + "/28"


def relation(of, to, providers):
    """The first fifth sells transit to the rest; equals peer."""
    big = max(1, providers // 5)
    if of < big <= to:
        return "customer"
    if to < big <= of:
        return "transit"
    return "settlement-free" if (of + to) % 3 else "paid-peering"


def topology(number, size, first_block, providers, shift=0):
    """`shift` moves every block to the next PID but so many: the same network, renumbered."""
    name = f"net-{number}"
    core = f"{name}-core"
    pids = [{"pid": f"{name}-{i}", "prefixes": [block(first_block + (i + shift) % size)], "access": "fiber"}
            for i in range(size)]
    links = [{"id": f"{name}-l{i}", "a": p["pid"], "b": core, "capacity_mbps": 40000,
              "weight": 1 + i * 7 % 50} for i, p in enumerate(pids)]
    edges = [{"id": f"{name}-to-{other}", "pid": pids[other % size]["pid"] if size > 1 else core,
              "neighbor_asn": 64500 + other, "relation": relation(number, other, providers),
              "capacity_mbps": 10000,
              "reach": "any" if relation(number, other, providers) == "transit" else "neighbor"}
             for other in range(providers) if other != number]
    return {"format": "p4p-topology/1", "provider": name, "asns": [64500 + number],
            "pids": pids + [{"pid": core}], "links": links, "interconnects": edges}


def world(pids, providers=10, shift=0):
    """{provider: its topology document as bytes}, the largest provider first"""
    documents, first = {}, 0
    for number, size in enumerate(split(pids, providers)):
        document = topology(number, size, first, providers, shift)
        documents[document["provider"]] = json.dumps(document).encode()
        first += size
    return documents
