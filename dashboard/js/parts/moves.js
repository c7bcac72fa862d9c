/* Migrations as a list of what moved, from where to where, how long it stood still, and why. */
import { h, fill, keyed, text, atMost } from "../lib/dom.js";
import { span, bytes, time, joules } from "../lib/format.js";
import { store, moving } from "../lib/store.js";
import { jobLink, nodeLink } from "../lib/router.js";
import { isaMark, moveBadge, emptyBox } from "./states.js";

const names = new Map();
/** A job's name where it is known; its number otherwise. */
export function jobName(id) {
	const j = store.running.get(id);
	if (j) names.set(id, j.name);
	if (names.size > 5000) names.delete(names.keys().next().value);
	return names.get(id) ?? `job ${id}`;
}

function make(m) {
	return h("li", { class: "move" },
		h("div", { class: "move-head" }, h("a", { class: "move-job", href: jobLink(m.job) }), h("span", { class: "move-state" }), h("time", { class: "muted" })),
		h("div", { class: "move-way" }, h("a", { href: nodeLink(m.from) }, m.from), isaMark(m.from_isa), h("span", { "aria-label": "to" }, "→"), h("a", { href: nodeLink(m.to) }, m.to), isaMark(m.to_isa), h("span", { class: "move-facts" })),
		h("p", { class: "muted move-why" }));
}

function update(el, m) {
	const [head, way, why] = el.children;
	text(head.children[0], jobName(m.job));
	if (head.children[1].dataset.state !== m.state) { head.children[1].dataset.state = m.state; fill(head.children[1], moveBadge(m)); }
	text(head.children[2], time(m.requested_ms));
	head.children[2].dateTime = new Date(m.requested_ms).toISOString();
	const facts = [m.downtime_us ? `${span(m.downtime_us / 1000)} downtime` : null, m.image_bytes ? bytes(m.image_bytes) : null, m.predicted_saving_j ? `predicted to ${m.predicted_saving_j > 0 ? "save" : "cost"} ${joules(Math.abs(m.predicted_saving_j))}` : null];
	text(way.lastChild, facts.filter(Boolean).join(" · "));
	text(why, m.error ? `${m.reason} — ${m.error}` : moving(m) && m.deferred ? `${m.reason} — waits: ${m.deferred}` : m.reason);
}

export class MovesList {
	constructor(title = "Migrations", max = 40) {
		this.max = max;
		this.list = h("ol", { class: "moves" });
		this.empty = emptyBox("Nothing has moved yet", "A migration appears here the moment it is decided, with its reason.");
		this.el = h("section", { class: "panel moves-panel", "aria-label": title }, h("div", { class: "panel-head" }, h("h2", {}, title), this.sub = h("span", { class: "muted" })), this.empty,
			h("div", { class: "scroll live", tabindex: "0", role: "region", "aria-label": `List of ${title.toLowerCase()}` }, this.list));
		this.draw = atMost(200, () => this.now());
		this.off = store.on("migrations reset jobs", this.draw);
		this.draw();
	}
	close() { this.off(); this.draw.cancel(); }
	now() {
		const all = [...store.moves.values()].reverse().slice(0, this.max);
		this.empty.hidden = all.length > 0 || !store.loaded;
		this.list.parentNode.hidden = !all.length;
		const now = all.filter(moving).length;
		text(this.sub, now ? `${now} under way` : "");
		keyed(this.list, all, (m) => m.id, make, update);
	}
}
