/* What an operator may do with a node in the state it is in. */
import { h, newId } from "../lib/dom.js";
import { send } from "../lib/api.js";
import { plural } from "../lib/format.js";
import { ask, toast } from "../lib/dialog.js";

const DRAINS = new Set(["draining", "drained"]);

const actions = {
	cordon: { name: "Cordon", done: "takes no new jobs", when: (n) => !n.cordoned, text: "No new job starts there; what runs stays." },
	uncordon: { name: "Uncordon", done: "takes jobs again", when: (n) => n.cordoned && !DRAINS.has(n.state), text: "New jobs may start there again." },
	drain: { name: "Drain", done: "is being drained", when: (n) => ["up", "unknown", "down"].includes(n.state), text: "No new job starts there, and its running jobs move to other nodes." },
	resume: { name: "Resume", done: "takes jobs again", when: (n) => ["draining", "drained", "down"].includes(n.state), text: "It takes jobs again." },
	sleep: { name: "Sleep", done: "falls asleep", when: (n) => n.sleep_capable && ["up", "drained"].includes(n.state), text: "It is put to sleep; jobs on it must have moved or ended before." },
	wake: { name: "Wake", done: "is being woken", when: (n) => n.state === "asleep", text: "It is woken and takes jobs when it is ready." },
};

async function act(node, key) {
	const a = actions[key], id = newId();
	const why = h("input", { id, class: "input", maxlength: 200 });
	const done = await ask({
		title: `${a.name} ${node.name}?`, action: a.name,
		body: h("div", { class: "form-col" }, h("p", {}, a.text, key === "drain" && node.jobs ? ` ${plural(node.jobs, "job")} will move.` : ""), h("div", { class: "field" }, h("label", { for: id }, "Reason"), why, h("p", { class: "help" }, "Shown beside the node's state."))),
		act: () => send("PATCH", `nodes/${encodeURIComponent(node.name)}`, { action: key, ...(why.value.trim() ? { reason: why.value.trim() } : {}) }),
	});
	if (done) toast(`${node.name} ${a.done}`);
}

export const nodeButtons = (node, cls = "") => Object.entries(actions).filter(([, a]) => a.when(node)).map(([key, a]) => h("button", { class: `btn ${cls}`, type: "button", onclick: () => act(node, key) }, `${a.name} …`));
