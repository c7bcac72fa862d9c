/* One job: what it is, where it ran and what that cost, why, and its output. */
import { h, fill, text, every, eachFrame, newId } from "../lib/dom.js";
import { get, send } from "../lib/api.js";
import { bytes, microjoules, joules, span, time, fullTime, plural, percent } from "../lib/format.js";
import { store, jobEnded } from "../lib/store.js";
import { session } from "../lib/session.js";
import { link, nodeLink } from "../lib/router.js";
import { ask, toast } from "../lib/dialog.js";
import { jobBadge, jobReason, isaMark, kindMark, emulatedMark, errorBox, loadingBox, emptyBox } from "../parts/states.js";
import { timeline, segmentTable } from "../parts/timeline.js";
import { LogView } from "../parts/log.js";
import { elapsed } from "./jobs.js";

const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function facts(j, predicted) {
	const energy = (j.energy_uj ?? null) === null ? h("span", { class: "muted" }, "for its user and operators only") : [microjoules(j.energy_uj), " ", kindMark(j.energy_kind)];
	return h("dl", { class: "facts" },
		fact("User", j.user), fact("Submitted", fullTime(j.submitted_ms)), fact("Started", j.started_ms ? fullTime(j.started_ms) : "not yet"),
		fact(j.ended_ms ? "Ran" : "Running for", span(elapsed(j, store.now()) ?? NaN)), fact("CPU time", span(j.cpu_us / 1000)),
		fact("Energy", energy), predicted ? fact("Predicted energy", joules(predicted)) : null,
		fact("Migrations", j.migrations ? `${j.migrations}, ${span(j.downtime_us / 1000)} downtime in all` : "none"),
		j.expected_end_ms && !j.ended_ms ? fact("Expected end", fullTime(j.expected_end_ms)) : null,
		fact("Resources", `${plural(j.cpus, "cpu")}${j.memory_bytes ? `, ${bytes(j.memory_bytes)}` : ""}${j.time_limit_s ? `, at most ${span(j.time_limit_s * 1000)}` : ""}`),
		fact("May run on", j.isas.map((i) => [isaMark(i), " "])), fact("Attempt", `${j.attempt}${j.restarts ? `, ${plural(j.restarts, "restart")} of ${j.max_restarts}` : ""}`),
		j.priority ? fact("Priority", String(j.priority)) : null,
		j.begin_ms ? fact("Not before", fullTime(j.begin_ms)) : null,
		j.array ? fact("Array", h("a", { href: link(["jobs"], { array: j.array.id }) }, j.array.id), `, element ${j.array.index}`) : null,
		j.dependencies?.length ? fact("Depends on", j.dependencies.map((d) => [h("a", { href: link(["jobs", d.job]) }, `${d.type} ${d.job}`), " "])) : null,
		j.ended_ms && (j.exit_code !== null || j.signal) ? fact("Exit", j.signal ? `by signal ${j.signal}` : `code ${j.exit_code}`) : null,
		j.args?.length ? fact("Arguments", h("code", {}, j.args.join(" "))) : null);
}

const verbs = { submit: "Submitted", place: "Placed", start: "Started", migrate: "Decided to move", commit: "Moved", abort: "Move aborted", hold: "Held", release: "Released", requeue: "Requeued", wait: "Waits", end: "Ended", cancel: "Cancelled" };

const verb = (d) => verbs[d.kind] ?? d.kind;
/** The reason, without the verb that stands before it. */
const said = (d) => (d.reason?.toLowerCase().startsWith(`${verb(d).toLowerCase()} `) ? d.reason.slice(verb(d).length + 1) : d.reason);

const has = (v) => v !== null && v !== undefined;

/** What a decision was thought to come to, and what it came to: of a move joules saved or spent, else joules used. */
function outcome(d) {
	if (!has(d.predicted_j) && !has(d.actual_j)) return "";
	if (d.kind === "migrate")
		return [has(d.predicted_j) ? `predicted to ${d.predicted_j < 0 ? "cost" : "save"} ${joules(Math.abs(d.predicted_j))}` : null, has(d.actual_j) ? `${d.actual_j < 0 ? "cost" : "saved"} ${joules(Math.abs(d.actual_j))}` : null].filter(Boolean).join(", ");
	const off = has(d.predicted_j) && has(d.actual_j) && d.predicted_j ? ((d.actual_j - d.predicted_j) / d.predicted_j) * 100 : null;
	return [has(d.predicted_j) ? `predicted ${joules(d.predicted_j)}` : null, has(d.actual_j) ? `actual ${joules(d.actual_j)}${off === null ? "" : ` (${off < 0 ? "−" : "+"}${percent(Math.abs(off))})`}` : null].filter(Boolean).join(", ");
}

