// SPDX-License-Identifier: Apache-2.0
"use strict";
/*
 * The dashboard: GET /v1/reports/balance as a table, GET /v1/reports/series as a chart.
 *
 * The token comes from the form, or from "/#token=..." (a fragment never reaches a server), and
 * lives in sessionStorage. Totals beyond 2^53 lose digits in JSON.parse; that is below what is
 * shown here, and "Download CSV" hands the server's own digits through.
 */

const REFRESH_MS = 30000;
const SOURCES = ["flow", "counter", "announce"]; // the most trusted first
const SOURCE_TEXT = {
	flow: "flow", counter: "counter", announce: "announces",
};

const state = { token: "", report: null, selected: "", bin: null }; // bin: the one that is read in the chart

const $ = (selector) => document.querySelector(selector);

/* ---- small makers ---- */

function element(name, text = "", className = "") {
	const e = document.createElement(name);
	e.textContent = text;
	if (className) e.className = className;
	return e;
}

function svg(name, attributes, text = "") {
	const e = document.createElementNS("http://www.w3.org/2000/svg", name);
	for (const key in attributes) e.setAttribute(key, attributes[key]);
	e.textContent = text;
	return e;
}

/* ---- units ---- */

function scaled(value, unit) {
	const prefixes = ["", "k", "M", "G", "T", "P", "E"];
	let n = Number(value), i = 0;
	while (n >= 999.5 && i < prefixes.length - 1) {
		n /= 1000;
		i++;
	}
	const digits = n === 0 || i === 0 ? 0 : n < 9.995 ? 2 : n < 99.95 ? 1 : 0;
	return `${n.toFixed(digits)} ${prefixes[i]}${unit}`;
}

const bytes = (n) => scaled(n, "B");
const rate = (n) => scaled(n, "bit/s");

function ratioText(ratio) {
	if (ratio === null) return "nothing in";
	const digits = (x) => (x < 99.95 ? x.toFixed(2) : x.toFixed(0));
	return ratio >= 1 || ratio === 0 ? `${digits(ratio)}:1` : `1:${digits(1 / ratio)}`;
}

const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 16);
const dayAndClock = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
const seconds = (time) => (typeof time === "number" ? time : Date.parse(time) / 1000);

/* ---- talking to the API ---- */

class Refused extends Error {
	constructor(status, detail) {
		super(detail);
		this.status = status;
	}
}

async function get(path) {
	let answer;
	try {
		answer = await fetch(path, { headers: { Authorization: `Bearer ${state.token}` } });
	} catch {
		throw new Refused(0, "The server does not answer. Is p4pd running?");
	}
	if (answer.ok) return answer;
	const problem = await answer.json().catch(() => ({}));
	throw new Refused(answer.status, problem.detail || answer.statusText);
}

const getJSON = async (path) => (await get(path)).json();

const query = (parameters) => new URLSearchParams(parameters).toString();

/* ---- what a row says ---- */

const key = (link) => `${link.provider}/${link.interconnect}`;
const bestSource = (link) => SOURCES.find((s) => link.sources[s]);
const isEstimate = (source) => source === "announce";

/* How far from even, in units of the limit: above 1 it is over. */
function strain(link) {
	const source = bestSource(link);
	const ratio = source ? link.sources[source].ratio : null; // null: nothing came in
	if (ratio === null) return 0;
	return Math.abs(Math.log(Math.max(ratio, 1e-3))) / Math.log(Math.max(link.ratio_limit || 2, 1.001));
}

const VERDICTS = { // worst first
	breach: { text: "✗ over the limit", className: "bad" },
	warn: { text: "! near the limit", className: "warn" },
	ok: { text: "✓ inside the limit", className: "good" },
	"no-limit": { text: "no limit", className: "muted" },
	"no-data": { text: "no figures yet", className: "muted" },
};

function worstFirst(a, b) {
	const order = Object.keys(VERDICTS), place = (link) => order.indexOf(link.verdict);
	return place(a) - place(b) || strain(b) - strain(a) || key(a).localeCompare(key(b));
}

