/* Submitting a bundle, and what is said of wrong ones. */
import assert from "node:assert/strict";
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { until } from "./cluster.mjs";
import { ticker } from "./jobs.mjs";

export const tests = [
	["a bundle is uploaded, its inspection shown, and a job of it submitted", async ({ cluster, page }) => {
		const p = await page();
		await p.goto(`${cluster.url}#/submit`);
		await p.setInputFiles("#bundle-file", ticker);
		const seen = p.getByRole("region", { name: "What is in it" });
		await seen.waitFor();
		assert.match(await seen.innerText(), /x86-64[^]*AArch64/);
		assert.match(await seen.innerText(), /can be moved at \d+ points? in \d+ functions?/);
		await seen.getByText(/can be moved at/).click();
		assert.match(await seen.getByRole("region", { name: "Where it can be moved" }).innerText(), /main[^]*ticker\.c:\d+/);
		assert.match(await seen.getByRole("region", { name: "What can't migrate" }).innerText(), /number\s[^]*assembly[^]*ticker\.c:\d+/);
		await p.getByLabel("Name", { exact: true }).fill("from-the-page");
		await p.getByLabel("Arguments").fill("4 'no number'");
		await p.getByLabel("Time limit").fill("2 min");
		await p.getByRole("button", { name: "Submit", exact: true }).click();
		await p.getByRole("link", { name: /^job \d+$/ }).click();
		await p.getByRole("heading", { name: /from-the-page/ }).waitFor();
		const id = /jobs\/(\d+)/.exec(p.url())[1];
		const job = await cluster.job(id);
		assert.deepEqual(job.args, ["4", "no number"]);
		assert.equal(job.time_limit_s, 120);
		await until(async () => /Completed/.test(await p.locator(".page-head").innerText()), "the job to be shown completed");
		await until(async () => /^0 [0-9a-f]{16}/.test(await p.locator(".log").innerText()), "its output");
	}],
	["what is wrong with a field is said beside it, by the page or by the server", async ({ cluster, page }) => {
		await cluster.upload(ticker);
		const p = await page();
		await p.goto(`${cluster.url}#/submit`);
		await until(async () => (await p.getByLabel("Or use").locator("option").count()) > 1, "the bundles that are there");
		await p.getByLabel("Or use").selectOption({ index: 1 });
		await p.getByLabel("Memory").fill("plenty");
		await p.getByRole("button", { name: "Submit", exact: true }).click();
		await p.getByText("write a size like 512M or 2 GiB").waitFor();
		assert.equal(await p.getByLabel("Memory").getAttribute("aria-invalid"), "true");
		await p.getByLabel("Memory").fill("");
		await p.getByLabel("CPUs").fill("999999999");
		await p.getByRole("button", { name: "Submit", exact: true }).click();
		await until(async () => /cpus|must be/i.test(await p.locator(".error-text:visible, .note-bad").first().innerText()), "the server's words");
		await p.getByLabel("CPUs").fill("1");
		await p.getByText("Arrays, order and environment").click();
		await p.getByLabel("Array", { exact: true }).fill("3-1");
		await p.getByRole("button", { name: "Submit", exact: true }).click();
		await until(async () => (await p.getByLabel("Array", { exact: true }).getAttribute("aria-invalid")) === "true", "the array to be refused beside its field");
		await p.getByLabel("Array", { exact: true }).fill("0-4:2");
		await p.getByLabel("Arguments").fill("2 2");
		await p.getByRole("button", { name: "Submit", exact: true }).click();
		await p.getByRole("link", { name: /array|3 jobs/i }).click();
		await until(async () => (await p.locator(".vt-space .vt-row:visible").count()) === 3, "its three jobs in the list");
	}],
	["a file that is no bundle is refused in the server's words, where the file was chosen", async ({ cluster, page }) => {
		const p = await page();
		await p.goto(`${cluster.url}#/submit`);
		await p.setInputFiles("#bundle-file", cluster.file("notes.txt", "this is no program\n"));
		const note = p.getByRole("region", { name: "The program" }).getByRole("alert");
		await note.waitFor();
		const words = await cluster.api("PUT", `bundles/${"0".repeat(64)}`, Buffer.from("x"), true).catch((e) => e.message);
		assert.match(words, /422/);
		assert.match(await note.innerText(), /bundle/i);
		assert.equal(await p.getByRole("region", { name: "What is in it" }).count(), 0);
	}],
	["a file larger than the server takes is refused in the server's words", async ({ cluster, page }) => {
		const path = cluster.file("huge.bundle", "");
		const fd = openSync(path, "w");
		ftruncateSync(fd, 257 * 1024 * 1024);
		closeSync(fd);
		const p = await page();
		await p.goto(`${cluster.url}#/submit`);
		await p.setInputFiles("#bundle-file", path);
		const note = p.getByRole("region", { name: "The program" }).getByRole("alert");
		await note.waitFor({ timeout: 60000 });
		assert.match(await note.innerText(), /large|MiB|bytes/i);
	}],
];