function decisionList(list) {
	if (!list.length) return emptyBox("Nothing decided yet");
	return h("ol", { class: "decisions" }, list.map((d) => h("li", {}, h("time", { class: "muted nowrap", datetime: new Date(d.time_ms).toISOString(), title: fullTime(d.time_ms) }, time(d.time_ms)),
		h("div", {}, h("strong", {}, verb(d)), d.node ? [" ", h("a", { href: nodeLink(d.node) }, d.node)] : null, said(d) ? h("span", { class: "soft" }, ` ${said(d)}`) : null, " ", h("span", { class: "muted" }, outcome(d))))));
}

/* ---- what can be done ----------------------------------------------------- */

async function cancel(j) {
	if (await ask({ title: `Cancel ${j.name}?`, body: h("p", {}, `Job ${j.id} ends where it is. What it has computed is lost.`), action: "Cancel the job", danger: true, act: () => send("DELETE", `jobs/${j.id}`) })) toast(`Job ${j.id} is being cancelled`);
}

async function cancelArray(j) {
	if (await ask({ title: `Cancel array ${j.array.id}?`, body: h("p", {}, "All its elements that have not ended are cancelled."), action: "Cancel the array", danger: true, act: () => send("DELETE", "jobs", undefined, { query: { array: j.array.id } }) })) toast(`Array ${j.array.id} is being cancelled`);
}

async function migrate(j) {
	const id = newId();
	const nodes = [...store.nodes.values()].filter((n) => n.name !== j.node && n.state === "up" && j.isas.includes(n.isa)).sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
	const to = h("select", { id, class: "input" }, h("option", { value: "" }, "let the scheduler choose one of the other ISA"), nodes.map((n) => h("option", { value: n.name }, `${n.name} · ${n.isa === "aarch64" ? "AArch64" : "x86-64"}${n.emulated ? ", emulated" : ""} · ${n.cpus - n.used_cpus} of ${n.cpus} cpus free`)));
	const why = h("input", { id: `${id}w`, class: "input", maxlength: 200 });
	if (await ask({
		title: `Migrate ${j.name}`, action: "Migrate",
		body: h("div", { class: "form-col" }, h("p", { class: "muted" }, `It runs on ${j.node} and goes on at its new place from where it stands.`), h("div", { class: "field" }, h("label", { for: id }, "To"), to), h("div", { class: "field" }, h("label", { for: `${id}w` }, "Reason"), why, h("p", { class: "help" }, "Kept in the job's history."))),
		act: () => send("POST", `jobs/${j.id}/migrate`, { ...(to.value ? { node: to.value } : {}), ...(why.value.trim() ? { reason: why.value.trim() } : {}) }),
	})) toast(`Job ${j.id} is on its way`);
}

