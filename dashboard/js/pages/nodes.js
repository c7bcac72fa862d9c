/* All nodes: load, power, state. */
import { h, fill, text, attr, atMost, newId } from "../lib/dom.js";
import { bytes, percent, plural, span, watts } from "../lib/format.js";
import { store } from "../lib/store.js";
import { nodeLink, replaceQuery } from "../lib/router.js";
import { nodeBadge, isaMark, kindMark, emulatedMark, bar, setBar, emptyBox } from "../parts/states.js";
import { VirtualTable } from "../parts/vtable.js";

const share = (n) => (n.cpus ? Math.min(1, n.cpu_percent / 100 / n.cpus) : 0);

function mark(cell, key, make) {
	if (cell.dataset.drawn === key) return;
	cell.dataset.drawn = key;
	fill(cell, make());
}

const columns = [
	{ label: "Node", cls: "c-name", draw: (c, n) => { if (!c.firstChild?.href) fill(c, h("a", { class: "clip" })); text(c.firstChild, n.name); attr(c.firstChild, "href", nodeLink(n.name)); } },
	{ label: "ISA", cls: "n-isa", draw: (c, n) => mark(c, `${n.isa}${n.emulated}`, () => [isaMark(n.isa), " ", n.emulated ? emulatedMark(n.emulator) : null]) },
	{ label: "State", cls: "n-state", draw: (c, n) => mark(c, `${n.state}${n.cordoned}`, () => nodeBadge(n)) },
	{ label: "Load", cls: "n-load", draw: (c, n) => { if (!c.firstChild?.classList?.contains("bar")) fill(c, bar(0, "")); attr(c, "data-isa", n.isa); setBar(c.firstChild, share(n), `load ${percent(share(n) * 100)}`); } },
	{ label: "CPUs", cls: "num n-cpus", draw: (c, n) => text(c, `${n.used_cpus} of ${n.cpus}`) },
	{ label: "Memory", cls: "num n-mem", draw: (c, n) => text(c, `${percent((n.memory_used_bytes / n.memory_bytes) * 100)} of ${bytes(n.memory_bytes)}`) },
	{ label: "Jobs", cls: "num n-jobs", draw: (c, n) => text(c, n.jobs) },
	{ label: "Power", cls: "num n-power", draw: (c, n) => text(c, watts(n.power_w)) },
	{ label: "Source", cls: "n-kind", draw: (c, n) => mark(c, n.power_kind, () => kindMark(n.power_kind)) },
	{ label: "Since", cls: "num n-since", draw: (c, n) => text(c, n.since_ms ? span(Math.max(0, store.now() - n.since_ms)) : "–") },
	{ label: "Reason", cls: "n-reason clip muted", draw: (c, n) => { text(c, n.state_reason ?? ""); attr(c, "title", n.state_reason || null); } },
];

export function open(_parts, query) {
	const f = { q: query.get("q") ?? "", isa: query.get("isa") ?? "", state: query.get("state") ?? "" };
	const matches = (n) => (!f.q || n.name.includes(f.q)) && (!f.isa || n.isa === f.isa) && (!f.state || n.state === f.state);
	const sub = h("span", { class: "muted" });
	const change = (values) => { Object.assign(f, values); replaceQuery(f); table.reload(); };
	const list = (label, key, options) => {
		const id = newId();
		const el = h("select", { id, class: "input", onchange: () => change({ [key]: el.value }) }, options.map(([v, name]) => h("option", { value: v }, name)));
		el.value = f[key];
		return h("div", { class: "field" }, h("label", { for: id }, label), el);
	};
	const id = newId();
	const table = new VirtualTable({
		label: "Nodes", columns,
		load: async () => {
			while (!store.loaded) {
				if (store.error) throw store.error;
				await new Promise((go) => { const off = store.on("reset", () => { off(); go(); }); });
			}
			return { rows: [...store.nodes.values()].filter(matches).sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })).map((n) => ({ ...n, id: n.name })), next: null };
		},
		empty: () => (store.nodes.size ? emptyBox("No node matches") : emptyBox("No node has joined yet", "Start an agent on a machine: ", h("code", {}, "drover-agent --server URL"))),
	});
	table.el.classList.add("vt-nodes");
	const drawSub = atMost(500, () => { let w = 0; for (const n of store.nodes.values()) w += n.power_w || 0; text(sub, store.loaded ? `${plural(store.nodes.size, "node")}, ${watts(w)}` : ""); });
	const offs = [
		store.on("nodes", (_t, items) => {
			if (items.some((n) => !table.byId.has(n.name) && matches(n))) table.reload();
			else for (const n of items) table.put({ ...n, id: n.name });
			drawSub();
		}),
		store.on("reset", () => { table.reload(); drawSub(); }),
	];
	drawSub();
	return {
		title: "Nodes",
		el: h("div", { class: "jobs-page" }, h("div", { class: "page-head" }, h("h1", {}, "Nodes"), sub),
			h("form", { class: "filters", role: "search", "aria-label": "Filter the nodes", onsubmit: (ev) => ev.preventDefault() },
				h("div", { class: "field" }, h("label", { for: id }, "Name"), h("input", { id, class: "input", type: "search", value: f.q, oninput: (ev) => change({ q: ev.target.value.trim() }) })),
				list("ISA", "isa", [["", "both"], ["x86_64", "x86"], ["aarch64", "ARM"]]),
				list("State", "state", [["", "all"], ...["up", "draining", "drained", "sleeping", "asleep", "waking", "down", "unknown"].map((s) => [s, s])])), table.el),
		close() { offs.forEach((x) => x()); drawSub.cancel(); table.close(); },
	};
}

