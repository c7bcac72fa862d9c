/*
 * A table of any length: pages are read from the server one after the other as far as somebody scrolls, and only the rows
 * that can be seen exist. All rows are of one height.
 */
import { h, fill, attr, text, eachFrame } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { emptyBox, errorBox, loadingBox } from "./states.js";

const ROW_REM = 2.6;
const SPARE = 3;

/**
 * columns: [{label, cls, draw(cell, row)}]; load(cursor) -> {rows, next, total or undefined}; empty: an element.
 */
export class VirtualTable {
	constructor({ label, columns, load, empty }) {
		this.columns = columns;
		this.load = load;
		this.emptyNote = empty;
		this.pool = [];
		this.stamp = 0;
		this.space = h("div", { class: "vt-space", role: "rowgroup" });
		this.head = h("div", { class: "vt-head", role: "rowgroup" }, h("div", { class: "vt-row", role: "row", "aria-rowindex": 1 }, columns.map((c) => h("div", { role: "columnheader", class: c.cls }, c.label))));
		this.rowsBox = h("div", { role: "table", "aria-label": label }, this.head, this.space);
		this.scroll = h("div", { class: "vt-scroll", tabindex: "0", role: "region", "aria-label": `${label}, scrollable`, onscroll: () => this.draw() }, this.rowsBox);
		this.table = h("div", { class: "vt live" }, this.scroll);
		this.note = h("div");
		this.status = h("p", { class: "muted vt-status", role: "status" });
		this.el = h("div", { class: "vt-frame" }, this.note, this.table, this.status);
		this.draw = eachFrame(() => this.drawNow());
		this.observer = new ResizeObserver(() => { this.rowPx = 0; this.draw(); });
		this.observer.observe(this.scroll);
		this.reload();
	}

	close() {
		this.observer.disconnect();
		this.draw.cancel();
		this.generation++;
	}

	/** Begins anew, for example with another filter. */
	reload() {
		this.generation = (this.generation ?? 0) + 1;
		this.rows = [];
		this.byId = new Map();
		this.next = null;
		this.total = null;
		this.begun = false;
		this.reading = false;
		this.error = null;
		this.scroll.scrollTop = 0;
		this.read();
	}

	get length() { return Math.max(this.rows.length, this.total ?? (this.next ? this.rows.length + 1 : 0)); }

	async read() {
		if (this.reading || (this.begun && !this.next) || this.error) return;
		const mine = this.generation;
		this.reading = true;
		this.drawStatus();
		try {
			const page = await this.load(this.next);
			if (mine !== this.generation) return;
			for (const r of page.rows) {
				if (this.byId.has(r.id)) continue;
				this.byId.set(r.id, r);
				this.rows.push(r);
			}
			this.next = page.next;
			if (page.total !== undefined) this.total = page.total;
			if (!page.next) this.total = this.rows.length;
			this.begun = true;
		} catch (e) {
			if (mine !== this.generation) return;
			this.error = e;
		}
		this.reading = false;
		this.draw();
		this.drawStatus();
	}

	/** Draws what can be seen anew, also what depends on the time. */
	refresh() {
		this.stamp++;
		this.draw();
	}

	/** A row that changed, or with atTop one that is new. */
	put(row, atTop) {
		const old = this.byId.get(row.id);
		if (old) Object.assign(old, row);
		else if (atTop && this.begun) {
			this.rows.unshift(row);
			this.byId.set(row.id, row);
			if (this.total !== null) this.total++;
			if (this.scroll.scrollTop > 0) this.scroll.scrollTop += this.rowPx;
		} else return;
		this.refresh();
	}

	drawNow() {
		this.rowPx ||= Math.round(ROW_REM * parseFloat(getComputedStyle(document.documentElement).fontSize));
		const view = Math.max(this.scroll.clientHeight, 400);
		const first = Math.max(0, Math.floor(this.scroll.scrollTop / this.rowPx) - SPARE);
		const last = Math.min(this.length, Math.ceil((this.scroll.scrollTop + view) / this.rowPx) + SPARE);

		this.space.style.setProperty("height", `${this.length * this.rowPx}px`);
		attr(this.rowsBox, "aria-rowcount", this.length + 1);
		while (this.pool.length < last - first) {
			const row = h("div", { class: "vt-row", role: "row" }, this.columns.map((c) => h("div", { role: "cell", class: c.cls })));
			this.pool.push(row);
			this.space.append(row);
		}
		/* A row keeps its element while it is seen, so focus and hover stay. */
		for (const [k, el] of this.pool.entries()) {
			const n = this.pool.length;
			const i = first + ((k - (first % n)) + n) % n;
			if (i >= last) { el.hidden = true; continue; }
			el.hidden = false;
			if (el.at !== i) {
				el.at = i;
				el.style.setProperty("transform", `translateY(${i * this.rowPx}px)`);
				attr(el, "aria-rowindex", i + 2);
			}
			const row = this.rows[i];
			/* While scrolling only rows that show something else than before are drawn. */
			if (el.shown === row && (el.stamp === this.stamp || (!row && el.stamp !== undefined))) continue;
			el.shown = row;
			el.stamp = this.stamp;
			el.classList.toggle("vt-coming", !row);
			/* One that is still read hides what it showed before: cheaper than to empty it and draw it anew. */
			if (row) this.columns.forEach((c, x) => c.draw(el.children[x], row));
		}
		if (this.begun && last > this.rows.length - 100 && this.next) this.read();
		this.drawNote();
	}

	drawNote() {
		const what = this.error ? "error" : !this.begun ? "loading" : this.rows.length ? "" : "empty";
		this.table.hidden = what === "loading" || what === "empty" || (what === "error" && !this.rows.length);
		if (what === this.noted) return;
		this.noted = what;
		fill(this.note, what === "error" ? errorBox(this.error, () => { this.error = null; this.noted = null; this.read(); this.draw(); })
			: what === "loading" ? loadingBox("the list") : what === "empty" ? this.emptyNote?.() ?? emptyBox("Nothing here") : null);
	}

	drawStatus() {
		this.draw();
		text(this.status, !this.begun || !this.rows.length ? "" : this.rows.length < this.length ? `${count(this.rows.length)} of ${this.total === null ? "more" : count(this.total)} read${this.reading ? ", reading on …" : "; scroll for more"}` : count(this.rows.length) + (this.rows.length === 1 ? " row" : " rows"));
	}
}
