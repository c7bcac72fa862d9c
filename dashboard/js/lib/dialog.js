/* Asking and telling: modal questions, and messages that go by themselves. */
import { h, fill, newId } from "./dom.js";
import { errorBox } from "../parts/states.js";

let toasts;

/** A short message, read out by screen readers. */
export function toast(message, kind = "good") {
	toasts ??= document.body.appendChild(h("div", { class: "toasts", role: "status", "aria-live": "polite" }));
	const el = h("div", { class: `toast toast-${kind}` }, message);
	toasts.append(el);
	setTimeout(() => el.remove(), 6000);
}

/**
 * A modal question. fields: elements; act() does it and may throw, which is shown in the dialog; with true it was done.
 * @returns {Promise<boolean>}
 */
export function ask({ title, body, action, danger, act }) {
	return new Promise((resolve) => {
		const error = h("div", { "aria-live": "assertive" });
		const id = newId();
		const ok = h("button", { class: `btn ${danger ? "btn-danger" : "btn-main"}`, type: "submit" }, action);
		const dialog = h("dialog", { class: "dialog", "aria-labelledby": id },
			h("form", {
				method: "dialog",
				onsubmit: async (ev) => {
					ev.preventDefault();
					ok.disabled = true;
					fill(error);
					try {
						await act();
						done = true;
						dialog.close();
					} catch (e) {
						fill(error, errorBox(e));
						ok.disabled = false;
					}
				},
			},
			h("h2", { id }, title), body, error,
			h("div", { class: "actions" }, ok, h("button", { class: "btn", type: "button", onclick: () => dialog.close() }, danger ? "Keep it" : "Not now"))));
		let done = false;

		dialog.addEventListener("close", () => { dialog.remove(); resolve(done); });
		document.body.append(dialog);
		dialog.showModal();
	});
}
