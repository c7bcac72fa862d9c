/* Replays: from a trace to a comparison, and what is said of broken traces. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./cluster.mjs";

const swf = "; UnixStartTime: 0\n" + Array.from({ length: 30 }, (_, i) => `${i + 1} ${i * 40} 0 ${60 + i * 7} 2 -1 -1 2 400 -1 1 1 1 1 1 -1 -1 -1`).join("\n") + "\n";

export const tests = [
	["policies are compared on a trace that comes with the scheduler, downloaded, and opened again by the link", async ({ cluster, page }) => {
		const p = await page();
		await p.goto(`${cluster.url}#/replay`);
		await p.getByLabel("energy", { exact: true }).waitFor();
		await until(async () => (await p.getByLabel("Machine profile").count()) === 2, "the live cluster's machines");
		await p.getByLabel("Trace", { exact: true }).selectOption({ label: "study-periodic" });
		await p.getByLabel("consolidate", { exact: true }).uncheck();
		await p.getByRole("button", { name: "Run", exact: true }).click();
		await p.getByRole("heading", { name: /study-periodic/ }).waitFor();
		const table = p.getByRole("region", { name: "Policies side by side" }).first();
		await table.waitFor();
		const text = (await table.innerText()).replaceAll("\u202f", " ");
		for (const want of [/static-x86/, /balance/, /energy/, /Energy\t[\d.]+ kJ/, /Makespan/, /Energy-delay product/, /modelled/]) assert.match(text, want);
		/* The page says what the server says. */
		const id = /replay\/(\w+)/.exec(p.url())[1];
		const { results } = await cluster.api("GET", `replays/${id}`);
		const { joules } = await import(`${process.env.DROVER_SRCDIR}/dashboard/js/lib/format.js`);
		for (const r of results) assert.ok(text.includes(joules(r.energy_j).replaceAll("\u202f", " ")), `${r.policy}'s ${joules(r.energy_j)} is in the table`);
		await p.locator(".uplot").nth(1).waitFor();
		await p.getByRole("button", { name: /^Scaled/ }).click();
		assert.match(await table.innerText(), /projection|process/);

		const [file] = await Promise.all([p.waitForEvent("download"), p.getByRole("listitem").filter({ hasText: "balance" }).getByRole("button", { name: "jobs" }).click()]);
		assert.match(readFileSync(await file.path(), "utf8"), /^job_id,/);
		const again = await page();
		await again.goto(p.url());
		await again.getByRole("region", { name: "Policies side by side" }).first().waitFor();
		await again.getByRole("link", { name: "Change and run again" }).click();
		await until(async () => (await again.getByLabel("consolidate", { exact: true }).isChecked()) === false && (await again.getByLabel("balance", { exact: true }).isChecked()), "the form as it was filled");
	}],
	["a trace of one's own, SWF or waves, is uploaded and used; while it runs the page says how far it is", async ({ cluster, page }) => {
		const p = await page();
		const waves = execFileSync(join(process.env.DROVER_BUILDDIR, "drover-waves"), ["--load", "sustained", "--jobs", "12", "--in-flight", "4"], { encoding: "utf8" });
		for (const [name, text, jobs] of [["mine.swf", swf, 30], ["mine.jsonl", waves, 12]]) {
			await p.goto(`${cluster.url}#/replay`);
			await p.getByLabel("energy", { exact: true }).waitFor();
			await p.setInputFiles("#trace-file", cluster.file(name, text));
			await p.getByText(`${name} is uploaded and used.`).waitFor();
			await p.getByRole("button", { name: "Run", exact: true }).click();
			await until(async () => new RegExp(`Jobs done[^]*${jobs}`).test(await p.locator("main").innerText()), `its ${jobs} jobs to be done`);
		}
		const id = /replay\/(\w+)/.exec(p.url())[1];
		await p.route(`**/v1/replays/${id}`, async (r) => { const x = await r.fetch(); await r.fulfill({ response: x, json: { ...await x.json(), state: "RUNNING", progress: 0.42, results: [] } }); });
		await p.reload();
		await until(async () => /42.% of the jobs/.test(await p.getByRole("region", { name: "Progress" }).innerText()), "how far it is");
	}],
	["a broken trace is refused in the server's words with its line, where the file was chosen", async ({ cluster, page }) => {
		const p = await page();
		await p.goto(`${cluster.url}#/replay`);
		await p.getByLabel("energy", { exact: true }).waitFor();
		await p.setInputFiles("#trace-file", cluster.file("broken.swf", `${swf}31 hello world\n`));
		await until(async () => /line 32/.test(await p.getByRole("form", { name: "A new replay" }).getByRole("alert").innerText()), "the line to be named");
		await p.getByLabel("Machine profile").first().fill("no-such-machine");
		await p.getByRole("button", { name: "Run", exact: true }).click();
		await until(async () => (await p.getByRole("form", { name: "A new replay" }).getByRole("alert").allInnerTexts()).some((x) => /no-such-machine/.test(x)), "the machine to be named");
	}],
];
