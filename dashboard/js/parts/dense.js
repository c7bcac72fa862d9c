/* Many nodes as small tiles of one size, of which only those near the window exist: a thousand nodes scroll as easily as ten. */
import { h, fill, keyed, text, attr, eachFrame } from "../lib/dom.js";
import { watts, plural, percent } from "../lib/format.js";
import { nodeLink } from "../lib/router.js";
import { bar, setBar, glyph } from "./states.js";

const LEAST_REM = 6.6, ROW_REM = 3.5, GAP = 5, STEP_ROWS = 6;
const STATE_GLYPH = { asleep: "sleep", sleeping: "sleep", waking: "up", down: "bad", unknown: "unknown", draining: "drain", drained: "hold" };

function make(n) {
	return h("li", { class: "tile dense", data: { name: n.name, isa: n.isa } }, h("a", { class: "tile-name", href: nodeLink(n.name), title: n.name }, n.name), h("span", { class: "tile-mark" }), bar(0, ""), h("span", { class: "tile-power" }), h("span", { class: "tile-jobs muted" }));
}

function update(tile, n) {
	const [, mark, load, power, jobs] = tile.children;
	const share = n.cpus ? n.cpu_percent / 100 / n.cpus : 0;
	attr(tile, "data-state", n.state);
	if (tile.dataset.drawn !== n.state) {
		tile.dataset.drawn = n.state;
		const g = STATE_GLYPH[n.state];
		fill(mark, g ? glyph(g) : null, g ? h("span", { class: "sr" }, n.state) : null);
	}
	setBar(load, share, `load ${percent(Math.min(100, share * 100))}`);
	text(power, watts(n.power_w));
	text(jobs, n.jobs ? plural(n.jobs, "job") : "");
}

export class DenseGrid {
	constructor() {
		this.list = h("ul", { class: "tiles-dense" });
		/* An empty block behind each STEP_ROWS rows: the browser says which are near the window, so nothing is asked while scrolling. */
		this.blocks = h("div", { "aria-hidden": "true" });
		this.el = h("div", { class: "dense-field" }, this.blocks, this.list);
		this.nodes = [];
		this.index = new Map();
		this.near = new Set([0]);
		this.draw = eachFrame(() => this.drawNow());
		this.watch = new IntersectionObserver((seen) => {
			for (const e of seen) this.near[e.isIntersecting ? "add" : "delete"](Number(e.target.dataset.block));
			this.drawNow();
		}, { rootMargin: "50% 0px" });
		this.observer = new ResizeObserver(() => { if (this.el.clientWidth !== this.width) { this.measured = false; this.draw(); } });
		this.observer.observe(this.el);
	}

	close() {
		this.observer.disconnect();
		this.watch.disconnect();
		this.draw.cancel();
	}

	set(nodes) {
		this.nodes = nodes;
		this.index = new Map(nodes.map((n, i) => [n.name, i]));
		this.draw();
	}

	/** A node that changed. */
	put(n) {
		const i = this.index.get(n.name);
		if (i === undefined) return false;
		this.nodes[i] = n;
		const tile = this.list.keyedChildren?.get(n.name);
		if (tile) update(tile, n);
		return true;
	}

	measure() {
		const em = parseFloat(getComputedStyle(document.documentElement).fontSize);
		this.width = this.el.clientWidth;
		this.row = Math.round(ROW_REM * em) + GAP;
		this.columns = Math.max(1, Math.floor((this.width + GAP) / (LEAST_REM * em + GAP)));
		this.measured = this.width > 0;
	}

	/** The blocks for so many rows. */
	divide(rows) {
		const wanted = `${rows} ${this.row}`;
		if (wanted === this.divided) return;
		this.divided = wanted;
		this.watch.disconnect();
		this.near = new Set([...this.near].filter((b) => b * STEP_ROWS < rows));
		fill(this.blocks, Array.from({ length: Math.ceil(rows / STEP_ROWS) }, (_, i) => {
			const block = h("div", { class: "dense-block", data: { block: i } });
			block.style.setProperty("top", `${i * STEP_ROWS * this.row}px`);
			block.style.setProperty("height", `${STEP_ROWS * this.row}px`);
			return block;
		}));
		for (const block of this.blocks.children) this.watch.observe(block);
	}

	drawNow() {
		if (!this.measured) this.measure();
		const rows = Math.ceil(this.nodes.length / this.columns);
		this.el.style.setProperty("height", `${rows * this.row}px`);
		this.divide(rows);
		const first = this.near.size ? Math.min(...this.near) * STEP_ROWS : 0;
		const last = this.near.size ? Math.min(rows, (Math.max(...this.near) + 1) * STEP_ROWS) : 0;
		const window = `${first} ${last} ${this.columns} ${this.width}`;

		if (window === this.window && this.drawn === this.nodes) return;
		this.window = window;
		this.drawn = this.nodes;
		keyed(this.list, this.nodes.slice(first * this.columns, last * this.columns), (n) => n.name, (n) => { const t = make(n); update(t, n); return t; });
		for (const [name, t] of this.list.keyedChildren) {
			const at = this.box(name);
			attr(t, "aria-setsize", this.nodes.length);
			attr(t, "aria-posinset", this.index.get(name) + 1);
			for (const [k, v] of [["left", at.left], ["top", at.top], ["width", at.right - at.left], ["height", at.bottom - at.top]]) t.style.setProperty(k, `${v}px`);
		}
	}

	/** Where a node's tile is or would be, in pixels from the list's corner. */
	box(name) {
		const i = this.index.get(name);
		if (i === undefined || !this.measured) return null;
		const w = (this.width + GAP) / this.columns, left = (i % this.columns) * w, top = Math.floor(i / this.columns) * this.row;
		return { left, right: left + w - GAP, top, bottom: top + this.row - GAP };
	}
}
