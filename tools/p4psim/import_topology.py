#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a topology document of a network of SNDlib (XML) or of the Topology Zoo (GraphML).

    import_topology.py [OPTION]... FILE > NAME.topology.json

Every node becomes a PID with a prefix of its own. A link weighs the kilometres between its ends; where a
node has no coordinates, the mean of the others. Links have the capacities of the file (SNDlib, in Mbit/s)
or of --capacity-mbps. Only the largest connected part is kept. Mind the licences of the data.
"""
import argparse
import collections
import ipaddress
import json
import math
import pathlib
import re
import statistics
import sys
import xml.etree.ElementTree as ET

SNDLIB = "{http://sndlib.zib.de/network}"
GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"
Node = collections.namedtuple("Node", "name x y")  # degrees; None when not known
Link = collections.namedtuple("Link", "a b mbps")  # keys of nodes; mbps 0: not said


def number(text):
    return float(text) if text not in (None, "") else None


def read_sndlib(top):
    mbps = top.findtext(f"{SNDLIB}meta/{SNDLIB}unit") == "MBITPERSEC"
    nodes, links = {}, []
    for n in top.iter(f"{SNDLIB}node"):
        at = n.find(f"{SNDLIB}coordinates")
        x, y = (None, None) if at is None else (number(at.findtext(SNDLIB + c)) for c in "xy")
        nodes[n.get("id")] = Node(n.get("id"), x, y)
    for e in top.iter(f"{SNDLIB}link"):
        there = number(e.findtext(f"{SNDLIB}preInstalledModule/{SNDLIB}capacity"))
        links.append(Link(e.findtext(f"{SNDLIB}source"), e.findtext(f"{SNDLIB}target"),
                          round(there) if mbps and there else 0))
    return nodes, links


def read_graphml(top):
    keys = {k.get("id"): k.get("attr.name") for k in top.iter(f"{GRAPHML}key") if k.get("for") == "node"}
    nodes = {}
    for n in top.iter(f"{GRAPHML}node"):
        data = {keys.get(d.get("key")): d.text for d in n.iter(f"{GRAPHML}data")}
        nodes[n.get("id")] = Node(data.get("label") or n.get("id"), number(data.get("Longitude")),
                                  number(data.get("Latitude")))
    return nodes, [Link(e.get("source"), e.get("target"), 0) for e in top.iter(f"{GRAPHML}edge")]


def read(path):
    try:
        top = ET.parse(path).getroot()
    except (OSError, ET.ParseError) as e:
        sys.exit(f"import_topology.py: {path}: {e}")
    readers = {f"{SNDLIB}network": read_sndlib, f"{GRAPHML}graphml": read_graphml}
    if top.tag not in readers:
        sys.exit(f"import_topology.py: {path}: must be SNDlib's XML or GraphML, not <{top.tag}>")
    nodes, links = readers[top.tag](top)
    unknown = {k for link in links for k in (link.a, link.b)} - nodes.keys()
    if unknown or not nodes:
        sys.exit(f"import_topology.py: {path}: " + (f"a link ends at {sorted(map(str, unknown))[0]}, which is no node"
                                                    if unknown else "has no nodes"))
    return nodes, [link for link in links if link.a != link.b]


def largest_part(nodes, links):
    ties = collections.defaultdict(set)
    for link in links:
        ties[link.a].add(link.b)
        ties[link.b].add(link.a)
    best, seen = set(), set()
    for start in nodes:
        part, todo = set(), [start] if start not in seen else []
        while todo:
            at = todo.pop()
            if at not in part:
                part.add(at)
                todo += ties[at]
        seen |= part
        best = max(best, part, key=len)
    return {k: n for k, n in nodes.items() if k in best}, [link for link in links if link.a in best]


def kilometres(a, b):
    if None in (*a[1:], *b[1:]):
        return None
    x1, y1, x2, y2 = map(math.radians, (a.x, a.y, b.x, b.y))
    half = math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2
    return max(1, round(2 * 6371 * math.asin(min(1, math.sqrt(half)))))


def names(wanted, size=64):
    """Names of RFC 7285 that look like those wanted, none twice."""
    out = []
    for text in wanted:
        name = base = re.sub(r"[^A-Za-z0-9:@_-]+", "-", text).strip("-")[:size - 4].lower() or "node"
        n = 2
        while name in out:
            name, n = f"{base}-{n}", n + 1
        out.append(name)
    return out


def document(args, nodes, links):
    pids = dict(zip(nodes, names([n.name for n in nodes.values()])))
    bits = max(args.net.prefixlen, args.net.max_prefixlen - 8, args.net.prefixlen + (len(nodes) - 1).bit_length())
    if bits > args.net.max_prefixlen or args.net.prefixlen + (len(nodes) - 1).bit_length() > bits:
        sys.exit(f"import_topology.py: --net {args.net} has no room for {len(nodes)} nodes")
    prefixes = args.net.subnets(new_prefix=bits)
    known = [k for k in (kilometres(nodes[e.a], nodes[e.b]) for e in links) if k]
    usual = round(statistics.mean(known)) if known else 1
    out = {"format": "p4p-topology/1", "provider": args.provider, "asns": [args.asn],
           "pids": [{"pid": pids[k], "prefixes": [str(next(prefixes))]} for k in nodes], "links": [], "interconnects": []}
    for name, e in zip(names([f"{pids[e.a]}-{pids[e.b]}" for e in links]), links):
        mbps = args.capacity_mbps or e.mbps
        out["links"].append({"id": name, "a": pids[e.a], "b": pids[e.b],
                             "weight": kilometres(nodes[e.a], nodes[e.b]) or usual,
                             **({"capacity_mbps": mbps} if mbps else {})})
    degree = collections.Counter(pids[k] for e in links for k in (e.a, e.b))
    for i, pid in enumerate(args.transit or [max(pids.values(), key=lambda p: degree[p])]):
        if pid not in pids.values():
            sys.exit(f"import_topology.py: --transit {pid}: must be one of {', '.join(sorted(pids.values()))}")
        out["interconnects"].append({"id": f"transit-{i + 1}", "pid": pid, "neighbor_asn": args.transit_asn,
                                     "relation": "transit", "reach": "any"})
    return out


def dump(doc):
    """One entry a line, as people write these documents."""
    parts = []
    for key, value in doc.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            parts.append(f"{json.dumps(key)}: [\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{" + ",\n ".join(parts) + "}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--provider", help="its name (the file's)")
    parser.add_argument("--asn", type=int, default=64500, help="its ASN (%(default)s)")
    parser.add_argument("--net", type=ipaddress.ip_network, default="10.0.0.0/16",
                        help="what its PIDs share out (%(default)s)")
    parser.add_argument("--capacity-mbps", type=int, default=0, help="of every link, instead of the file's")
    parser.add_argument("--transit", action="append", metavar="PID", help="where transit is bought; may be "
                        "repeated (the PID with most links)")
    parser.add_argument("--transit-asn", type=int, default=64511, help="from whom (%(default)s)")
    args = parser.parse_args()
    args.provider = args.provider or names([args.file.stem])[0]
    args.net = ipaddress.ip_network(args.net)
    nodes, links = read(args.file)
    kept, links = largest_part(nodes, links)
    if len(kept) < len(nodes):
        print(f"import_topology.py: {args.file}: {len(nodes) - len(kept)} of {len(nodes)} nodes have no link to "
              "the others and are left out", file=sys.stderr)
    print(dump(document(args, kept, links)))


if __name__ == "__main__":
    main()
