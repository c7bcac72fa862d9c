/* One replay: how it goes on, then its policies side by side. */
import { h, fill, text, eachFrame, every } from "../lib/dom.js";
import { get, send, download } from "../lib/api.js";
import { count, digits, joules, jouleSeconds, percent, plural, span, watts } from "../lib/format.js";
import { dashes, lineColor } from "../lib/palette.js";
import { session } from "../lib/session.js";
import { settings } from "../lib/settings.js";
import { store } from "../lib/store.js";
import { link } from "../lib/router.js";
import { toast } from "../lib/dialog.js";
import { Chart } from "../parts/chart.js";
import { bar, setBar, emptyBox, errorBox, kindMark, loadingBox, replayBadge, segmented } from "../parts/states.js";

const POINTS = 500;
const sec = (v) => span(v === null || v === undefined ? NaN : v * 1000);
const ROWS = [
	["Energy", "energy_j", joules, true], ["Makespan", "makespan_s", sec, true], ["Energy-delay product", "edp_js", jouleSeconds, true], ["Mean wait", "mean_wait_s", sec, true], ["95 % wait at most", "p95_wait_s", sec, true],
	["by jobs", "jobs_j", joules], ["idle", "idle_j", joules], ["asleep", "sleep_j", joules], ["moving", "moves_j", joules],
	["Migrations", "migrations", count], ["Sleeps", "sleeps", count], ["Wakes", "wakes", count], ["Jobs done", "jobs_done", count], ["Jobs refused", "jobs_refused", count],
];
const PARTS = [["jobs_j", "jobs"], ["idle_j", "idle"], ["moves_j", "moving"], ["sleep_j", "asleep"]];

/** A line and a mark of the policy's own: told apart without colour. */
function key(i) {
	const line = h("span", { class: "line-key" });
	line.style.setProperty("--c", lineColor(i));
	line.dataset.dash = String(i % dashes.length);
	return line;
}

function table(results, base, scaled) {
	const value = (r, k) => (scaled ? r.scaled?.[k] ?? (["energy_j", "edp_js", "jobs_j", "idle_j", "sleep_j", "moves_j"].includes(k) ? undefined : r[k]) : r[k]);
	const from = results.find((r) => r.policy === base) ?? results[0];
	return h("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Policies side by side" }, h("table", { class: "table compare" },
		h("thead", {}, h("tr", {}, h("td"), results.map((r, i) => h("th", { scope: "col", class: "num" }, key(i), " ", r.policy, r === from ? h("span", { class: "muted" }, " (compared with)") : null)))),
		h("tbody", {}, ROWS.map(([name, k, f, better]) => {
			const all = results.map((r) => value(r, k));
			if (all.every((v) => v === undefined || v === null)) return null;
			const best = better ? Math.min(...all.filter((v) => Number.isFinite(v))) : NaN;
			return h("tr", { class: better ? "" : "minor" }, h("th", { scope: "row" }, name), all.map((v, i) => {
				const ref = value(from, k);
				return h("td", { class: `num${better && v === best && results.length > 1 ? " best" : ""}` }, f(v), better && results[i] !== from && ref > 0 && Number.isFinite(v) ? h("span", { class: "delta" }, delta(v, ref)) : null, better && v === best && results.length > 1 ? h("span", { class: "sr" }, " best") : null);
			}));
		}))));
}
const delta = (v, ref) => { if (v >= 10 * ref) return ` × ${digits(v / ref, 2)}`; const p = ((v - ref) / ref) * 100; return ` ${p > 0 ? "+" : p < 0 ? "−" : "±"}${percent(Math.abs(p))}`; };

/** Where the joules went: one bar a policy, all to one scale. */
function split(results) {
	const most = Math.max(...results.map((r) => r.energy_j));
	return h("div", { class: "splits" }, results.map((r) => h("div", { class: "split-row" }, h("span", {}, r.policy), h("div", { class: "split", role: "img", "aria-label": `${r.policy}: ${PARTS.map(([k, n]) => `${n} ${joules(r[k])}`).join(", ")}` }, PARTS.map(([k, n]) => {
		const part = h("span", { data: { part: n }, title: `${n}: ${joules(r[k])}` });
		part.style.setProperty("width", `${(100 * (r[k] || 0)) / most}%`);
		return part;
	})), h("span", { class: "num" }, joules(r.energy_j)))), h("p", { class: "split-key muted" }, PARTS.map(([, n]) => h("span", {}, h("span", { class: "split-mark", data: { part: n } }), n))));
}

