/* The page's frame: header, connection, who is there, and which page is open. Pages are loaded when first opened. */
import { h, fill, attr, icon, every } from "./lib/dom.js";
import { age, time } from "./lib/format.js";
import { get, onUnauthorized } from "./lib/api.js";
import { session } from "./lib/session.js";
import { settings } from "./lib/settings.js";
import { store } from "./lib/store.js";
import { parseHash } from "./lib/router.js";
import { errorBox, loadingBox } from "./parts/states.js";
import { loginPage } from "./parts/login.js";

const pages = {
	"": ["Overview", () => import("./pages/overview.js")],
	jobs: ["Jobs", () => import("./pages/jobs.js")],
	nodes: ["Nodes", () => import("./pages/nodes.js")],
	replay: ["Replay", () => import("./pages/replay.js")],
	submit: ["Submit", () => import("./pages/submit.js")],
	settings: ["Settings", () => import("./pages/settings.js")],
};
const details = { jobs: () => import("./pages/job.js"), nodes: () => import("./pages/node.js"), replay: () => import("./pages/comparison.js") };

const app = document.getElementById("app");
let shell = null;
let open = null;
let opening = 0;
let failed = false;

function logo() {
	const img = h("img", { src: "ui/icon.svg", alt: "", width: 24, height: 24 });
	return h("a", { class: "brand", href: "#/", "aria-label": "Drover, overview" }, img, "Drover");
}

/* ---- header -------------------------------------------------------------- */

function makeShell() {
	const links = Object.entries(pages).filter(([k]) => k !== "settings" && (k !== "submit" || session.maySubmit))
		.map(([k, [name]]) => h("a", { href: `#/${k}`, data: { page: k } }, name));
	const nav = h("nav", { class: "nav", "aria-label": "Pages" }, links);
	const state = h("span", { class: "link-state", role: "status" });
	const banner = h("div", { class: "banner", hidden: true, role: "alert" });
	const main = h("main", { id: "main", class: "page", tabindex: "-1" });
	const theme = h("button", {
		class: "btn btn-plain", type: "button",
		onclick: () => settings.change({ theme: settings.darkNow ? "light" : "dark" }),
	});
	const who = session.who;
	const end = h("div", { class: "top-end" }, state, theme,
		h("a", { class: "btn btn-plain", href: "#/settings", "aria-label": "Settings", title: "Settings", data: { page: "settings" } }, icon("gear")),
		session.token ? h("button", { class: "btn btn-plain", type: "button", title: `${who.user}, ${who.role}: sign out`, "aria-label": "Sign out", onclick: signOut }, icon("out")) : null);

	fill(app, h("header", { class: "top" }, logo(), nav, end), banner, main,
		h("footer", { class: "foot" }, `Drover ${who.version ?? ""} · ${who.user}, ${who.role}`));
	shell = { nav, end, state, banner, main, theme, lost: null };
	drawTheme();
	drawConnection();
}

function drawTheme() {
	if (!shell) return;
	const name = settings.darkNow ? "Use the light theme" : "Use the dark theme";
	fill(shell.theme, icon(settings.darkNow ? "sun" : "moon"));
	attr(shell.theme, "aria-label", name);
	attr(shell.theme, "title", name);
}

function drawConnection() {
	if (!shell) return;
	const c = store.connection;
	const words = { live: "Live", connecting: "Connecting", lost: "Connection lost" };

	if (shell.drawn !== c.state) {
		shell.drawn = c.state;
		attr(shell.state, "data-state", c.state);
		fill(shell.state, icon(c.state === "lost" ? "lost" : "live"), words[c.state]);
		document.body.classList.toggle("is-stale", c.state === "lost");
		shell.banner.hidden = c.state !== "lost";
		if (c.state === "lost") {
			shell.lost = h("span", { "aria-live": "off" });
			fill(shell.banner, h("span", {}, h("strong", {}, "The connection to the scheduler is lost"), `: ${c.why}. What you see is as it was at ${time(c.heardMs)}.`), shell.lost,
				h("button", { class: "btn btn-small", type: "button", onclick: () => c.retryNow() }, "Try now"));
		}
	}
	drawAge();
}

function drawAge() {
	if (!shell || store.connection.state !== "lost") return;
	const wait = Math.max(0, Math.ceil((store.connection.retryAt - Date.now()) / 1000));
	const line = `Last heard ${age(store.staleMs())}; ${wait ? `next try in ${wait} s` : "trying"}.`;
	if (shell.lost.textContent !== line) shell.lost.textContent = line;
}

/* ---- pages --------------------------------------------------------------- */

function closePage() {
	open?.close?.();
	open = null;
}

async function route() {
	if (!shell) return;
	const { parts, query } = parseHash(location.hash);
	const name = parts[0] ?? "";
	const mine = ++opening;

	failed = false;
	closePage();
	for (const a of [...shell.nav.children, ...shell.end.querySelectorAll("[data-page]")]) attr(a, "aria-current", a.dataset.page === name ? "page" : null);
	if (!Object.hasOwn(pages, name)) {
		document.title = "Not found · Drover";
		fill(shell.main, h("h1", {}, "There is no such page"), h("p", {}, h("a", { href: "#/" }, "Go to the overview")));
		return;
	}
	const slow = setTimeout(() => mine === opening && fill(shell.main, loadingBox("the page")), 300);
	try {
		const load = parts.length > 1 && details[name] ? details[name] : pages[name][1];
		const module = await load();
		if (mine !== opening) return;
		const page = module.open(parts, query);
		open = page;
		document.title = `${page.title ?? pages[name][0]} · Drover`;
		fill(shell.main, page.el);
		page.shown?.();
		if (shell.moved) shell.main.focus({ preventScroll: true });
		shell.moved = true;
		scrollTo(0, 0);
	} catch (e) {
		if (mine === opening) {
			/* A module that could not be fetched is not asked for again by every browser: only a new page is sure to. */
			failed = true;
			fill(shell.main, errorBox({ message: "This page could not be read from the scheduler.", hint: e.message }, () => location.reload()));
		}
		if (!e.status && !(e instanceof TypeError)) throw e;
	} finally {
		clearTimeout(slow);
	}
}

/* ---- signing in and out -------------------------------------------------- */

function showLogin(error) {
	closePage();
	store.stop();
	shell = null;
	document.title = "Sign in · Drover";
	document.body.classList.remove("is-stale");
	fill(app, loginPage(error, () => { store.loaded = false; begin(); }));
	app.querySelector("input")?.focus();
}

function signOut() {
	session.setToken(null);
	location.hash = "#/";
	location.reload();
}

async function begin() {
	try {
		session.who = await get("whoami");
		if (session.who.server_time_ms) store.clockSkew = session.who.server_time_ms - Date.now();
	} catch (e) {
		if (e.status === 401 || e.status === 403) { showLogin(session.token ? e : null); return; }
		fill(app, h("main", { id: "main", class: "page" }, h("h1", {}, "Drover"), errorBox(e, begin)));
		return;
	}
	makeShell();
	store.connection.state = "connecting";
	store.start();
	route();
}

onUnauthorized.call = (e) => { if (shell) showLogin(e); };
store.on("connection", drawConnection);
store.on("connection", () => { if (failed && store.live) location.reload(); });
every(500, drawAge);
settings.on(drawTheme);
addEventListener("hashchange", route);
begin();
