/* Charts over time or another axis, drawn by uPlot, which is loaded when the first chart is. */
import { h, fill, attr } from "../lib/dom.js";
import { cssColor, texture } from "../lib/palette.js";
import { settings } from "../lib/settings.js";

let loading;

function loadUplot() {
	loading ??= new Promise((resolve, reject) => {
		document.head.append(h("link", { rel: "stylesheet", href: "ui/vendor/uPlot.min.css" }),
			h("script", { src: "ui/vendor/uPlot.iife.min.js", onload: () => resolve(globalThis.uPlot), onerror: () => { loading = null; reject(new TypeError("the chart library could not be read from the server")); } }));
	});
	return loading;
}

const axisFont = () => `${Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.84)}px ${cssColor("--font")}`;

/* A time axis is at least so long, so that a young cluster's chart can be read. */
const LEAST_S = 30;

function xRange(xs, least) {
	const min = xs[0] ?? 0, max = xs.at(-1) ?? 1;
	return max - min < least ? [max - least, max] : [min, max > min ? max : min + 1];
}

/**
 * A chart in el. spec: {label, height, stacked, xTime, y: format, x: format, series: [{label, color, dash, kind}], onCursor(index or null)}.
 * set(spec parts, data) redraws; data: [xs, ys of series 0, ...] with null for gaps.
 */
export class Chart {
	constructor(spec) {
		this.spec = spec;
		this.data = null;
		this.box = h("div", { class: "chart-box" });
		this.el = h("div", { class: "chart", role: "img", tabindex: "0", "aria-label": spec.label, onkeydown: (ev) => this.key(ev) }, this.box);
		this.el.style.setProperty("--chart-height", `${spec.height ?? 220}px`);
		this.observer = new ResizeObserver(() => this.resize());
		this.observer.observe(this.el);
		this.offTheme = settings.on(() => this.rebuild());
	}

	close() {
		this.observer.disconnect();
		this.offTheme();
		this.plot?.destroy();
		this.plot = null;
		this.closed = true;
	}

	size() { return { width: Math.max(120, Math.floor(this.el.clientWidth)), height: this.el.clientHeight || this.spec.height || 220 }; }
	resize() { if (this.plot) this.plot.setSize(this.size()); }

	/** label is what a screen reader says of the chart now. */
	async set(changes, data) {
		const shape = (s) => JSON.stringify([s.stacked, s.series.map((x) => [x.label, x.color, x.kind])]);
		const before = this.data && shape(this.spec);

		Object.assign(this.spec, changes);
		this.data = data;
		attr(this.el, "aria-label", this.spec.label);
		if (this.plot && before === shape(this.spec)) {
			this.plot.setData(this.drawn(data));
			return;
		}
		await this.rebuild();
	}

	/** What uPlot draws: of a stack the sums from the bottom, the topmost first so that lower ones lie over it. */
	drawn(data) {
		if (!this.spec.stacked) return data;
		const [xs, ...ys] = data;
		const sum = new Array(xs.length).fill(0);
		const some = xs.map((_, i) => ys.some((y) => y[i] !== null && y[i] !== undefined));
		return [xs, ...ys.map((y) => xs.map((_, i) => { sum[i] += y[i] ?? 0; return some[i] ? sum[i] : null; }))];
	}

	async rebuild() {
		if (!this.data) return;
		let uPlot;
		try { uPlot = globalThis.uPlot ?? await loadUplot(); } catch (e) {
			/* The next data try again. */
			fill(this.box, h("p", { class: "muted" }, `No chart: ${e.message}.`));
			return;
		}
		if (this.closed) return;
		if (this.plot) this.plot.destroy();
		else fill(this.box);
		this.plot = new uPlot(this.options(uPlot), this.drawn(this.data), this.box);
	}