/* From 1:16 to 16:1, logarithmic; the band is what the limit allows, the needle what is. */
function gauge(ratio, limit) {
	const width = 110, span = Math.log(16);
	const x = (value) => {
		const at = Math.max(-span, Math.min(span, Math.log(Math.max(value, 1e-9))));
		return width / 2 + (at / span) * (width / 2 - 6);
	};
	const picture = svg("svg", { width, height: 22, "aria-hidden": "true" });
	picture.append(svg("rect", { class: "track", x: 3, y: 9, width: width - 6, height: 4, rx: 2 }));
	if (limit) picture.append(svg("rect", { class: "allowed", x: x(1 / limit), y: 6, width: x(limit) - x(1 / limit), height: 10 }));
	picture.append(svg("line", { class: "even", x1: x(1), x2: x(1), y1: 4, y2: 18 }));
	const over = limit && (ratio > limit || ratio < 1 / limit);
	picture.append(svg("rect", { class: over ? "needle over" : "needle", x: x(ratio) - 2, y: 2, width: 4, height: 18 }));
	return picture;
}

function ratioCell(figures, limit) {
	const cell = element("td", "", "ratio");
	if (figures.ratio !== null) cell.append(gauge(figures.ratio, limit));
	cell.append(ratioText(figures.ratio));
	cell.append(element("span", limit ? ` of ${limit}:1` : "", "muted"));
	return cell;
}

function sourceCell(source, figures) {
	const cell = element("td", `${SOURCE_TEXT[source]} `);
	if (isEstimate(source)) {
		const tag = element("span", "estimate", "tag");
		tag.title = "Worked out from what clients announce, not measured on the link";
		cell.append(tag);
	}
	if (figures.bins_known < figures.bins_expected) {
		const bins = element("span", ` ${figures.bins_known}/${figures.bins_expected} bins`, "below");
		bins.title = "bins that were counted, of those in the window";
		cell.append(bins);
	}
	return cell;
}

function figureCells(link) {
	const source = bestSource(link);
	if (!source) return Array.from({ length: 6 }, () => element("td"));
	const f = link.sources[source], about = isEstimate(source) ? "≈ " : "";
	return [
		element("td", about + bytes(f.out_bytes), "figure"),
		element("td", about + bytes(f.in_bytes), "figure"),
		ratioCell(f, link.ratio_limit),
		element("td", about + rate(f.p95_out_bps), "figure"),
		element("td", about + rate(f.p95_in_bps), "figure"),
		sourceCell(source, f),
	];
}

function row(link) {
	const heads = $("#links thead tr").cells;
	const tr = element("tr");
	tr.tabIndex = -1;
	tr.dataset.key = key(link);
	tr.setAttribute("aria-selected", key(link) === state.selected);
	const name = element("th", `${link.interconnect} `);
	name.scope = "row";
	name.append(element("span", link.provider, "below"));
	const verdict = VERDICTS[link.verdict] || { text: link.verdict, className: "" };
	const neighbour = element("td", `AS${link.neighbor_asn} `);
	neighbour.append(element("span", link.relation, "below"));
	const judged = element("td", `${verdict.text} `, verdict.className);
	if (link.policies.length > 0) {
		const policies = element("span", `policies: ${link.policies.join(", ")}`, "below");
		policies.title = "They judge it by their own windows and metrics, and may say otherwise: p4pctl policies";
		judged.append(policies);
	}
	tr.append(name, judged, neighbour, ...figureCells(link));
	[...tr.cells].forEach((cell, i) => {
		if (i > 2) cell.dataset.label = heads[i].textContent; // shown where the row is folded
	});
	tr.onclick = () => choose(link);
	tr.onfocus = () => setTabStop(tr);
	tr.onkeydown = (event) => {
		const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
		if (event.key === "Enter" || event.key === " ") choose(link);
		else if (step) tr[step]?.focus();
		else return;
		event.preventDefault();
	};
	return tr;
}

/* ---- the table ---- */

/* Tab stops at one row, the arrow keys go on from there: the chart is not two thousand stops away. */
function setTabStop(stop) {
	for (const tr of $("#links tbody").children) tr.tabIndex = tr === stop ? 0 : -1;
}

