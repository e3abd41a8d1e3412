# SPDX-License-Identifier: Apache-2.0
"""What swarms come to: means over the runs of a tracker, their ratios to the baseline, the table, the bars.

A figure that some run does not have (nobody finished) is None, which meets no bar.
"""
import statistics

BUSY = 0.92  # of the CPU; above it swarmbed's times are not valid
RATIOS = ("transit", "median", "p95")

# (figure, at most); x_ is a ratio to the baseline
BARS = {
    "default": [("transit", 0.05), ("copies_max", 3), ("x_median", 1.0), ("x_p95", 1.0)],
    "case": [("x_transit", 0.2), ("x_median", 1.05), ("x_p95", 1.05)],
    # Clients tell each other of all peers: nobody's lists decide who meets. Never worse is all there is.
    "pex-public": [("x_transit", 1.0), ("x_median", 1.0), ("x_p95", 1.0)],
}


def of_run(result, network):
    """One run's figures, from swarmbed's result and its map."""
    share, times = result["share"], result["completion_s"]
    home = {p["pid"]: p["isp"] for p in network["pids"]}
    seeded = {home[pid] for pid in result["config"]["seed_pid"].split(",")}
    foreign = [n for isp, n in result["copies_in"].items() if isp not in seeded]
    return {"transit": share["transit"], "settlement_free": share["settlement_free"],
            "inside": share["intra_pid"] + share["intra_isp"],
            **{f"copies_{isp}": n for isp, n in result["copies_in"].items()},
            "copies_max": max(foreign, default=0),
            "median": times["median"], "p95": times["p95"],
            "unfinished": result["unfinished"], "busy": result["cpu_busy"]}


def mean(values):
    return None if None in values else statistics.mean(values)


def rows(runs, baseline):
    """{tracker: [figures of a run, ...]} -> {tracker: means}, with ratios; unfinished is a sum, busy the most."""
    means = {}
    for tracker, each in runs.items():
        means[tracker] = {k: mean([run[k] for run in each]) for k in each[0]}
        means[tracker].update(runs=len(each), unfinished=sum(run["unfinished"] for run in each),
                              busy=max(run["busy"] for run in each))
    base = means[baseline]
    for row in means.values():
        for k in RATIOS:
            row[f"x_{k}"] = row[k] / base[k] if base[k] and row[k] is not None else None
    return means


def table(title, means):
    """A line for each tracker."""
    isps = [k.removeprefix("copies_") for k in next(iter(means.values())) if k.startswith("copies_")]
    isps.remove("max")

    def cell(value, form, width):
        return f"{'-' if value is None else format(value, form):>{width}}"
    lines = [title, f"{'tracker':14}{'runs':>5}{'transit':>9}{'settl.-free':>13}{'inside ISP':>12}"
             + "".join(f"{'copies ' + isp:>10}" for isp in isps)
             + f"{'median s':>10}{'p95 s':>8}{'unfinished':>12}{'cpu_busy':>10}"
             + "".join(f"{'x ' + k:>11}" for k in RATIOS)]
    for tracker, row in means.items():
        lines.append(f"{tracker:14}{row['runs']:5}" + cell(row["transit"], ".3f", 9)
                     + cell(row["settlement_free"], ".3f", 13) + cell(row["inside"], ".3f", 12)
                     + "".join(cell(row[f"copies_{isp}"], ".1f", 10) for isp in isps)
                     + cell(row["median"], ".1f", 10) + cell(row["p95"], ".1f", 8)
                     + cell(row["unfinished"], "d", 12) + cell(row["busy"], ".0%", 10)
                     + "".join(cell(row[f"x_{k}"], ".3f", 11) for k in RATIOS))
    return "\n".join(lines)


def judge(row, base, bars):
    """[(figure, value, at most, verdict)]: pass, MISSED, or not valid: the machine was too busy for times."""
    verdicts = []
    for figure, most in [("unfinished", 0), *bars]:
        value = row[figure]
        if figure in ("x_median", "x_p95") and max(row["busy"], base["busy"]) >= BUSY:
            verdict = "not valid"
        else:
            verdict = "pass" if value is not None and value <= most else "MISSED"
        verdicts.append((figure, value, most, verdict))
    return verdicts
