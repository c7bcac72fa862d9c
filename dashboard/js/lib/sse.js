/* Server-sent events out of a byte stream (the WHATWG HTML standard, 9.2.6), for fetch: unlike EventSource it can carry a token. */

/** Feed it chunks of text; it calls onEvent({id, event, data}) for each whole event. */
export class SseParser {
	constructor(onEvent) {
		this.onEvent = onEvent;
		this.rest = "";
		this.reset();
		this.id = "";
	}
	reset() {
		this.data = [];
		this.event = "";
	}
	push(chunk) {
		this.rest += chunk;
		for (;;) {
			const at = this.rest.search(/[\r\n]/);
			if (at < 0) return;
			/* A CR at the very end may be half of a CR LF. */
			if (this.rest[at] === "\r" && at + 1 === this.rest.length) return;
			const line = this.rest.slice(0, at);
			this.rest = this.rest.slice(at + (this.rest[at] === "\r" && this.rest[at + 1] === "\n" ? 2 : 1));
			this.line(line);
		}
	}
	line(line) {
		if (line === "") {
			if (this.data.length) this.onEvent({ id: this.id, event: this.event || "message", data: this.data.join("\n") });
			this.reset();
			return;
		}
		if (line[0] === ":") return;
		const colon = line.indexOf(":");
		const field = colon < 0 ? line : line.slice(0, colon);
		let value = colon < 0 ? "" : line.slice(colon + 1);
		if (value[0] === " ") value = value.slice(1);
		if (field === "data") this.data.push(value);
		else if (field === "event") this.event = value;
		else if (field === "id" && !value.includes("\0")) this.id = value;
	}
}
