/* One node: load, power by meter, what runs on it, how its state went, and its operator's buttons. */
import { h, fill, text, keyed, attr, eachFrame } from "../lib/dom.js";
import { get } from "../lib/api.js";
import { bytes, fullTime, joules, percent, plural, span, time, watts, age } from "../lib/format.js";
import { store } from "../lib/store.js";
import { session } from "../lib/session.js";
import { jobLink } from "../lib/router.js";
import { nodeBadge, jobBadge, isaMark, kindMark, emulatedMark, bar, setBar, errorBox, emptyBox, loadingBox } from "../parts/states.js";
import { PowerPanel } from "../parts/power.js";
import { nodeButtons } from "../parts/node_actions.js";

const HISTORY = 200;
const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
const SLEEPS = new Set(["asleep", "sleeping"]);

function facts(n) {
	return h("dl", { class: "facts" },
		fact("ISA", isaMark(n.isa, true), n.emulated ? [" ", emulatedMark(n.emulator), n.emulator ? ` by ${n.emulator}` : ""] : ""),
		fact("Power", watts(n.power_w), " ", kindMark(n.power_kind)), fact("CPUs taken", `${n.used_cpus} of ${n.cpus}`), fact("Memory", `${bytes(n.memory_used_bytes)} of ${bytes(n.memory_bytes)}`),
		n.state === "up" || n.since_ms ? fact("In this state for", span(Math.max(0, store.now() - n.since_ms))) : null,
		fact("Last heard", n.silent_ms === undefined ? "–" : age(n.silent_ms)), n.profile ? fact("Machine profile", n.profile, `: ${watts(n.idle_w)} idle, ${watts(n.core_w)} a busy core`) : null,
		n.predicted_w !== undefined && n.predicted_w !== null ? fact("Predicted power", watts(n.predicted_w)) : null,
		fact("Can sleep", n.sleep_capable ? "yes" : "no"), n.address ? fact("Address", h("code", {}, n.address)) : null, n.software ? fact("Agent", n.software) : null);
}

/** How long it was in each state, as a strip; the list below says the same. */
function strip(changes, now) {
	const from = changes[0].time_ms, whole = Math.max(1, now - from);
	const el = h("div", { class: "strip", role: "img", "aria-label": `States since ${fullTime(from)}; the list below says the same` });
	changes.forEach((c, i) => {
		const part = h("span", { data: { state: c.state }, title: `${c.state} for ${span((changes[i + 1]?.time_ms ?? now) - c.time_ms)}` });
		part.style.setProperty("flex-grow", String(((changes[i + 1]?.time_ms ?? now) - c.time_ms) / whole));
		el.append(part);
	});
	return el;
}

function historyView(changes) {
	if (!changes.length) return emptyBox("No change of state yet");
	const slept = changes.reduce((a, c, i) => a + (SLEEPS.has(c.state) ? (changes[i + 1]?.time_ms ?? store.now()) - c.time_ms : 0), 0);
	const has = (v) => v !== null && v !== undefined;
	return [strip(changes, store.now()), h("p", { class: "muted" }, `${fullTime(changes[0].time_ms)} until now; ${slept ? `asleep for ${span(slept)} of it` : "never asleep"}`),
		h("ol", { class: "decisions" }, [...changes].reverse().map((c) => h("li", {}, h("time", { class: "muted nowrap", title: fullTime(c.time_ms) }, time(c.time_ms)),
			h("div", {}, nodeBadge(c), c.reason ? h("span", { class: "soft" }, ` ${c.reason}`) : null, has(c.predicted_j) ? h("span", { class: "muted" }, ` predicted ${joules(c.predicted_j)}`) : null, has(c.actual_j) ? h("span", { class: "muted" }, `, actual ${joules(c.actual_j)}`) : null))))];
}

function meterView(list) {
	if (!list.length) return emptyBox("No meter", "Its energy comes from the model of its machine.");
	return h("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Meters" }, h("table", { class: "table" }, h("thead", {}, h("tr", {}, ["Meter", "Scope", "Kind"].map((x) => h("th", { scope: "col" }, x)), h("th", { scope: "col", class: "num" }, "Power"))),
		h("tbody", {}, list.map((m) => h("tr", {}, h("td", {}, m.name, m.zones?.length ? h("span", { class: "muted" }, `: ${m.zones.join(", ")}`) : null, m.counted === false ? h("span", { class: "muted" }, " not counted in the node's total") : null), h("td", {}, m.scope ?? "–"), h("td", {}, kindMark(m.kind)), h("td", { class: "num" }, watts(m.power_w)))))));
}

