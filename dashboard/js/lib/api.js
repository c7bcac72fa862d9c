/* The REST calls. Every failure is an ApiError that carries the server's own words. */
import { session } from "./session.js";

export const base = new URL("v1/", document.baseURI);

export class ApiError extends Error {
	/** @param {import("../types.js").Problem} p */
	constructor(p) {
		super(p.detail || p.title || `the server answered ${p.status}`);
		this.status = p.status;
		this.hint = p.hint ?? null;
		this.fields = p.errors ?? [];
	}
	get offline() { return this.status === 0; }
}

/** Called when the server no longer takes the token. */
export const onUnauthorized = { call: () => {} };

export function headers(more) {
	return session.token ? { Authorization: `Bearer ${session.token}`, ...more } : { ...more };
}

export function url(path, query) {
	const u = new URL(path, base);
	for (const [k, v] of Object.entries(query ?? {}))
		if (v !== null && v !== undefined && v !== "") u.searchParams.set(k, String(v));
	return u;
}

/** A response that isn't a success as an ApiError. */
export async function problem(response) {
	let body = {};
	try { body = await response.json(); } catch { /* not ours, perhaps a proxy's */ }
	return new ApiError({ ...body, status: response.status, title: body.title ?? response.statusText });
}

/** @returns {Promise<Response>} */
export async function request(method, path, { query, json, body, signal, headers: more } = {}) {
	let response;

	try {
		response = await fetch(url(path, query), {
			method, signal, cache: "no-cache",
			headers: headers({ Accept: "application/json", ...(json === undefined ? {} : { "Content-Type": "application/json" }), ...more }),
			body: json === undefined ? body : JSON.stringify(json),
		});
	} catch (e) {
		if (e.name === "AbortError") throw e;
		throw new ApiError({ status: 0, title: "", detail: "The scheduler can't be reached." });
	}
	if (response.ok) return response;
	const err = await problem(response);
	if (err.status === 401) onUnauthorized.call(err);
	throw err;
}

export async function get(path, query, signal) {
	return (await request("GET", path, { query, signal })).json();
}
export async function send(method, path, json, more) {
	const r = await request(method, path, { json, ...more });
	const type = r.headers.get("Content-Type") ?? "";
	return type.includes("json") ? r.json() : null;
}

/** A file with progress, which fetch does not tell. onProgress(share from 0 to 1). Aborts by the signal. */
export function upload(path, file, onProgress, signal) {
	return new Promise((resolve, reject) => {
		const x = new XMLHttpRequest();
		const parsed = () => { try { return JSON.parse(x.responseText); } catch { return {}; } };

		x.open("PUT", url(path));
		for (const [k, v] of Object.entries(headers({ "Content-Type": "application/octet-stream", Accept: "application/json" })))
			x.setRequestHeader(k, v);
		x.upload.onprogress = (e) => e.lengthComputable && onProgress?.(e.loaded / e.total);
		x.onload = () => {
			if (x.status >= 200 && x.status < 300) return resolve(parsed());
			const err = new ApiError({ ...parsed(), status: x.status, title: x.statusText });
			if (x.status === 401) onUnauthorized.call(err);
			reject(err);
		};
		x.onerror = () => reject(new ApiError({ status: 0, title: "", detail: "The connection broke during the upload.", hint: "The file may be larger than the server takes (256 MiB), or the scheduler has gone." }));
		x.onabort = () => reject(new DOMException("aborted", "AbortError"));
		signal?.addEventListener("abort", () => x.abort());
		x.send(file);
	});
}

/** Saves what a path gives as a file: a plain link can't carry the token. */
export async function download(path, query, name) {
	const blob = await (await request("GET", path, { query, headers: { Accept: "*/*" } })).blob();
	const a = document.createElement("a");

	a.href = URL.createObjectURL(blob);
	a.download = name;
	document.body.append(a);
	a.click();
	a.remove();
	setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}

/** The SHA-256 of a file as hexadecimal digits. */
export async function sha256(file) {
	if (!crypto.subtle) throw new ApiError({ status: 0, title: "", detail: "This browser computes no digests over an unencrypted connection.", hint: "open the page by https, or as localhost" });
	const d = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
	return [...new Uint8Array(d)].map((b) => b.toString(16).padStart(2, "0")).join("");
}
