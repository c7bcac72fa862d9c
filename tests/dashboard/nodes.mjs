/* Nodes: draining one moves its jobs away. */
import assert from "node:assert/strict";
import { until } from "./cluster.mjs";
import { ticker } from "./jobs.mjs";

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
		await p.getByRole("button", { name: "Drain …" }).click();
		await p.getByRole("dialog").getByLabel("Reason").fill("new fan");
		await p.getByRole("dialog").getByRole("button", { name: "Drain" }).click();
		await until(async () => /Drained/.test(await p.locator(".page-head").innerText()), "the node to be drained");
		await until(async () => (await cluster.job(id)).node !== node, "the job to have moved");
		assert.match(await p.locator("main").innerText(), /new fan/);
		await p.getByText("Nothing runs here").waitFor();
		await p.getByRole("button", { name: "Resume …" }).click();
		await p.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
		await until(async () => /Up/.test(await p.locator(".page-head").innerText()), "the node to be up again");
		await until(async () => (await p.getByRole("region", { name: "Sleep and other states" }).locator("li").count()) >= 3, "its history");
		await p.getByRole("region", { name: "Meters" }).getByText("modelled").waitFor();
		await cluster.api("DELETE", `jobs/${id}`);
	}],
];
