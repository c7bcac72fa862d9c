/*
 * The nodes as tiles with their jobs, in a field for each ISA, and the migrations drawn between them. Up to DENSE_FROM nodes a tile
 * shows its jobs by name; beyond, tiles are small (dense.js). Only tiles that changed are touched.
 */
import { h, fill, keyed, text, attr, atMost } from "../lib/dom.js";
import { watts, count, plural, percent, isaName } from "../lib/format.js";
import { store } from "../lib/store.js";
import { jobLink, nodeLink } from "../lib/router.js";
import { isaMark, nodeBadge, kindMark, emulatedMark, bar, setBar, emptyBox, errorBox, loadingBox } from "./states.js";
import { DenseGrid } from "./dense.js";
import { Arcs } from "./arcs.js";

const DENSE_FROM = 40;
const JOBS_SHOWN = 6;

const share = (n) => (n.cpus ? n.cpu_percent / 100 / n.cpus : 0);
const loadWords = (n) => `load ${percent(Math.min(100, share(n) * 100))}, ${n.used_cpus} of ${n.cpus} cpus taken`;

function makeTile(n) {
	const tile = h("li", { class: "tile", data: { name: n.name, isa: n.isa } },
		h("div", { class: "tile-head" }, h("a", { class: "tile-name", href: nodeLink(n.name) }, n.name), h("span", { class: "tile-state" })),
		h("div", { class: "tile-facts" }, h("span", { class: "tile-power" }), h("span", { class: "tile-kind" }), n.emulated ? emulatedMark(n.emulator) : null),
		bar(share(n), loadWords(n)), h("div", { class: "tile-load muted" }), h("ul", { class: "chips" }));
	return tile;
}

function updateTile(tile, n) {
	const [head, facts, load, words] = tile.children;
	const state = `${n.state} ${n.cordoned ? "c" : ""}`;
	attr(tile, "data-state", n.state);
	if (tile.dataset.drawn !== state) { tile.dataset.drawn = state; fill(head.children[1], nodeBadge(n)); }
	text(facts.children[0], watts(n.power_w));
	if (facts.dataset.kind !== n.power_kind) { facts.dataset.kind = n.power_kind; fill(facts.children[1], kindMark(n.power_kind)); }
	setBar(load, share(n), loadWords(n));
	text(words, `${n.used_cpus} of ${n.cpus} cpus taken`);
}

export class Yard {
	constructor() {
		this.groups = new Map();
		this.lanes = h("div", { class: "lanes" });
		this.arcs = new Arcs((name) => this.place(name));
		this.field = h("div", { class: "field-of-nodes live" }, this.lanes, this.arcs.el);
		this.note = h("div");
		this.el = h("section", { class: "panel yard", "aria-label": "Nodes" }, h("div", { class: "panel-head" }, h("h2", {}, "Nodes and what runs on them"), this.sub = h("span", { class: "muted" })), this.note, this.field);
		this.tiles = new Map();
		this.drawSums = atMost(500, () => this.sumsNow());
		this.offs = [store.on("reset", () => this.drawAll()), store.on("nodes", (_t, items) => this.nodesChanged(items)), store.on("jobs", (_t, items) => this.jobsChanged(items))];
		this.observer = new ResizeObserver(() => this.arcs.moved());
		this.observer.observe(this.lanes);
		this.drawAll();
	}

	close() {
		this.offs.forEach((f) => f());
		this.observer.disconnect();
		this.drawSums.cancel();
		this.arcs.close();
		for (const g of this.groups.values()) g.dense?.close();
	}

