/* Replay: a trace, a cluster and policies in; a comparison out. */
import { h, fill, text, keyed, icon, newId } from "../lib/dom.js";
import { get, send, upload, sha256 } from "../lib/api.js";
import { bytes, percent, plural } from "../lib/format.js";
import { session } from "../lib/session.js";
import { store } from "../lib/store.js";
import { link } from "../lib/router.js";
import { errorBox, emptyBox, loadingBox, replayBadge, bar, setBar } from "../parts/states.js";

const field = (label, input, help) => { input.id ||= newId(); return h("div", { class: "field" }, h("label", { for: input.id }, label), input, help ? h("p", { class: "help" }, help) : null); };

/* ---- trace ----------------------------------------------------------------- */

class TracePicker {
	constructor() {
		this.note = h("div", { "aria-live": "assertive" });
		this.select = h("select", { class: "input", onchange: () => { this.upload = null; text(this.doing, ""); fill(this.note); } });
		this.file = h("input", { type: "file", class: "sr", id: "trace-file", onchange: () => this.file.files[0] && this.take(this.file.files[0]) });
		this.doing = h("p", { class: "muted", role: "status" });
		this.progress = h("progress", { max: 1, value: 0, hidden: true, "aria-label": "Upload" });
		this.el = h("div", { class: "form-col" }, h("div", { class: "field-row" }, field("Trace", this.select, "Standard Workload Format, or what drover-waves writes."),
			h("div", { class: "field drop-small" }, h("span", { class: "label" }, "Or your own"), this.file, h("label", { class: "btn", for: "trace-file" }, icon("file"), "Upload a trace"), this.doing, this.progress)), this.note);
		this.upload = null;
		this.read();
	}
	async read(chosen) {
		try {
			const { traces } = await get("traces");
			const opts = traces.map((t) => (typeof t === "string" ? { name: t } : t));
			fill(this.select, opts.length ? null : h("option", { value: "" }, "none is there: upload one"), opts.map((t) => h("option", { value: t.sha256 && t.uploaded !== false ? `sha:${t.sha256}` : `name:${t.name}` }, [t.name ?? t.sha256.slice(0, 12), t.jobs ? plural(t.jobs, "job") : null, t.bytes ? bytes(t.bytes) : null].filter(Boolean).join(", "))));
			if (chosen) this.select.value = chosen;
		} catch (e) { fill(this.note, errorBox(e, () => this.read(chosen))); }
	}
	async take(file) {
		fill(this.note);
		try {
			text(this.doing, `Reading ${file.name}, ${bytes(file.size)} …`);
			const sha = await sha256(file);
			this.progress.hidden = false;
			await upload(`traces/${sha}`, file, (share) => { this.progress.value = share; text(this.doing, `Uploading ${file.name}: ${percent(share * 100)}`); });
			this.upload = { sha, name: file.name };
			text(this.doing, `${file.name} is uploaded and used.`);
		} catch (e) {
			text(this.doing, "");
			fill(this.note, errorBox(e.fields ? e : { message: `${file.name} can't be read: ${e.message}` }));
		}
		this.progress.hidden = true;
		this.file.value = "";
	}
	value() {
		if (this.upload) return { upload: this.upload.sha };
		const [kind, ...rest] = this.select.value.split(":");
		return kind === "sha" ? { upload: rest.join(":") } : { name: rest.join(":") };
	}
	put(trace) {
		if (trace?.upload) { this.upload = { sha: trace.upload, name: trace.upload.slice(0, 12) }; text(this.doing, `The uploaded trace ${trace.upload.slice(0, 12)}… is used.`); }
		else if (trace?.name) this.read(`name:${trace.name}`);
	}
}

/* ---- cluster --------------------------------------------------------------- */

/** The live cluster as rows of a cluster file. */
function liveGroups() {
	const by = new Map();
	for (const n of store.nodes.values()) {
		const key = n.profile ?? "";
		if (!key) continue;
		by.set(key, (by.get(key) ?? 0) + 1);
	}
	return [...by].map(([profile, n]) => ({ profile, count: n }));
}

