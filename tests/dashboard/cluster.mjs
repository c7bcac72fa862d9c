/* A private cluster of the real programs for the browser tests: every process is known by its id and ended by it. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { connect, createServer } from "node:net";
import { existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";

const build = process.env.DROVER_BUILDDIR;

export const sleep = (ms) => new Promise((go) => { setTimeout(go, ms); });

/** Waits until f gives something true, and gives that. */
export async function until(f, what, seconds = 30) {
	const end = Date.now() + seconds * 1000;
	let last;
	for (;;) {
		try { last = await f(); if (last) return last; } catch (e) { last = e; }
		if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
		await sleep(60);
	}
}

export class Cluster {
	constructor() {
		this.dir = mkdtempSync(join(tmpdir(), "drover-t."));
		this.processes = new Map();
		this.port = 0;
		this.token = null;
	}

	spawn(name, program, args) {
		const log = openSync(join(this.dir, `${name}.log`), "a");
		const p = spawn(join(build, program), args, { stdio: ["ignore", log, log], env: { ...process.env, HOME: this.dir } });
		p.over = new Promise((go) => { p.on("exit", go); });
		this.processes.set(name, p);
		return p;
	}

	log(name) { return readFileSync(join(this.dir, `${name}.log`), "utf8").trim().split("\n").slice(-3).join("\n"); }

	async startScheduler(more = []) {
		const portFile = join(this.dir, "port");
		if (!this.port) rmSync(portFile, { force: true });
		const p = this.spawn("droverd", "droverd", ["--state-dir", join(this.dir, "s"), "--listen", `127.0.0.1:${this.port}`, "--port-file", portFile,
			"--dashboard", join(build, "stage/share/drover/dashboard"), ...more]);
		this.schedulerOptions = more;
		await until(async () => {
			if (p.exitCode !== null) throw new Error(`droverd ended: ${this.log("droverd")}`);
			this.port = Number(readFileSync(portFile, "utf8")) || 0;
			return this.port && (await fetch(`http://127.0.0.1:${this.port}/healthz`)).ok;
		}, "droverd to answer", 15);
		this.url = `http://127.0.0.1:${this.port}/`;
	}

	startAgent(name, isa, more = []) {
		this.spawn(name, "drover-agent", ["--name", name, "--isa", isa, "--server", this.url.slice(0, -1), "--state-dir", join(this.dir, name), "--sample-ms", "500", "--stop-jobs", ...more]);
	}

	async end(name, signal = "SIGTERM") {
		const p = this.processes.get(name);
		if (!p) return;
		this.processes.delete(name);
		p.kill(signal);
		const late = setTimeout(() => p.kill("SIGKILL"), 8000);
		await p.over;
		clearTimeout(late);
	}

	/* Agents first: they end their jobs. What is left of ferries below our own directory after that is ended by its id. */
	async stop() {
		const names = [...this.processes.keys()];
		await Promise.all(names.filter((n) => n !== "droverd").map((n) => this.end(n)));
		await this.end("droverd");
		for (const n of names) {
			const jobs = join(this.dir, n, "jobs");
			for (const j of existsSync(jobs) ? readdirSync(jobs) : []) {
				try {
					const pid = JSON.parse(readFileSync(join(jobs, j, "status.json"), "utf8")).ferry_pid;
					if (pid > 1 && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`${this.dir}/`)) process.kill(pid, "SIGKILL");
				} catch { /* it has gone */ }
			}
		}
		if (process.env.KEEP) console.error(`kept: ${this.dir}`);
		else rmSync(this.dir, { recursive: true, force: true });
	}

	async api(method, path, body, raw = false) {
		const r = await fetch(new URL(`v1/${path}`, this.url), {
			method, body: raw ? body : body === undefined ? undefined : JSON.stringify(body),
			headers: { ...(this.token ? { Authorization: `Bearer ${this.token}` } : {}), ...(raw ? {} : { "Content-Type": "application/json" }) },
		});
		const text = await r.text();
		const json = text ? JSON.parse(text) : null;
		if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${json?.detail}`);
		return json;
	}

	async upload(file) {
		const bytes = readFileSync(file);
		const sha = createHash("sha256").update(bytes).digest("hex");
		await this.api("PUT", `bundles/${sha}`, bytes, true);
		return sha;
	}

	submit(bundle, name, args, more = {}) { return this.api("POST", "jobs", { bundle, name, args, ...more }); }
	job(id) { return this.api("GET", `jobs/${id}`); }
	nodesUp(n) { return until(async () => (await this.api("GET", "nodes")).nodes.filter((x) => x.state === "up").length >= n, `${n} nodes to be up`); }

	file(name, content) {
		const path = join(this.dir, name);
		writeFileSync(path, content);
		return path;
	}
}

/** A wire to the scheduler that can be cut and mended: what a network does. */
export class Wire {
	async start(port) {
		this.open = true;
		this.sockets = new Set();
		this.server = createServer((a) => {
			if (!this.open) { a.destroy(); return; }
			const b = connect(port, "127.0.0.1");
			for (const [x, y] of [[a, b], [b, a]]) {
				this.sockets.add(x);
				x.on("close", () => { this.sockets.delete(x); y.destroy(); }).on("error", () => y.destroy());
				x.pipe(y);
			}
		});
		await new Promise((go) => { this.server.listen(0, "127.0.0.1", go); });
		this.url = `http://127.0.0.1:${this.server.address().port}/`;
		return this;
	}
	cut() { this.open = false; for (const s of this.sockets) s.destroy(); }
	mend() { this.open = true; }
	stop() { this.cut(); this.server.close(); }
}
