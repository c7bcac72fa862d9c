/* What people write in fields: command lines, sizes, spans of time. Each throws an Error that says what is expected. */

/** Words of a command line: blanks separate, quotes and backslashes hold together. */
export function words(line) {
	const out = [];
	let word = null, quote = "";
	for (let i = 0; i < line.length; i++) {
		const c = line[i];
		if (quote ? c === quote : c === '"' || c === "'") { quote = quote ? "" : c; word ??= ""; }
		else if (c === "\\" && quote !== "'" && i + 1 < line.length) word = (word ?? "") + line[++i];
		else if (!quote && /\s/.test(c)) { if (word !== null) out.push(word); word = null; }
		else word = (word ?? "") + c;
	}
	if (quote) throw new Error(`a quotation mark ${quote} is not closed`);
	if (word !== null) out.push(word);
	return out;
}

/** "64M", "1.5 GiB" or a number of bytes. */
export function size(textValue) {
	const m = /^([\d.]+)\s*([kmgt]?)(?:i?b)?$/i.exec(textValue.trim());
	if (!m || !Number.isFinite(Number(m[1]))) throw new Error("write a size like 512M or 2 GiB");
	return Math.round(Number(m[1]) * 1024 ** " kmgt".indexOf(m[2].toLowerCase() || " "));
}

/** "90", "90 s", "15 min", "2h": seconds. */
export function duration(textValue) {
	const m = /^([\d.]+)\s*(s|sec|m|min|h|d)?$/i.exec(textValue.trim());
	if (!m || !Number.isFinite(Number(m[1]))) throw new Error("write a time like 90 s, 15 min or 2 h");
	return Math.round(Number(m[1]) * { s: 1, sec: 1, m: 60, min: 60, h: 3600, d: 86400 }[(m[2] ?? "s").toLowerCase()]);
}
