/*
 * Colours of series. Blue hues are x86-64 and amber ones AArch64, apart in lightness too, so that every kind of colour
 * vision tells them apart; how a figure came about is a texture, not a colour.
 */
import { settings } from "./settings.js";

const hues = { x86_64: [216, 72], aarch64: [33, 84] };
/* Okabe and Ito's palette ("Color Universal Design", 2008) without its yellow; for series that are not nodes. */
const lines = {
	light: ["#0072b2", "#d55e00", "#00805e", "#a8467f", "#4a4a4a", "#b07d00", "#3d8fc4"],
	dark: ["#56b4e9", "#ff8a3d", "#2fc79a", "#e39ac2", "#c8c8c8", "#f0c541", "#8fd0ff"],
};
export const dashes = [[], [7, 4], [2, 3], [9, 3, 2, 3], [4, 2], [12, 4], [1, 4]];

/** The i-th of n series of an ISA. */
export function isaColor(isa, i, n) {
	const [hue, sat] = hues[isa] ?? [220, 6];
	const dark = settings.darkNow;
	const from = dark ? 70 : 36;
	const to = dark ? 46 : 68;
	const step = n > 1 ? (to - from) / (n - 1) : 0;
	return `hsl(${hue} ${sat}% ${(from + step * i).toFixed(0)}%)`;
}
export const lineColor = (i) => lines[settings.darkNow ? "dark" : "light"][i % 7];

/** A CSS variable's value, for canvases. */
export const cssColor = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const patterns = new Map();
/** Solid for measured, hatched for integrated, dotted for modelled, both for mixed. */
export function texture(ctx, color, kind) {
	const key = `${color} ${kind} ${devicePixelRatio}`;
	if (patterns.has(key)) return patterns.get(key);
	const px = Math.max(1, Math.round(devicePixelRatio));
	const size = 6 * px;
	const c = document.createElement("canvas");
	c.width = c.height = size;
	const g = c.getContext("2d");
	g.globalAlpha = kind === "measured" ? 0.75 : 0.3;
	g.fillStyle = color;
	g.fillRect(0, 0, size, size);
	g.globalAlpha = 0.85;
	if (kind === "integrated" || kind === "mixed") {
		g.strokeStyle = color;
		g.lineWidth = px;
		g.beginPath();
		for (const d of [-size, 0, size]) { g.moveTo(d, size); g.lineTo(d + size, 0); }
		g.stroke();
	}
	if (kind === "modelled" || kind === "mixed" || !kind)
		for (const [x, y] of [[1, 1], [4, 4]]) g.fillRect(x * px, y * px, px, px);
	const p = ctx.createPattern(c, "repeat");
	if (patterns.size > 400) patterns.clear();
	patterns.set(key, p);
	return p;
}
