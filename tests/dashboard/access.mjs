/* Tokens and roles. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Cluster, until } from "./cluster.mjs";
import { shot, axeFindings } from "./browser.mjs";
import { ticker } from "./jobs.mjs";

function token(cluster, role, user) {
	return execFileSync(join(process.env.DROVER_BUILDDIR, "drover"), ["token", "--role", role, "--user", user, "--key", join(cluster.dir, "s", "token.key")], { encoding: "utf8", env: { ...process.env, HOME: cluster.dir } }).trim();
}

async function signIn(p, cluster, t) {
	await p.goto(cluster.url);
	await p.getByLabel("Token").fill(t);
	await p.getByRole("button", { name: "Sign in" }).click();
}

export const tests = [
	["without a token nothing is shown; a wrong one is refused in the server's words; each role sees its own buttons", async ({ page }) => {
		const cluster = new Cluster();
		try {
			await cluster.startScheduler(["--require-token"]);
			await until(() => existsSync(join(cluster.dir, "s", "token.key")), "the key");
			cluster.token = token(cluster, "operator", "olga");
			/* A node that needs no agent: introduced anew it is up again for a while. */
			const hello = () => fetch(new URL("v1/agents/x86-9", cluster.url), {
				method: "PUT", headers: { Authorization: `Bearer ${cluster.token}` },
				body: JSON.stringify({ version: 1, instance: "a1", isa: "x86_64", emulated: false, cpus: 4, memory_bytes: 1 << 30, profile: "xeon-e5-1650-v2", idle_w: 40, core_w: 15, address: "127.0.0.1", meters: [], software: "0.1.0" }),
			});
			const up = (p) => until(async () => { await hello(); return /\bUp\b/.test(await p.locator(".page-head").innerText()); }, "the node to be up");
			await hello();
			const p = await page();
			await p.goto(cluster.url);
			await p.getByRole("heading", { name: "Sign in to Drover" }).waitFor();
			assert.equal(await p.getByText("x86-9").count(), 0);
			for (const colorScheme of ["dark", "light"]) {
				await p.emulateMedia({ colorScheme });
				await until(async () => (await p.evaluate(() => document.documentElement.dataset.theme ?? "light")) === colorScheme, "the theme");
				assert.deepEqual(await axeFindings(p), []);
				await shot(p, `sign-in-${colorScheme}`);
			}
			await p.getByLabel("Token").fill("not.a.token");
			await p.getByRole("button", { name: "Sign in" }).click();
			const alert = p.getByRole("alert");
			await alert.waitFor();
			assert.match(await alert.innerText(), /token/i);

			await p.getByLabel("Token").fill(token(cluster, "viewer", "vera"));
			await p.getByRole("button", { name: "Sign in" }).click();
			await p.getByText("Live", { exact: true }).waitFor();
			assert.equal(await p.getByRole("navigation").getByRole("link", { name: "Submit" }).count(), 0);
			await p.getByRole("navigation").getByRole("link", { name: "Nodes" }).click();
			await p.getByRole("link", { name: "x86-9" }).click();
			await p.getByRole("heading", { name: "x86-9" }).waitFor();
			await up(p);
			assert.equal(await p.getByRole("button", { name: "Drain …" }).count(), 0);
			await p.goto(`${cluster.url}#/settings`);
			await p.getByRole("heading", { name: "Settings" }).waitFor();
			assert.equal(await p.getByText("Power cap").count(), 0);
			assert.equal(await p.getByRole("heading", { name: "Policy" }).count(), 0);

			await p.getByRole("button", { name: "Sign out" }).click();
			await p.getByRole("heading", { name: "Sign in to Drover" }).waitFor();
			await signIn(p, cluster, cluster.token);
			await p.getByRole("navigation").getByRole("link", { name: "Submit" }).waitFor();
			await p.goto(`${cluster.url}#/nodes/x86-9`);
			await until(async () => { await hello(); return p.getByRole("button", { name: "Drain …" }).isVisible(); }, "an operator's buttons");
		} finally { await cluster.stop(); }
	}],
	["a user sees the energy of own jobs only, and the buttons of those", async ({ page }) => {
		const cluster = new Cluster();
		try {
			await cluster.startScheduler(["--require-token", "--policy", "static"]);
			await until(() => existsSync(join(cluster.dir, "s", "token.key")), "the key");
			cluster.startAgent("x86-1", "x86_64", ["--token-file", cluster.file("agent.token", token(cluster, "agent", "x86-1"))]);
			const as = async (user, f) => { cluster.token = token(cluster, user === "olga" ? "operator" : "user", user); return f(); };
			await as("olga", () => cluster.nodesUp(1));
			const sha = await as("bob", () => cluster.upload(ticker));
			const submit = (user, name) => as(user, async () => (await cluster.submit(sha, name, ["20", "50"])).id);
			const bobs = await submit("bob", "bobs"), anns = await submit("ann", "anns");
			for (const [user, id] of [["bob", bobs], ["ann", anns]]) await as(user, () => until(async () => { const j = await cluster.job(id); return j.state === "COMPLETED" && j.energy_uj > 0; }, "a job with its energy"));
			const held = await as("ann", async () => (await cluster.submit(sha, "held", [], { hold: true })).id);

			const p = await page();
			await as("ann", () => signIn(p, cluster, cluster.token));
			await p.getByRole("navigation").getByRole("link", { name: "Submit" }).waitFor();
			await p.goto(`${cluster.url}#/jobs`);
			const energy = (name) => p.locator(".vt-row").filter({ has: p.getByRole("link", { name, exact: true }) }).locator(".c-energy").innerText();
			await p.getByRole("link", { name: "bobs", exact: true }).waitFor();
			assert.match(await energy("anns"), /\d\s*m?J/);
			assert.equal(await energy("bobs"), "–");
			await p.getByRole("link", { name: "bobs", exact: true }).click();
			await p.getByText("for its user and operators only").waitFor();
			await p.getByRole("region", { name: "Timeline" }).locator("tbody tr").first().waitFor();
			assert.doesNotMatch(await p.locator("main").innerText(), /\d\s*m?J\b/, "no joules of another's job");
			assert.equal(await p.getByRole("button", { name: /Run again|Cancel|Migrate/ }).count(), 0);
			await p.goto(`${cluster.url}#/jobs/${held}`);
			await p.getByRole("button", { name: "Cancel …" }).click();
			await p.getByRole("dialog").getByRole("button", { name: "Cancel the job" }).click();
			await until(async () => /Cancelled/.test(await p.locator(".page-head").innerText()), "the own job to be cancelled");
			await p.goto(`${cluster.url}#/nodes/x86-1`);
			await p.getByRole("heading", { name: "x86-1" }).waitFor();
			assert.equal(await p.getByRole("button", { name: "Drain …" }).count(), 0);
			await p.goto(`${cluster.url}#/`);
			await p.locator('.tile[data-name="x86-1"]').waitFor();
			await p.getByRole("region", { name: "Power", exact: true }).locator(".uplot").waitFor();
		} finally { await cluster.stop(); }
	}],
];
