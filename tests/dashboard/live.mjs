/* The connection: what is shown follows the cluster, and says how old it is when it can't. */
import assert from "node:assert/strict";
import { until, Wire } from "./cluster.mjs";
import { axeFindings, shot } from "./browser.mjs";

const stats = (p) => p.locator(".stats").innerText();

export const tests = [
	["a cut connection is said with its age and the data greyed; mended, it catches up after its last event", async ({ cluster, page }) => {
		const wire = await new Wire().start(cluster.port);
		const p = await page();
		const asked = [];
		p.on("request", (r) => { if (r.url().includes("/v1/")) asked.push([new URL(r.url()).pathname, r.headers()["last-event-id"]]); });
		try {
			const { name } = await cluster.api("GET", "policy");
			await p.goto(wire.url);
			await p.locator(".tile").first().waitFor();
			/* Something must have come, or there is nothing to continue after. */
			await cluster.api("PUT", "policy", { name: "balance" });
			await until(async () => /\bbalance\b/.test(await stats(p)), "the policy to show");
			wire.cut();
			await p.getByText("The connection to the scheduler is lost").waitFor();
			await until(async () => /Last heard \d+\s*s ago/.test(await p.locator(".banner").innerText()), "the age to be said");
			assert.notEqual(await p.locator(".stats").evaluate((e) => getComputedStyle(e).filter), "none", "data is greyed");
			assert.match(await p.locator(".link-state").innerText(), /Connection lost/);
			assert.deepEqual(await axeFindings(p), [], "greyed data can be read");
			await shot(p, "overview-lost");
			await cluster.api("PUT", "policy", { name: "consolidate" });
			assert.match(await stats(p), /\bbalance\b/);
			asked.length = 0;
			wire.mend();
			await p.getByText("Live", { exact: true }).waitFor();
			await until(async () => /consolidate/.test(await stats(p)), "what happened meanwhile to show");
			assert.ok(asked.some(([path, id]) => path === "/v1/events" && Number(id) > 0), "it asks for the events after the last it had");
			assert.ok(!asked.some(([path]) => path === "/v1/nodes"), "and needn't read the lists again");
			assert.ok(!await p.locator(".banner").isVisible());
			assert.equal(await p.locator(".stats").evaluate((e) => getComputedStyle(e).filter), "none");
			await cluster.api("PUT", "policy", { name });
		} finally { wire.stop(); }
	}],
	["a scheduler that was started anew is found again, and everything read anew", async ({ cluster, page }) => {
		const p = await page();
		const { name } = await cluster.api("GET", "policy");
		await p.goto(cluster.url);
		await p.locator(".tile").first().waitFor();
		await cluster.end("droverd", "SIGKILL");
		await p.getByText("The connection to the scheduler is lost").waitFor();
		await cluster.startScheduler(cluster.schedulerOptions);
		await cluster.api("PUT", "policy", { name: name === "balance" ? "consolidate" : "balance" });
		await p.getByText("Live", { exact: true }).waitFor();
		await until(async () => (name === "balance" ? /consolidate/ : /balance/).test(await stats(p)), "the new policy to show");
		await cluster.nodesUp(2);
		await until(async () => (await p.locator('.tile[data-state="up"]').count()) === 2, "both nodes to be shown up");
		await cluster.api("PUT", "policy", { name });
	}],
];
