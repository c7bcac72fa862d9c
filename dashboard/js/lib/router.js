/* Addresses are "#/jobs/17?tab=log": they work from any server path, can be sent to others, and never reach the server. */

export function parseHash(hash) {
	const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
	return { parts: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

export function link(path, query) {
	const q = new URLSearchParams();
	for (const [k, v] of Object.entries(query ?? {})) if (v !== "" && v !== null && v !== undefined) q.set(k, v);
	const text = q.toString();
	return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** Changes the address without a new entry in the history and without opening the page again. */
export function replaceQuery(query) {
	const { parts } = parseHash(location.hash);
	history.replaceState(null, "", link(parts, query));
}

export const jobLink = (id) => link(["jobs", id]);
export const nodeLink = (name) => link(["nodes", name]);