	options() {
		const { spec } = this;
		const ink = cssColor("--muted");
		const grid = cssColor("--line");
		const font = axisFont();
		const ppx = parseFloat(getComputedStyle(document.documentElement).fontSize) / 14;
		const n = spec.series.length;

		return {
			...this.size(), padding: [10 * ppx, 30 * ppx, 0, 0],
			legend: { show: false }, cursor: { y: false, points: { show: !spec.stacked, size: 7 }, drag: { x: false, y: false } },
			scales: { x: { time: spec.xTime !== false, range: (u) => xRange(u.data[0], spec.xTime !== false ? LEAST_S : 0) }, y: { range: (_u, _min, max) => [0, spec.cap && spec.cap > max ? spec.cap * 1.04 : max > 0 ? max * 1.08 : 1] } },
			axes: [
				{ stroke: ink, font, size: 26 * ppx, gap: 4, grid: { show: false }, ticks: { stroke: grid, size: 4 }, space: 70 * ppx, ...(spec.xTime === false ? { incrs: SECONDS, values: (_u, v) => v.map((x) => spec.x(x)) } : { values: timeTicks }) },
				{ stroke: ink, font, size: 58 * ppx, gap: 6, grid: { stroke: grid, width: 1 }, ticks: { show: false }, space: (_u, _axis, _min, _max, dim) => Math.max(34 * ppx, dim / 8), values: (_u, v) => v.map((x) => spec.y(x)) },
			],
			series: [{}, ...spec.series.map((x) => ({
				label: x.label, stroke: x.color, width: spec.stacked ? 1 : 2, dash: x.dash, points: { show: false }, spanGaps: false, paths: x.paths?.(globalThis.uPlot),
				fill: spec.stacked && x === spec.series[0] ? (u) => texture(u.ctx, x.color, x.kind) : x.fill,
			}))],
			bands: spec.stacked ? Array.from({ length: n - 1 }, (_, i) => ({ series: [i + 2, i + 1], fill: (u) => texture(u.ctx, spec.series[i + 1].color, spec.series[i + 1].kind) })) : [],
			hooks: { setCursor: [(u) => spec.onCursor?.(u.cursor.idx ?? null)], draw: [(u) => this.drawCap(u)] },
		};
	}

	/** A limit as a dashed line with its name. */
	drawCap(u) {
		if (!this.spec.cap) return;
		const y = u.valToPos(this.spec.cap, "y", true);
		const { ctx } = u;
		ctx.save();
		ctx.strokeStyle = ctx.fillStyle = cssColor("--text");
		ctx.setLineDash([6, 4]);
		ctx.beginPath();
		ctx.moveTo(u.bbox.left, y);
		ctx.lineTo(u.bbox.left + u.bbox.width, y);
		ctx.stroke();
		ctx.font = axisFont();
		ctx.fillText(`cap ${this.spec.y(this.spec.cap)}`, u.bbox.left + 6, y - 5);
		ctx.restore();
	}

	/** Arrow keys read the chart point by point. */
	key(ev) {
		const u = this.plot;
		const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[ev.key];
		if (!u || step === undefined) return;
		ev.preventDefault();
		const last = u.data[0].length - 1;
		const at = Math.min(last, Math.max(0, (u.cursor.idx ?? last) + step));
		u.setCursor({ left: u.valToPos(u.data[0][at], "x"), top: 0 });
	}
}

/* Steps of an axis in seconds that read well as spans. */
const SECONDS = [0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000, 864000, 1728000, 4320000, 8640000, 31536000];

/* Hours and minutes; seconds only where ticks are closer than a minute, the day where midnight passes. */
function timeTicks(_u, splits, _axis, _space, incr) {
	return splits.map((sec) => {
		const d = new Date(sec * 1000);
		const two = (v) => String(v).padStart(2, "0");
		if (incr >= 86400 || (d.getHours() === 0 && d.getMinutes() === 0 && incr >= 3600)) return d.toLocaleDateString(undefined, { day: "numeric", month: "short" });
		return `${two(d.getHours())}:${two(d.getMinutes())}${incr < 60 ? `:${two(d.getSeconds())}` : ""}`;
	});
}
