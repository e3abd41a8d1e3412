#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/monitoring/generate.py [--check]

Writes deploy/monitoring/p4pd.rules.yml (Prometheus) and p4pd-dashboard.json (Grafana) from the tables of
metrics: server/metrics/counters.def, and what the daemon adds to /metrics itself. Every metric has a
place on the dashboard, with its help; an alert that names a metric that is not there is an error.
--check: write nothing, and say what is not as it should be.
"""
import json
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
STRING = r'"((?:[^"\\]|\\.)*)"'


def metrics():
    """{name: (kind, help)} in the order of /metrics."""
    found = {}
    table = (root / "server/metrics/counters.def").read_text()
    macros = dict(re.findall(rf"#define (\w+) {STRING}", table))
    cell = rf"(?:{STRING}|(\w+))"
    for row in re.findall(rf"^COUNTER\(\w+,\s*{cell},\s*{STRING},\s*{cell}\)", table, re.M):
        found.setdefault(row[0] or macros[row[1]], ("counter", row[3] or macros[row[4]]))
    for path in ("server/metrics/metrics.c", "server/app/gauges.c"):
        text = re.sub(r'"\s*\n\s*"', "", (root / path).read_text())
        for kind, name, help_ in re.findall(rf"metrics_(gauge|counter)\(\s*page,\s*{STRING},\s*{STRING}", text):
            found[name] = (kind, help_)
        for name, help_ in re.findall(rf"BY_PROTOCOL\(\s*{STRING},\s*{STRING}", text):
            found[name] = ("counter", help_)
        # What writes its own lines says its name first.
        for name, rest in re.findall(rf"name\[\] = {STRING};(.*?)\n}}", text, re.S):
            kind = re.search(r"# TYPE %s (\w+)|\"(histogram)\"", rest)
            help_ = re.search(rf'"# HELP %s ([^"\\]*)|page, name,\s*{STRING}', rest)
            found[name] = (kind[1] or kind[2], help_[1] or help_[2])
    return found


# name, expression, for, severity, what is wrong, what to do
ALERTS = [
    ("Down", 'up{job="p4pd"} == 0', "2m", "critical", "Prometheus does not reach p4pd",
     "journalctl -u p4pd. The scrape job must be called p4pd."),
    ("Restarting", "resets(p4pd_bins_closed_total[1h]) > 2", "0m", "warning", "p4pd was started again three times in an hour",
     "journalctl -u p4pd says why."),
    ("DatabaseAway", "p4pd_database_up == 0", "2m", "critical", "PostgreSQL does not answer",
     "Announces go on and bins are spooled; uploads, tokens and reports wait."),
    ("SpoolGrowing", "p4pd_spool_bins > 3 and deriv(p4pd_spool_bins[30m]) > 0", "15m", "warning",
     "closed bins wait for PostgreSQL, and more and more of them", "Look at PostgreSQL, and at room in state_dir."),
    ("FlowSpoolGrowing", "p4pd_flow_spool_bins > 3 and deriv(p4pd_flow_spool_bins[30m]) > 0", "15m", "warning",
     "closed bins of flows wait for PostgreSQL, and more and more of them", "Look at PostgreSQL, and at room in state_dir."),
    ("BinsSetAside", "increase(p4pd_bins_set_aside_total[1h]) > 0", "0m", "critical",
     "closed bins were refused by PostgreSQL, or are damaged; reports lack them", "Their files stay in the spool; the log names them."),
    ("FlowBinsLost", "increase(p4pd_flow_bins_lost_total[1h]) > 0", "0m", "critical",
     "bins of flows were forgotten because the disk took none", "Make room in state_dir."),
    ("AccountingDropped", "increase(p4pd_accounting_dropped_total[1h]) > 0", "0m", "warning",
     "bytes were not accounted because a table was full", "Fewer swarms or clients fit a bin than there are; tell its developers."),
    ("BinsStopped", "time() - p4pd_bin_open_start > 3900", "5m", "critical",
     "no bin was closed and written for an hour", "Look at the clock, at the log, and at room in state_dir."),
    ("RpkiOld", "p4pd_rpki_age_seconds > 12 * 3600", "0m", "warning", "the validated ROA payloads are older than 12 hours",
     "Does rpki-client or routinator still write rpki_file? Past rpki_max_age_hours a new one is refused."),
    ("RpkiRefused", "increase(p4pd_rpki_refusals_total[1h]) > 0", "0m", "warning", "a new rpki_file was refused",
     "The log says why; the old one is in use."),
    ("RpkiEmpty", "p4pd_rpki_vrps == 0", "10m", "critical", "there is no validated ROA payload, so nobody's prefixes are proven",
     "Look at rpki_file, and at the log."),
    ("NoMap", "p4pd_map_providers == 0", "30m", "info", "there is no map, so nobody is steered", "p4pctl topology put"),
    ("UdpDropped", "rate(p4pd_udp_dropped_total[5m]) > 1", "10m", "warning",
     "the kernel drops datagrams of clients", "BUSY SYSTEMS in p4pd(8): udp_workers, receive_buffer_kib, net.core.rmem_max."),
    ("UdpSendFailed", "rate(p4pd_udp_send_failed_total[5m]) > 1", "10m", "warning",
     "the kernel does not take replies", "The line or its queue is full, or a firewall refuses them."),
    ("FlowDropped", "rate(p4pd_flow_dropped_total[5m]) > 0", "10m", "warning",
     "the kernel drops flow exports, so books lack bytes", "flow_buffer_kib and net.core.rmem_max."),
    ("FlowLost", "rate(p4pd_flow_sequence_lost_total[15m]) > 0.01 * rate(p4pd_flow_records_total[15m])", "15m", "warning",
     "more than 1 % of the flow exports are lost on the way", "p4pctl exporters names whose."),
    ("FlowRefused", "rate(p4pd_flow_refused_total[15m]) > 1", "15m", "info",
     "datagrams come from exporters that no topology names", "p4pctl exporters; flow_exporters."),
    ("FlowSilent", "p4pd_flow_exporters > 0 and on (instance) sum by (instance) (rate(p4pd_flow_records_total[15m])) == 0", "15m", "warning",
     "exporters that were heard are silent", "p4pctl exporters names them."),
    ("HttpRefused", "rate(p4pd_http_refused_total[5m]) > 10", "10m", "warning",
     "HTTP connections are refused because one address has too many",
     "If that is a proxy of yours, list it in proxies; else it is http_connections_per_address doing its work."),
    ("HttpUnproxied", "rate(p4pd_http_unproxied_total[5m]) > 1", "10m", "info",
     "somebody who is no listed proxy speaks to listen_tracker_proxied", "A firewall should keep them off it."),
    ("RateLimited", "sum by (instance, what, of) (rate(p4pd_rate_limited_total[5m])) > 100", "15m", "info",
     "many requests are over the limits per minute", "Lines with flood in the log name whose."),
    ("PeersEvicted", "sum by (instance, reason) (rate(p4pd_peers_evicted_total[15m])) > 1", "30m", "warning",
     "peers have to go for newcomers", "limit_peers and limit_swarms are reached, or somebody fills swarms from one prefix."),
    ("BridgeFull", "rate(p4pd_bridge_refused_total[15m]) > 0", "30m", "warning",
     "there is no memory for who met whom, so budgets are not kept", "Raise limit_bridge_mib."),
    ("AnnouncesSlow", "histogram_quantile(0.99, sum by (instance, le) (rate(p4pd_announce_seconds_bucket[5m]))) > 0.01",
     "15m", "warning", "one announce in a hundred takes longer than 10 ms", "Too few cores, or a neighbour on them."),
    ("StoreFailures", "increase(p4pd_store_failures_total[15m]) > 5", "15m", "warning",
     "calls to PostgreSQL fail", "The log says which, and why."),
    ("AlarmsDropped", "increase(p4pd_alarm_events_dropped_total[1h]) > 0", "0m", "warning",
     "events of alarms were given up, or had no room", "p4pctl webhook list says what the receivers answer."),
    ("AlarmCritical", 'p4pd_alarms_firing{severity="critical"} > 0', "0m", "critical",
     "p4pd has alarms of its own: a ratio, a contract, bins", "p4pctl alarms"),
    ("AlarmWarning", 'p4pd_alarms_firing{severity="warning"} > 0', "0m", "warning",
     "p4pd has alarms of its own: a ratio, a port, a silent source, a stale map", "p4pctl alarms"),
]


def alerts_yaml(known):
    """The rules; values are written as JSON strings, which YAML is a superset of."""
    lines = ["# Generated by deploy/monitoring/generate.py from the tables of metrics.",
             "# In prometheus.yml: rule_files: [p4pd.rules.yml], and a scrape job that is called p4pd.",
             "groups:", "- name: p4pd", "  rules:"]
    for name, expression, hold, severity, what, remedy in ALERTS:
        for metric in re.findall(r"p4pd_\w+", expression):
            base = re.sub(r"_(bucket|sum|count)$", "", metric)
            if base not in known:
                sys.exit(f"alert {name}: there is no metric {metric}")
        lines += [f"  - alert: P4pd{name}", f"    expr: {json.dumps(expression)}", f"    for: {hold}",
                  "    labels:", f"      severity: {severity}", "    annotations:",
                  f"      summary: {json.dumps('{{ $labels.instance }}: ' + what)}",
                  f"      description: {json.dumps(remedy)}"]
    return "\n".join(lines) + "\n"


ROWS = [  # title, what its metrics begin with; the first that fits
    ("Flow collector", "p4pd_flow_"),
    ("Maps and prices", "p4pd_map_ p4pd_price_ p4pd_bridge_ p4pd_vrp_ p4pd_rpki_"),
    ("Accounting", "p4pd_bin p4pd_spool_ p4pd_accounting_ p4pd_reported_ p4pd_deltas_ p4pd_first_ p4pd_database_ p4pd_store_"),
    ("Swarms", "p4pd_swarm p4pd_seeds p4pd_leechers p4pd_partial_ p4pd_peers_ p4pd_snatches_"),
    ("API and alarms", "p4pd_api_ p4pd_alarm p4pd_auth_"),
    ("Tracker", "p4pd_"),
]


def panel(number, name, kind, help_, x, y):
    unit = "s" if name.endswith("_seconds") else "bytes" if name.endswith("_bytes") else \
        "dateTimeFromNow" if name.endswith("_start") else "short"
    selector = name + '{instance=~"$instance"}'
    if kind == "histogram":
        targets = [(f'histogram_quantile({q}, sum by (instance, le) (rate({name}_bucket{{instance=~"$instance"}}[$__rate_interval])))',
                    f"{{{{instance}}}} p{int(q * 100)}") for q in (0.5, 0.95, 0.99)]
    elif kind == "counter":
        unit = "Bps" if name.endswith("_bytes_total") else "cps"
        targets = [(f"rate({selector}[$__rate_interval])", "")]
    else:
        targets = [(selector + (" * 1000" if unit == "dateTimeFromNow" else ""), "")]
    return {"id": number, "type": "timeseries", "title": name.removeprefix("p4pd_").removesuffix("_total").replace("_", " "),
            "description": help_, "datasource": {"type": "prometheus", "uid": "${source}"},
            "gridPos": {"h": 7, "w": 8, "x": x, "y": y}, "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
            "targets": [{"refId": chr(65 + i), "expr": e, **({"legendFormat": legend} if legend else {})}
                        for i, (e, legend) in enumerate(targets)]}


def dashboard(known):
    rows = {title: [] for title, _ in ROWS}
    for name in known:
        rows[next(t for t, begins in ROWS if name.startswith(tuple(begins.split())))].append(name)
    panels, y, number = [], 0, 1
    for title in ["Tracker", *(t for t in rows if t != "Tracker")]:
        panels.append({"id": number, "type": "row", "title": title, "collapsed": False,
                       "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}, "panels": []})
        y, number = y + 1, number + 1
        for i, name in enumerate(rows[title]):
            panels.append(panel(number, name, *known[name], i % 3 * 8, y + i // 3 * 7))
            number += 1
        y += (len(rows[title]) + 2) // 3 * 7
    variables = [{"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
                 {"name": "instance", "type": "query", "label": "p4pd", "multi": True, "includeAll": True, "allValue": ".*",
                  "refresh": 2, "datasource": {"type": "prometheus", "uid": "${source}"},
                  "query": {"query": "label_values(p4pd_swarms, instance)", "refId": "instances"}}]
    return json.dumps({"uid": "p4pd", "title": "p4pd", "tags": ["p4pd"], "schemaVersion": 37, "editable": True,
                       "refresh": "1m", "time": {"from": "now-6h", "to": "now"}, "templating": {"list": variables},
                       "panels": panels}, indent=1) + "\n"


def main():
    known = metrics()
    bad = []
    for file, text in (("p4pd.rules.yml", alerts_yaml(known)), ("p4pd-dashboard.json", dashboard(known))):
        path = root / "deploy/monitoring" / file
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            bad.append(f"deploy/monitoring/{file}: not what the tables of metrics say; deploy/monitoring/generate.py writes it")
    print("\n".join(bad) or f"ok: {len(known)} metrics, {len(ALERTS)} alerts")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