export function open([, id]) {
	const head = h("div"), factBox = h("section", { class: "panel live", "aria-label": "Facts" }), reason = h("p", { class: "job-reason" });
	const lifeBox = h("div", { class: "live" }), whyBox = h("div", { class: "live" }), logBox = h("div"), note = h("div");
	const el = h("div", { class: "job-page" }, head, note, loadingBox(`job ${id}`));
	let job = null, history = null, log = null, closed = false, due;

	const act = async (f, done) => { try { await f(); toast(done); } catch (e) { fill(note, errorBox(e)); } };
	function drawHead() {
		const may = session.mayChange(job), over = jobEnded(job);
		const button = (name, f, cls = "") => h("button", { class: `btn ${cls}`, type: "button", onclick: f }, name);
		const state = `${job.state}${job.held}${job.name}${may}`;
		if (head.dataset.drawn === state) return;
		head.dataset.drawn = state;
		fill(head, h("div", { class: "page-head" }, h("a", { class: "crumb", href: "#/jobs" }, "Jobs"), h("h1", {}, job.name, h("span", { class: "muted h-id" }, ` ${job.id}`)), jobBadge(job),
			may ? h("div", { class: "actions" },
				job.state === "RUNNING" ? button("Migrate …", () => migrate(job)) : null,
				job.state === "PENDING" && !job.held ? button("Hold", () => act(() => send("PATCH", `jobs/${id}`, { hold: true }), "Held")) : null,
				job.state === "PENDING" && job.held ? button("Release", () => act(() => send("PATCH", `jobs/${id}`, { hold: false }), "Released")) : null,
				over || job.state === "RUNNING" ? button("Run again", () => act(() => send("POST", `jobs/${id}/requeue`), "Requeued")) : null,
				!over ? button("Cancel …", () => cancel(job), "btn-danger") : null,
				!over && job.array ? button("Cancel array …", () => cancelArray(job), "btn-danger") : null) : null));
	}
	const draw = eachFrame(() => {
		if (closed || !job) return;
		drawHead();
		text(reason, jobReason(job));
		fill(factBox, reason, facts(job, job.predicted_j));
		drawLife();
	});
	function drawLife() {
		if (!history) return;
		const moves = [...store.moves.values()].filter((m) => m.job === id);
		const width = Math.max(240, lifeBox.clientWidth);
		fill(lifeBox, history.segments.length ? [timeline(job, history.segments, moves, store.now(), width), segmentTable(history.segments, { isa: isaMark, emulated: emulatedMark, kind: kindMark })]
			: emptyBox("It has not run yet", jobReason(job)));
		const n = history.decisions.length;
		if (whyBox.dataset.drawn !== `${n} ${history.decisions.at(-1)?.actual_j}`) { whyBox.dataset.drawn = `${n} ${history.decisions.at(-1)?.actual_j}`; fill(whyBox, decisionList([...history.decisions].reverse())); }
	}
	const readHistory = async () => {
		clearTimeout(due);
		due = null;
		try { history = await get(`jobs/${id}/history`); draw(); } catch (e) { if (!history && !closed) fill(lifeBox, errorBox(e, readHistory)); }
	};
	const soon = () => { due ??= setTimeout(readHistory, 250); };
	const read = async () => {
		try {
			job = await get(`jobs/${id}`);
			if (closed) return;
			if (!log) {
				log = new LogView(job);
				fill(logBox, log.el);
				fill(el, head, note, factBox, h("section", { class: "panel", "aria-label": "Timeline" }, h("div", { class: "panel-head" }, h("h2", {}, "Where it ran")), lifeBox), h("div", { class: "two-even" }, h("section", { class: "panel", "aria-label": "Decisions" }, h("div", { class: "panel-head" }, h("h2", {}, "Why")), whyBox), logBox));
				observer.observe(lifeBox);
			}
			document.title = `${job.name} · Drover`;
			log.update(job);
			draw();
			readHistory();
		} catch (e) {
			if (!closed && !job) fill(el, h("div", { class: "page-head" }, h("a", { class: "crumb", href: "#/jobs" }, "Jobs"), h("h1", {}, `Job ${id}`)), errorBox(e, e.status === 404 ? null : read));
		}
	};
	const observer = new ResizeObserver(eachFrame(() => drawLife()));
	const offs = [
		store.on("jobs", (_t, items) => { const j = items.findLast((x) => x.id === id); if (j && job) { job = { ...job, ...j }; log?.update(job); draw(); soon(); } }),
		store.on("migrations", (_t, items) => { if (items.some((m) => m.job === id)) soon(); }),
		store.on("gap", () => read()),
		every(1000, () => { if (job && !jobEnded(job) && store.live) draw(); }),
		every(5000, () => { if (job && store.live && (!jobEnded(job) || Date.now() - job.ended_ms < 60000)) { get(`jobs/${id}`).then((j) => { job = j; draw(); }, () => {}); soon(); } }),
	];
	read();
	return { title: `Job ${id}`, el, close() { closed = true; offs.forEach((f) => f()); observer.disconnect(); draw.cancel(); clearTimeout(due); log?.close(); } };
}

