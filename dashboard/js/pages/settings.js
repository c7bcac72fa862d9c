/* What this browser keeps (theme, tariff), and for operators what the cluster follows (policy, power cap, baseline). */
import { h, fill, text, newId } from "../lib/dom.js";
import { get, send } from "../lib/api.js";
import { watts } from "../lib/format.js";
import { session } from "../lib/session.js";
import { settings } from "../lib/settings.js";
import { store } from "../lib/store.js";
import { toast } from "../lib/dialog.js";
import { errorBox, segmented, loadingBox } from "../parts/states.js";

const section = (title, ...body) => h("section", { class: "panel", "aria-label": title }, h("div", { class: "panel-head" }, h("h2", {}, title)), body);
const field = (label, input, help) => { input.id ||= newId(); return h("div", { class: "field" }, h("label", { for: input.id }, label), input, help ? h("p", { class: "help" }, help) : null); };

function ours() {
	const price = h("input", { class: "input", type: "number", min: "0", step: "any", inputmode: "decimal", value: settings.tariff.price, onchange: () => settings.change({ tariff: { ...settings.tariff, price: Math.max(0, Number(price.value) || 0) } }) });
	const currency = h("input", { class: "input", maxlength: 5, value: settings.tariff.currency, onchange: () => settings.change({ tariff: { ...settings.tariff, currency: currency.value.trim() || "EUR" } }) });
	return section("This browser", h("div", { class: "field" }, h("span", { class: "label" }, "Theme"), h("div", {}, segmented("Theme", [["auto", "as the system"], ["light", "light"], ["dark", "dark"]], settings.theme, (v) => settings.change({ theme: v })))),
		h("div", { class: "field-row" }, field("Price of a kilowatt-hour", price, "Used to show savings as money."), field("Currency", currency)));
}

/** A form whose button sends it and whose error is shown in it; other: a second button, [words, what it does]. */
function sending(action, body, act, other) {
	const note = h("div", { "aria-live": "assertive" }), button = h("button", { class: "btn", type: "submit" }, action);
	const run = async (f, pressed) => {
		pressed.disabled = true;
		fill(note);
		try { await f(); } catch (e) { fill(note, errorBox(e)); }
		pressed.disabled = false;
	};
	return h("form", { class: "form-col", onsubmit: (ev) => { ev.preventDefault(); run(act, button); } }, body, note,
		h("div", { class: "actions" }, button, other ? h("button", { class: "btn", type: "button", onclick: (ev) => run(other[1], ev.target) }, other[0]) : null));
}

async function policyForm(box) {
	const [{ policies }, now] = await Promise.all([get("policies"), get("policy")]);
	const pick = h("select", { class: "input", onchange: () => draw() }, policies.map((p) => h("option", { value: p.name }, p.name)));
	const summary = h("p", { class: "muted" }), options = h("div", { class: "field-row" });
	const draw = () => {
		const p = policies.find((x) => x.name === pick.value);
		text(summary, `${p.summary}${p.options.length ? "" : "; it has no options"}`);
		fill(options, p.options.map((o) => {
			const value = (pick.value === now.name ? now.options?.[o.name] : undefined) ?? o.default ?? "";
			const name = o.name.replace(/_(ms|s|j)$/, "").replaceAll("_", " ");
			const unit = o.unit ?? /_(ms|s|j)$/.exec(o.name)?.[1].replace("j", "J");
			if (typeof value === "boolean" || o.unit === "bool") return h("div", { class: "field" }, h("span", { class: "label" }, name), h("label", { class: "check" }, h("input", { type: "checkbox", name: o.name, checked: Boolean(value) }), "yes"), o.meaning ? h("p", { class: "help" }, o.meaning) : null);
			return field(name + (unit ? `, ${unit}` : ""), h("input", { class: "input", name: o.name, type: "number", step: "any", value }), o.meaning);
		}));
	};
	pick.value = now.name;
	draw();
	fill(box, sending("Use this policy", [field("Policy", pick), summary, options], async () => {
		const values = {};
		for (const i of options.querySelectorAll("input")) {
			if (i.type === "checkbox") values[i.name] = i.checked;
			else if (i.value !== "") values[i.name] = Number(i.value);
		}
		await send("PUT", "policy", { name: pick.value, options: values });
		toast(`The cluster follows ${pick.value}`);
	}));
}

async function capForm(box) {
	const now = await get("power-cap");
	const cap = h("input", { class: "input", type: "number", min: "0", step: "any", inputmode: "decimal", value: now.cap_w ?? "", placeholder: "none" });
	fill(box, sending("Set the cap", field("Power cap in watts", cap, `Predicted now: ${watts(now.predicted_w)}. The scheduler keeps the predicted power below the cap by placing, delaying and moving jobs. Empty: no cap.`), async () => {
		await send("PUT", "power-cap", { cap_w: cap.value === "" ? null : Number(cap.value) });
		await store.readCap();
		toast(cap.value === "" ? "There is no power cap" : `The cap is ${watts(Number(cap.value))}`);
	}));
}

async function baselineForm(box) {
	const [now, { policies }] = await Promise.all([get("savings/baseline"), get("policies")]);
	const pick = h("select", { class: "input" }, policies.map((p) => h("option", { value: p.name }, p.name)));
	const nodes = h("textarea", { class: "input mono", rows: 3, spellcheck: "false" });
	pick.value = now.policy;
	nodes.value = (now.cluster ?? []).map((c) => `${c.count ?? 1} ${c.profile ?? c.node}`).join("\n");
	const set = async (baseline, words) => {
		await send("PUT", "savings/baseline", baseline);
		await baselineForm(box);
		toast(words);
	};
	const form = sending("Compare with this", [field("Baseline policy", pick), field("Baseline cluster", nodes, "A line for each kind of machine: count and profile, for example “2 xeon-e5-1650-v2”."),
		h("p", { class: "muted" }, now.default ? "Nobody chose one: this is the default for the nodes there are." : "This was chosen by an operator.")], () => {
		const cluster = nodes.value.split("\n").map((l) => l.trim()).filter(Boolean).map((l) => { const [, n, profile] = /^(\d+)\s+(\S+)$/.exec(l) ?? [null, "1", l]; return { profile, count: Number(n) }; });
		return set({ policy: pick.value, cluster }, "The savings are compared with this baseline now");
	}, now.default ? null : ["Use the default", () => set({ default: true }, "The savings are compared with the default baseline now")]);
	fill(box, form);
}

export function open() {
	const parts = session.operator ? [["Policy", policyForm], ["Power cap", capForm], ["Baseline of the savings", baselineForm]] : [];
	return {
		title: "Settings",
		el: h("div", { class: "job-page settings-page" }, h("div", { class: "page-head" }, h("h1", {}, "Settings")), ours(), parts.map(([title, make]) => {
			const box = h("div", {}, loadingBox(title.toLowerCase()));
			const part = section(title, box);
			/* A scheduler without this has nothing to set. */
			const go = () => make(box).catch((e) => (e.status === 404 ? part.remove() : fill(box, errorBox(e, go))));
			go();
			return part;
		})),
	};
}
