/* The saving as the page shows it: of figures given by the test, so that every word is known, and of a real cluster's. */
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { Cluster, until } from "./cluster.mjs";
import { axeFindings } from "./browser.mjs";
import { ticker } from "./jobs.mjs";

const side = (energy_j, makespan_s) => ({ energy_j, kind: "modelled", makespan_s, mean_wait_s: 2, p95_wait_s: 9, edp_js: energy_j * makespan_s, jobs: 124, unfinished: 2 });
const now = Date.now();
const answer = {
	from_ms: now - 3.6e6, to_ms: now, baseline: { policy: "static-x86", cluster: [{ profile: "xeon-e5-1650-v2", count: 1 }], options: {} },
	live: side(3.0e6, 3600), shadow: side(4.1e6, 3500), saved: { energy_j: 1.1e6, percent: 26.83, edp_percent: 24.7 }, withheld: null, jobs: 126, estimated_jobs: 2, refused_jobs: 0, narrowed_jobs: 1, gap_ms: 36e3, gap_share: 0.005, cut: false,
	scaled: { process_nm: 22, note: "ARM power scaled from 40 to 22 nm.", live: side(2.4e6, 3600), shadow: side(4.1e6, 3500), saved: { energy_j: 1.7e6, percent: 41.46, edp_percent: 39.8 } },
	series: Array.from({ length: 60 }, (_, i) => [now - (60 - i) * 6e4, i * 5e4, i * 6.8e4]),
};
const panel = (p) => p.getByRole("region", { name: "Saving" });
const words = async (p) => (await panel(p).innerText()).replaceAll("\u202f", " ");

