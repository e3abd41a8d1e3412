# SPDX-License-Identifier: Apache-2.0
"""swarmbed's map as the documents of its ISPs: {provider: (p4p-topology/1, p4p-costs/1)}.

Each ISP is a provider; its PIDs hang on a PID without prefixes that has the ISP's name, where the
interconnects end. Transit networks upload nothing. Of an interconnect of kind transit, `a` is the one who
pays. Costs are the map's, the same in both directions.
"""


def documents(network):
    asn = {one["id"]: one["asn"] for one in network["isps"] + network["transits"]}
    return {isp["id"]: (topology(network, isp, asn), costs(network, isp)) for isp in network["isps"]}


def edges(network, isp):
    """(interconnect, the network on its other side) of one ISP."""
    for edge in network["interconnects"]:
        if isp["id"] in (edge["a"], edge["b"]):
            yield edge, edge["b"] if edge["a"] == isp["id"] else edge["a"]


def relation(edge, isp):
    return "customer" if edge["kind"] == "transit" and edge["b"] == isp["id"] else edge["kind"]


def topology(network, isp, asn):
    own = {isp["id"], *isp["pids"]}
    return {
        "format": "p4p-topology/1", "provider": isp["id"], "asns": [isp["asn"]],
        "pids": [{"pid": p["pid"], "prefixes": p["prefixes"]} for p in network["pids"] if p["isp"] == isp["id"]]
                + [{"pid": isp["id"]}],
        "links": [{"id": f"{link['a']}-{link['b']}", "a": link["a"], "b": link["b"], "weight": link["cost"]}
                  for link in network["links"] if {link["a"], link["b"]} <= own],
        "interconnects": [
            {"id": edge["id"], "pid": isp["id"], "neighbor_asn": asn[other],
             "relation": relation(edge, isp), "capacity_mbps": edge["capacity_mbit"],
             "reach": "any" if relation(edge, isp) == "transit" else "neighbor"}
            for edge, other in edges(network, isp)]}


def costs(network, isp):
    return {
        "format": "p4p-costs/1", "provider": isp["id"],
        "pid_costs": {a: {b: network["pid_cost"][a][b] for b in isp["pids"]} for a in isp["pids"]},
        "interconnect_costs": {edge["id"]: {"out": edge["cost"], "in": edge["cost"]}
                               for edge, _ in edges(network, isp)}}
