/* Every page in both themes and at 320 px, and the overview on a wall: no serious finding of axe, nothing wider than the window, and a screenshot to look at. */
import assert from "node:assert/strict";
import { until, sleep } from "./cluster.mjs";
import { axeFindings, overflow, shot } from "./browser.mjs";
import { ticker } from "./jobs.mjs";

const views = [{ name: "light", theme: "light", width: 1440 }, { name: "dark", theme: "dark", width: 1440 }, { name: "320", theme: "light", width: 320 }];
const wall = { name: "wall", theme: "dark", width: 2560, height: 1440 };

async function look(page, cluster, name, hash, ready, more = []) {
	const findings = [];
	for (const v of [...views, ...more]) {
		const p = await page({ theme: v.theme, width: v.width, height: v.height });
		await p.goto(`${cluster.url}#${hash}`);
		await p.getByText("Live", { exact: true }).waitFor();
		await ready(p);
		await sleep(300);
		await p.evaluate(() => scrollTo(0, 0));
		await shot(p, `${name}-${v.name}`);
		findings.push(...(await axeFindings(p)).map((f) => `${v.name}: ${f}`));
		const wide = await overflow(p);
		if (wide > 0) findings.push(`${v.name}: ${wide} px wider than the window`);
		findings.push(...p.complaints);
		await p.context().close();
	}
	assert.deepEqual(findings, []);
}

/** A job that has crossed both ways and still runs, for all pages that show one. */
let shown = null;
async function mover(cluster) {
	if (shown) return shown;
	const sha = await cluster.upload(ticker);
	for (let i = 0; i < 3; i++) await cluster.submit(sha, ["reduce", "sort.B", "transpose"][i], ["60", "20"]);
	const { id } = await cluster.submit(sha, "solver.C", ["2000000", "300"]);
	for (let i = 0; i < 3; i++) {
		await until(async () => (await cluster.job(id)).state === "RUNNING", "the job to run");
		await sleep(1200);
		await until(() => cluster.api("POST", `jobs/${id}/migrate`, { reason: "to show the way" }), "a free place on the other side");
		await until(async () => { const j = await cluster.job(id); return j.migrations > i && j.state === "RUNNING"; }, "a move");
	}
	shown = id;
	return id;
}

export const tests = [
	["overview", async ({ cluster, page }) => {
		await mover(cluster);
		await look(page, cluster, "overview", "/", async (p) => { await p.locator(".uplot").first().waitFor(); await p.locator(".tile .chip").first().waitFor(); }, [wall]);
	}],
	["jobs", async ({ cluster, page }) => look(page, cluster, "jobs", "/jobs", (p) => p.getByRole("link", { name: "solver.C" }).waitFor())],
	["one job", async ({ cluster, page }) => { const id = await mover(cluster); await look(page, cluster, "job", `/jobs/${id}`, (p) => p.locator(".timeline .tl-hop").nth(2).waitFor({ state: "attached" })); }],
	["nodes", async ({ cluster, page }) => look(page, cluster, "nodes", "/nodes", (p) => p.getByRole("link", { name: "arm-1" }).waitFor())],
	["one node", async ({ cluster, page }) => look(page, cluster, "node", "/nodes/arm-1", async (p) => { await p.locator(".uplot").waitFor(); await p.getByRole("region", { name: "Sleep and other states" }).locator("li").first().waitFor(); })],
	["submit", async ({ cluster, page }) => look(page, cluster, "submit", "/submit", async (p) => { await p.setInputFiles("#bundle-file", ticker); await p.getByRole("region", { name: "What is in it" }).waitFor(); await p.getByText("Arrays, order and environment").click(); })],
	["replay", async ({ cluster, page }) => look(page, cluster, "replay", "/replay", async (p) => { await p.getByLabel("energy", { exact: true }).waitFor(); await until(async () => (await p.getByLabel("Trace", { exact: true }).locator("option").count()) > 0, "traces"); })],
	["one replay", async ({ cluster, page }) => {
		const { id } = await cluster.api("POST", "replays", { trace: { name: "study-periodic" }, cluster: { nodes: [{ profile: "xeon-e5-1650-v2" }, { profile: "x-gene-1" }] }, policies: ["balance", "consolidate", "energy"], baseline: "static-x86", seed: 1 });
		await until(async () => (await cluster.api("GET", `replays/${id}`)).state === "DONE", "the replay");
		await look(page, cluster, "comparison", `/replay/${id}`, async (p) => { await p.locator(".uplot").nth(1).waitFor(); });
	}],
	["settings", async ({ cluster, page }) => look(page, cluster, "settings", "/settings", (p) => p.getByRole("button", { name: "Use this policy" }).waitFor())],
	["an overview without connection, a job that isn't there, an empty list", async ({ cluster, page }) => {
		await look(page, cluster, "missing-job", "/jobs/99999", (p) => p.getByRole("alert").waitFor());
		await look(page, cluster, "empty-list", "/jobs?q=nothing-is-called-so", (p) => p.getByText("No job matches").waitFor());
	}],
	["every control is reached by the keyboard, and a dialog keeps the focus and gives it back", async ({ cluster, page }) => {
		const id = await mover(cluster);
		const p = await page();
		await p.goto(`${cluster.url}#/jobs/${id}`);
		await p.getByRole("button", { name: "Migrate …" }).waitFor();
		await p.keyboard.press("Tab");
		assert.equal(await p.evaluate(() => document.activeElement.textContent), "Skip to the content");
		for (let i = 0; i < 30 && !/Migrate/.test(await p.evaluate(() => document.activeElement.textContent)); i++) await p.keyboard.press("Tab");
		await p.keyboard.press("Enter");
		await p.getByRole("dialog").waitFor();
		for (let i = 0; i < 6; i++) {
			assert.ok(await p.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog")), "the focus stays in the dialog");
			await p.keyboard.press("Tab");
		}
		await p.keyboard.press("Escape");
		await p.getByRole("dialog").waitFor({ state: "detached" });
		assert.match(await p.evaluate(() => document.activeElement.textContent), /Migrate/);
	}],
];
