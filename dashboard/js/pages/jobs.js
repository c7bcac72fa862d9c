/* All jobs: filters, and a table that stays quick with a hundred thousand of them. */
import { h, fill, text, attr, newId } from "../lib/dom.js";
import { get } from "../lib/api.js";
import { microjoules, span, time, fullTime, isaShort } from "../lib/format.js";
import { store } from "../lib/store.js";
import { session } from "../lib/session.js";
import { jobLink, replaceQuery } from "../lib/router.js";
import { jobBadge, jobReason, jobStateNames, jobStateWord, isaMark, emptyBox } from "../parts/states.js";
import { VirtualTable } from "../parts/vtable.js";

const PAGE = 200;
const PAGE_FAR = 1000;
const STATE_SETS = { active: ["RUNNING", "MIGRATING", "PENDING"], ended: ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"], bad: ["FAILED", "TIMEOUT", "NODE_FAIL"] };
const AGES = [["", "any time"], ["3600", "last hour"], ["86400", "last day"], ["604800", "last week"]];

export function elapsed(job, now) {
	if (!job.started_ms) return null;
	return Math.max(0, (job.ended_ms ?? now) - job.started_ms);
}

const stateList = (value) => STATE_SETS[value] ?? (value ? [value] : null);

function matches(job, f) {
	const states = stateList(f.state);
	return (!states || states.includes(job.state)) && (!f.user || job.user === f.user) && (!f.node || job.node === f.node) && (!f.isa || job.isa === f.isa) &&
		(!f.array || job.array?.id === f.array) && (!f.q || job.name.includes(f.q) || job.id === f.q);
}

function mark(cell, key, make) {
	if (cell.dataset.drawn === key) return;
	cell.dataset.drawn = key;
	fill(cell, make());
}

const columns = [
	{ label: "Job", cls: "num c-id", draw: (c, j) => text(c, j.id) },
	{ label: "Name", cls: "c-name", draw: (c, j) => { if (!c.firstChild?.href) fill(c, h("a", { class: "clip" })); text(c.firstChild, j.name); attr(c.firstChild, "href", jobLink(j.id)); } },
	{ label: "State", cls: "c-state", draw: (c, j) => mark(c, `${j.state}${j.held ?? ""}`, () => jobBadge(j)) },
	{ label: "User", cls: "c-user clip", draw: (c, j) => text(c, j.user) },
	{ label: "Node", cls: "c-node clip", draw: (c, j) => mark(c, `${j.node}${j.isa}`, () => (j.node ? [isaMark(j.isa), " ", j.node] : "–")) },
	{ label: "Ran", cls: "num c-time", draw: (c, j) => text(c, span(elapsed(j, store.now()) ?? NaN)) },
	{ label: "CPUs", cls: "num c-cpus", draw: (c, j) => text(c, j.cpus) },
	{ label: "Moves", cls: "num c-moves", draw: (c, j) => text(c, j.migrations) },
	{ label: "Energy", cls: "num c-energy", draw: (c, j) => { text(c, j.energy_uj ? microjoules(j.energy_uj) : "–"); attr(c, "title", j.energy_kind); } },
	{ label: "Submitted", cls: "num c-when", draw: (c, j) => { text(c, time(j.submitted_ms)); attr(c, "title", fullTime(j.submitted_ms)); } },
	{ label: "Reason", cls: "c-reason clip muted", draw: (c, j) => { text(c, jobReason(j)); attr(c, "title", jobReason(j) || null); } },
];

function select(label, options, value, onChange) {
	const id = newId();
	const el = h("select", { id, class: "input", onchange: () => onChange(el.value) }, options.map(([v, name]) => h("option", { value: v }, name)));
	el.value = value ?? "";
	return [h("div", { class: "field" }, h("label", { for: id }, label), el), el];
}

export function open(_parts, query) {
	const f = Object.fromEntries(["state", "user", "node", "isa", "array", "q", "age", "order"].map((k) => [k, query.get(k) ?? ""]));
	let timer;
	const change = (values, wait = 0) => {
		Object.assign(f, values);
		clearTimeout(timer);
		timer = setTimeout(() => { replaceQuery(f); table.reload(); }, wait);
	};
	const input = (label, key, more) => {
		const id = newId();
		return h("div", { class: "field" }, h("label", { for: id }, label), h("input", { id, class: "input", value: f[key], type: "search", spellcheck: "false", autocomplete: "off", oninput: (ev) => change({ [key]: ev.target.value.trim() }, 250), ...more }));
	};
	const [stateField] = select("State", [["", "all"], ["active", "active"], ["ended", "ended"], ["bad", "gone wrong"], ...jobStateNames.map((s) => [s, jobStateWord(s).toLowerCase()])], f.state, (v) => change({ state: v }));
	const [isaField] = select("ISA", [["", "both"], ["x86_64", isaShort("x86_64")], ["aarch64", isaShort("aarch64")]], f.isa, (v) => change({ isa: v }));
	const [ageField] = select("Submitted", AGES, f.age, (v) => change({ age: v }));
	const [orderField] = select("Order", [["", "newest first"], ["oldest", "oldest first"]], f.order, (v) => change({ order: v }));
	const filters = h("form", { class: "filters", role: "search", "aria-label": "Filter the jobs", onsubmit: (ev) => ev.preventDefault() },
		input("Name or number", "q", { placeholder: "is.S" }), stateField, input("User", "user"), input("Node", "node"), isaField, ageField, orderField,
		f.array ? h("div", { class: "field" }, h("span", { class: "label" }, "Array"), h("button", { class: "btn", type: "button", onclick: (ev) => { ev.target.closest(".field").remove(); change({ array: "" }); } }, `${f.array} ×`)) : null);
	const filtered = () => Object.entries(f).some(([k, v]) => v && k !== "order");
	let pages = 0;
	const table = new VirtualTable({
		label: "Jobs", columns,
		load: async (cursor) => {
			pages = cursor ? pages + 1 : 0;
			const page = await get("jobs", {
				state: stateList(f.state)?.join(","), user: f.user, node: f.node, isa: f.isa, array: f.array, q: f.q, order: f.order || "newest",
				since_ms: f.age ? Math.round(store.now() - Number(f.age) * 1000) : null, limit: pages < 2 ? PAGE : PAGE_FAR, cursor, count: cursor ? null : 1,
			});
			return { rows: page.jobs, next: page.next, total: page.total };
		},
		empty: () => (filtered() ? emptyBox("No job matches", "Loosen the filter, or ", h("a", { href: "#/jobs", onclick: () => setTimeout(() => location.reload()) }, "show all jobs"), ".")
			: emptyBox("No job has been submitted yet", session.maySubmit ? h("a", { href: "#/submit" }, "Submit the first one") : null)),
	});
	const off = store.on("jobs", (_t, items) => { for (const j of items) table.put(j, f.order !== "oldest" && !table.byId.has(j.id) && matches(j, f)); });
	const offReset = store.on("gap", () => table.reload());
	const timerTick = setInterval(() => table.refresh(), 1000);

	return {
		title: "Jobs",
		el: h("div", { class: "jobs-page" }, h("div", { class: "page-head" }, h("h1", {}, "Jobs"), h("div", { class: "actions" }, session.maySubmit ? h("a", { class: "btn btn-main", href: "#/submit" }, "Submit a job") : null)), filters, table.el),
		close() { off(); offReset(); clearInterval(timerTick); clearTimeout(timer); table.close(); },
	};
}

