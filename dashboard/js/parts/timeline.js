/* A job's life as bars on the nodes it ran on, one lane a node, with its moves between them. */
import { h, s } from "../lib/dom.js";
import { microjoules, span, time, isaName } from "../lib/format.js";

const LANE = 34, BAR = 20, TOP = 8, AXIS = 26;

function niceStep(ms, most) {
	const steps = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000, 1800000, 3600000, 7200000, 21600000, 43200000, 86400000];
	return steps.find((x) => ms / x <= most) ?? Math.ceil(ms / most / 86400000) * 86400000;
}

/** segments, moves of the job, job; width in pixels. */
export function timeline(job, segments, moves, now, width) {
	const from = job.submitted_ms, to = Math.max(job.ended_ms ?? now, from + 1);
	const lanes = [...new Map(segments.map((x) => [x.node, x.isa])).entries()].sort((a, b) => (a[1] === b[1] ? a[0].localeCompare(b[0], "en", { numeric: true }) : a[1] === "x86_64" ? -1 : 1));
	const em = parseFloat(getComputedStyle(document.documentElement).fontSize);
	const left = Math.min(width * 0.3, Math.max(64, ...lanes.map(([n]) => n.length * em * 0.56 + 26)));
	const plot = Math.max(40, width - left - 10);
	const x = (ms) => left + ((ms - from) / (to - from)) * plot;
	const waits = segments.length ? Math.min(...segments.map((g) => g.from_ms)) : to;
	const rows = lanes.map(([n]) => n);
	const y = (node) => TOP + (rows.indexOf(node) + 1) * LANE;
	const height = TOP + (rows.length + 1) * LANE + AXIS;
	const el = s("svg", { class: "timeline", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Timeline: ${segments.length} segments on ${rows.join(", ") || "no node"}; the table below says the same` });

	/* times */
	const step = niceStep(to - from, Math.max(2, plot / 110)), base = height - AXIS;
	for (let t = step < 1000 ? from : Math.ceil(from / step) * step; t <= to; t += step) {
		if (x(t) > left + plot - 20) break;
		el.append(s("line", { class: "tl-tick", x1: x(t), x2: x(t), y1: TOP, y2: base + 4 }), s("text", { class: "tl-time", x: x(t), y: base + 18, "text-anchor": x(t) - left < 30 ? "start" : "middle" }, step < 1000 ? `+${span(t - from)}` : time(t)));
	}
	/* waiting */
	el.append(s("text", { class: "tl-name", x: 0, y: TOP + LANE / 2, "dominant-baseline": "middle" }, "waiting"),
		s("rect", { class: "tl-wait", x: x(from), y: TOP + (LANE - BAR) / 2, width: Math.max(2, x(waits) - x(from)), height: BAR, rx: 3 }, s("title", {}, `waited ${span(waits - from)}`)));
	if (x(waits) - x(from) > 60) el.append(s("text", { class: "tl-note", x: x(from) + 6, y: TOP + LANE / 2, "dominant-baseline": "middle" }, span(waits - from)));
	for (const [node, isa] of lanes) {
		el.append(s("line", { class: "tl-lane", x1: left, x2: left + plot, y1: y(node) + LANE / 2, y2: y(node) + LANE / 2 }),
			isa === "aarch64" ? s("circle", { class: "tl-mark", "data-isa": isa, cx: 5, cy: y(node) + LANE / 2, r: 4 }) : s("rect", { class: "tl-mark", "data-isa": isa, x: 1, y: y(node) + LANE / 2 - 4, width: 8, height: 8 }),
			s("text", { class: "tl-name", x: 16, y: y(node) + LANE / 2, "dominant-baseline": "middle" }, node));
	}
	segments.forEach((g, i) => {
		const end = g.to_ms ?? to, w = Math.max(3, x(end) - x(g.from_ms)), top = y(g.node) + (LANE - BAR) / 2;
		const label = microjoules(g.energy_uj), next = segments[i + 1];
		el.append(s("rect", { class: "tl-bar", "data-isa": g.isa, "data-open": g.to_ms ? null : "1", x: x(g.from_ms), y: top, width: w, height: BAR, rx: 3 },
			s("title", {}, `${g.node} (${isaName(g.isa)}${g.emulated ? ", emulated" : ""}): ${span(end - g.from_ms)}, ${label}, ${g.energy_kind ?? "not metered"}`)));
		if (w > label.length * em * 0.62 + 8) el.append(s("text", { class: "tl-joules", "data-isa": g.isa, x: x(g.from_ms) + 6, y: top + BAR / 2, "dominant-baseline": "middle" }, label));
		if (next && next.node !== g.node) el.append(s("line", { class: "tl-hop", x1: x(end), x2: x(next.from_ms), y1: y(g.node) + LANE / 2, y2: y(next.node) + LANE / 2 }));
	});
	for (const m of moves.filter((v) => v.state === "ABORTED" && rows.includes(v.from)))
		el.append(s("text", { class: "tl-abort", x: x(m.requested_ms), y: y(m.from) + LANE / 2, "text-anchor": "middle", "dominant-baseline": "middle" }, "✕", s("title", {}, `move to ${m.to} aborted: ${m.error ?? m.reason}`)));
	return el;
}

/** The segments as a table: joules of each, predicted beside actual. */
export function segmentTable(segments, marks) {
	const known = (v) => v !== null && v !== undefined;
	const some = segments.some((g) => known(g.predicted_j));
	const head = (name, num) => h("th", { scope: "col", class: num ? "num" : null }, name);
	return h("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Segments" }, h("table", { class: "table" },
		h("thead", {}, h("tr", {}, head("Node"), head("ISA"), head("Energy", true), some ? head("Predicted", true) : null, head("Source"), head("From", true), head("Ran", true), head("CPU time", true), head("Ended by"))),
		h("tbody", {}, segments.map((g) => h("tr", {}, h("td", { class: "nowrap" }, g.node, g.attempt > 1 ? h("span", { class: "muted" }, ` attempt ${g.attempt}`) : null), h("td", {}, marks.isa(g.isa), g.emulated ? " " : null, g.emulated ? marks.emulated() : null),
			h("td", { class: "num" }, microjoules(g.energy_uj)), some ? h("td", { class: "num" }, known(g.predicted_j) ? microjoules(g.predicted_j * 1e6) : "–") : null, h("td", {}, marks.kind(g.energy_kind) ?? "–"),
			h("td", { class: "num" }, time(g.from_ms)), h("td", { class: "num" }, g.to_ms ? span(g.to_ms - g.from_ms) : "runs"), h("td", { class: "num" }, span(g.cpu_us / 1000)), h("td", {}, g.outcome ?? ""))))));
}