	drawAll() {
		const nodes = [...store.nodes.values()].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
		const dense = nodes.length > DENSE_FROM;

		fill(this.note, store.error && !store.loaded ? errorBox(store.error, () => store.load()) : !store.loaded ? loadingBox("the cluster") : nodes.length ? null :
			emptyBox("No node has joined yet", "Start an agent on a machine, and it appears here: ", h("code", {}, "drover-agent --server URL")));
		this.field.hidden = !nodes.length;
		if (dense !== this.dense) {
			this.dense = dense;
			this.lanes.classList.toggle("lanes-dense", dense);
			for (const g of this.groups.values()) g.dense?.close();
			this.lanes.replaceChildren();
			this.lanes.keyedChildren = null;
			this.groups.clear();
		}
		const isas = ["x86_64", "aarch64"].filter((isa) => nodes.some((n) => n.isa === isa));
		keyed(this.lanes, isas, (isa) => isa, (isa) => {
			const group = { dense: dense ? new DenseGrid(`Nodes of ${isaName(isa)}`) : null, sub: h("span", { class: "muted" }) };
			group.grid = group.dense?.el ?? h("ul", { class: "tiles" });
			this.groups.set(isa, group);
			return h("div", { class: "lane", data: { isa } }, h("h3", { class: "lane-head" }, isaMark(isa, true), group.sub), group.grid);
		});
		this.tiles.clear();
		for (const isa of isas) {
			const { grid, dense: many } = this.groups.get(isa);
			const mine = nodes.filter((n) => n.isa === isa);
			if (many) { many.set(mine); continue; }
			keyed(grid, mine, (n) => n.name, makeTile, updateTile);
			for (const [name, el] of grid.keyedChildren) this.tiles.set(name, el);
		}
		this.drawSums();
		this.drawJobs();
		this.arcs.moved();
	}

	nodesChanged(items) {
		for (const n of items) {
			const now = store.nodes.get(n.name) ?? n, tile = this.tiles.get(n.name);
			if (tile) updateTile(tile, now);
			else if (!this.groups.get(n.isa)?.dense?.put(now)) { this.drawAll(); return; }
		}
		this.drawSums();
	}

	sumsNow() {
		for (const [isa, { sub }] of this.groups) {
			let w = 0, up = 0, all = 0;
			for (const n of store.nodes.values()) if (n.isa === isa) { all++; w += n.power_w || 0; up += n.state === "up"; }
			text(sub, `${up === all ? `${plural(all, "node")}${all > 1 ? ", all" : ""}` : `${count(up)} of ${plural(all, "node")}`} up · ${watts(w)}`);
		}
	}

	jobsChanged(items) {
		if (!items.length) return;
		this.drawJobs();
		this.arcs.draw();
	}

	drawJobs() {
		if (this.dense) return;
		const by = store.jobsByNode();
		for (const [name, tile] of this.tiles) {
			const jobs = (by.get(name) ?? []).sort((a, b) => Number(a.id) - Number(b.id));
			const shown = jobs.slice(0, JOBS_SHOWN);
			const more = jobs.length - shown.length;
			keyed(tile.lastChild, more > 0 ? [...shown, { id: "more", name: `and ${more} more`, more: true }] : shown, (j) => j.id,
				(j) => h("li", {}, j.more ? h("a", { class: "chip", href: `#/jobs?node=${encodeURIComponent(name)}` }) : h("a", { class: "chip", href: jobLink(j.id) })),
				(li, j) => { text(li.firstChild, j.name); attr(li.firstChild, "title", j.more ? null : `${j.name}, job ${j.id} of ${j.user}`); attr(li.firstChild, "data-moving", j.state === "MIGRATING" ? "1" : null); });
		}
	}

	/** Where a tile is within the field, or null. */
	place(name) {
		const o = this.field.getBoundingClientRect();
		let a = this.tiles.get(name)?.getBoundingClientRect();
		for (const { dense, grid } of a ? [] : this.groups.values()) {
			const box = dense?.box(name), at = box && grid.getBoundingClientRect();
			if (box) a = { left: at.left + box.left, right: at.left + box.right, top: at.top + box.top, bottom: at.top + box.bottom };
		}
		return a ? { left: a.left - o.left, right: a.right - o.left, top: a.top - o.top, bottom: a.bottom - o.top, x: (a.left + a.right) / 2 - o.left, y: (a.top + a.bottom) / 2 - o.top } : null;
	}
}