/** The place where this node's jobs run. */
function satelliteView(n) {
	const how = n.emulated ? [emulatedMark(n.emulator), h("span", {}, `processes through ${n.emulator ?? "an emulator"}`)] : h("span", {}, "processes on the machine's own kernel");
	return h("ul", { class: "rows" }, h("li", {}, isaMark(n.isa, true), how, h("span", { class: "muted num-end" }, n.jobs ? plural(n.jobs, "job") : "no job")));
}

export function open([, name]) {
	const head = h("div"), factBox = h("section", { class: "panel live", "aria-label": "Facts" }), jobs = h("ul", { class: "rows" }), noJobs = emptyBox("Nothing runs here");
	const historyBox = h("div", { class: "live stack" }), meterBox = h("div", { class: "live" }), satBox = h("div", { class: "live" });
	const load = bar(0, ""), loadText = h("span", { class: "muted" }), reason = h("p", { class: "job-reason" });
	const power = new PowerPanel({ title: "Power by meter", by: () => "zone", key: name, unstacked: true, height: 220 });
	const el = h("div", { class: "job-page" }, loadingBox(`node ${name}`));
	const section = (title, ...body) => h("section", { class: "panel", "aria-label": title }, h("div", { class: "panel-head" }, h("h2", {}, title)), body);
	let built = false, changed = "";

	const draw = eachFrame(() => {
		const n = store.nodes.get(name);
		if (!n) {
			if (store.loaded) fill(el, h("div", { class: "page-head" }, h("a", { class: "crumb", href: "#/nodes" }, "Nodes"), h("h1", {}, name)), emptyBox("There is no such node", "It has never joined this cluster."));
			return;
		}
		if (!built) {
			built = true;
			fill(el, head, factBox, h("div", { class: "two" }, power.el, section("Runs here", noJobs, jobs)), h("div", { class: "two-even" }, section("Sleep and other states", historyBox), h("div", { class: "stack" }, section("Meters", meterBox), section("Satellites", satBox))));
		}
		const state = `${n.state}${n.cordoned}${n.jobs}`;
		if (head.dataset.drawn !== state) {
			head.dataset.drawn = state;
			fill(head, h("div", { class: "page-head" }, h("a", { class: "crumb", href: "#/nodes" }, "Nodes"), h("h1", {}, name), nodeBadge(n), session.operator ? h("div", { class: "actions" }, nodeButtons(n)) : null));
		}
		const s = n.cpus ? Math.min(1, n.cpu_percent / 100 / n.cpus) : 0;
		attr(factBox, "data-isa", n.isa);
		setBar(load, s, `load ${percent(s * 100)}`);
		text(loadText, `load ${percent(s * 100)} of ${plural(n.cpus, "cpu")}`);
		text(reason, n.state_reason ?? "");
		fill(factBox, n.state_reason ? reason : null, h("div", { class: "load-line" }, load, loadText), facts(n));
		fill(satBox, satelliteView(n));
		const mine = store.jobsByNode().get(name) ?? [];
		noJobs.hidden = mine.length > 0;
		keyed(jobs, mine, (j) => j.id, (j) => h("li", {}, h("a", { href: jobLink(j.id) }, j.name), h("span", { class: "muted" }, `job ${j.id}, ${j.user}`), h("span", { class: "num-end" })), (li, j) => { if (li.lastChild.dataset.state !== j.state) { li.lastChild.dataset.state = j.state; fill(li.lastChild, jobBadge(j)); } });
		if (changed !== `${n.state}${n.cordoned}`) { changed = `${n.state}${n.cordoned}`; readHistory(); }
	});
	const readHistory = async () => {
		try { fill(historyBox, historyView((await get(`nodes/${encodeURIComponent(name)}/history`, { limit: HISTORY })).changes.sort((a, b) => a.time_ms - b.time_ms))); } catch (e) { if (!historyBox.querySelector("ol")) fill(historyBox, errorBox(e, readHistory)); }
	};
	const readMeters = async () => {
		try { const m = await get(`nodes/${encodeURIComponent(name)}/meters`); fill(meterBox, meterView(m.meters)); } catch (e) { if (!meterBox.querySelector("table")) fill(meterBox, errorBox(e, readMeters)); }
	};
	const offs = [store.on("nodes jobs reset", draw), store.on("reset energy", readMeters)];
	const timer = setInterval(() => store.live && draw(), 2000);
	draw();
	readMeters();
	return { title: name, el, close() { offs.forEach((f) => f()); clearInterval(timer); power.close(); draw.cancel(); } };
}

