/* Quantities and times as people write them. A number and its unit are held together by a narrow space. */

const NB = "\u202f";
export const NONE = "–";

/* A formatter is dear to make and cheap to use. */
const formats = Array.from({ length: 9 }, (_, places) => new Intl.NumberFormat("en", { minimumFractionDigits: 0, maximumFractionDigits: places }));
const number = (v, places) => formats[places].format(v).replace("-", "−").replaceAll(",", NB);

/** Three significant digits, no exponent. */
export function digits(v, n = 3) {
	if (!Number.isFinite(v)) return NONE;
	if (v === 0) return "0";
	const a = Math.abs(v);
	const places = Math.max(0, n - 1 - Math.floor(Math.log10(a)));
	return number(v, Math.min(places, 8));
}

function scaled(v, unit, steps) {
	if (v === null || v === undefined || !Number.isFinite(v)) return NONE;
	for (const [size, prefix] of steps)
		if (Math.abs(v) >= size * 0.9995) return digits(v / size) + NB + prefix + unit;
	return digits(v) + NB + unit;
}

const UP = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
/** 1234 -> "1.23 kJ" */
export const joules = (j) => scaled(j, "J", Math.abs(j) < 1 && j !== 0 ? [[1e-3, "m"], [1e-6, "µ"]] : UP);
export const microjoules = (uj) => joules(uj === null || uj === undefined ? NaN : uj / 1e6);
export const watts = (w) => scaled(w, "W", Math.abs(w) < 0.1 && w !== 0 ? [[1e-3, "m"]] : UP);
export const jouleSeconds = (v) => scaled(v, "J·s", UP);
export const kilowattHours = (j) => digits(j / 3.6e6) + NB + "kWh";

/** 1536 -> "1.5 KiB" */
export function bytes(n) {
	if (n === null || n === undefined || !Number.isFinite(n)) return NONE;
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let i = 0;
	while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
	return digits(n) + NB + units[i];
}

export function count(n) {
	return n === null || n === undefined ? NONE : number(Math.round(n), 0);
}

export function percent(p) {
	return p === null || p === undefined || !Number.isFinite(p) ? NONE : digits(p, Math.abs(p) >= 10 ? 3 : 2) + NB + "%";
}

/** A span of time: "840 ms", "12.3 s", "4 min 12 s", "3 h 20 min", "2 d 4 h". */
export function span(ms) {
	if (ms === null || ms === undefined || !Number.isFinite(ms)) return NONE;
	if (ms < 0) return "−" + span(-ms);
	if (ms === 0) return "0" + NB + "s";
	if (ms < 1) return digits(ms * 1000) + NB + "µs";
	if (ms < 1000) return digits(ms) + NB + "ms";
	const sec = ms / 1000;
	if (sec < 60) return digits(sec) + NB + "s";
	const pair = (a, au, b, bu) => a + NB + au + (b ? ` ${b}${NB}${bu}` : "");
	const total = Math.round(sec);
	if (total < 3600) return pair(Math.floor(total / 60), "min", total % 60, "s");
	const min = Math.round(sec / 60);
	if (min < 1440) return pair(Math.floor(min / 60), "h", min % 60, "min");
	const hours = Math.round(sec / 3600);
	return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** How long ago, in whole steps. */
export function age(ms) {
	if (ms < 1500) return "just now";
	if (ms < 60000) return `${Math.round(ms / 1000)}${NB}s ago`;
	return span(Math.round(ms / 60000) * 60000) + " ago";
}

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** "14:02:07", with the day when it isn't today. */
export function time(ms) {
	if (!ms) return NONE;
	const d = new Date(ms);
	return d.toDateString() === new Date().toDateString() ? clockFormat.format(d) : `${dayFormat.format(d)} ${clockFormat.format(d).slice(0, 5)}`;
}
export const fullTime = (ms) => (ms ? fullFormat.format(new Date(ms)) : NONE);

/** Joules as money at a price for the kilowatt-hour. */
export function money(j, tariff) {
	if (!tariff?.price || !Number.isFinite(j)) return null;
	const v = (j / 3.6e6) * tariff.price;
	return `${Math.abs(v) >= 0.01 || v === 0 ? v.toFixed(2).replace("-", "−") : digits(v, 2)}${NB}${tariff.currency}`;
}

export const isaName = (isa) => ({ x86_64: "x86-64", aarch64: "AArch64" })[isa] ?? isa ?? NONE;
export const isaShort = (isa) => ({ x86_64: "x86", aarch64: "ARM" })[isa] ?? isa ?? NONE;
export const plural = (n, one, many = one + "s") => `${count(n)} ${n === 1 ? one : many}`;
