/* Jobs: the list, and one job's life across both ISAs. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { until } from "./cluster.mjs";

export const ticker = join(process.env.DROVER_BUILDDIR, "tests/cluster/ticker");

export const tests = [
	["a job is watched crossing to the other ISA: its row, its lanes, its joules, its reasons and its output follow", async ({ cluster, page }) => {
		const sha = await cluster.upload(ticker);
		const { id } = await cluster.submit(sha, "crosser", ["400000", "300"]);
		await until(async () => (await cluster.job(id)).state === "RUNNING", "the job to run");
		const from = (await cluster.job(id)).node;
		const to = from === "x86-1" ? "arm-1" : "x86-1";
		const p = await page();
		await p.goto(`${cluster.url}#/jobs/${id}`);
		await p.getByRole("heading", { name: /crosser/ }).waitFor();
		await until(async () => (await p.locator(".log").innerText()).split("\n").length > 5, "output to follow");
		await p.getByRole("button", { name: "Migrate …" }).click();
		const dialog = p.getByRole("dialog");
		await dialog.getByLabel("To").selectOption(to);
		await dialog.getByLabel("Reason").fill("the test asks for it");
		await dialog.getByRole("button", { name: "Migrate", exact: true }).click();
		await dialog.waitFor({ state: "detached" });
		await until(async () => { const j = await cluster.job(id); return j.node === to && j.state === "RUNNING"; }, "the job to have moved");
		const panel = p.getByRole("region", { name: "Timeline" });
		await until(async () => (await p.locator(".timeline .tl-bar").count()) >= 2, "a second segment");
		assert.equal(await p.locator(".timeline .tl-hop").count(), 1);
		const isas = await p.locator(".timeline .tl-bar").evaluateAll((b) => b.map((x) => x.dataset.isa));
		assert.equal(new Set(isas).size, 2, "the bars are of both ISAs");
		await until(async () => / J/.test((await panel.locator("tbody tr").first().innerText()).replaceAll("\u202f", " ")), "joules of the first segment");
		assert.match(await panel.innerText(), /emulated/);
		await until(async () => /modelled/.test(await panel.innerText()), "the energy of a segment and its kind");
		await until(async () => /the test asks for it/.test(await p.getByRole("region", { name: "Decisions" }).innerText()), "the reason");
		const before = await p.locator(".log").evaluate((e) => e.textContent.length);
		await until(async () => (await p.locator(".log").evaluate((e) => e.textContent.length)) > before, "output to go on after the move");

		await p.goto(`${cluster.url}#/`);
		const move = p.locator(".move").filter({ hasText: "the test asks for it" });
		await until(async () => /downtime/.test(await move.innerText()), "the move with its downtime");
		assert.match(await move.innerText(), /crosser[^]*Done/);
		await p.locator(`.tile[data-name="${to}"] .chip`).filter({ hasText: "crosser" }).waitFor();

		await p.goto(`${cluster.url}#/jobs/${id}`);
		await p.getByRole("button", { name: "Cancel …" }).click();
		await p.getByRole("dialog").getByRole("button", { name: "Cancel the job" }).click();
		await until(async () => /Cancelled/.test(await p.locator(".page-head").innerText()), "the job to be shown cancelled");
		assert.equal((await cluster.job(id)).state, "CANCELLED");
		assert.equal(await p.getByRole("button", { name: "Migrate …" }).count(), 0);
	}],
	["an arc is drawn between the nodes while a job moves and says its downtime when it has", async ({ cluster, page }) => {
		const sha = await cluster.upload(ticker);
		const { id } = await cluster.submit(sha, "flyer", ["400000", "300"]);
		await until(async () => (await cluster.job(id)).state === "RUNNING", "the job to run");
		const p = await page({ motion: "no-preference" });
		await p.goto(cluster.url);
		await p.locator(".tile .chip").filter({ hasText: "flyer" }).waitFor();
		await cluster.api("POST", `jobs/${id}/migrate`, { reason: "to see it fly" });
		const arc = p.locator(".arc").filter({ hasText: "flyer" });
		await until(async () => /moved, .* downtime/.test(await arc.textContent()), "the arc with its downtime");
		assert.match(await arc.locator("path").getAttribute("d"), /^M[\d.]+ [\d.]+Q/);
		await cluster.api("DELETE", `jobs/${id}`);
	}],
	["names from users are text, never markup", async ({ cluster, page }) => {
		const sha = await cluster.upload(ticker);
		const name = "<img src=x onerror=alert(1)>";
		const { id } = await cluster.submit(sha, name, ["5", "5"]);
		const p = await page();
		await p.goto(`${cluster.url}#/jobs`);
		await p.getByRole("link", { name }).click();
		await p.getByRole("heading", { name: `${name} ${id}` }).waitFor();
		assert.equal(await p.locator("main img").count(), 0);
	}],
	["the list filters on the server and keeps its filter in the address", async ({ cluster, page }) => {
		const sha = await cluster.upload(ticker);
		for (let i = 0; i < 3; i++) await cluster.submit(sha, `needle-${i}`, ["3", "3"]);
		const p = await page();
		await p.goto(`${cluster.url}#/jobs`);
		await p.getByRole("link", { name: "needle-2" }).waitFor();
		await p.getByLabel("Name or number").fill("needle");
		await until(async () => (await p.locator(".vt-space .vt-row:visible .c-name").allInnerTexts()).every((x) => /needle/.test(x)), "only needles");
		assert.match(p.url(), /q=needle/);
		await p.reload();
		await until(async () => (await p.locator(".vt-space .vt-row:visible .c-name").allInnerTexts()).join() === "needle-2,needle-1,needle-0", "the same list, newest first");
		await p.getByLabel("Name or number").fill("nobody has this name");
		await p.getByText("No job matches").waitFor();
		await p.getByLabel("State").selectOption("bad");
		await p.goto(`${cluster.url}#/jobs/4711`);
		await p.getByText(/no job/i).first().waitFor();
	}],
];
