/*
 * What the page knows of the cluster: read once, then kept by events. Topics: nodes, jobs, migrations, policy, energy, replay,
 * connection, and reset (everything was read anew). Listeners are called at most once a frame.
 */
import { get, ApiError } from "./api.js";
import { Connection } from "./events.js";

const ENDED = new Set(["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"]);
const MOVING = new Set(["PREPARING", "SENDING", "LOADED", "COMMITTED"]);
const MOVES_KEPT = 60;
const COUNT_EVERY_MS = 4000;

export const jobEnded = (job) => ENDED.has(job.state);
export const moving = (m) => MOVING.has(m.state);

class Store {
	constructor() {
		/** @type {Map<string, import("../types.js").ClusterNode>} */
		this.nodes = new Map();
		/** Jobs that have a node now. @type {Map<string, import("../types.js").Job>} */
		this.running = new Map();
		/** The newest, oldest first. @type {Map<string, import("../types.js").Migration>} */
		this.moves = new Map();
		this.pending = null;
		this.policy = null;
		this.cap = null;
		this.loaded = false;
		/** @type {Error|null} */
		this.error = null;
		/** When what is shown was true: the last time the live connection said anything. */
		this.freshMs = 0;
		this.clockSkew = 0;
		this.listeners = new Map();
		this.topics = new Map();
		this.connection = new Connection({
			opened: (again) => this.opened(again),
			event: (type, data) => this.event(type, data),
			changed: () => this.touch("connection"),
		});
	}

	/** @returns {() => void} ends it */
	on(topics, f) {
		for (const t of topics.split(" ")) {
			if (!this.listeners.has(t)) this.listeners.set(t, new Set());
			this.listeners.get(t).add(f);
		}
		return () => { for (const t of topics.split(" ")) this.listeners.get(t)?.delete(f); };
	}

	/** Tells the listeners of a topic in the next frame; items are what changed. */
	touch(topic, item) {
		if (!this.topics.size) {
			/* A hidden page draws no frames, and needn't hear more often than it is looked at. */
			if (document.hidden) setTimeout(() => this.flush(), 500);
			else requestAnimationFrame(() => this.flush());
		}
		if (!this.topics.has(topic)) this.topics.set(topic, []);
		if (item) this.topics.get(topic).push(item);
	}

	flush() {
		const topics = this.topics;
		const called = new Set();

		this.topics = new Map();
		for (const [t, items] of topics)
			for (const f of this.listeners.get(t) ?? []) {
				if (called.has(f) && !items.length) continue;
				called.add(f);
				f(t, items);
			}
	}

	get live() { return this.connection.state === "live"; }
	/** The server's clock. */
	now() { return Date.now() + this.clockSkew; }
	/** How old what is shown is; 0 while the connection stands. */
	staleMs() { return this.live ? 0 : Date.now() - (this.connection.heardMs || Date.now()); }

	start() { this.connection.start(); }
	stop() { this.connection.stop(); }

	opened(again) {
		if (!again || !this.loaded) this.load();
		else this.countPending();
	}

	async load() {
		if (this.loading) { this.loadAgain = true; return; }
		this.loading = true;
		try {
			const [nodes, running, migrating, moves, policy] = await Promise.all([
				this.all("nodes", {}, "nodes"), this.all("jobs", { state: "RUNNING" }, "jobs"), this.all("jobs", { state: "MIGRATING" }, "jobs"), this.newestMoves(), get("policy"),
			]);
			this.nodes = new Map(nodes.map((n) => [n.name, n]));
			this.running = new Map([...running, ...migrating].map((j) => [j.id, j]));
			this.moves = new Map(moves.map((m) => [m.id, m]));
			this.policy = policy;
			this.error = null;
			this.loaded = true;
			for (const t of ["reset", "nodes", "jobs", "migrations", "policy"]) this.touch(t);
			this.countPending();
			this.readCap();
		} catch (e) {
			this.error = e;
			this.touch("reset");
		} finally {
			this.loading = false;
			if (this.loadAgain) { this.loadAgain = false; this.load(); }
		}
	}

	/** A whole list, page by page. */
	async all(path, query, field, most = 20000) {
		const out = [];
		for (let cursor = null; ;) {
			const page = await get(path, { ...query, limit: 1000, cursor });
			out.push(...page[field]);
			cursor = page.next;
			if (!cursor || out.length >= most) return out;
		}
	}

	async newestMoves() {
		const page = await get("migrations", { limit: MOVES_KEPT, order: "newest" });
		return page.migrations.sort((a, b) => a.requested_ms - b.requested_ms);
	}

	async countPending() {
		if (this.counting) return;
		this.counting = true;
		try {
			const page = await get("jobs", { state: "PENDING", limit: 1, count: 1 });
			this.pending = page.total ?? null;
			this.touch("jobs");
		} catch { /* the next one will tell */ }
		setTimeout(() => { this.counting = false; if (this.recount) { this.recount = false; this.countPending(); } }, COUNT_EVERY_MS);
	}

	async readCap() {
		try { this.cap = await get("power-cap"); this.touch("policy"); } catch (e) { if (!(e instanceof ApiError)) throw e; }
	}

	event(type, data) {
		if (type === "gap") { this.load(); this.touch("gap"); return; }
		this[`take_${type.replace("-", "_")}`]?.(data);
	}
	take_node(n) {
		this.nodes.set(n.name, n);
		this.touch("nodes", n);
	}
	take_job(j) {
		if (j.state === "RUNNING" || j.state === "MIGRATING") this.running.set(j.id, j);
		else this.running.delete(j.id);
		this.recount = this.counting;
		this.countPending();
		this.touch("jobs", j);
	}
	take_migration(m) {
		this.moves.delete(m.id);
		this.moves.set(m.id, m);
		if (this.moves.size > MOVES_KEPT) this.moves.delete(this.moves.keys().next().value);
		this.touch("migrations", m);
	}
	take_policy(p) { this.policy = p; this.touch("policy"); }
	take_power_cap(c) { this.cap = c; this.touch("policy"); }
	take_energy(e) { this.touch("energy", e); }
	take_replay(r) { this.touch("replay", r); }

	/** The running jobs by node. */
	jobsByNode() {
		const by = new Map();
		for (const j of this.running.values()) {
			if (!j.node) continue;
			if (!by.has(j.node)) by.set(j.node, []);
			by.get(j.node).push(j);
		}
		return by;
	}
}

export const store = new Store();
