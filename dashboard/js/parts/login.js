/* Signing in with a token. */
import { h, fill, newId } from "../lib/dom.js";
import { get } from "../lib/api.js";
import { session } from "../lib/session.js";
import { errorBox } from "./states.js";

/** error: why the last token was refused, or null. */
export function loginPage(error, onDone) {
	const id = newId();
	const note = h("div", { "aria-live": "assertive" }, error ? errorBox(error) : null);
	const token = h("input", { id, class: "input mono", type: "password", autocomplete: "current-password", spellcheck: "false", required: true, "aria-describedby": `${id}h` });
	const keep = h("input", { type: "checkbox" });
	const button = h("button", { class: "btn btn-main", type: "submit" }, "Sign in");

	return h("main", { id: "main", class: "login" }, h("form", {
		class: "panel",
		onsubmit: async (ev) => {
			ev.preventDefault();
			button.disabled = true;
			session.setToken(token.value.trim(), keep.checked);
			try {
				await get("whoami");
				onDone();
			} catch (e) {
				session.setToken(null);
				fill(note, errorBox(e));
				token.setAttribute("aria-invalid", "true");
				token.select();
			} finally {
				button.disabled = false;
			}
		},
	},
	h("h1", {}, "Sign in to Drover"), h("p", { class: "muted" }, "This scheduler asks for a token."),
	h("div", { class: "field" }, h("label", { for: id }, "Token"), token,
		h("p", { class: "help", id: `${id}h` }, "An operator makes one with ", h("code", {}, "drover token"), ".")),
	h("label", { class: "check" }, keep, "Keep me signed in on this browser"), note, h("div", { class: "actions" }, button)));
}
