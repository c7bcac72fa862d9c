/*
 * Makes the pictures of docs/dashboard.md from the screenshots that the tests left, at half their size.
 * Usage: DROVER_BUILDDIR=build NPM_PACKAGES=... CHROMIUM=... node tests/dashboard/pictures.mjs
 */
import { readFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { launch, shots } from "./browser.mjs";

const into = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../docs/pictures");
const chosen = ["overview-light", "overview-dark", "overview-1000-nodes", "jobs-light", "job-dark", "node-light", "comparison-light", "submit-light", "overview-320"];
const SCALE = 0.5, TALLEST = 1400;

mkdirSync(into, { recursive: true });
const browser = await launch();
for (const name of chosen) {
	const page = await browser.newPage();
	await page.setContent(`<body style="margin:0"><img style="display:block" src="data:image/png;base64,${readFileSync(join(shots, `${name}.png`)).toString("base64")}">`);
	const size = await page.evaluate((s) => { const i = document.querySelector("img"); const w = Math.round(i.naturalWidth * s); i.style.width = `${w}px`; return { width: w, height: Math.round(i.naturalHeight * s) }; }, name.endsWith("320") ? 0.8 : SCALE);
	await page.setViewportSize({ width: size.width, height: Math.min(size.height, TALLEST) });
	await page.screenshot({ path: join(into, `${name}.png`) });
	await page.close();
}
await browser.close();
