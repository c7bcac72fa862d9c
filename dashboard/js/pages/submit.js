/* Submitting: a bundle with what is in it and what can't migrate, then resources, arrays and when. */
import { h, fill, text, newId } from "../lib/dom.js";
import { get, send, upload, sha256 } from "../lib/api.js";
import { bytes, count, fullTime, percent, plural } from "../lib/format.js";
import { session } from "../lib/session.js";
import { words, size, duration } from "../lib/parse.js";
import { jobLink, link } from "../lib/router.js";
import { toast } from "../lib/dialog.js";
import { errorBox, isaMark, glyph, emptyBox } from "../parts/states.js";

/** A function's name as it is written: local ones carry their module's number. */
const plain = (name) => name.replace(/\.m\d+$/, "");

/** A place in the source, by its last two names; the title has the whole path. */
const place = (x) => h("span", { class: "muted", title: `${x.file}:${x.line}` }, `${x.file.split("/").slice(-2).join("/")}:${x.line}`);

/** Where it can be moved, and so where not. */
function places(m) {
	if (!m) return null;
	if (!m.points) return h("div", { class: "note note-warn" }, glyph("hold"), h("p", {}, h("strong", {}, "This program has no migration point: "), "it runs where it starts and is never moved."));
	return h("details", {}, h("summary", {}, `It can be moved at ${plural(m.points, "point")} in ${plural(m.functions, "function")}; elsewhere a migration waits`),
		h("div", { class: "table-wrap details-body", tabindex: "0", role: "region", "aria-label": "Where it can be moved" }, h("table", { class: "table" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Function"), h("th", { scope: "col" }, "Where"), h("th", { scope: "col", class: "num" }, "Points"))),
			h("tbody", {}, m.places.map((p) => h("tr", {}, h("td", {}, h("code", {}, plain(p.function))), h("td", {}, place(p)), h("td", { class: "num" }, p.points)))))),
		m.places.length < m.functions ? h("p", { class: "muted" }, `and ${plural(m.functions - m.places.length, "function")} more`) : null);
}

const BLOCKED_SHOWN = 200;

/** What can't be moved: functions that a migration has to wait for. */
function blocked(list) {
	if (!list) return null;
	if (!list.length) return h("p", { class: "tone-good" }, glyph("ok"), " No function keeps a migration waiting.");
	const waits = list.filter((b) => b.waits).length;
	return h("details", { open: list.length <= 10 }, h("summary", {}, `${plural(list.length, "function")} never ${list.length === 1 ? "migrates" : "migrate"}${waits ? `; in ${count(waits)} a migration may have to wait` : ""}`),
		h("div", { class: "table-wrap details-body", tabindex: "0", role: "region", "aria-label": "What can't migrate" }, h("table", { class: "table" }, h("thead", {}, h("tr", {}, ["Function", "Why", "Where", "A migration"].map((x) => h("th", { scope: "col" }, x)))),
			h("tbody", {}, list.slice(0, BLOCKED_SHOWN).map((b) => h("tr", {}, h("td", {}, h("code", {}, plain(b.function))), h("td", {}, b.reason), h("td", {}, place(b)), h("td", {}, b.waits ? "may wait for its return" : "never begins in it")))))),
		list.length > BLOCKED_SHOWN ? h("p", { class: "muted" }, `and ${plural(list.length - BLOCKED_SHOWN, "function")} more; drover-objinfo --blocked lists them all`) : null);
}

function inspection(info, sha) {
	const isas = (info.isas ?? []).map((x) => (typeof x === "string" ? { isa: x } : { isa: x.isa ?? x.name, ...x }));
	const fact = (name, ...v) => h("div", {}, h("dt", {}, name), h("dd", {}, v));
	const known = ["name", "isas", "size", "sha256", "created_ms", "blocked", "migrates", "halves"];
	const rest = Object.entries(info).filter(([k, v]) => !known.includes(k) && (typeof v === "number" || typeof v === "string"));
	return h("div", { class: "stack", data: { part: "inspection" } },
		h("dl", { class: "facts" }, fact("Name", info.name ?? "–"), fact("Has code for", isas.map((x) => [isaMark(x.isa, true), " "])), fact("Size", bytes(info.size)), info.created_ms ? fact("Uploaded", fullTime(info.created_ms)) : null,
			rest.map(([k, v]) => fact(k[0].toUpperCase() + k.slice(1).replaceAll("_", " "), /bytes|size/.test(k) && typeof v === "number" ? bytes(v) : /^[0-9a-f]{40,}$/.test(v) ? h("code", { title: v }, `${v.slice(0, 12)}…`) : String(v))), fact("SHA-256", h("code", { title: sha }, `${sha.slice(0, 12)}…`))),
		isas.length < 2 ? h("div", { class: "note note-warn" }, glyph("hold"), h("p", {}, h("strong", {}, "This program cannot cross the border: "), "it has code for one ISA only. It runs and may move between nodes of that ISA.")) : null,
		places(info.migrates),
		blocked(info.blocked));
}

/* ---- the form ------------------------------------------------------------- */

class Form {
	constructor() {
		this.inputs = new Map();
		this.note = h("div", { "aria-live": "assertive" });
	}
	field(key, label, input, help) {
		const id = input.id || newId();
		input.id = id;
		const error = h("p", { class: "error-text", id: `${id}e`, hidden: true });
		input.setAttribute("aria-describedby", `${id}h ${id}e`);
		this.inputs.set(key, { input, error });
		return h("div", { class: "field" }, h("label", { for: id }, label), input, error, help ? h("p", { class: "help", id: `${id}h` }, help) : null);
	}
	value(key) { return this.inputs.get(key).input.value.trim(); }
	clear() {
		fill(this.note);
		for (const { input, error } of this.inputs.values()) { input.removeAttribute("aria-invalid"); error.hidden = true; }
	}
	/** Shows a complaint beside its field; false when there is no such field. */
	complain(key, message) {
		const f = this.inputs.get(key.split(/[.[]/)[0]);
		if (!f) return false;
		f.input.setAttribute("aria-invalid", "true");
		text(f.error, message);
		f.error.hidden = false;
		if (!this.told) { this.told = true; f.input.focus(); }
		return true;
	}
	parse(key, f) {
		const v = this.value(key);
		if (!v) return undefined;
		try { return f(v); } catch (e) { this.complain(key, e.message); this.bad = true; return undefined; }
	}
}

const textInput = (more) => h("input", { class: "input", spellcheck: "false", autocomplete: "off", ...more });

function jobForm(chosen, result) {
	const f = new Form();
	const button = h("button", { class: "btn btn-main", type: "submit" }, "Submit");
	const isas = (chosen.info.isas ?? []).map((x) => (typeof x === "string" ? x : x.isa ?? x.name));
	const boxes = isas.map((isa) => h("label", { class: "check" }, h("input", { type: "checkbox", name: "isa", value: isa, checked: true }), isaMark(isa, true)));
	const held = h("input", { type: "checkbox" }), requeue = h("input", { type: "checkbox", checked: true });
	const env = h("textarea", { class: "input mono", rows: 3, spellcheck: "false", placeholder: "NAME=value, one a line" });
	const whole = (min) => (v) => { if (!/^-?\d+$/.test(v) || Number(v) < min) throw new Error(`a whole number${min > -1000 ? ` from ${min}` : ""}`); return Number(v); };

	const spec = () => {
		f.clear();
		f.bad = f.told = false;
		const picked = boxes.map((b) => b.querySelector("input")).filter((b) => b.checked).map((b) => b.value);
		const s = {
			bundle: chosen.sha, name: f.value("name") || undefined, args: f.parse("args", words), isas: picked,
			env: f.parse("env", (v) => Object.fromEntries(v.split("\n").filter(Boolean).map((l) => { const at = l.indexOf("="); if (at < 1) throw new Error(`“${l}” is not NAME=value`); return [l.slice(0, at), l.slice(at + 1)]; }))),
			cpus: f.parse("cpus", whole(1)), memory_bytes: f.parse("memory_bytes", size), time_limit_s: f.parse("time_limit_s", duration), priority: f.parse("priority", whole(-1000)),
			array: f.value("array") || undefined, begin_ms: f.parse("begin_ms", (v) => new Date(v).getTime()),
			dependencies: f.parse("dependencies", (v) => v.split(/[\s,]+/).filter(Boolean).map((d) => { const m = /^(?:(afterok|afterany):)?(\d+)$/.exec(d); if (!m) throw new Error(`“${d}” is not afterok:NUMBER or afterany:NUMBER`); return { type: m[1] ?? "afterok", job: m[2] }; })),
			hold: held.checked || undefined, requeue: requeue.checked ? undefined : false,
		};
		if (!picked.length) { fill(f.note, errorBox({ message: "Choose at least one ISA the job may run on." })); f.bad = true; }
		return s;
	};

	const el = h("form", {
		class: "panel", "aria-label": "The job", onsubmit: async (ev) => {
			ev.preventDefault();
			const body = spec();
			if (f.bad) return;
			button.disabled = true;
			try {
				const r = await send("POST", "jobs", body, { headers: { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` } });
				const many = r.array && r.jobs;
				toast(many ? `Array ${r.array} with ${plural(r.count ?? r.jobs.length, "job")} is submitted` : `Job ${r.id} is submitted`);
				fill(result, h("div", { class: "note", role: "status" }, glyph("ok"), many ? h("p", {}, "Submitted as ", h("a", { href: link(["jobs"], { array: r.array }) }, `array ${r.array}`), ` with ${plural(r.count ?? r.jobs.length, "job")}.`) : h("p", {}, "Submitted as ", h("a", { href: jobLink(r.id) }, `job ${r.id}`), `: ${r.reason ?? r.state}`)));
			} catch (e) {
				/* Some refusals name their field in the sentence only. */
				const [, field, detail] = /^(\w+): (.*)/s.exec(e.message) ?? [];
				const left = e.fields.filter((x) => !f.complain(x.field, x.detail));
				const told = !e.fields.length && field && f.complain(field, e.hint ? `${detail} (${e.hint})` : detail);
				if (!told && (!e.fields.length || left.length)) fill(f.note, errorBox({ message: e.message, hint: e.hint, fields: left }));
			}
			button.disabled = false;
		},
	},
	h("div", { class: "panel-head" }, h("h2", {}, "The job")),
	h("div", { class: "field-row" }, f.field("name", "Name", textInput({ value: chosen.info.name ?? "", maxlength: 64 })), f.field("args", "Arguments", textInput({ class: "input mono", placeholder: "--class A" }), "As in a shell; quotes hold words together.")),
	h("div", { class: "field-row" }, f.field("cpus", "CPUs", textInput({ type: "number", min: 1, value: 1 })), f.field("memory_bytes", "Memory", textInput({ placeholder: "no limit" }), "512M, 2 GiB"), f.field("time_limit_s", "Time limit", textInput({ placeholder: "none" }), "90 s, 15 min, 2 h"), f.field("priority", "Priority", textInput({ type: "number", placeholder: "0", min: -1000, max: 1000 }), "Higher goes first.")),
	h("fieldset", { class: "field" }, h("legend", { class: "label" }, "May run on"), h("div", { class: "checks" }, boxes)),
	h("details", {}, h("summary", {}, "Arrays, order and environment"), h("div", { class: "form-col details-body" },
		h("div", { class: "field-row" }, f.field("array", "Array", textInput({ placeholder: "0-9" }), "0-9, 0-9:2, 1,3,5, or 0-99%4 for at most 4 at once"), f.field("dependencies", "After", textInput({ placeholder: "afterok:12" }), "afterok:NUMBER or afterany:NUMBER, several with blanks"), f.field("begin_ms", "Not before", textInput({ type: "datetime-local" }))),
		f.field("env", "Environment", env), h("div", { class: "checks" }, h("label", { class: "check" }, held, "Hold it until it is released"), h("label", { class: "check" }, requeue, "Start it again when its node fails")))),
	f.note, h("div", { class: "actions" }, button));
	return el;
}

/* ---- the bundle ------------------------------------------------------------ */

export function open() {
	const note = h("div", { "aria-live": "assertive" }), look = h("div", { class: "live" }), form = h("div"), result = h("div", { "aria-live": "polite" });
	const progress = h("progress", { max: 1, value: 0, hidden: true, "aria-label": "Upload" }), doing = h("p", { class: "muted", role: "status" });
	const file = h("input", { type: "file", class: "sr", id: "bundle-file", onchange: () => file.files[0] && take(file.files[0]) });
	const drop = h("div", {
		class: "drop", ondragover: (ev) => { ev.preventDefault(); drop.classList.add("over"); }, ondragleave: () => drop.classList.remove("over"),
		ondrop: (ev) => { ev.preventDefault(); drop.classList.remove("over"); if (ev.dataTransfer.files[0]) take(ev.dataTransfer.files[0]); },
	}, file, h("p", {}, h("label", { class: "btn", for: "bundle-file" }, "Choose a bundle"), " or drop one here"), h("p", { class: "muted" }, "A program that ", h("code", {}, "drover-cc"), " built, up to 256 MiB."), doing, progress);
	const pick = h("select", { class: "input", id: newId(), onchange: () => pick.value && show(pick.value) }, h("option", { value: "" }, "one that is there already …"));
	let abort = null;

	async function show(sha) {
		fill(note);
		fill(result);
		try {
			const info = await get(`bundles/${sha}/info`);
			fill(look, h("section", { class: "panel", "aria-label": "What is in it" }, h("div", { class: "panel-head" }, h("h2", {}, "What is in it")), inspection(info, sha)));
			fill(form, jobForm({ sha, info }, result));
		} catch (e) { fill(note, errorBox(e, () => show(sha))); }
	}
	async function take(chosen) {
		abort?.abort();
		abort = new AbortController();
		for (const box of [note, look, form, result]) fill(box);
		pick.value = "";
		file.value = "";
		try {
			text(doing, `Reading ${chosen.name}, ${bytes(chosen.size)} …`);
			const sha = await sha256(chosen);
			progress.hidden = false;
			await upload(`bundles/${sha}`, chosen, (share) => { progress.value = share; text(doing, `Uploading ${chosen.name}: ${percent(share * 100)} of ${bytes(chosen.size)}`); }, abort.signal);
			text(doing, `${chosen.name} is uploaded.`);
			await show(sha);
			known();
		} catch (e) {
			if (e.name === "AbortError") return;
			text(doing, "");
			fill(note, errorBox(e.fields ? e : { message: `${chosen.name} can't be read: ${e.message}` }));
		} finally { progress.hidden = true; }
	}
	async function known() {
		try {
			const { bundles } = await get("bundles");
			fill(pick, h("option", { value: "" }, bundles.length ? "one that is there already …" : "none is there yet"), [...bundles].reverse().map((b) => h("option", { value: b.sha256 }, `${b.name}, ${bytes(b.size)}, ${fullTime(b.created_ms)}`)));
		} catch { /* uploading still works, and says what is wrong when it doesn't */ }
	}
	known();
	if (!session.maySubmit) return { title: "Submit", el: emptyBox("Your token may look but not submit", "Ask an operator for one with the role user.") };
	return {
		title: "Submit",
		el: h("div", { class: "job-page narrow" }, h("div", { class: "page-head" }, h("h1", {}, "Submit a job")), h("section", { class: "panel", "aria-label": "The program" }, h("div", { class: "panel-head" }, h("h2", {}, "The program")), drop, h("div", { class: "field" }, h("label", { for: pick.id }, "Or use"), pick), note), look, form, result),
		close() { abort?.abort(); },
	};
}
