/* The cluster at a glance: power, saving, nodes with their jobs, and what moves. */
import { h, fill, keyed, text, atMost } from "../lib/dom.js";
import { watts, count, plural } from "../lib/format.js";
import { store, moving } from "../lib/store.js";
import { kindMark, segmented } from "../parts/states.js";
import { PowerPanel, BANDS_MAX } from "../parts/power.js";
import { SavingPanel } from "../parts/saving.js";
import { Yard } from "../parts/yard.js";
import { MovesList } from "../parts/moves.js";

function stat(label) {
	const value = h("dd", { class: "stat-value" }), sub = h("dd", { class: "stat-sub muted" });
	return { el: h("div", { class: "stat" }, h("dt", {}, label), value, sub), value, sub };
}

class Stats {
	constructor() {
		this.power = stat("Power now");
		this.nodes = stat("Nodes");
		this.jobs = stat("Jobs");
		this.moves = stat("Migrations");
		this.policy = stat("Policy");
		this.el = h("dl", { class: "stats live", "aria-label": "The cluster now" }, [this.power, this.nodes, this.jobs, this.moves, this.policy].map((x) => x.el));
		this.draw = atMost(500, () => this.now());
		this.off = store.on("reset nodes jobs migrations policy", this.draw);
		this.draw();
	}
	close() { this.off(); this.draw.cancel(); }

	now() {
		if (!store.loaded) return;
		const by = new Map();
		const states = new Map();
		let w = 0;
		for (const n of store.nodes.values()) {
			states.set(n.state, (states.get(n.state) ?? 0) + 1);
			w += n.power_w || 0;
			if (n.power_w) by.set(n.power_kind, (by.get(n.power_kind) ?? 0) + n.power_w);
		}
		text(this.power.value, watts(w));
		keyed(this.power.sub, [...by], ([kind]) => kind, ([kind]) => h("span", { class: "nowrap" }, h("span"), kindMark(kind), " "), (el, [, part]) => text(el.firstChild, by.size > 1 ? `${watts(part)} ` : ""));
		text(this.nodes.value, count(states.get("up") ?? 0));
		const rest = [...states].filter(([k]) => k !== "up").map(([k, n]) => `${count(n)} ${k}`);
		text(this.nodes.sub, `up of ${count(store.nodes.size)}${rest.length ? `; ${rest.join(", ")}` : ""}`);
		text(this.jobs.value, count(store.running.size));
		text(this.jobs.sub, `running${store.pending === null ? "" : `, ${count(store.pending)} waiting`}`);
		const now = [...store.moves.values()].filter(moving).length;
		text(this.moves.value, count(now));
		text(this.moves.sub, "under way");
		text(this.policy.value, store.policy?.name ?? "–");
		text(this.policy.sub, store.cap?.cap_w ? `cap ${watts(store.cap.cap_w)}, ${watts(store.cap.headroom_w)} left` : "no power cap");
	}
}

export function open() {
	const stats = new Stats();
	let by = null;
	const shown = () => by ?? (store.nodes.size > BANDS_MAX ? "isa" : "node");
	const choice = h("span");
	const power = new PowerPanel({ title: "Power", by: shown, cap: () => store.cap?.cap_w ?? null, extra: choice });
	const drawChoice = () => {
		if (!store.loaded) return;
		fill(choice, store.nodes.size > BANDS_MAX ? h("span", { class: "muted" }, `${plural(store.nodes.size, "node")}, stacked by ISA`) :
			segmented("Stacked by", [["node", "by node"], ["isa", "by ISA"]], shown(), (v) => { by = v; power.read(); }));
		power.read();
	};
	const off = store.on("reset", drawChoice);
	drawChoice();
	const saving = new SavingPanel();
	const yard = new Yard();
	const moves = new MovesList();
	const parts = [stats, power, saving, yard, moves];

	return {
		title: "Overview",
		el: h("div", { class: "overview" }, h("h1", { class: "sr" }, "Overview"), stats.el, h("div", { class: "two" }, power.el, saving.el), h("div", { class: "two" }, yard.el, moves.el)),
		close() { off(); parts.forEach((p) => p.close()); },
	};
}
