/* Who is at the page: the token, what the server says of it, and what that person may do. */

const TOKEN = "drover.token";
const read = (area) => { try { return area.getItem(TOKEN); } catch { return null; } };

export const session = {
	/** @type {string|null} */
	token: read(sessionStorage) ?? read(localStorage),
	/** @type {{user: string, role: string, authenticated: boolean, version?: string}|null} */
	who: null,

	/** keep: also after the browser is closed. */
	setToken(token, keep) {
		this.token = token;
		this.who = null;
		try {
			sessionStorage.removeItem(TOKEN);
			localStorage.removeItem(TOKEN);
			if (token) (keep ? localStorage : sessionStorage).setItem(TOKEN, token);
		} catch { /* storage is off: the token lasts as long as the page */ }
	},
	get operator() { return this.who?.role === "operator"; },
	get maySubmit() { return this.who?.role === "operator" || this.who?.role === "user"; },
	mayChange(job) { return this.operator || (this.who?.role === "user" && job.user === this.who.user); },
};
