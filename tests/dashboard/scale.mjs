/*
 * A thousand nodes, a day of samples, a hundred thousand jobs: the page holds only what can be seen. Frames are counted and told,
 * not judged: bench/dashboard.sh compares them with an empty page's.
 */
import assert from "node:assert/strict";
import { Cluster, until } from "./cluster.mjs";
import { overflow, shot } from "./browser.mjs";
import { ticker } from "./jobs.mjs";

const NODES = 1000, JOBS = 100_000, METERED = 4, DAY_MS = 86_400_000, SAMPLE_MS = 5000;

export class Crowd {
	constructor(cluster) { this.cluster = cluster; this.seq = 1; this.names = Array.from({ length: NODES }, (_, i) => `${i % 5 ? "x86" : "arm"}-${String(i + 1).padStart(4, "0")}`); }

	/** Runs f for all items, some at a time. */
	async all(items, f) {
		const rest = items.entries();
		await Promise.all(Array.from({ length: 8 }, async () => { for (const [i, x] of rest) await f(x, i); }));
	}
	join() {
		return this.all(this.names, (name) => {
			const arm = name.startsWith("arm");
			return this.cluster.api("PUT", `agents/${name}`, {
				version: 1, instance: "c0ffee", isa: arm ? "aarch64" : "x86_64", emulated: false, cpus: 16, memory_bytes: 64 * 2 ** 30, profile: arm ? "x-gene-1" : "xeon-e5-1650-v2",
				idle_w: arm ? 20 : 40, core_w: arm ? 4 : 15, address: "127.0.0.1", software: "0.1.0", meters: [{ name: "m", source: "model", scope: "node", kind: "modelled", counted: true, zones: [] }],
			}).then((a) => { this.epoch = a.scheduler_epoch; });
		});
	}
	report(name, energy = []) {
		return this.cluster.api("POST", `agents/${name}/report`, {
			version: 1, instance: "c0ffee", scheduler_epoch: this.epoch, seq: this.seq++, revision: 0,
			load: { cpu_percent: Math.random() * 1600, memory_used_bytes: 2 ** 34, running: 0 }, jobs: [], energy,
		});
	}
	/** A day of samples every five seconds, of some nodes. */
	async history() {
		const now = Math.floor(Date.now() / SAMPLE_MS) * SAMPLE_MS;
		for (const name of this.names.slice(0, METERED)) {
			let batch = [];
			for (let t = now - DAY_MS; t < now; t += SAMPLE_MS) {
				const uj = Math.round((60 + 30 * Math.sin(t / 7e6)) * SAMPLE_MS * 1000);
				batch.push({ instance: "c0ffee", counted: true, meter: "m", source: "model", scope: "node", kind: "modelled", from_ms: t, to_ms: t + SAMPLE_MS, energy_uj: uj, idle_uj: uj, gap_ms: 0, jobs: {}, system_uj: 0 });
				if (batch.length === 500 || t + SAMPLE_MS >= now) { await this.report(name, batch); batch = []; }
			}
		}
	}
	/** Reports from here and there as a live cluster sends them, every node once in five seconds, until stopped. */
	chatter() {
		let on = true, i = 0;
		const run = async () => {
			while (on) {
				const began = Date.now();
				for (let k = 0; k < NODES / 25 && on; k++) await this.report(this.names[i++ % NODES]);
				await new Promise((go) => { setTimeout(go, Math.max(0, 200 - (Date.now() - began))); });
			}
		};
		const done = run();
		return () => { on = false; return done; };
	}
}

/** Frames in ms of a page that scrolls and moves the chart's reading meanwhile. */
export const frames = (p, ms) => p.evaluate((span) => new Promise((go) => {
	const chart = document.querySelector(".chart"), box = chart?.querySelector(".u-over");
	const list = document.querySelector(".vt-scroll") ?? document.scrollingElement;
	const at = box?.getBoundingClientRect(), times = [];
	let began = 0, last = 0;
	const step = (t) => {
		began ||= t;
		if (last) times.push(t - last);
		last = t;
		const part = (t - began) / span;
		list.scrollTop = (list.scrollHeight - list.clientHeight) * (0.5 - 0.5 * Math.cos(part * 6.28));
		box?.dispatchEvent(new MouseEvent("mousemove", { clientX: at.left + at.width * part, clientY: at.top + 20, bubbles: true }));
		if (t - began < span) requestAnimationFrame(step);
		else {
			times.sort((a, b) => a - b);
			go({ perSecond: Math.round((1000 * times.length) / (last - began)), p95: times[Math.floor(times.length * 0.95)], worst: times.at(-1) });
		}
	};
	requestAnimationFrame(step);
}), ms);
const say = (what, f) => console.log(`note   ${what}: ${f.perSecond} frames a second, 95 % within ${f.p95.toFixed(1)} ms, longest ${f.worst.toFixed(0)} ms`);

