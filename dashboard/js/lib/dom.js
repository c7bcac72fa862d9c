/* Building the page: elements from plain calls. Data only ever becomes text or an attribute, never markup. */

const SVG = "http://www.w3.org/2000/svg";

/** @param {Element} el @param {Record<string, any>} props */
export function set(el, props) {
	for (const [k, v] of Object.entries(props)) {
		if (v === undefined || v === null || v === false) {
			if (k in el && (k === "disabled" || k === "checked" || k === "hidden")) el[k] = false;
			else el.removeAttribute(k);
		} else if (k.startsWith("on")) el.addEventListener(k.slice(2), v);
		else if (k === "style") for (const [p, value] of Object.entries(v)) el.style.setProperty(p, String(value));
		else if (k === "data") Object.assign(el.dataset, v);
		else if (k === "value" || k === "checked" || k === "disabled" || k === "hidden" || k === "selected") el[k] = v;
		else el.setAttribute(k, v === true ? "" : String(v));
	}
	return el;
}

function append(el, children) {
	for (const c of children) {
		if (c === null || c === undefined || c === false) continue;
		if (Array.isArray(c)) append(el, c);
		else el.append(c instanceof Node ? c : String(c));
	}
	return el;
}

/** An HTML element: h("p", {class: "x", onclick: f}, "text", child, [more], null). */
export function h(tag, props, ...children) {
	return append(set(document.createElement(tag), props ?? {}), children);
}

/** The same in SVG. */
export function s(tag, props, ...children) {
	return append(set(document.createElementNS(SVG, tag), props ?? {}), children);
}

/** Replaces what is in el. */
export function fill(el, ...children) {
	el.replaceChildren();
	return append(el, children);
}

/** Sets a text only when it changed: the layout stays untouched otherwise. */
export function text(el, value) {
	const t = String(value ?? "");
	if (el.textContent !== t) el.textContent = t;
}

/** Sets an attribute only when it changed; null removes it. */
export function attr(el, name, value) {
	if (value === null || value === undefined || value === false) {
		if (el.hasAttribute(name)) el.removeAttribute(name);
	} else if (el.getAttribute(name) !== String(value)) el.setAttribute(name, String(value));
}

/**
 * Makes el's children follow a list: one child a key, in the list's order, kept between calls.
 * make(item) gives the element, update(element, item) brings it up to date.
 */
export function keyed(el, items, key, make, update) {
	const old = el.keyedChildren ?? new Map();
	const now = new Map();
	let at = el.firstChild;

	for (const item of items) {
		const k = key(item);
		let child = old.get(k);

		if (now.has(k)) continue;
		if (!child) child = make(item);
		update?.(child, item);
		if (child === at) at = at.nextSibling;
		else el.insertBefore(child, at);
		now.set(k, child);
		old.delete(k);
	}
	for (const gone of old.values()) gone.remove();
	el.keyedChildren = now;
}

/** Calls f at most once a frame, however often the result is called. */
export function eachFrame(f) {
	let asked = 0;
	const go = () => {
		if (!asked) asked = requestAnimationFrame(() => { asked = 0; f(); });
	};
	go.cancel = () => { cancelAnimationFrame(asked); asked = 0; };
	return go;
}

/** Calls f at once, but never more often than every ms, however often the result is called; the last call is never lost. */
export function atMost(ms, f) {
	let timer = 0, last = -Infinity;
	const run = () => { timer = 0; last = performance.now(); f(); };
	const go = () => {
		if (timer) return;
		const wait = last + ms - performance.now();
		if (wait <= 0) run();
		else timer = setTimeout(run, wait);
	};
	go.cancel = () => { clearTimeout(timer); timer = 0; };
	return go;
}

/** Calls f every ms while the page is looked at, and when it is looked at again; gives what ends it. */
export function every(ms, f) {
	const tick = () => { if (!document.hidden) f(); };
	const t = setInterval(tick, ms);
	document.addEventListener("visibilitychange", tick);
	return () => { clearInterval(t); document.removeEventListener("visibilitychange", tick); };
}

let lastId = 0;
/** An id for label/input pairs. */
export const newId = () => `i${++lastId}`;

const paths = {
	sun: "M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.9 19.1l1.4-1.4m0-11.4L4.9 4.9m14.2 14.2-1.4-1.4M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z",
	moon: "M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5Z",
	gear: "M4 7h10m4 0h2M4 17h2m4 0h10M16 5v4M8 15v4",
	live: "M5 12.5a10 10 0 0 1 14 0M8 15.5a5.6 5.6 0 0 1 8 0M12 19h.01",
	lost: "M4 4l16 16M5 12.5a10 10 0 0 1 4-2.4m5-.2a10 10 0 0 1 5 2.6M12 19h.01",
	out: "M15 4h4v16h-4M10 8l-4 4 4 4m-4-4h10",
	plus: "M12 5v14M5 12h14",
	file: "M6 3h8l4 4v14H6V3Zm8 0v4h4",
	down: "M12 4v12m-5-5 5 5 5-5M5 20h14",
};
/** A line drawing that says nothing a text beside it doesn't. */
export function icon(name) {
	return s("svg", { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" }, s("path", { d: paths[name] }));
}