function isFiltered(link) {
	const words = $("#filter").value.toLowerCase().split(/\s+/).filter(Boolean);
	const text = `${key(link)} as${link.neighbor_asn} ${link.relation}`.toLowerCase();
	return words.every((word) => text.includes(word));
}

function showTable() {
	const { from, to, bin_seconds: bin, interconnects } = state.report;
	const links = interconnects.filter(isFiltered).sort(worstFirst);
	const focused = document.activeElement?.dataset?.key;
	const rows = links.map(row), find = (name) => rows.find((tr) => tr.dataset.key === name);
	$("#links tbody").replaceChildren(...rows);
	setTabStop(find(state.selected) || rows[0]);
	if (focused) find(focused)?.focus({ preventScroll: true });
	$("#links").hidden = interconnects.length === 0;
	$("#scope").textContent = `${dayAndClock(seconds(from))} to ${dayAndClock(seconds(to))} UTC, ` +
		`in bins of ${bin % 60 ? `${bin} s` : `${bin / 60} min`}. Out leaves the provider's network.`;
	$("#definitions").replaceChildren(...Object.entries(state.report.definitions).flatMap(
		([word, meaning]) => [element("dt", word), element("dd", meaning)]));
	if (interconnects.length === 0)
		say("No provider has an interconnect in force yet. Upload a topology: p4pctl topology put FILE");
	else if (links.length === 0) say("No interconnect matches the filter.");
	else say("");
	return links;
}

function say(text, trouble = false) {
	const box = $("#message");
	if (box.textContent !== text) box.textContent = text;
	box.classList.toggle("trouble", trouble);
}

/* ---- the chart: out above, in below zero ---- */

const FRAME = { height: 280, left: 84, right: 12, top: 10, bottom: 24 };

/* About `n` steps of 1, 2 or 5 times a power of ten. */
function niceStep(span, n) {
	const rough = span / n, power = 10 ** Math.floor(Math.log10(rough));
	return power * [1, 2, 5, 10].find((m) => power * m >= rough);
}

function scales(width, from, to, up, down) {
	const step = niceStep(Math.max(up + down, 1), 5);
	const top = Math.max(Math.ceil(up / step), 1) * step;
	const bottom = Math.max(Math.ceil(down / step), 1) * step;
	const plotHeight = FRAME.height - FRAME.top - FRAME.bottom;
	const plotWidth = width - FRAME.left - FRAME.right;
	return {
		step, top, bottom,
		x: (t) => FRAME.left + ((t - from) / (to - from)) * plotWidth,
		y: (v) => FRAME.top + ((top - v) / (top + bottom)) * plotHeight,
	};
}

function drawAxes(picture, s, width, from, to) {
	for (let v = -s.bottom; v <= s.top + s.step / 2; v += s.step) {
		const y = s.y(v), zero = Math.abs(v) < s.step / 2;
		picture.append(
			svg("line", { class: zero ? "zero" : "grid", x1: FRAME.left, x2: width - FRAME.right, y1: y, y2: y }),
			svg("text", { x: FRAME.left - 6, y: y + 4, "text-anchor": "end" }, zero ? "0" : rate(Math.abs(v))));
	}
	const room = Math.max(2, Math.floor((width - FRAME.left) / 70));
	const tick = [60, 300, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400].find((t) => (to - from) / t <= room) || 604800;
	for (let t = Math.ceil(from / tick) * tick; t <= to; t += tick) {
		picture.append(
			svg("line", { class: "grid", x1: s.x(t), x2: s.x(t), y1: FRAME.top, y2: FRAME.height - FRAME.bottom }),
			svg("text", { x: s.x(t), y: FRAME.height - 6, "text-anchor": t > to - tick / 3 ? "end" : "middle" }, clock(t)));
	}
}

/* Runs of bins without a gap; a missing bin is not zero, so nothing is drawn there. */
function runsOf(points, bin) {
	const runs = [];
	for (const point of points) {
		const run = runs[runs.length - 1];
		if (run && run[run.length - 1][0] + bin === point[0]) run.push(point);
		else runs.push([point]);
	}
	return runs;
}

