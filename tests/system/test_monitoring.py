# SPDX-License-Identifier: Apache-2.0
"""Alert rules and dashboard beside the daemon's own /metrics; called under with_p4pd."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/monitoring/p4pd.rules.yml"
promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool")
sys.path.insert(0, str(ROOT / "deploy/monitoring"))
import generate  # noqa: E402


@pytest.fixture(name="page", scope="module")
def page_():
    with urllib.request.urlopen(os.environ["P4PD_URL"] + "/metrics") as reply:
        return reply.read().decode()


def test_the_generator_reads_every_metric_of_the_page(page):
    told = dict(re.findall(r"^# TYPE (\w+) (\w+)$", page, re.M))
    read = {name: kind for name, (kind, _) in generate.metrics().items()}
    assert told.items() <= read.items()
    assert all(name.startswith("p4pd_rpki_") for name in read.keys() - told.keys())  # no rpki_file here
    for name, (_, help_) in generate.metrics().items():
        assert name not in told or f"# HELP {name} {help_}\n" in page


def test_every_metric_is_on_the_dashboard_once():
    panels = json.loads((ROOT / "deploy/monitoring/p4pd-dashboard.json").read_text())["panels"]
    shown = [m for p in panels if p["type"] != "row"
             for m in {re.search(r"p4pd_\w+", t["expr"])[0].removesuffix("_bucket") for t in p["targets"]}]
    assert sorted(shown) == sorted(generate.metrics())
    assert len({p["id"] for p in panels}) == len(panels)


@promtool
def test_prometheus_takes_page_and_rules(page):
    check = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, capture_output=True)
    assert check.returncode == 0, check.stdout + check.stderr
    check = subprocess.run(["promtool", "check", "rules", RULES], text=True, capture_output=True)
    assert check.returncode == 0, check.stdout + check.stderr


def fires(tmp_path, alert, at, series):
    """Whether the alert fires at that time when the series look like that (promtool's notation)."""
    test = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [
        {"interval": "1m", "input_series": [{"series": s, "values": v} for s, v in series.items()],
         "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": []}]}]}
    (tmp_path / "t.yml").write_text(json.dumps(test))  # which is YAML
    run = subprocess.run(["promtool", "test", "rules", tmp_path / "t.yml"], text=True, capture_output=True)
    said = run.stdout + run.stderr
    assert run.returncode == 0 or "exp:" in said, said
    return run.returncode != 0


@promtool
@pytest.mark.parametrize("alert, at, ill, well", [
    ("P4pdDown", "5m", {'up{job="p4pd"}': "0x9"}, {'up{job="p4pd"}': "1x9"}),
    ("P4pdDatabaseAway", "5m", {"p4pd_database_up": "1 0x9"}, {"p4pd_database_up": "1 0 1x9"}),
    ("P4pdSpoolGrowing", "50m", {"p4pd_spool_bins": "0+1x60"}, {"p4pd_spool_bins": "60-1x60"}),
    ("P4pdBinsSetAside", "5m", {'p4pd_bins_set_aside_total{reason="damaged"}': "0 0 1x9"},
     {'p4pd_bins_set_aside_total{reason="damaged"}': "7x9"}),
    ("P4pdUdpDropped", "30m", {"p4pd_udp_dropped_total": "0+600x60"}, {"p4pd_udp_dropped_total": "0+6x60"}),
    ("P4pdHttpRefused", "30m", {"p4pd_http_refused_total": "0+6000x60"}, {"p4pd_http_refused_total": "0+6x60"}),
    ("P4pdFlowLost", "50m", {'p4pd_flow_sequence_lost_total{protocol="ipfix"}': "0+50x60",
                             'p4pd_flow_records_total{protocol="ipfix"}': "0+1000x60"},
     {'p4pd_flow_sequence_lost_total{protocol="ipfix"}': "0+5x60",
      'p4pd_flow_records_total{protocol="ipfix"}': "0+1000x60"}),
    ("P4pdFlowSilent", "60m", {"p4pd_flow_exporters": "2x70", 'p4pd_flow_records_total{protocol="sflow"}': "0+9x9 90x70"},
     {"p4pd_flow_exporters": "2x70", 'p4pd_flow_records_total{protocol="sflow"}': "0+9x70"}),
    ("P4pdRpkiOld", "2m", {"p4pd_rpki_age_seconds": "43260+60x9"}, {"p4pd_rpki_age_seconds": "60+60x9"}),
    ("P4pdAlarmCritical", "2m", {'p4pd_alarms_firing{severity="critical"}': "1x9"},
     {'p4pd_alarms_firing{severity="warning"}': "1x9"}),
    ("P4pdRestarting", "59m", {"p4pd_bins_closed_total": "5 0 5 0 5 0 5x60"}, {"p4pd_bins_closed_total": "0+1x60"}),
])
def test_an_alert_fires_when_it_should_and_only_then(tmp_path, alert, at, ill, well):
    assert fires(tmp_path, alert, at, ill)
    assert not fires(tmp_path, alert, at, well)
