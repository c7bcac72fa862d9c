/* Power over time, stacked by node, ISA or meter, with a legend that says each value and where it comes from. */
import { h, fill, keyed, text, attr, every, eachFrame } from "../lib/dom.js";
import { get } from "../lib/api.js";
import { isaColor } from "../lib/palette.js";
import { watts, joules, time, plural, isaName } from "../lib/format.js";
import { store } from "../lib/store.js";
import { settings } from "../lib/settings.js";
import { Chart } from "./chart.js";
import { kindMark, errorBox, emptyBox, segmented } from "./states.js";

const RANGES = [[15 * 60e3, "15 min"], [3600e3, "1 h"], [6 * 3600e3, "6 h"], [24 * 3600e3, "24 h"]];
const POINTS = 360;
/* Within this time a report has come; so many intervals are waited for one that is late, then its absence is shown. */
const REPORT_MS = 5000, LATE_MAX = 2;
/* Beyond so many bands a stack by node can't be read: by ISA then. */
export const BANDS_MAX = 24;

/** Brings series with points [t_ms, avg_w, uj] of one resolution onto one time axis. */
export function align(series) {
	const times = [...new Set(series.flatMap((x) => x.points.map((p) => p[0])))].sort((a, b) => a - b);
	const at = new Map(times.map((t, i) => [t, i]));
	return [times, series.map((x) => {
		const ys = new Array(times.length).fill(null);
		for (const [t, w] of x.points) ys[at.get(t)] = w;
		return ys;
	})];
}

/**
 * Without the time before anything was reported, and without the newest intervals until all that reported before have reported of them:
 * an interval that is half known looks like a drop in power. end_ms: reports up to then have come.
 */
function trim(times, ys, end_ms, resolution_ms) {
	const some = (i) => ys.some((y) => y[i] !== null);
	const fewer = (i) => ys.some((y) => y[i] === null && y[i - 1] !== null);
	const first = Math.max(0, times.findIndex((_, i) => some(i)));
	let end = times.length;
	while (end > first + 1 && times[end - 1] + resolution_ms > end_ms) end--;
	for (let late = 0; late < LATE_MAX && end > first + 1 && (!some(end - 1) || fewer(end - 1)); late++) end--;
	return [times.slice(first, end), ys.map((y) => y.slice(first, end))];
}

/** opts: {by(): "node"|"isa"|"zone", key, height, title, unstacked} */
export class PowerPanel {
	constructor(opts) {
		this.opts = opts;
		this.range = opts.range ?? RANGES[1][0];
		this.index = null;
		this.legend = h("tbody");
		this.when = h("span", { class: "muted" });
		this.note = h("div");
		this.chart = new Chart({
			label: "Power over time", height: opts.height ?? 260, stacked: !opts.unstacked, series: [], y: watts,
			onCursor: (i) => { if (i !== this.index) { this.index = i; this.drawLegend(); } },
		});
		this.body = h("div", { class: "chart-and-legend live" }, this.chart.el, h("div", { class: "legend-wrap", tabindex: "0", role: "region", "aria-label": "Power by series" },
			h("table", { class: "legend" }, h("caption", { class: "sr" }, "Power of each series"),
				h("thead", {}, h("tr", {}, h("th", { scope: "col" }, this.when), h("th", { scope: "col", class: "num" }, "power"), h("th", { scope: "col" }, "source"))), this.legend)));
		this.el = h("section", { class: "panel grow", "aria-label": opts.title },
			h("div", { class: "panel-head" }, h("h2", {}, opts.title), this.sub = h("span", { class: "muted" }), opts.extra,
				segmented("Time range", RANGES, this.range, (v) => { this.range = v; this.read(); })), this.note, this.body);
		this.redraw = eachFrame(() => this.draw());
		this.offs = [settings.on(this.redraw), store.on("reset policy", this.redraw), every(1000, () => { if (Date.now() >= this.due && store.live) this.read(); })];
		this.due = 0;
		this.read();
	}

	close() {
		this.offs.forEach((f) => f());
		this.redraw.cancel();
		this.chart.close();
		this.abort?.abort();
	}

	async read() {
		const by = this.opts.by();
		const to = store.now();

		this.abort?.abort();
		this.abort = new AbortController();
		this.due = Date.now() + Math.max(4500, this.range / POINTS);
		try {
			this.answer = await get("energy/series", { by, key: this.opts.key, from_ms: Math.round(to - this.range), to_ms: Math.round(to), points: POINTS }, this.abort.signal);
			fill(this.note);
			if (!this.answer.series.length) this.due = Date.now() + 2000;
			this.redraw();
		} catch (e) {
			if (e.name !== "AbortError" && !(e.offline && this.answer)) { fill(this.note, errorBox(e, () => this.read())); this.body.hidden = !this.answer; }
		}
	}