export const tests = [
	["the saving is said in joules, percent and money with its kind, raw or scaled but never both", async ({ cluster, page }) => {
		const p = await page();
		await p.route("**/v1/savings", (r) => r.fulfill({ json: answer }));
		await p.addInitScript(() => localStorage.setItem("drover.settings", JSON.stringify({ tariff: { price: 0.4, currency: "CHF" } })));
		await p.goto(cluster.url);
		await until(async () => /1\.1 MJ less/.test(await words(p)), "the saving");
		for (const want of [/26\.8 %/, /0\.12 CHF/, /modelled/, /static-x86 on xeon-e5-1650-v2/, /energy\s+3 MJ\s+4\.1 MJ/, /36 s of the nodes’ time, 0\.5 % of it, no energy is known/, /2 jobs' time on the baseline is estimated/, /1 job has fewer cpus/]) assert.match(await words(p), want);
		assert.doesNotMatch(await words(p), /1\.7 MJ|2\.4 MJ|41\.5 %/);
		await panel(p).locator(".uplot").waitFor();
		await panel(p).getByRole("button", { name: "Scaled to 22 nm" }).click();
		for (const want of [/1\.7 MJ less/, /41\.5 %/, /scaled from 40 to 22 nm/, /energy\s+2\.4 MJ\s+4\.1 MJ/]) assert.match(await words(p), want);
		assert.doesNotMatch(await words(p), /1\.1 MJ|26\.8 %|\b3 MJ/);
		assert.deepEqual(await axeFindings(p), []);
	}],
	["more energy than the baseline is said as more; where too little is known no saving is told but why, and both sides' figures", async ({ cluster, page }) => {
		const p = await page();
		let now = { ...answer, saved: { energy_j: -5e5, percent: -12, edp_percent: -14 } };
		await p.route("**/v1/savings", (r) => r.fulfill({ json: now }));
		await p.goto(cluster.url);
		await until(async () => /500 kJ more/.test(await words(p)), "the loss");
		assert.match(await words(p), /12 %/);
		now = { ...answer, saved: null, withheld: "half of it is not known", scaled: { ...answer.scaled, saved: null }, gap_ms: 18e5, gap_share: 0.5 };
		await p.reload();
		await until(async () => /No saving is told: half of it is not known/.test(await words(p)), "why there is none");
		assert.doesNotMatch(await words(p), /less|more than|26\.8 %/);
		for (const want of [/energy\s+3 MJ\s+4\.1 MJ/, /30 min of the nodes’ time, 50 % of it/]) assert.match(await words(p), want);
	}],
	["of a real cluster the saving is what the scheduler says against the baseline that was set, and withheld when a node's energy is not known", async ({ page }) => {
		const cluster = new Cluster();
		try {
			await cluster.startScheduler(["--policy", "static", "--node-timeout", "2"]);
			for (const [name, isa] of [["x86-1", "x86_64"], ["arm-1", "aarch64"]]) cluster.startAgent(name, isa);
			await cluster.nodesUp(2);
			const sha = await cluster.upload(ticker);
			for (let i = 0; i < 3; i++) await cluster.submit(sha, `part-${i}`, ["30", "20"]);
			const p = await page();
			await p.goto(`${cluster.url}#/settings`);
			const form = p.getByRole("region", { name: "Baseline of the savings" });
			await form.getByLabel("Baseline policy").selectOption("static-x86");
			await form.getByLabel("Baseline cluster").fill("3 no-such-machine");
			await form.getByRole("button", { name: "Compare with this" }).click();
			await until(async () => /no-such-machine/.test(await form.getByRole("alert").innerText()), "the server's words");
			await form.getByLabel("Baseline cluster").fill("3 xeon-e5-1650-v2");
			await form.getByRole("button", { name: "Compare with this" }).click();
			await form.getByText("chosen by an operator").waitFor();
			await until(async () => { const s = await cluster.api("GET", "savings"); return s.saved && s.live.jobs === 3 && s.baseline.cluster[0].count === 3; }, "all three jobs to be compared");

			const f = await import(pathToFileURL(join(process.env.DROVER_SRCDIR, "dashboard/js/lib/format.js")));
			const flat = (x) => x.replaceAll("\u202f", " ");
			let told = null;
			p.on("response", async (r) => { if (r.url().endsWith("/v1/savings")) told = await r.json().catch(() => told); });
			await p.addInitScript(() => localStorage.setItem("drover.settings", JSON.stringify({ tariff: { price: 1000, currency: "EUR" } })));
			await p.goto(`${cluster.url}#/`);
			await p.reload();
			const says = (v) => [`${f.joules(v.saved.energy_j)} less`, f.percent(v.saved.percent), f.money(v.saved.energy_j, { price: 1000, currency: "EUR" }), f.joules(v.live.energy_j), f.joules(v.shadow.energy_j)].map(flat);
			/* The page reads anew every ten seconds: words and answer must be of one moment. */
			const shows = (scaled, what) => until(async () => {
				if (!told?.saved) return false;
				const [of, other] = scaled ? [told.scaled, told] : [told, told.scaled], w = await words(p);
				return says(of).every((x) => w.includes(x)) && !says(other).slice(0, 2).some((x) => w.includes(x));
			}, what);
			await shows(false, "the raw figures, and none that is scaled");
			assert.ok(told.saved.energy_j > 0, "three big machines need more than two");
			for (const want of [/modelled/, /static-x86 on 3 × xeon-e5-1650-v2/, /no energy is known|known for all of the time/]) assert.match(await words(p), want);
			await p.getByRole("button", { name: /^Scaled/ }).click();
			await shows(true, "the scaled figures, and none that is raw");
			assert.match(await words(p), /projection/);

			await cluster.end("arm-1", "SIGKILL");
			await until(async () => (await cluster.api("GET", "savings")).withheld, "the gap to be noticed");
			await p.reload();
			await until(async () => /No saving is told: the energy of [\d.]+ % of the nodes' time is not known/.test(await words(p)), "that no saving is told");
			assert.doesNotMatch(await words(p), / less/);
			assert.deepEqual(await axeFindings(p), []);
		} finally { await cluster.stop(); }
	}],
];
