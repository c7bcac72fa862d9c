/* The saving, as the page shows what the scheduler's savings say. The answer is given by the test, so that every figure is known. */
import assert from "node:assert/strict";
import { until } from "./cluster.mjs";
import { axeFindings } from "./browser.mjs";

const side = (energy_j, makespan_s) => ({ energy_j, kind: "modelled", makespan_s, mean_wait_s: 2, p95_wait_s: 9, edp_js: energy_j * makespan_s, jobs: 124 });
const now = Date.now();
const answer = {
	from_ms: now - 3.6e6, to_ms: now, baseline: { policy: "static-x86", cluster: [{ node: "b-1", profile: "xeon-e5-1650-v2" }], options: {} },
	live: side(3.0e6, 3600), shadow: side(4.1e6, 3500), saved: { energy_j: 1.1e6, percent: 26.83, edp_percent: 24.7 },
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
		for (const want of [/26\.8 %/, /0\.12 CHF/, /modelled/, /static-x86 on xeon-e5-1650-v2/, /energy\s+3 MJ\s+4\.1 MJ/]) assert.match(await words(p), want);
		assert.doesNotMatch(await words(p), /1\.7 MJ|2\.4 MJ|41\.5 %/);
		await panel(p).locator(".uplot").waitFor();
		await panel(p).getByRole("button", { name: "Scaled to 22 nm" }).click();
		for (const want of [/1\.7 MJ less/, /41\.5 %/, /scaled from 40 to 22 nm/, /energy\s+2\.4 MJ\s+4\.1 MJ/]) assert.match(await words(p), want);
		assert.doesNotMatch(await words(p), /1\.1 MJ|26\.8 %|\b3 MJ/);
		assert.deepEqual(await axeFindings(p), []);
	}],
	["more energy than the baseline is said as more", async ({ cluster, page }) => {
		const p = await page();
		await p.route("**/v1/savings", (r) => r.fulfill({ json: { ...answer, saved: { energy_j: -5e5, percent: -12, edp_percent: -14 } } }));
		await p.goto(cluster.url);
		await until(async () => /500 kJ more/.test(await words(p)), "the loss");
		assert.match(await words(p), /12 %/);
	}],
];