/* A bin is a mean over its time, so it is drawn as a step. */
function drawCurve(picture, s, runs, bin, direction) {
	const column = direction === "out" ? 1 : 2, sign = direction === "out" ? 1 : -1;
	for (const run of runs) {
		const steps = run.map((p) => {
			const y = s.y((sign * p[column] * 8) / bin).toFixed(1);
			return `${s.x(p[0]).toFixed(1)},${y} ${s.x(p[0] + bin).toFixed(1)},${y}`;
		}).join(" ");
		const ends = [run[0][0], run[run.length - 1][0] + bin].map((t) => s.x(t).toFixed(1));
		picture.append(
			svg("polygon", { class: `area ${direction}`, points: `${ends[0]},${s.y(0)} ${steps} ${ends[1]},${s.y(0)}` }),
			svg("polyline", { class: `curve ${direction}`, points: steps }));
	}
}

function drawPercentile(picture, s, width, value, direction) {
	const y = s.y(direction === "out" ? value : -value);
	picture.append(
		svg("line", { class: `p95 ${direction}`, x1: FRAME.left, x2: width - FRAME.right, y1: y, y2: y }),
		svg("text", { class: direction, x: width - FRAME.right - 4, y: direction === "out" ? y - 4 : y + 14, "text-anchor": "end" },
			`95th ${direction} ${rate(value)}`));
}

/* Follows the pointer or the arrow keys, and reads the bin there. */
function addCursor(box, picture, s, points, bin, summary) {
	const line = svg("line", { class: "cursor", y1: FRAME.top, y2: FRAME.height - FRAME.bottom, visibility: "hidden" });
	let at = points.length;
	picture.append(line);
	const show = (i) => {
		at = Math.max(0, Math.min(points.length - 1, i));
		const [t, out, in_] = points[at], x = s.x(t + bin / 2);
		state.bin = t;
		line.setAttribute("x1", x);
		line.setAttribute("x2", x);
		line.setAttribute("visibility", "visible");
		$("#readout").textContent = `${dayAndClock(t)} UTC: out ${rate((out * 8) / bin)}, in ${rate((in_ * 8) / bin)}`;
	};
	const hide = () => {
		state.bin = null;
		line.setAttribute("visibility", "hidden");
		$("#readout").textContent = summary;
	};
	picture.onpointerdown = picture.onpointermove = (event) => {
		const x = event.clientX - picture.getBoundingClientRect().left;
		let best = 0;
		points.forEach((p, i) => {
			if (Math.abs(s.x(p[0] + bin / 2) - x) < Math.abs(s.x(points[best][0] + bin / 2) - x)) best = i;
		});
		show(best);
	};
	picture.onpointerleave = (event) => event.pointerType === "touch" || hide();
	box.onblur = hide;
	if (state.bin !== null) show(points.findIndex((p) => p[0] >= state.bin)); // drawn anew while it was read
	box.onkeydown = (event) => {
		const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12, Home: -Infinity, End: Infinity }[event.key];
		if (step === undefined) return;
		event.preventDefault();
		show(at + step);
	};
}

function describe(link, source, figures) {
	const limit = link.ratio_limit;
	return `${isEstimate(source) ? "Estimate. " : ""}Out ${bytes(figures.out_bytes)}, in ${bytes(figures.in_bytes)}, ` +
		`ratio out:in ${ratioText(figures.ratio)}${limit ? ` (limit ${limit}:1)` : ""}. ` +
		`95th percentile: out ${rate(figures.p95_out_bps)}, in ${rate(figures.p95_in_bps)}.`;
}

