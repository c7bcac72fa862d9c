/* Debian's Chromium, driven by playwright-core; whatever a page complains of is a failure of the test. */
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.env.NPM_PACKAGES, "from-here.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(join(process.env.NPM_PACKAGES, "axe-core/axe.min.js"), "utf8");

export const shots = join(process.env.DROVER_BUILDDIR, "dashboard-screenshots");
mkdirSync(shots, { recursive: true });

/* In a container Chromium's own sandbox can't be set up, and not as root anywhere. */
export const launch = () => chromium.launch({
	executablePath: process.env.CHROMIUM, args: ["--disable-dev-shm-usage", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
});

export async function newPage(browser, { theme = "light", width = 1440, height = 900, motion = "reduce" } = {}) {
	const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: motion, acceptDownloads: true, locale: "en-GB", timezoneId: "UTC" });
	const page = await context.newPage();
	page.complaints = [];
	page.on("pageerror", (e) => page.complaints.push(e.stack ?? e.message));
	page.on("console", (m) => {
		/* A refused request is the browser's own line; what the page makes of it is looked at by the tests. */
		if (m.type() === "error" && !/Failed to load resource|net::ERR_/.test(m.text())) page.complaints.push(m.text());
	});
	page.on("request", (r) => { if (!/^(http:\/\/127\.0\.0\.1:|blob:|data:)/.test(r.url())) page.complaints.push(`asks for ${r.url()}`); });
	page.setDefaultTimeout(15000);
	return page;
}

/** Serious and critical findings of axe-core on the page as it is. */
export async function axeFindings(page) {
	/* Evaluated by the debugger, so the page's own policy for scripts stays as strict as it is. */
	await page.evaluate(axe);
	const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
	return violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.help} (${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.any[0]?.message ?? ""}`).join("; ")})`);
}

/** Pixels by which the page is wider than the window. */
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
export const shot = (page, name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
