/*
 * Makes the pictures of docs/dashboard.md from the screenshots that the tests left, at half their size.
 * Usage: tests/dashboard/run --pictures
 */
import { readFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { launch, shots } from "./browser.mjs";

const into = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../docs/pictures");
const pages = ["overview", "jobs", "job", "nodes", "node", "replay", "comparison", "submit", "settings", "sign-in"];
const chosen = [...pages.flatMap((p) => [`${p}-light`, `${p}-dark`]), "overview-1000-nodes", "overview-lost", "overview-wall", "overview-320", "job-320", "comparison-320"];
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
