/* Parts of the page that need no browser. */
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const lib = (name) => import(pathToFileURL(join(process.env.DROVER_SRCDIR, "dashboard/js/lib", `${name}.js`)));
const flat = (s) => s.replaceAll("\u202f", " ");

export const tests = [
	["quantities and spans of time read as people write them", async () => {
		const f = await lib("format");
		const pairs = [
			[f.joules(1234), "1.23 kJ"], [f.joules(0), "0 J"], [f.joules(0.0123), "12.3 mJ"], [f.joules(-2500), "−2.5 kJ"], [f.microjoules(370_210_000), "370 J"], [f.joules(NaN), "–"], [f.joules(999_900), "1 MJ"],
			[f.watts(21.83), "21.8 W"], [f.watts(1240), "1.24 kW"], [f.bytes(1536), "1.5 KiB"], [f.bytes(0), "0 B"], [f.count(18239), "18 239"], [f.percent(26.83), "26.8 %"],
			[f.span(0), "0 s"], [f.span(0.117), "117 µs"], [f.span(84.2), "84.2 ms"], [f.span(12300), "12.3 s"], [f.span(252000), "4 min 12 s"], [f.span(12000000), "3 h 20 min"], [f.span(187200000), "2 d 4 h"], [f.span(59_999_999), "16 h 40 min"],
			[f.money(3.6e6, { price: 0.3, currency: "EUR" }), "0.30 EUR"], [f.money(110000, { price: 0.25, currency: "EUR" }), "0.0076 EUR"], [f.plural(1, "job"), "1 job"], [f.plural(2, "policy", "policies"), "2 policies"],
		];
		for (const [got, want] of pairs) assert.equal(flat(got), want);
	}],
	["events come whole out of a stream however it is cut", async () => {
		const { SseParser } = await lib("sse");
		const stream = ": hello\n\nid: 7\nevent: job\ndata: {\"a\":1}\n\nid: 8\r\nevent: node\r\ndata: x\r\ndata: y\r\n\r\ndata:last\n\nevent: nothing\n\n";
		for (let cut = 1; cut <= stream.length; cut++) {
			const got = [];
			const p = new SseParser((e) => got.push(e));
			for (let i = 0; i < stream.length; i += cut) p.push(stream.slice(i, i + cut));
			assert.deepEqual(got, [{ id: "7", event: "job", data: "{\"a\":1}" }, { id: "8", event: "node", data: "x\ny" }, { id: "8", event: "message", data: "last" }], `cut every ${cut}`);
		}
	}],
	["what is written in fields is understood or refused", async () => {
		const { words, size, duration } = await lib("parse");
		assert.deepEqual(words("--class A 'two words' \"a \\\"b\\\"\" c\\ d ''"), ["--class", "A", "two words", "a \"b\"", "c d", ""]);
		assert.throws(() => words("'open"), /not closed/);
		assert.equal(size("1.5 GiB"), 1610612736);
		assert.equal(size("512M"), 536870912);
		assert.throws(() => size("lots"), /like 512M/);
		assert.equal(duration("15 min"), 900);
		assert.equal(duration("2h"), 7200);
		assert.throws(() => duration("soon"), /like 90 s/);
	}],
	["an address says page, parts and query, and is made the same way", async () => {
		const { parseHash, link } = await lib("router");
		const hash = link(["jobs", "a/b c"], { q: "x&y", node: "" });
		assert.deepEqual(parseHash(hash).parts, ["jobs", "a/b c"]);
		assert.equal(parseHash(hash).query.get("q"), "x&y");
		assert.equal(parseHash(hash).query.has("node"), false);
	}],
];
