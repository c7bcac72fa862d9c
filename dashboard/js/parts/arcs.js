/*
 * Migrations drawn over the nodes: a curve from place to place, what moves and how it went. The curves stand still; what travels along
 * them is a dot that the compositor moves, so that nothing is painted meanwhile.
 */
import { h, s, text, attr, eachFrame } from "../lib/dom.js";
import { span } from "../lib/format.js";
import { store, moving } from "../lib/store.js";
import { jobName } from "./moves.js";

const AFTERGLOW_MS = 5000;
const ARCS_MAX = 24;
const FLIGHT_MS = 1100, FLIGHT_STEPS = 12;

/** The curve between two boxes; slot counts those between the same two, which lie side by side. */
function curve(a, b, slot) {
	const beside = a.right < b.left || b.right < a.left;
	const right = a.x < b.x, below = a.y < b.y;
	const from = beside ? { x: right ? a.right : a.left, y: a.y + slot * 12 } : { x: a.x + 30 + slot * 26, y: below ? a.bottom : a.top };
	const to = beside ? { x: right ? b.left : b.right, y: b.y + slot * 12 } : { x: b.x + 30 + slot * 26, y: below ? b.top : b.bottom };
	const c = { x: (from.x + to.x) / 2 + (beside ? 0 : 34), y: (from.y + to.y) / 2 + (beside ? (slot % 2 ? 1 : -1) * (46 + 30 * (slot >> 1)) : 0) };
	const at = (t) => ({ x: (1 - t) ** 2 * from.x + 2 * t * (1 - t) * c.x + t * t * to.x, y: (1 - t) ** 2 * from.y + 2 * t * (1 - t) * c.y + t * t * to.y });
	return { beside, from, to, c, at };
}

export class Arcs {
	/** place(name): where a node's tile is, {left, right, top, bottom, x, y}, or null. */
	constructor(place) {
		this.place = place;
		this.svg = s("svg", { class: "arcs", "aria-hidden": "true" });
		this.el = h("div", { class: "arcs-layer" }, this.svg);
		this.arcs = new Map();
		this.boxes = new Map();
		this.draw = eachFrame(() => this.now());
		this.off = store.on("migrations", this.draw);
		this.timer = setInterval(() => { if (this.arcs.size) this.draw(); }, 1000);
	}

	close() {
		this.off();
		this.draw.cancel();
		clearInterval(this.timer);
	}

	/** The tiles are elsewhere now. */
	moved() {
		this.boxes = new Map();
		this.draw();
	}

	box(name) {
		if (!this.boxes.has(name)) {
			const box = this.place(name);
			if (!box) return null;
			this.boxes.set(name, box);
		}
		return this.boxes.get(name);
	}

	now() {
		const now = store.now();
		const list = [...store.moves.values()].filter((m) => moving(m) || (m.ended_ms && now - m.ended_ms < AFTERGLOW_MS)).slice(-ARCS_MAX);
		const wanted = new Set(list.map((m) => m.id));
		const slots = new Map();

		for (const [id, arc] of this.arcs) if (!wanted.has(id)) { arc.el.remove(); arc.dot?.remove(); this.arcs.delete(id); }
		for (const m of list.reverse()) {
			const a = this.box(m.from), b = this.box(m.to);
			if (!a || !b) continue;
			let arc = this.arcs.get(m.id);
			if (!arc) {
				arc = { el: s("g", { class: "arc" }, s("path", { class: "arc-line" }), s("circle", { r: 5, class: "arc-end" }), s("text", { class: "arc-text" }), s("text", { class: "arc-text arc-sub" })), dot: null };
				this.arcs.set(m.id, arc);
				this.svg.append(arc.el);
			}
			const pair = [m.from, m.to].sort().join(" ");
			slots.set(pair, (slots.get(pair) ?? -1) + 1);
			const way = curve(a, b, slots.get(pair));
			this.drawArc(arc.el, m, way, slots.get(pair));
			this.fly(arc, m, way);
		}
	}

	drawArc(arc, m, way, slot) {
		const { beside, from, to, c } = way;
		const mid = way.at(0.5), width = this.el.clientWidth;
		const [line, end, label, sub] = arc.children;
		const tx = beside ? Math.min(Math.max(mid.x, 90), Math.max(90, width - 90)) : Math.min(mid.x + 10, width - 150);
		const ty = beside ? mid.y + (slot % 2 ? 22 : -16) : mid.y + slot * 34;

		attr(arc, "data-state", moving(m) ? "moving" : m.state === "DONE" ? "done" : "aborted");
		attr(arc, "data-to", m.to_isa);
		attr(line, "d", `M${from.x} ${from.y}Q${c.x} ${c.y} ${to.x} ${to.y}`);
		attr(end, "cx", to.x);
		attr(end, "cy", to.y);
		for (const [t, dy] of [[label, -4], [sub, 12]]) {
			attr(t, "x", tx);
			attr(t, "y", ty + dy);
			attr(t, "text-anchor", beside ? "middle" : "start");
			/* More than two names at one place can't be read; the list beside has them all. */
			t.style.setProperty("display", slot > 1 ? "none" : "");
		}
		text(label, jobName(m.job));
		text(sub, moving(m) ? m.state.toLowerCase() : m.state === "DONE" ? `moved, ${span(m.downtime_us / 1000)} downtime` : "aborted");
	}

	/** The dot of a job on its way; where movement is not wanted there is none. */
	fly(arc, m, way) {
		const wanted = moving(m) && !matchMedia("(prefers-reduced-motion: reduce)").matches;
		const path = JSON.stringify([way.from, way.c, way.to]);

		if (arc.dot && (!wanted || arc.path !== path)) { arc.dot.remove(); arc.dot = null; }
		if (!wanted || arc.dot) return;
		arc.path = path;
		arc.dot = h("span", { class: "flight", "aria-hidden": "true", data: { to: m.to_isa } });
		this.el.append(arc.dot);
		arc.dot.animate(Array.from({ length: FLIGHT_STEPS + 1 }, (_, i) => {
			const p = way.at(i / FLIGHT_STEPS);
			return { transform: `translate(${p.x}px, ${p.y}px)` };
		}), { duration: FLIGHT_MS, iterations: Infinity });
	}
}
