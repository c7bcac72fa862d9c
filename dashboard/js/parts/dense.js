/*
 * Many nodes as small tiles of one size, in blocks of rows. Scrolling makes nothing: a block near the window is filled at once, the others
 * while the page has nothing else to do. Beyond TILES_MAX only those near exist. Tiles far from the window are brought up to date when they come near.
 */
import { h, fill, text, attr, eachFrame } from "../lib/dom.js";
import { watts, plural, percent } from "../lib/format.js";
import { nodeLink } from "../lib/router.js";
import { bar, setBar, glyph } from "./states.js";

const LEAST_REM = 6.6, ROW_REM = 3.5, GAP = 5, BLOCK_ROWS = 8, TILES_MAX = 3000;
/* Longer names may be wider than the tile and are cut; a clip for every tile would cost each frame. */
const NAME_FITS = 8;
const STATE_GLYPH = { asleep: "sleep", sleeping: "sleep", waking: "up", down: "bad", unknown: "unknown", draining: "drain", drained: "hold" };

const idle = globalThis.requestIdleCallback ?? ((f) => setTimeout(f, 50));
const cancelIdle = globalThis.cancelIdleCallback ?? clearTimeout;

function make(n, at, of) {
	return h("div", { class: "tile dense", role: "listitem", "aria-setsize": of, "aria-posinset": at + 1, data: { name: n.name, isa: n.isa } },
		h("a", { class: n.name.length > NAME_FITS ? "tile-name clip" : "tile-name", href: nodeLink(n.name), title: n.name }, n.name), h("span", { class: "tile-mark" }), bar(0, ""), h("span", { class: "tile-power" }), h("span", { class: "tile-jobs muted" }));
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
	setBar(load, Math.round(share * 100) / 100, `load ${percent(Math.min(100, Math.round(share * 100)))}`);
	text(power, watts(n.power_w));
	text(jobs, n.jobs ? plural(n.jobs, "job") : "");
}

export class DenseGrid {
	constructor(label) {
		this.el = h("div", { class: "dense-field", role: "list", "aria-label": label });
		this.nodes = [];
		this.index = new Map();
		this.blocks = [];
		this.layout = eachFrame(() => this.layoutNow());
		this.watch = new IntersectionObserver((seen) => {
			for (const e of seen) this.approach(this.blocks[Number(e.target.dataset.block)], e.isIntersecting);
		}, { rootMargin: "100% 0px" });
		this.observer = new ResizeObserver(() => { if (this.el.clientWidth !== this.width) this.layout(); });
		this.observer.observe(this.el);
	}

	close() {
		this.observer.disconnect();
		this.watch.disconnect();
		this.layout.cancel();
		cancelIdle(this.waiting);
	}

	set(nodes) {
		const same = nodes.length === this.nodes.length && nodes.every((n, i) => n.name === this.nodes[i].name);
		this.nodes = nodes;
		this.index = new Map(nodes.map((n, i) => [n.name, i]));
		if (!same) this.columns = 0;
		for (const b of same ? this.blocks : []) {
			b.stale = true;
			if (b.near) this.refresh(b);
		}
		this.layout();
	}

	/** A node that changed; false if it has no place here. */
	put(n) {
		const i = this.index.get(n.name);
		if (i === undefined) return false;
		this.nodes[i] = n;
		const block = this.blocks[Math.floor(i / this.perBlock)];
		if (block?.near && block.filled) update(block.el.children[i % this.perBlock], n);
		else if (block) block.stale = true;
		return true;
	}

	/** Divides the nodes into blocks when their number or the columns that fit have changed. */
	layoutNow() {
		const em = parseFloat(getComputedStyle(document.documentElement).fontSize);
		this.width = this.el.clientWidth;
		if (!this.width) return;
		const columns = Math.max(1, Math.floor((this.width + GAP) / (LEAST_REM * em + GAP))), row = Math.round(ROW_REM * em) + GAP;
		if (columns === this.columns && row === this.row) return;
		this.columns = columns;
		this.row = row;
		this.perBlock = columns * BLOCK_ROWS;
		this.watch.disconnect();
		this.el.style.setProperty("--columns", columns);
		this.el.style.setProperty("--row", `${row - GAP}px`);
		this.blocks = Array.from({ length: Math.ceil(this.nodes.length / this.perBlock) }, (_, i) => {
			const from = i * this.perBlock, to = Math.min(this.nodes.length, from + this.perBlock);
			const el = h("div", { class: "dense-block", role: "none", data: { block: i } });
			el.style.setProperty("height", `${Math.ceil((to - from) / columns) * row}px`);
			return { el, from, to, near: false, filled: false, stale: false };
		});
		fill(this.el, this.blocks.map((b) => b.el));
		for (const b of this.blocks) this.watch.observe(b.el);
		this.fillIdly();
	}

	approach(block, near) {
		if (!block) return;
		block.near = near;
		if (near) { this.fillBlock(block); this.refresh(block); }
		else if (block.filled && this.nodes.length > TILES_MAX) { fill(block.el); block.filled = false; }
	}

	fillBlock(block) {
		if (block.filled) return;
		block.filled = true;
		block.stale = true;
		fill(block.el, this.nodes.slice(block.from, block.to).map((n, i) => make(n, block.from + i, this.nodes.length)));
		this.refresh(block);
	}

	refresh(block) {
		if (!block.filled || !block.stale) return;
		block.stale = false;
		for (let i = block.from; i < block.to; i++) update(block.el.children[i - block.from], this.nodes[i]);
	}

	fillIdly() {
		cancelIdle(this.waiting);
		if (this.nodes.length > TILES_MAX) return;
		this.waiting = idle(() => {
			const block = this.blocks.find((b) => !b.filled);
			if (!block) return;
			this.fillBlock(block);
			this.fillIdly();
		});
	}

	/** Where a node's tile is or would be, in pixels from the field's corner. */
	box(name) {
		const i = this.index.get(name);
		if (i === undefined || !this.columns) return null;
		const w = (this.width - 1 + GAP) / this.columns, left = (i % this.columns) * w, top = Math.floor(i / this.columns) * this.row;
		return { left, right: left + w - GAP, top, bottom: top + this.row - GAP };
	}
}