class ClusterEditor {
	constructor() {
		this.list = newId();
		this.profiles = h("datalist", { id: this.list });
		this.rows = h("div", { class: "stack" });
		this.el = h("fieldset", { class: "form-col" }, h("legend", { class: "label" }, "Cluster"), this.profiles, this.rows,
			h("div", { class: "actions" }, h("button", { class: "btn btn-small", type: "button", onclick: () => this.add({ profile: "", count: 1 }) }, icon("plus"), "Add machines"),
				h("button", { class: "btn btn-small", type: "button", onclick: () => this.put(liveGroups()) }, "As this cluster is")));
		this.put(liveGroups());
		fill(this.profiles, [...new Set([...liveGroups().map((g) => g.profile), "xeon-e5-1650-v2", "x-gene-1", "epyc-7763", "altra-q80-30"])].map((p) => h("option", { value: p })));
	}
	add(g) {
		const n = h("input", { class: "input", type: "number", min: 1, value: g.count ?? 1, "aria-label": "How many", name: "count" });
		const profile = h("input", { class: "input", list: this.list, value: g.profile ?? "", placeholder: "machine profile", "aria-label": "Machine profile", name: "profile", spellcheck: "false" });
		const sleep = h("input", { type: "checkbox", checked: g.sleep !== false, name: "sleep" });
		const row = h("div", { class: "group-row" }, n, h("span", { "aria-hidden": "true" }, "×"), profile, h("label", { class: "check" }, sleep, "may sleep"), h("button", { class: "btn btn-plain btn-small", type: "button", "aria-label": "Remove these machines", onclick: () => row.remove() }, "×"));
		row.rest = g;
		this.rows.append(row);
	}
	put(groups) {
		this.rows.replaceChildren();
		(groups.length ? groups : [{ profile: "xeon-e5-1650-v2", count: 1 }, { profile: "x-gene-1", count: 1 }]).forEach((g) => this.add(g));
	}
	value() {
		return { nodes: [...this.rows.children].map((r) => {
			const [n, profile, sleep] = ["count", "profile", "sleep"].map((k) => r.querySelector(`[name=${k}]`));
			return { ...r.rest, profile: profile.value.trim(), count: Number(n.value) || 1, ...(sleep.checked ? {} : { sleep: false }) };
		}) };
	}
}

/* ---- earlier replays -------------------------------------------------------- */

const traceName = (r) => r.request?.trace?.name ?? (r.request?.trace?.upload ? `uploaded ${r.request.trace.upload.slice(0, 8)}…` : "trace");

class Earlier {
	constructor() {
		this.list = h("ul", { class: "rows" });
		this.note = h("div", {}, loadingBox("earlier replays"));
		this.known = new Map();
		this.el = h("section", { class: "panel", "aria-label": "Replays" }, h("div", { class: "panel-head" }, h("h2", {}, "Replays")), this.note, this.list);
		this.off = store.on("replay", (_t, items) => { for (const r of items) if (r.id) this.known.set(r.id, { ...this.known.get(r.id), ...r }); this.draw(); });
		this.read();
	}
	async read() {
		try {
			for (const r of (await get("replays")).replays) this.known.set(r.id, r);
			fill(this.note);
			this.draw();
		} catch (e) { fill(this.note, errorBox(e, () => this.read())); }
	}
	draw() {
		const all = [...this.known.values()].sort((a, b) => Number(b.id.slice(1)) - Number(a.id.slice(1)));
		fill(this.note, all.length ? null : emptyBox("No replay has been run yet", "A replay runs a recorded or made-up load through the scheduler's own code in virtual time: days of it in seconds."));
		keyed(this.list, all, (r) => r.id, (r) => h("li", {}, h("a", { href: link(["replay", r.id]) }), h("span", { class: "muted" }), bar(0, "", "replay-bar"), h("span", { class: "num-end" })), (li, r) => {
			const [a, what, progress, state] = li.children;
			text(a, `${r.id}: ${traceName(r)}`);
			text(what, (r.request?.policies ?? []).join(", "));
			progress.hidden = r.state !== "RUNNING";
			setBar(progress, r.progress, `${percent((r.progress ?? 0) * 100)} done`);
			if (state.dataset.state !== r.state) { state.dataset.state = r.state; fill(state, replayBadge(r)); }
		});
	}
	close() { this.off(); }
}

