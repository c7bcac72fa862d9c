/* What the cluster used against what the baseline would have: raw figures, or scaled to one process node, never both in one. */
import { h, fill, text, every, eachFrame } from "../lib/dom.js";
import { get } from "../lib/api.js";
import { joules, percent, money, kilowattHours, span, jouleSeconds, count, plural, time } from "../lib/format.js";
import { lineColor } from "../lib/palette.js";
import { settings } from "../lib/settings.js";
import { store } from "../lib/store.js";
import { Chart } from "./chart.js";
import { glyph, kindMark, segmented, errorBox, emptyBox } from "./states.js";

const EVERY_MS = 10000;

function comparison(live, shadow) {
	const row = (name, f, key) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "num" }, f(live?.[key])), h("td", { class: "num" }, f(shadow?.[key])));
	const sec = (v) => span(v === null || v === undefined ? NaN : v * 1000);
	return h("table", { class: "legend" }, h("thead", {}, h("tr", {}, h("td"), h("th", { scope: "col", class: "num" }, "this cluster"), h("th", { scope: "col", class: "num" }, "baseline"))),
		h("tbody", {}, row("energy", (v) => joules(v), "energy_j"), row("makespan", sec, "makespan_s"), row("mean wait", sec, "mean_wait_s"), row("95 % wait at most", sec, "p95_wait_s"), row("energy-delay product", (v) => jouleSeconds(v), "edp_js"), row("jobs ended", count, "jobs"), row("jobs not ended", count, "unfinished")));
}

/** What somebody must know who repeats the figure: for how long nothing is known, and what was supposed. */
function reservations(a) {
	const n = (k, one, many) => (a[k] ? `${count(a[k])} ${a[k] === 1 ? one : many}` : null);
	return [
		a.gap_ms ? `For ${span(a.gap_ms)} of the nodes’ time${a.gap_share ? `, ${percent(a.gap_share * 100)} of it,` : ""} no energy is known, and none is counted.` : "The energy of every node is known for all of the time.",
		n("estimated_jobs", "job's time on the baseline is estimated: it still runs, waits, or ran where no profile says how fast.", "jobs' time on the baseline is estimated: they still run, wait, or ran where no profile says how fast."),
		n("refused_jobs", "job fits no machine of the baseline, and is not in its figures.", "jobs fit no machine of the baseline, and are not in its figures."),
		n("narrowed_jobs", "job has fewer cpus on the baseline than it asked for.", "jobs have fewer cpus on the baseline than they asked for."),
		a.cut ? "Only the newest jobs are compared." : null,
	].filter(Boolean);
}

const machines = (list) => (list ?? []).map((n) => (n.count > 1 ? `${n.count} × ` : "") + (n.profile ?? n.node)).join(", ") || "the same nodes";

export class SavingPanel {
	constructor() {
		this.mode = "raw";
		this.figure = h("p", { class: "big" });
		this.sub = h("p", { class: "muted" });
		this.table = h("div", { class: "saving-table" });
		this.notes = h("ul", { class: "muted saving-notes" });
		this.note = h("div");
		this.label = h("span", { class: "muted" });
		this.seg = h("span", {});
		this.chart = new Chart({ label: "Energy so far", height: 170, series: [], y: joules });
		this.body = h("div", { class: "saving live" }, h("div", {}, this.figure, this.sub), this.chart.el, this.label, this.table, this.notes);
		this.el = h("section", { class: "panel", "aria-label": "Saving" }, h("div", { class: "panel-head" }, h("h2", {}, "Saved against the baseline"), this.seg), this.note, this.body);
		this.redraw = eachFrame(() => this.draw());
		this.offs = [settings.on(this.redraw), every(EVERY_MS, () => store.live && this.read())];
		this.body.hidden = true;
		this.read();
	}

	close() {
		this.offs.forEach((f) => f());
		this.redraw.cancel();
		this.chart.close();
	}

	async read() {
		try {
			this.answer = await get("savings");
			fill(this.note);
			this.redraw();
		} catch (e) {
			if (!this.answer) fill(this.note, e.status === 404 ? emptyBox("No baseline runs beside this cluster", "This scheduler keeps no shadow of another policy to compare with. A replay compares policies on a trace.") : errorBox(e, () => this.read()));
		}
	}

	draw() {
		const a = this.answer;
		if (!a) return;
		this.body.hidden = !a.jobs;
		if (!a.jobs) {
			fill(this.note, emptyBox("Nothing to compare yet", "As jobs run, a shadow of the baseline policy runs the same arrivals, and the difference shows here."));
			return;
		}
		fill(this.note);
		this.drawChoice(a);
		const scaled = this.mode === "scaled" && a.scaled;
		const v = scaled ? a.scaled : a;

		this.drawFigure(a, v.saved);
		fill(this.sub, kindMark(v.live.kind), v.saved ? ` than ${a.baseline.policy} on ${machines(a.baseline.cluster)}${Math.abs(v.saved.energy_j) > 3600 ? `, ${kilowattHours(Math.abs(v.saved.energy_j))}` : ""}` : ` against ${a.baseline.policy} on ${machines(a.baseline.cluster)}`, `, since ${time(a.from_ms)}`,
			scaled ? h("span", {}, ". ", a.scaled.note) : "");
		fill(this.table, comparison(v.live, v.shadow));
		fill(this.notes, reservations(a).map((x) => h("li", {}, x)));
		this.drawSeries(v.series ?? [], scaled ? "scaled" : "raw");
	}

	drawChoice(a) {
		if (!a.scaled) { this.mode = "raw"; fill(this.seg); }
		else if (this.nm !== a.scaled.process_nm) fill(this.seg, segmented("Figures", [["raw", "Raw"], ["scaled", `Scaled to ${a.scaled.process_nm} nm`]], this.mode, (v) => { this.mode = v; this.draw(); }));
		this.nm = a.scaled?.process_nm;
	}

	/** The difference in joules, percent and money; where the server withholds it, why. */
	drawFigure(a, saved) {
		if (!saved) {
			this.figure.dataset.tone = "";
			fill(this.figure, h("span", { class: "note note-warn figure-note" }, glyph("unknown"), h("span", {}, h("strong", {}, "No saving is told: "), `${a.withheld ?? "too little is known"}.`)));
			return;
		}
		const less = saved.energy_j >= 0;
		const cash = money(Math.abs(saved.energy_j), settings.tariff);

		this.figure.dataset.tone = less ? "good" : "bad";
		fill(this.figure, h("span", { class: "nowrap" }, joules(Math.abs(saved.energy_j)), h("span", { class: "unit" }, less ? " less" : " more")), saved.percent === null ? null : h("span", { class: "big-side" }, percent(Math.abs(saved.percent))), cash ? h("span", { class: "big-side" }, cash) : null);
	}

	drawSeries(series, kind) {
		this.chart.el.hidden = this.label.hidden = series.length < 2;
		if (series.length < 2) return;
		text(this.label, `Energy so far, ${kind}: this cluster (solid) and the baseline (dashed)`);
		this.chart.set({
			label: `Energy so far, ${kind}: this cluster ${joules(series.at(-1)[1])}, baseline ${joules(series.at(-1)[2])} at ${time(series.at(-1)[0])}.`,
			series: [{ label: "this cluster", color: lineColor(0) }, { label: "baseline", color: lineColor(1), dash: [7, 4] }],
		}, [series.map((p) => p[0] / 1000), series.map((p) => p[1]), series.map((p) => p[2])]);
	}
}
