/* The frame of the page: it opens, is light, strict and live. */
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { until } from "./cluster.mjs";

const FIRST_PAINT_MAX = 100 * 1024;

export const tests = [
	["the page opens with everything from its own server under 100 KB compressed, first paint and what it loads after it", async ({ cluster, page }) => {
		const p = await page();
		const cdp = await p.context().newCDPSession(p);
		const sizes = new Map(), types = new Map();
		await cdp.send("Network.enable");
		cdp.on("Network.responseReceived", (e) => types.set(e.requestId, e.response.url));
		cdp.on("Network.loadingFinished", (e) => sizes.set(types.get(e.requestId), e.encodedDataLength));
		await p.goto(cluster.url);
		await p.getByText("Nodes and what runs on them").waitFor();
		await p.locator(".uplot").first().waitFor();
		const files = [...sizes].filter(([u]) => u && !u.includes("/v1/"));
		const total = files.reduce((a, [, n]) => a + n, 0);
		assert.ok(files.length > 10, "the page's files are seen");
		console.log(`note   the overview's ${files.length} files are ${(total / 1024).toFixed(1)} KB as sent`);
		assert.ok(total < FIRST_PAINT_MAX, `${total} bytes were sent: ${files.map(([u, n]) => `${new URL(u).pathname} ${n}`).join(", ")}`);
	}],
	["its files say a strict policy and come compressed", async ({ cluster }) => {
		const r = await fetch(`${cluster.url}ui/js/main.js`, { headers: { "Accept-Encoding": "gzip" } });
		const policy = r.headers.get("Content-Security-Policy");
		assert.match(policy, /default-src 'none'/);
		assert.doesNotMatch(policy, /unsafe|\*|https?:/);
		assert.equal(r.headers.get("Content-Encoding"), "gzip");
		assert.ok(gunzipSync); /* fetch has unpacked it already */
		assert.match(await r.text(), /route\(\)/);
	}],
	["the overview shows the nodes of the cluster, which are emulated, and that power is modelled", async ({ cluster, page }) => {
		const p = await page();
		await p.goto(cluster.url);
		await p.locator('.tile[data-name="x86-1"]').waitFor();
		await until(async () => /Up/.test(await p.locator('.tile[data-name="arm-1"]').innerText()), "the tile to say Up");
		assert.match(await p.locator('.tile[data-name="arm-1"]').innerText(), /emulated/);
		assert.match(await p.locator('.tile[data-name="x86-1"]').innerText(), /modelled/);
		await p.getByText("Live", { exact: true }).waitFor();
	}],
];