function drawChart(link, source, series) {
	const box = $("#chart"), width = Math.max(240, box.clientWidth);
	const figures = link.sources[source], { bin_seconds: bin, points } = series;
	const from = seconds(state.report.from), to = seconds(state.report.to);
	const most = (column, p95) => points.reduce((m, p) => Math.max(m, (p[column] * 8) / bin), p95);
	const s = scales(width, from, to, most(1, figures.p95_out_bps), most(2, figures.p95_in_bps));
	const picture = svg("svg", { width, height: FRAME.height });
	drawAxes(picture, s, width, from, to);
	const runs = runsOf(points, bin);
	drawCurve(picture, s, runs, bin, "out");
	drawCurve(picture, s, runs, bin, "in");
	drawPercentile(picture, s, width, figures.p95_out_bps, "out");
	drawPercentile(picture, s, width, figures.p95_in_bps, "in");
	const summary = describe(link, source, figures);
	$("#readout").textContent = summary;
	box.setAttribute("aria-label", `${summary} Arrow keys read single bins.`);
	addCursor(box, picture, s, points, bin, summary);
	box.replaceChildren(picture);
	$("#points").replaceChildren(...points.map((p) => {
		const tr = element("tr");
		tr.append(element("td", dayAndClock(p[0])), element("td", bytes(p[1]), "figure"), element("td", bytes(p[2]), "figure"));
		return tr;
	}));
}

async function showChart(link) {
	const source = bestSource(link);
	const series = source && await getJSON(`/v1/reports/series?${query({
		provider: link.provider, interconnect: link.interconnect, source,
		from: seconds(state.report.from), to: seconds(state.report.to),
	})}`);
	if (state.selected !== key(link)) return;
	$("#traffic").hidden = false;
	$("#traffic-title").textContent = `${key(link)} to AS${link.neighbor_asn}: out above, in below zero` +
		(source && isEstimate(source) ? " (estimate)" : "");
	for (const part of $("#traffic").querySelectorAll("#chart, details")) part.hidden = !source;
	if (source) drawChart(link, source, series);
	else $("#readout").textContent = "Nothing was counted on this interconnect in this window.";
}

/* ---- what the user does ---- */

async function select(link) {
	state.selected = key(link);
	for (const tr of $("#links tbody").children)
		tr.setAttribute("aria-selected", tr.dataset.key === state.selected);
	await showChart(link).catch(trouble);
}

async function choose(link) {
	state.bin = null;
	await select(link);
	$("#traffic").scrollIntoView({ block: "nearest" });
}

function trouble(error) {
	if (error.status === 401) {
		askForToken("That token is not known to this server.");
		return;
	}
	const away = error.status === 503 ? " The figures shown may be old; trying again." : "";
	say(`${error.message}${away}`, true);
}

function askForToken(why = "") {
	sessionStorage.removeItem("token");
	state.token = state.selected = "";
	for (const id of ["#links", "#traffic", "#tools"]) $(id).hidden = true;
	$("#login").hidden = false;
	$("#token").value = "";
	$("#token").focus();
	say(why, why !== "");
}

async function refresh() {
	if (!state.token) return;
	try {
		state.report = await getJSON("/v1/reports/balance");
		$("#tools").hidden = false;
		if ($("#login").contains(document.activeElement)) $("#filter").focus();
		$("#login").hidden = true;
		sessionStorage.setItem("token", state.token);
		const shown = showTable();
		const link = state.report.interconnects.find((l) => key(l) === state.selected) || shown[0];
		if (link) await select(link);
	} catch (error) {
		trouble(error);
	}
}

async function download() {
	const answer = await get("/v1/reports/balance?format=csv");
	const link = element("a");
	link.href = URL.createObjectURL(await answer.blob());
	link.download = "balance.csv";
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function start() {
	const given = new URLSearchParams(location.hash.slice(1)).get("token");
	if (given) history.replaceState(null, "", location.pathname);
	state.token = given || sessionStorage.getItem("token") || "";
	$("#login").onsubmit = (event) => {
		event.preventDefault();
		state.token = $("#token").value.trim();
		refresh();
	};
	$("#filter").oninput = () => showTable();
	$("#csv").onclick = () => download().catch(trouble);
	$("#leave").onclick = () => askForToken();
	let pending, width = innerWidth;
	addEventListener("resize", () => {
		if (innerWidth === width) return; // a phone's keyboard and address bar come and go
		width = innerWidth;
		clearTimeout(pending);
		pending = setTimeout(refresh, 200);
	});
	setInterval(() => document.hidden || refresh(), REFRESH_MS);
	if (state.token) refresh();
	else askForToken();
}

start();
