/*
 * The nodes as tiles with their jobs, in a field for each ISA, and the migrations drawn between them. Up to DENSE_FROM nodes a tile
 * shows its jobs by name; beyond, tiles are small (dense.js). Only tiles that changed are touched.
 */
import { h, s, fill, keyed, text, attr, eachFrame } from "../lib/dom.js";
import { watts, count, plural, span, percent } from "../lib/format.js";
import { store, moving } from "../lib/store.js";
import { jobLink, nodeLink } from "../lib/router.js";
import { isaMark, nodeBadge, kindMark, emulatedMark, bar, setBar, emptyBox, errorBox, loadingBox } from "./states.js";
import { DenseGrid } from "./dense.js";
import { jobName } from "./moves.js";

const DENSE_FROM = 40;
const JOBS_SHOWN = 6;
const AFTERGLOW_MS = 5000;

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
		this.svg = s("svg", { class: "arcs", "aria-hidden": "true" });
		this.field = h("div", { class: "field-of-nodes live" }, this.lanes, this.svg);
		this.note = h("div");
		this.el = h("section", { class: "panel yard", "aria-label": "Nodes" }, h("div", { class: "panel-head" }, h("h2", {}, "Nodes and what runs on them"), this.sub = h("span", { class: "muted" })), this.note, this.field);
		this.tiles = new Map();
		this.arcs = new Map();
		this.drawArcs = eachFrame(() => this.arcsNow());
		this.offs = [store.on("reset", () => this.drawAll()), store.on("nodes", (_t, items) => this.nodesChanged(items)), store.on("jobs", (_t, items) => this.jobsChanged(items)), store.on("migrations", this.drawArcs)];
		this.observer = new ResizeObserver(() => { this.boxes = null; this.drawArcs(); });
		this.observer.observe(this.lanes);
		this.timer = setInterval(() => { if (this.arcs.size) this.drawArcs(); }, 1000);
		this.drawAll();
	}

	close() {
		this.offs.forEach((f) => f());
		this.observer.disconnect();
		this.drawArcs.cancel();
		clearInterval(this.timer);
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
			for (const g of this.groups.values()) g.dense?.close();
			this.lanes.replaceChildren();
			this.lanes.keyedChildren = null;
			this.groups.clear();
		}
		const isas = ["x86_64", "aarch64"].filter((isa) => nodes.some((n) => n.isa === isa));
		keyed(this.lanes, isas, (isa) => isa, (isa) => {
			const group = { dense: dense ? new DenseGrid() : null, sub: h("span", { class: "muted" }) };
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
		this.boxes = null;
		this.drawSums();
		this.drawJobs();
		this.drawArcs();
	}

	nodesChanged(items) {
		for (const n of items) {
			const now = store.nodes.get(n.name) ?? n, tile = this.tiles.get(n.name);
			if (tile) updateTile(tile, now);
			else if (!this.groups.get(n.isa)?.dense?.put(now)) { this.drawAll(); return; }
		}
		this.drawSums();
	}

	drawSums() {
		for (const [isa, { sub }] of this.groups) {
			let w = 0, up = 0, all = 0;
			for (const n of store.nodes.values()) if (n.isa === isa) { all++; w += n.power_w || 0; up += n.state === "up"; }
			text(sub, `${up === all ? `${plural(all, "node")}${all > 1 ? ", all" : ""}` : `${count(up)} of ${plural(all, "node")}`} up · ${watts(w)}`);
		}
		text(this.sub, "");
	}

	jobsChanged(items) {
		if (!items.length) return;
		this.drawJobs();
		this.drawArcs();
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

	/* ---- migrations between the tiles ---- */

	/** Where a tile is within the field. */
	place(name) {
		this.boxes ??= new Map();
		if (!this.boxes.has(name)) {
			const o = this.field.getBoundingClientRect();
			let a = this.tiles.get(name)?.getBoundingClientRect();
			for (const { dense, grid } of a ? [] : this.groups.values()) {
				const box = dense?.box(name), at = box && grid.getBoundingClientRect();
				if (box) a = { left: at.left + box.left, right: at.left + box.right, top: at.top + box.top, bottom: at.top + box.bottom, width: box.right - box.left, height: box.bottom - box.top };
			}
			if (!a) return null;
			this.boxes.set(name, { left: a.left - o.left, right: a.right - o.left, top: a.top - o.top, bottom: a.bottom - o.top, x: a.left - o.left + a.width / 2, y: a.top - o.top + a.height / 2 });
		}
		return this.boxes.get(name);
	}

	arcsNow() {
		const now = store.now();
		const list = [...store.moves.values()].filter((m) => moving(m) || (m.ended_ms && now - m.ended_ms < AFTERGLOW_MS)).slice(-24);
		const wanted = new Set(list.map((m) => m.id));
		const slots = new Map();

		for (const [id, arc] of this.arcs) if (!wanted.has(id)) { arc.remove(); this.arcs.delete(id); }
		for (const m of list.reverse()) {
			const a = this.place(m.from), b = this.place(m.to);
			if (!a || !b) continue;
			let arc = this.arcs.get(m.id);
			if (!arc) {
				arc = s("g", { class: "arc" }, s("path", { class: "arc-line" }), s("circle", { r: 5, class: "arc-end" }), s("text", { class: "arc-text", "text-anchor": "middle" }), s("text", { class: "arc-text arc-sub", "text-anchor": "middle" }));
				this.arcs.set(m.id, arc);
				this.svg.append(arc);
			}
			/* Those between the same two tiles lie side by side. */
			const pair = [m.from, m.to].sort().join(" ");
			slots.set(pair, (slots.get(pair) ?? -1) + 1);
			this.drawArc(arc, m, a, b, slots.get(pair));
		}
	}

	drawArc(arc, m, a, b, slot) {
		const beside = a.right < b.left || b.right < a.left;
		const right = a.x < b.x, below = a.y < b.y;
		const from = beside ? { x: right ? a.right : a.left, y: a.y + slot * 12 } : { x: a.x + 30 + slot * 26, y: below ? a.bottom : a.top };
		const to = beside ? { x: right ? b.left : b.right, y: b.y + slot * 12 } : { x: b.x + 30 + slot * 26, y: below ? b.top : b.bottom };
		const cx = (from.x + to.x) / 2 + (beside ? 0 : 34), cy = (from.y + to.y) / 2 + (beside ? (slot % 2 ? 1 : -1) * (46 + 30 * (slot >> 1)) : 0);
		const mx = (from.x + 2 * cx + to.x) / 4, my = (from.y + 2 * cy + to.y) / 4;
		const [line, end, label, sub] = arc.children;
		const width = this.field.clientWidth;
		const tx = beside ? Math.min(Math.max(mx, 90), Math.max(90, width - 90)) : Math.min(mx + 10, width - 150);
		const ty = beside ? my + (slot % 2 ? 22 : -16) : my + slot * 34;

		attr(arc, "data-state", moving(m) ? "moving" : m.state === "DONE" ? "done" : "aborted");
		attr(arc, "data-to", m.to_isa);
		attr(line, "d", `M${from.x} ${from.y}Q${cx} ${cy} ${to.x} ${to.y}`);
		attr(end, "cx", to.x); attr(end, "cy", to.y);
		for (const [t, dy] of [[label, -4], [sub, 12]]) { attr(t, "x", tx); attr(t, "y", ty + dy); attr(t, "text-anchor", beside ? "middle" : "start"); }
		/* More than two names at one place can't be read; the list beside has them all. */
		label.style.setProperty("display", slot > 1 ? "none" : "");
		sub.style.setProperty("display", slot > 1 ? "none" : "");
		text(label, jobName(m.job));
		text(sub, moving(m) ? m.state.toLowerCase() : m.state === "DONE" ? `moved, ${span(m.downtime_us / 1000)} downtime` : "aborted");
	}
}
