/*
 * The live connection: follows /v1/events, and when it breaks says so and comes back with Last-Event-ID.
 * The server writes something at least every 15 s; a silence of SILENCE_MS is a lost connection.
 */
import { SseParser } from "./sse.js";
import { headers, problem, url, onUnauthorized } from "./api.js";

const SILENCE_MS = 34000;
const RETRY_MS = [400, 1000, 2000, 4000, 8000];

export class Connection {
	/**
	 * @param {{opened(again: boolean): void, event(type: string, data: any): void, changed(): void}} listener
	 * opened: the stream stands; again: it continues an earlier one, what was missed follows as events.
	 */
	constructor(listener) {
		this.listener = listener;
		this.state = "connecting";
		this.lastId = "";
		this.heardMs = 0;
		this.retryAt = 0;
		this.failures = 0;
		this.why = "";
		this.stopped = true;
		this.wake = () => this.retryNow();
	}

	start() {
		this.stopped = false;
		addEventListener("online", this.wake);
		this.run();
	}

	stop() {
		this.stopped = true;
		removeEventListener("online", this.wake);
		this.abort?.abort();
		clearTimeout(this.timer);
		this.resume?.();
	}

	retryNow() {
		clearTimeout(this.timer);
		this.resume?.();
	}

	set(state) {
		this.state = state;
		this.listener.changed();
	}

	async run() {
		while (!this.stopped) {
			try {
				await this.follow();
				this.why = "the scheduler closed it";
			} catch (e) {
				this.why = e.name === "AbortError" ? "the scheduler is silent" : e.status === 0 || e instanceof TypeError ? "the scheduler can't be reached" : e.message;
				if (e.status === 401) { onUnauthorized.call(e); return; }
			}
			clearInterval(this.watch);
			if (this.stopped) return;
			const wait = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)] * (0.8 + Math.random() * 0.4);
			this.retryAt = Date.now() + wait;
			this.set("lost");
			await new Promise((go) => { this.resume = go; this.timer = setTimeout(go, wait); });
			this.resume = null;
		}
	}

	async follow() {
		const decoder = new TextDecoder();
		const parser = new SseParser((ev) => this.take(ev));

		this.abort = new AbortController();
		this.heardMs = Date.now();
		this.watch = setInterval(() => { if (Date.now() - this.heardMs > SILENCE_MS) this.abort.abort(); }, 2000);
		parser.id = this.lastId;
		const response = await fetch(url("events"), {
			cache: "no-store", signal: this.abort.signal,
			headers: headers({ Accept: "text/event-stream", ...(this.lastId ? { "Last-Event-ID": this.lastId } : {}) }),
		});
		if (!response.ok) throw await problem(response);
		const reader = response.body.getReader();
		let first = true;
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			this.heardMs = Date.now();
			if (first) {
				first = false;
				this.failures = 0;
				this.listener.opened(this.lastId !== "");
				this.set("live");
			}
			parser.push(decoder.decode(value, { stream: true }));
		}
	}

	take(ev) {
		let data;
		try { data = JSON.parse(ev.data); } catch { return; }
		if (ev.id) this.lastId = ev.id;
		this.listener.event(ev.event, data);
	}
}