	/** The answer's series with names, ISAs and colours: of one ISA after the other. */
	named() {
		const list = this.answer.series.map((x) => {
			const isa = x.isa ?? (this.answer.by === "isa" ? x.key : store.nodes.get(x.key)?.isa);
			const label = this.answer.by === "isa" ? isaName(x.key) : x.key;
			return { ...x, isa, label };
		});
		list.sort((a, b) => (a.isa === b.isa ? a.label.localeCompare(b.label, "en", { numeric: true }) : a.isa === "x86_64" ? -1 : 1));
		for (const isa of new Set(list.map((x) => x.isa))) {
			const same = list.filter((x) => x.isa === isa);
			same.forEach((x, i) => { x.color = isaColor(isa, i, same.length); });
		}
		return list;
	}

	draw() {
		if (!this.answer) return;
		const list = this.named();
		const some = list.some((x) => x.points.some((p) => p[1] !== null));

		this.body.hidden = !some;
		if (!some) {
			fill(this.note, emptyBox("No energy has been reported in this time", "Agents report what their meters, or the model of their machine, say every few seconds."));
			return;
		}
		if (this.note.querySelector(".empty")) fill(this.note);
		const resolution = this.answer.resolution_ms || 5000;
		const [times, ys] = trim(...align(list), this.answer.to_ms - REPORT_MS, resolution);
		/* One reading alone holds for its interval. */
		if (times.length === 1) {
			times.push(times[0] + resolution);
			for (const y of ys) y.push(y[0]);
		}
		this.list = list;
		this.times = times;
		this.ys = ys;
		const total = times.map((_, i) => ys.reduce((a, y) => a + (y[i] ?? 0), 0));
		const energy = list.reduce((a, x) => a + x.points.reduce((b, p) => b + (p[2] ?? 0), 0), 0) / 1e6;
		text(this.sub, this.opts.unstacked ? "" : `${joules(energy)} in this time`);
		const most = total.reduce((a, b) => Math.max(a, b), 0);
		this.chart.set({
			label: `${this.opts.title}: ${plural(list.length, "series", "series")} from ${time(times[0])} to ${time(times.at(-1))}; at most ${watts(most)}, last ${watts(total.at(-1))}. Arrow keys move the reading.`,
			cap: this.opts.cap?.() ?? null,
			series: list.map((x, i) => ({ label: x.label, color: x.color, kind: x.kind, dash: this.opts.unstacked ? [[], [7, 4], [2, 3], [9, 3, 2, 3]][i % 4] : undefined })),
		}, [times.map((t) => t / 1000), ...ys]);
		this.drawLegend();
	}

	drawLegend() {
		if (!this.list) return;
		const i = Math.min(this.index ?? Infinity, this.times.length - 1);
		const values = this.ys.map((y) => y[i]);
		const rows = this.list.map((x, k) => ({ key: x.key + (x.label ?? ""), label: x.label, color: x.color, kind: x.kind, source: x.source, isa: x.isa, w: values[k] })).reverse();

		text(this.when, this.index === null ? "latest" : `at ${time(this.times[i])}`);
		if (!this.opts.unstacked && rows.length > 1) rows.push({ key: "\0", label: "together", color: null, w: values.reduce((a, b) => a + (b ?? 0), 0), total: true });
		keyed(this.legend, rows, (r) => r.key, () => h("tr", {}, h("th", { scope: "row" }, h("span", { class: "swatch" }), h("span", { class: "name" })), h("td", { class: "num" }), h("td", {})), (tr, r) => {
			const [name, value, kind] = tr.children;
			tr.classList.toggle("total", Boolean(r.total));
			name.firstChild.style.setProperty("--c", r.color ?? "transparent");
			attr(name.firstChild, "data-kind", r.total ? null : r.kind ?? "");
			text(name.lastChild, r.label);
			text(value, r.w === null || r.w === undefined ? "no reading" : watts(r.w));
			const now = r.total ? "" : `${r.kind}|${r.source}`;
			if (kind.dataset.now !== now) { kind.dataset.now = now; fill(kind, kindMark(r.kind), r.source && this.answer.by !== "zone" ? h("span", { class: "muted" }, ` ${r.source}`) : null); }
		});
	}
}