/** Brings the policies' points, [t_s, ...], onto one axis; between its points a series has none. */
function together(list, at) {
	const xs = [...new Set(list.flatMap((l) => l.map((p) => p[0])))].sort((a, b) => a - b);
	return [xs, ...list.map((l) => {
		let i = -1;
		return xs.map((x) => { while (i + 1 < l.length && l[i + 1][0] <= x) i++; return i < 0 || x > l.at(-1)[0] ? null : l[i][at]; });
	})];
}

/** Of each policy, the share of jobs that waited at most so long; bins [from_s, to_s, count]. */
function cumulated(list) {
	const xs = [...new Set(list.flatMap((bins) => bins.map((b) => b[1])))].sort((a, b) => a - b);
	return [[0, ...xs], ...list.map((bins) => {
		const total = bins.reduce((a, b) => a + b[2], 0) || 1;
		return [0, ...xs].map((x) => (100 * bins.filter((b) => b[1] <= x).reduce((a, b) => a + b[2], 0)) / total);
	})];
}

export function open([, id]) {
	const path = `replays/${encodeURIComponent(id)}`;
	const head = h("div"), note = h("div", { "aria-live": "polite" }), body = h("div", { class: "job-page" });
	const progress = bar(0, "", "replay-progress"), progressText = h("p", { class: "muted", role: "status" });
	const running = h("section", { class: "panel", "aria-label": "Progress", hidden: true }, progressText, progress);
	const charts = { power: new Chart({ label: "Power over time", height: 260, xTime: false, x: sec, y: watts, series: [] }), waits: new Chart({ label: "How long jobs waited", height: 260, xTime: false, x: sec, y: (v) => percent(v), series: [] }) };
	const el = h("div", { class: "job-page" }, head, note, running, body, loadingBox(`replay ${id}`));
	let replay = null, mode = "raw", details = null, closed = false;

	const name = () => replay.request?.trace?.name ?? (replay.request?.trace?.upload ? "an uploaded trace" : "an inline trace");
	const csv = (policy, which) => h("button", { class: "btn btn-small", type: "button", onclick: () => download(`${path}/csv`, { policy, table: which }, `${id}-${policy}-${which}.csv`).catch((e) => fill(note, errorBox(e))) }, which);

	function drawHead() {
		const named = replay.request?.cluster;
		const cluster = typeof named === "string" ? named : (named?.nodes ?? []).map((g) => `${g.count ?? 1} × ${g.profile}`).join(", ");
		fill(head, h("div", { class: "page-head" }, h("a", { class: "crumb", href: "#/replay" }, "Replays"), h("h1", {}, name(), h("span", { class: "muted h-id" }, ` ${id}`)), replayBadge(replay),
			h("div", { class: "actions" },
				h("button", { class: "btn", type: "button", onclick: () => navigator.clipboard?.writeText(location.href).then(() => toast("The link is copied"), () => toast(location.href)) ?? toast(location.href) }, "Copy the link"),
				session.maySubmit ? h("a", { class: "btn", href: link(["replay"], { again: id }) }, "Change and run again") : null,
				session.maySubmit && replay.state === "RUNNING" ? h("button", { class: "btn btn-danger", type: "button", onclick: () => send("DELETE", path).then(() => toast("Cancelled"), (e) => fill(note, errorBox(e))) }, "Cancel") : null)),
		cluster ? h("p", { class: "muted" }, `On ${cluster}${replay.request.seed === undefined ? "" : `, seed ${replay.request.seed}`}${replay.request.limit_jobs ? `, the first ${plural(replay.request.limit_jobs, "job")}` : ""}.`) : null);
	}
	const draw = eachFrame(() => {
		if (closed || !replay) return;
		el.querySelector(".loading")?.remove();
		drawHead();
		running.hidden = replay.state !== "RUNNING";
		setBar(progress, replay.progress, `${percent((replay.progress ?? 0) * 100)} done`);
		text(progressText, `${percent((replay.progress ?? 0) * 100)} of the jobs of ${plural(replay.request?.policies?.length ?? 1, "policy", "policies")} have been through${replay.results?.length ? `; done: ${replay.results.map((r) => r.policy).join(", ")}` : ""}.`);
		fill(note, replay.error ? errorBox({ message: typeof replay.error === "string" ? replay.error : replay.error.detail ?? replay.error.message, hint: replay.error.hint }) : null);
		if (replay.state !== "RUNNING") drawResults();
	});
	function drawResults() {
		const results = replay.results ?? [];
		if (!results.length) { fill(body, replay.error ? null : emptyBox("It gave no result", replay.state === "CANCELLED" ? "It was cancelled before a policy was through." : null)); return; }
		const base = replay.request?.baseline ?? results[0].policy;
		const nm = results.find((r) => r.scaled)?.scaled.process_nm;
		const scaled = mode === "scaled";
		fill(body,
			h("section", { class: "panel", "aria-label": "Policies side by side" }, h("div", { class: "panel-head" }, h("h2", {}, "Policies side by side"), kindMark(results[0].kind ?? "modelled"),
				results.some((r) => r.scaled) ? segmented("Figures", [["raw", "Raw"], ["scaled", nm ? `Scaled to ${nm} nm` : "Scaled"]], mode, (v) => { mode = v; drawResults(); }) : null), table(results, base, scaled),
			scaled ? h("p", { class: "muted" }, results[0].scaled?.note ?? "Scaled figures are a projection to one process node, not what this hardware draws.") : null),
			h("div", { class: "two-even" }, h("section", { class: "panel", "aria-label": "Power over time" }, h("div", { class: "panel-head" }, h("h2", {}, "Power over time"), h("span", { class: "muted" }, "raw, from the first submission")), charts.power.el, legend(results)),
				h("section", { class: "panel", "aria-label": "Wait" }, h("div", { class: "panel-head" }, h("h2", {}, "Wait"), h("span", { class: "muted" }, "jobs that waited at most so long")), charts.waits.el, legend(results))),
			h("div", { class: "two-even" }, h("section", { class: "panel", "aria-label": "Where the joules went" }, h("div", { class: "panel-head" }, h("h2", {}, "Where the joules went"), h("span", { class: "muted" }, "raw")), split(results)),
				h("section", { class: "panel", "aria-label": "Downloads" }, h("div", { class: "panel-head" }, h("h2", {}, "Download as CSV")), h("ul", { class: "rows" }, results.map((r) => h("li", {}, h("span", {}, r.policy), h("span", { class: "actions num-end" }, ["jobs", "schedule", "nodes"].map((t) => csv(r.policy, t)))))))));
		if (!details) readDetails(results);
		else drawCharts(results);
	}
	const legend = (results) => h("ul", { class: "line-legend" }, results.map((r, i) => h("li", {}, key(i), r.policy)));
	async function readDetails(results) {
		details = { power: [], waits: [] };
		try {
			await Promise.all(results.map(async (r, i) => {
				details.power[i] = (await get(`${path}/series`, { policy: r.policy, points: POINTS })).points;
				details.waits[i] = (await get(`${path}/waits`, { policy: r.policy })).bins;
			}));
			drawCharts(results);
		} catch (e) { details = null; fill(note, errorBox(e, () => readDetails(results))); }
	}
	function drawCharts(results) {
		if (details.power.length < results.length || details.waits.length < results.length || closed) return;
		const series = results.map((r, i) => ({ label: r.policy, color: lineColor(i), dash: dashes[i % dashes.length], paths: (u) => u.paths.stepped({ align: 1 }) }));
		charts.power.set({ label: `Power over time of ${results.map((r) => `${r.policy}, ${joules(r.energy_j)} in ${sec(r.makespan_s)}`).join("; ")}`, series }, together(details.power, 1));
		charts.waits.set({ label: `Share of jobs by wait: ${results.map((r) => `${r.policy}, mean ${sec(r.mean_wait_s)}, 95 % at most ${sec(r.p95_wait_s)}`).join("; ")}`, series: series.map((x) => ({ ...x, paths: undefined })) }, cumulated(details.waits));
	}
	const read = async () => {
		try { replay = await get(path); draw(); } catch (e) { if (!closed && !replay) fill(el, h("div", { class: "page-head" }, h("a", { class: "crumb", href: "#/replay" }, "Replays"), h("h1", {}, `Replay ${id}`)), errorBox(e, e.status === 404 ? null : read)); }
	};
	const offs = [
		store.on("replay", (_t, items) => { const r = items.findLast((x) => x.id === id); if (r && replay) { if (r.state !== "RUNNING") read(); else { replay = { ...replay, ...r }; draw(); } } }),
		store.on("gap", read), every(2000, () => { if (replay?.state === "RUNNING") read(); }), settings.on(draw),
	];
	read();
	return { title: `Replay ${id}`, el, close() { closed = true; offs.forEach((f) => f()); draw.cancel(); charts.power.close(); charts.waits.close(); } };
}
