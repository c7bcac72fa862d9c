/* What this browser keeps for its user: theme, tariff. */

const KEY = "drover.settings";
const defaults = { theme: "auto", tariff: { price: 0.25, currency: "EUR" } };
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();

function read() {
	try { return { ...defaults, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") }; } catch { return { ...defaults }; }
}

export const settings = {
	...read(),
	get darkNow() { return this.theme === "dark" || (this.theme === "auto" && dark.matches); },
	change(values) {
		Object.assign(this, values);
		try { localStorage.setItem(KEY, JSON.stringify({ theme: this.theme, tariff: this.tariff })); } catch { /* lasts as long as the page */ }
		apply();
	},
	/** Called after a change, also of the system's theme. */
	on(f) { listeners.add(f); return () => listeners.delete(f); },
};

function apply() {
	document.documentElement.dataset.theme = settings.darkNow ? "dark" : "light";
	for (const f of listeners) f();
}
dark.addEventListener("change", apply);
apply();