/** Held jobs: they wait, whatever nodes there are. */
export async function fillJobs(cluster, bundle) {
	for (let i = 0; i < JOBS; i += 1000) await cluster.api("POST", "jobs", { jobs: Array.from({ length: 1000 }, (_, k) => ({ bundle, args: [], hold: true, name: `job-${i + k + 1}` })) });
}

export async function bigCluster() {
	const cluster = new Cluster();
	/* These nodes speak when the test has time for it, and a busy machine has little. */
	await cluster.startScheduler(["--node-timeout", "3600", "--node-unknown", "3600"]);
	const crowd = new Crowd(cluster);
	await crowd.join();
	await crowd.all(crowd.names, (name) => crowd.report(name));
	await crowd.history();
	return { cluster, crowd };
}

export const tests = [
	["a thousand nodes and a day of five-second samples: every node has its tile, the chart few points, and a hundred thousand jobs scroll", async ({ page }) => {
		const { cluster, crowd } = await bigCluster();
		try {
			const p = await page();
			let series = null;
			p.on("response", async (r) => { if (r.url().includes("energy/series?")) series = await r.json().catch(() => series); });
			await p.goto(cluster.url);
			await p.getByText(new RegExp(`${NODES * 0.8} nodes.* up`)).waitFor();
			await p.evaluate(() => scrollTo(0, 1e9));
			await p.locator('.tile[data-name="x86-1000"]').waitFor();
			assert.match(await p.locator('.tile[data-name="x86-1000"]').innerText(), /W/);
			await p.evaluate(() => scrollTo(0, 0));
			await p.locator(".uplot").first().waitFor();
			await p.getByRole("button", { name: "24 h" }).click();
			await until(() => series && series.to_ms - series.from_ms > DAY_MS * 0.9 && series.series.length, "the day's series");
			for (const s of series.series) assert.ok(s.points.length <= 500, `${s.points.length} points of ${s.key}`);
			assert.match(await p.getByRole("region", { name: "Power", exact: true }).innerText(), /stacked by ISA/);
			const stop = crowd.chatter();
			try { say("1,000 nodes, a day of samples, 200 reports a second", await frames(p, 3000)); } finally { await stop(); }
			await p.locator(".u-over").dispatchEvent("mouseleave");
			assert.ok(await p.evaluate(() => document.querySelectorAll("*").length) < 12 * NODES, "elements on the page");
			assert.equal(await overflow(p), 0);
			await p.evaluate(() => scrollTo(0, 0));
			await crowd.all(crowd.names, (name) => crowd.report(name));
			await until(async () => /^Nodes\n1.000\nup of/m.test(await p.locator(".stats").innerText()) && (await p.locator(".lane-head").filter({ hasText: ", all up" }).count()) === 2, "all nodes to be up");
			await p.screenshot({ path: `${process.env.DROVER_BUILDDIR}/dashboard-screenshots/overview-1000-nodes.png` });
			/* With more nodes than tiles are kept, those far from the window are dropped and made again. */
			const few = await page();
			await few.route("**/parts/dense.js", async (r) => { const x = await r.fetch(); await r.fulfill({ response: x, body: (await x.text()).replace(/TILES_MAX = \d+/, "TILES_MAX = 200") }); });
			await few.goto(cluster.url);
			const there = (name) => few.locator(`.tile[data-name="${name}"]`);
			await there("x86-0002").waitFor();
			await few.evaluate(() => scrollTo(0, 1e9));
			await there("x86-1000").waitFor();
			await there("x86-0002").waitFor({ state: "detached" });
			assert.ok(await few.locator(".tile.dense").count() < NODES / 2, "tiles that are kept");
			await few.evaluate(() => scrollTo(0, 0));
			await there("x86-0002").waitFor();
			await few.close();

			await p.goto(`${cluster.url}#/nodes`);
			await p.getByText("1 000 rows".replace(" ", "\u202f")).waitFor();
			assert.ok(await p.locator(".vt-space .vt-row").count() < 100, "only the rows that can be seen exist");

			const sha = await cluster.upload(ticker);
			await fillJobs(cluster, sha);
			await p.goto(`${cluster.url}#/jobs`);
			await p.getByRole("link", { name: `job-${JOBS}` }).waitFor();
			say("100,000 jobs, scrolled", await frames(p, 3000));
			await p.locator(".vt-scroll").evaluate((e) => { e.scrollTop = e.scrollHeight; });
			await p.getByRole("link", { name: "job-1", exact: true }).waitFor({ timeout: 60000 });
			assert.ok(await p.locator(".vt-space .vt-row").count() < 100, "only the rows that can be seen exist");
			const last = await p.locator(".vt-space .vt-row:visible").filter({ hasText: /job-1$|job-1\D/ }).first().innerText();
			assert.match(last, /Held/, "a row that was waited for is whole");
			await shot(p, "jobs-100000");
		} finally { await cluster.stop(); }
	}],
];