export function open(_parts, query) {
	const trace = new TracePicker(), cluster = new ClusterEditor(), earlier = new Earlier();
	const policies = h("div", { class: "checks" }), note = h("div", { "aria-live": "assertive" });
	const baseline = h("select", { class: "input" }, h("option", { value: "" }, "the first of them"));
	const seed = h("input", { class: "input", type: "number", min: 0, value: 1 }), limit = h("input", { class: "input", type: "number", min: 1, placeholder: "all" }), speedup = h("input", { class: "input", type: "number", min: 0.001, step: "any", placeholder: "1" });
	const button = h("button", { class: "btn btn-main", type: "submit" }, "Run");
	let touched = false;

	const pick = (names) => { for (const b of policies.querySelectorAll("input")) b.checked = names.includes(b.value); };
	const readPolicies = async () => {
		try {
			const list = (await get("policies")).policies;
			fill(policies, list.map((p) => h("label", { class: "check", title: p.summary }, h("input", { type: "checkbox", value: p.name, checked: ["balance", "energy", "consolidate"].includes(p.name) }), p.name)));
			fill(baseline, h("option", { value: "" }, "none"), list.map((p) => h("option", { value: p.name, selected: p.name === "static-x86" }, p.name)));
		} catch (e) { fill(policies, errorBox(e, readPolicies)); }
	};
	const ready = readPolicies().then(async () => {
		const again = query.get("again");
		if (!again) return;
		const { request: r } = await get(`replays/${encodeURIComponent(again)}`);
		trace.put(r.trace);
		if (r.cluster?.nodes) { touched = true; cluster.put(r.cluster.nodes); }
		pick(r.policies ?? []);
		if (r.seed !== undefined) seed.value = r.seed;
		if (r.limit_jobs) limit.value = r.limit_jobs;
		if (r.speedup) speedup.value = r.speedup;
		baseline.value = (r.baseline ?? "").split("@")[0];
	}).catch((e) => fill(note, errorBox(e)));
	const off = store.on("reset", () => { if (!touched) cluster.put(liveGroups()); touched = true; });
	if (store.loaded) touched = true;

	const form = h("form", {
		class: "panel", "aria-label": "A new replay", onsubmit: async (ev) => {
			ev.preventDefault();
			fill(note);
			const names = [...policies.querySelectorAll("input:checked")].map((b) => b.value);
			if (!names.some((n) => n !== baseline.value)) { fill(note, errorBox({ message: "Choose at least one policy beside the one compared with." })); return; }
			button.disabled = true;
			try {
				await ready;
				const r = await send("POST", "replays", {
					trace: trace.value(), format: "auto", cluster: cluster.value(), policies: names.filter((n) => n !== baseline.value), seed: Number(seed.value) || 0,
					...(baseline.value ? { baseline: baseline.value } : {}), ...(limit.value ? { limit_jobs: Number(limit.value) } : {}), ...(speedup.value ? { speedup: Number(speedup.value) } : {}),
				});
				location.hash = link(["replay", r.id]);
			} catch (e) { fill(note, errorBox(e)); }
			button.disabled = false;
		},
	},
	h("div", { class: "panel-head" }, h("h2", {}, "A new replay")), trace.el, cluster.el, h("fieldset", { class: "field" }, h("legend", { class: "label" }, "Policies to compare"), policies),
	h("div", { class: "field-row" }, field("Compared with", baseline), field("Seed", seed, "Orders jobs that arrive together."), field("Only the first jobs", limit), field("Arrivals times as fast", speedup)), note, h("div", { class: "actions" }, button));

	return {
		title: "Replay",
		el: h("div", { class: "job-page" }, h("div", { class: "page-head" }, h("h1", {}, "Replay")), h("div", { class: "two" }, session.maySubmit ? form : emptyBox("Your token may look at replays but not start one"), earlier.el)),
		close() { off(); earlier.close(); },
	};
}

