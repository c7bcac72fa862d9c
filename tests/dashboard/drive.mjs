/*
 * The dashboard in a real browser against the real scheduler and agents. Usage: drive.mjs [PATTERN]: only tests whose
 * names match. Screenshots of every page, in both themes and at 320 px, are left in dashboard-screenshots/ of the build tree.
 */
import { Cluster } from "./cluster.mjs";
import { launch, newPage } from "./browser.mjs";

const groups = ["units", "first", "live", "jobs", "nodes", "submit", "access", "replay", "saving", "scale", "looks"];
const only = process.argv[2] ? new RegExp(process.argv[2]) : null;
let passed = 0, failed = 0;
const browser = await launch();

async function one(name, run, context) {
	const pages = [];
	const t = { ...context, browser, page: async (o) => { const p = await newPage(browser, o); pages.push(p); return p; } };
	try {
		await run(t);
		const complaints = pages.flatMap((p) => p.complaints);
		if (complaints.length) throw new Error(`the page complained: ${complaints.join(" | ")}`);
		console.log(`ok     ${name}`);
		passed++;
	} catch (e) {
		console.log(`FAILED ${name}: ${e.message.split("\n").slice(0, 6).join(" / ")}`);
		if (process.env.VERBOSE) console.log(e.stack);
		await pages.at(-1)?.screenshot({ path: `${process.env.DROVER_BUILDDIR}/dashboard-screenshots/failed.png` }).catch(() => {});
		failed++;
	} finally {
		await Promise.all(pages.map((p) => p.context().close()));
	}
}

const shared = new Cluster();
try {
	const wanted = [];
	for (const g of groups) wanted.push(...(await import(`./${g}.mjs`)).tests.filter(([name]) => !only || only.test(name)));
	await shared.startScheduler(["--policy", "static"]);
	shared.startAgent("x86-1", "x86_64");
	shared.startAgent("arm-1", "aarch64");
	await shared.nodesUp(2);
	for (const [name, run] of wanted) await one(name, run, { cluster: shared });
} catch (e) {
	console.log(`FAILED to start: ${e.stack}`);
	failed++;
} finally {
	await browser.close();
	await shared.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
