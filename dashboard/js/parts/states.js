/* Small pieces that stand for a state: never a colour alone, always a shape and a word. */
import { h, s } from "../lib/dom.js";
import { isaName, isaShort } from "../lib/format.js";

const glyphs = {
	ok: "M4 8.5l3 3 5.5-7", run: "M5 3.5v9l7-4.5z", wait: "M8 4v4l3 2M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8Z", move: "M2 8h10m-3.5-4L12.5 8l-4 4",
	bad: "M4 4l8 8m0-8l-8 8", stop: "M4 4h8v8H4z", sleep: "M12.6 9.8A5.4 5.4 0 0 1 6.2 3.4 5.4 5.4 0 1 0 12.6 9.8Z", up: "M8 13V3M4 7l4-4 4 4", down: "M8 3v10M4 9l4 4 4-4",
	hold: "M5 3v10M11 3v10", unknown: "M5.5 6a2.5 2.5 0 1 1 3.4 2.4c-.6.3-.9.7-.9 1.6M8 12.9h.01", drain: "M2.5 3h11L9 8.5V13l-2 0V8.5Z",
};
const filled = new Set(["run", "stop"]);

const jobStates = {
	PENDING: ["wait", "Waiting", ""], RUNNING: ["run", "Running", "tone-good"], MIGRATING: ["move", "Moving", "tone-warn"], COMPLETED: ["ok", "Completed", ""],
	FAILED: ["bad", "Failed", "tone-bad"], CANCELLED: ["stop", "Cancelled", ""], TIMEOUT: ["wait", "Time limit", "tone-bad"], NODE_FAIL: ["bad", "Node failed", "tone-bad"],
};
const nodeStates = {
	up: ["up", "Up", "tone-good"], draining: ["drain", "Draining", "tone-warn"], drained: ["hold", "Drained", "tone-warn"], sleeping: ["sleep", "Falling asleep", ""],
	asleep: ["sleep", "Asleep", ""], waking: ["up", "Waking", "tone-warn"], down: ["bad", "Down", "tone-bad"], unknown: ["unknown", "Unknown", "tone-warn"],
};
const moveStates = {
	PREPARING: ["wait", "Preparing", "tone-warn"], SENDING: ["move", "Sending", "tone-warn"], LOADED: ["move", "Loaded", "tone-warn"], COMMITTED: ["move", "Committed", "tone-warn"],
	DONE: ["ok", "Done", ""], ABORTED: ["bad", "Aborted", "tone-bad"],
};
const replayStates = { RUNNING: ["run", "Running", "tone-good"], DONE: ["ok", "Done", ""], FAILED: ["bad", "Failed", "tone-bad"], CANCELLED: ["stop", "Cancelled", ""] };

export const jobStateNames = Object.keys(jobStates);
export const jobStateWord = (state) => jobStates[state]?.[1] ?? state;

export function glyph(name) {
	return s("svg", { class: "glyph", viewBox: "0 0 16 16", fill: filled.has(name) ? "currentColor" : "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" }, s("path", { d: glyphs[name] }));
}

function badge([g, word, tone], extra) {
	return h("span", { class: `badge ${tone}` }, glyph(g), word, extra);
}
const other = (state) => ["unknown", String(state ?? "unknown").toLowerCase(), ""];

export function jobBadge(job) {
	if (job.state === "PENDING" && (job.held || job.reason_code === "JobHeldUser")) return badge(["hold", "Held", "tone-warn"]);
	return badge(jobStates[job.state] ?? other(job.state));
}
/** Why a job is as it is, in words: without the code that the badge says already. */
export const jobReason = (job) => (job.reason_code && job.reason?.startsWith(`${job.reason_code}: `) ? job.reason.slice(job.reason_code.length + 2) : job.reason ?? "");
export const nodeBadge = (node) => badge(nodeStates[node.state] ?? other(node.state), node.cordoned && !["draining", "drained"].includes(node.state) ? ", cordoned" : null);
export const moveBadge = (m) => badge(moveStates[m.state] ?? other(m.state));
export const replayBadge = (r) => badge(replayStates[r.state] ?? other(r.state));

/** "■ x86" or "● ARM": the shape says it as well as the colour. */
export function isaMark(isa, long) {
	const arm = isa === "aarch64";
	return h("span", { class: `isa ${arm ? "isa-arm" : "isa-x86"}` },
		s("svg", { class: "mark", viewBox: "0 0 10 10", "aria-hidden": "true" }, arm ? s("circle", { cx: 5, cy: 5, r: 4.5 }) : s("rect", { x: 0.8, y: 0.8, width: 8.4, height: 8.4, rx: 1 })),
		h("span", { class: "isa-text" }, long ? isaName(isa) : isaShort(isa)));
}

const kinds = {
	measured: ["●", "read from an energy counter"], integrated: ["◐", "integrated from power readings"],
	modelled: ["○", "computed by a model from the load; nothing was measured"], mixed: ["◑", "partly measured, partly modelled"],
};
/** Where a figure comes from, said beside every joule and watt. */
export function kindMark(kind) {
	if (!kind) return null;
	const [g, what] = kinds[kind] ?? ["?", ""];
	return h("span", { class: "kind", title: `${kind}: ${what}` }, h("span", { "aria-hidden": "true" }, g), kind);
}
export const kindMeaning = (kind) => kinds[kind]?.[1] ?? "";

export function emulatedMark(emulator) {
	return h("span", { class: "tag", title: `Runs through ${emulator ?? "an emulator"}: its speed and power say nothing about real hardware` }, "emulated");
}

export function bar(share, label, cls = "") {
	const inner = h("span", {});
	const el = h("span", { class: `bar ${cls}`, role: "img", "aria-label": label }, inner);
	inner.style.setProperty("--share", String(Math.min(1, Math.max(0, share || 0))));
	return el;
}
export function setBar(el, share, label) {
	el.firstChild.style.setProperty("--share", String(Math.min(1, Math.max(0, share || 0))));
	if (el.getAttribute("aria-label") !== label) el.setAttribute("aria-label", label);
}

/** What the server said, and what to do. */
export function errorBox(e, retry) {
	return h("div", { class: "note note-bad", role: "alert" }, glyph("bad"),
		h("div", {}, h("p", {}, h("strong", {}, e.message)),
			e.fields?.length ? h("ul", {}, e.fields.map((f) => h("li", {}, h("code", {}, f.field), " ", f.detail))) : null,
			e.hint ? h("p", {}, e.hint) : null,
			retry ? h("p", {}, h("button", { class: "btn btn-small", type: "button", onclick: retry }, "Try again")) : null));
}

export function emptyBox(title, body, ...more) {
	return h("div", { class: "empty" }, h("h3", {}, title), body ? h("p", {}, body) : null, more);
}
export const loadingBox = (what) => h("div", { class: "empty loading", role: "status" }, h("span", { class: "dots", "aria-hidden": "true" }), ` Reading ${what} …`);

/** A group of buttons of which one is on. options: [[value, label], ...] */
export function segmented(label, options, value, onChange) {
	const el = h("div", { class: "seg", role: "group", "aria-label": label });
	const draw = (v) => { for (const b of el.children) b.setAttribute("aria-pressed", String(b.dataset.value === String(v))); };
	for (const [v, name] of options)
		el.append(h("button", { type: "button", data: { value: v }, onclick: () => { draw(v); onChange(v); } }, name));
	draw(value);
	return el;
}
