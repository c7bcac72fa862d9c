/* Nodes: draining one moves its jobs away. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { Cluster, until } from "./cluster.mjs";
import { ticker } from "./jobs.mjs";

const head = (p) => p.locator(".page-head").innerText();
async function press(p, name, reason) {
	await p.getByRole("button", { name: `${name} …`, exact: true }).click();
	const dialog = p.getByRole("dialog");
	if (reason) await dialog.getByLabel("Reason").fill(reason);
	await dialog.getByRole("button", { name, exact: true }).click();
	await dialog.waitFor({ state: "detached" });
}

export const tests = [
	["a node is drained by its button: its job moves, it is shown drained with the reason, and resumed it takes jobs again", async ({ cluster, page }) => {
		const sha = await cluster.upload(ticker);
		const { id } = await cluster.submit(sha, "drained", ["400000", "300"]);
		await until(async () => (await cluster.job(id)).state === "RUNNING", "the job to run");
		const node = (await cluster.job(id)).node;
		const p = await page();
		await p.goto(`${cluster.url}#/nodes`);
		await p.getByRole("link", { name: node }).click();
		await p.getByRole("heading", { name: node }).waitFor();
		await p.getByRole("region", { name: "Runs here" }).getByRole("link", { name: "drained" }).waitFor();
		await press(p, "Drain", "new fan");
		await until(async () => /Drained/.test(await head(p)), "the node to be drained");
		await until(async () => (await cluster.job(id)).node !== node, "the job to have moved");
		assert.match(await p.locator("main").innerText(), /new fan/);
		await p.getByText("Nothing runs here").waitFor();
		await press(p, "Resume");
		await until(async () => /Up/.test(await head(p)), "the node to be up again");
		await until(async () => (await p.getByRole("region", { name: "Sleep and other states" }).locator("li").count()) >= 3, "its history");
		await p.getByRole("region", { name: "Meters" }).getByText("modelled").waitFor();
		await cluster.api("DELETE", `jobs/${id}`);
	}],
	["a node is cordoned and uncordoned, put to sleep and woken by its buttons, and its states are its history", async ({ page }) => {
		const cluster = new Cluster();
		const said = `${cluster.dir}/said`;
		const ran = (what) => until(() => existsSync(said) && readFileSync(said, "utf8").includes(`${what} x86-7\n`), `the program that does ${what}`);
		try {
			const programs = ["suspend", "resume"].map((what) => { const f = cluster.file(what, `#!/bin/sh\necho "${what} $1" >>"${said}"\n`); chmodSync(f, 0o755); return [`--${what}-program`, f]; });
			await cluster.startScheduler(["--policy", "static", ...programs.flat()]);
			cluster.startAgent("x86-7", "x86_64");
			await cluster.nodesUp(1);
			const p = await page();
			await p.goto(`${cluster.url}#/nodes/x86-7`);
			await press(p, "Cordon", "a look at it");
			await until(async () => /Up, cordoned/.test(await head(p)), "the node to be cordoned");
			assert.equal((await cluster.api("GET", "nodes/x86-7")).cordoned, true);
			const { id } = await cluster.submit(await cluster.upload(ticker), "kept out", ["2", "2"]);
			await until(async () => (await cluster.job(id)).reason_code, "the job to wait");
			assert.equal((await cluster.job(id)).state, "PENDING");
			await press(p, "Uncordon");
			await until(async () => !/cordoned/.test(await head(p)), "the node to be uncordoned");
			await until(async () => (await cluster.job(id)).state === "COMPLETED", "the job to run now");

			await press(p, "Sleep", "for the night");
			await ran("suspend");
			await cluster.end("x86-7");
			await until(async () => /Asleep/.test(await head(p)), "the node to be asleep");
			const history = p.getByRole("region", { name: "Sleep and other states" });
			await until(async () => /Asleep/.test(await history.innerText()) && /for the night/.test(await history.innerText()), "why it sleeps");
			await press(p, "Wake");
			await ran("resume");
			cluster.startAgent("x86-7", "x86_64");
			await until(async () => /Up/.test(await head(p)), "the node to be up");
			await until(async () => /Up[^]*Waking[^]*Asleep[^]*Falling asleep/.test(await history.innerText()), "its history, newest first");
			assert.match(await history.innerText(), /asleep for [\d.]+\s*(ms|s) of it/);
			assert.equal(await p.getByRole("button", { name: "Wake …" }).count(), 0);
		} finally { await cluster.stop(); }
	}],
];
