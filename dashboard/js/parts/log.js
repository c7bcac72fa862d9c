/* A job's output: its end at once, then what comes. */
import { h, fill, text } from "../lib/dom.js";
import { headers, url, problem, download } from "../lib/api.js";
import { bytes } from "../lib/format.js";
import { errorBox } from "./states.js";

const TAIL = 128 * 1024;
const KEPT = 512 * 1024;
const AGAIN_MS = 3000;

export class LogView {
	constructor(job) {
		this.job = job;
		this.pre = h("pre", { class: "log live", tabindex: "0", role: "log", "aria-live": "off", "aria-label": "Output of the job", onscroll: () => { this.pinned = this.pre.scrollHeight - this.pre.scrollTop - this.pre.clientHeight < 30; } });
		this.pinned = true;
		this.note = h("div");
		this.state = h("span", { class: "muted" });
		this.el = h("section", { class: "panel", "aria-label": "Output" }, h("div", { class: "panel-head" }, h("h2", {}, "Output"), this.state,
			h("button", { class: "btn btn-small head-end", type: "button", onclick: () => download(`jobs/${job.id}/log`, {}, `job-${job.id}.log`).catch((e) => fill(this.note, errorBox(e))) }, "Download all")), this.note, this.pre);
		this.start();
	}

	close() { this.closed = true; this.abort?.abort(); clearTimeout(this.timer); }

	/** The job as it is now: another attempt has another output. */
	update(job) {
		const again = job.attempt !== this.job.attempt;
		const ended = !this.job.ended_ms && job.ended_ms;
		this.job = { ...job };
		if (again) this.start();
		else if (ended && !this.following) this.start();
	}

	async start() {
		this.abort?.abort();
		clearTimeout(this.timer);
		const abort = this.abort = new AbortController();
		this.pre.replaceChildren();
		this.length = 0;
		text(this.state, "");
		try {
			const offset = await this.tail(abort.signal);
			fill(this.note);
			await this.follow(offset, abort.signal);
		} catch (e) {
			if (e.name === "AbortError" || this.closed) return;
			/* A job that hasn't started has no output yet, and a lost connection comes back. */
			this.following = false;
			if (e.status === 404) { text(this.state, "none yet"); this.timer = setTimeout(() => this.start(), AGAIN_MS); }
			else if (e instanceof TypeError) { text(this.state, "interrupted; trying again"); this.timer = setTimeout(() => this.start(), AGAIN_MS); }
			else fill(this.note, errorBox(e, () => this.start()));
		}
	}

	/** The last TAIL bytes; gives where the rest begins. */
	async tail(signal) {
		const r = await fetch(url(`jobs/${this.job.id}/log`), { headers: headers({ Range: `bytes=-${TAIL}`, Accept: "text/plain" }), cache: "no-store", signal });
		if (r.status === 416) return 0;
		if (!r.ok) throw await problem(r);
		const body = new Uint8Array(await r.arrayBuffer());
		const range = /bytes (\d+)-\d+\/(\d+)/.exec(r.headers.get("Content-Range") ?? "");
		const begin = range ? Number(range[1]) : 0;
		if (begin > 0) this.pre.append(h("span", { class: "muted" }, `… ${bytes(begin)} before this\n`));
		this.add(new TextDecoder().decode(body));
		return begin + body.length;
	}

	async follow(offset, signal) {
		const decoder = new TextDecoder();
		this.following = true;
		text(this.state, "following");
		const r = await fetch(url(`jobs/${this.job.id}/log`, { follow: 1, offset }), { headers: headers({ Accept: "text/plain" }), cache: "no-store", signal });
		if (!r.ok) throw await problem(r);
		const reader = r.body.getReader();
		for (;;) {
			const { done, value } = await reader.read();
			if (done) break;
			this.add(decoder.decode(value, { stream: true }));
		}
		this.following = false;
		text(this.state, this.length ? "complete" : "the job wrote nothing");
	}

	add(chunk) {
		if (!chunk) return;
		this.pre.append(chunk);
		this.length += chunk.length;
		while (this.length > KEPT && this.pre.childNodes.length > 2) {
			this.length -= this.pre.firstChild.textContent.length;
			this.pre.firstChild.remove();
		}
		if (this.pinned) this.pre.scrollTop = this.pre.scrollHeight;
	}
}
