// The parts that every page of the desk shares: keys, messages, moving from draft to draft. Pages work without it.
"use strict";
const desk = (() => {
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  const one = (query, from = document) => from.querySelector(query);
  const typing = (where) => where.isContentEditable
    || (where.matches("input, textarea, select") && !where.matches("[type=checkbox], [type=radio], [type=submit], [type=button]"));
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const scrolling = calm ? "auto" : "smooth";

  // What a page remembers. A browser that stores nothing, or no more, loses only that.

  const storage = (kind) => {
    const attempt = (act, otherwise) => { try { return act(window[kind]); } catch { return otherwise; } };
    return {
      get: (name) => attempt((store) => store.getItem(name), null),
      set: (name, text) => attempt((store) => store.setItem(name, text)),
      remove: (name) => attempt((store) => store.removeItem(name)),
      names: () => attempt((store) => Object.keys(store), []),
    };
  };
  const session = storage("sessionStorage");
  const local = storage("localStorage");

  // Keys

  const KEY = "copydesk.keys";
  const keysAct = () => local.get(KEY) !== "off";
  const dialog = one("#keys");
  const box = one("#keys-on");
  const opener = one("[data-keys]");
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());
  box.checked = keysAct();
  box.addEventListener("change", () => local.set(KEY, box.checked ? "on" : "off"));

  const say = (words, quietly = false) => {
    one("#status").textContent = words;
    one("#status").classList.toggle("hidden", quietly);
  };

  // Signed out, as the desk has another token for example: what a page asks by itself would be refused each time.

  const SIGNED_OUT = "You are signed out: open the link of the desk in another tab, then go on here. What you typed is still here.";
  let signedOut = false;
  const note = (response) => {
    const before = signedOut;
    signedOut = response.status === 401;
    if (signedOut && !before) say(SIGNED_OUT);
    if (!signedOut && before) say("You are signed in again.");
    return response;
  };

  const act = (target) => {
    if (target.matches("summary")) {
      const details = target.parentElement;
      details.open = true;
      one("input:not([type=hidden]), textarea, select", details).focus();
    } else if (target.matches("input, select, textarea")) {
      target.focus();
      if (target.select) target.select();
    } else if (target.disabled) {
      const why = one("#why-not");
      say(why ? why.textContent : "This action is not available now.");
    } else {
      target.click();
    }
  };

  // Each page's script adds its keys here: key → what it does.
  const keys = {
    "?": () => dialog.showModal(),
    u: () => one("#undo-last").requestSubmit(),
    "/": () => { location.href = "/#search"; },
  };
  let refreshing = null;
  const press = (event) => {
    const target = all("[data-key]").find((each) => each.dataset.key === event.key);
    if (target) { event.preventDefault(); act(target); return; }
    if (Object.hasOwn(keys, event.key)) { event.preventDefault(); keys[event.key](event); }
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"jk ".includes(event.key)) return;
    if (!keysAct() || typing(event.target) || dialog.open) return;
    // The space bar presses a button that has the focus.
    if (event.key === " " && event.target.matches("button, summary, a, input")) return;
    if (!refreshing) { press(event); return; }
    // Typed faster than the page answers: the key is for the page as it will be.
    event.preventDefault();
    refreshing.then(() => press(event));
  });
  if (location.hash === "#search" && one("#search")) one("#search").focus();

  // Called after a page is loaded, and after its content was replaced.
  const readers = [];
  const onReady = (read) => { readers.push(read); read(false); };
  const ready = (refreshed = false) => readers.forEach((read) => read(refreshed));

  document.addEventListener("toggle", (event) => {
    if (!event.target.matches("details.pop") || !event.target.open) return;
    all("details.pop[open]").forEach((other) => { if (other !== event.target) other.open = false; });
  }, true);

  // From draft to draft: the next page's content replaces this one's, which halves the browser's work.

  const PAUSE_MS = 1000;
  // When a decision about another draft led to this page: a key that is still pressed must not approve it.
  const followsDecision = (address) => ["did", "asked_for"].some((name) => new URL(address).searchParams.has(name));
  let decided = followsDecision(location.href) ? performance.now() : -PAUSE_MS;
  // Whether something is typed or chosen that loading the page again would lose.
  const written = () => all("main input, main textarea, main select").some((field) => field === document.activeElement
    || (field.options ? field.selectedIndex > 0 : field.value !== field.defaultValue || field.checked !== field.defaultChecked));
  const page = () => location.pathname + location.search;
  let shown = page();
  let going = false;
  const load = async (address, options) => {
    const response = note(await fetch(address, { ...options, credentials: "same-origin" }));
    if (signedOut) throw new Error(SIGNED_OUT);
    return [response, new DOMParser().parseFromString(await response.text(), "text/html")];
  };
  // False where nothing was done: another request is under way, or the desk does not respond.
  const once = async (work) => {
    if (going) return false;
    going = true;
    try {
      await work();
      return true;
    } catch {
      say(signedOut ? SIGNED_OUT : "The desk does not respond. Nothing is lost: try again.");
      return false;
    } finally {
      going = false;
    }
  };
  // What has to be saved before the page shows something else; false: it stays.
  const guards = [];
  const beforeLeaving = (guard) => guards.push(guard);
  const leave = async () => {
    for (const guard of guards) if (!await guard()) return false;
    return true;
  };
  // The answer to a form that was refused is a page of its own; another address is loaded as such.
  const show = (response, next, options) => {
    if (response.redirected || !options.method || one("#editor", next)) { location.href = response.url; return; }
    for (const part of ["#status", "main"]) one(part).replaceWith(document.adoptNode(one(part, next)));
    ready();
  };
  // Shows another draft, or what a decision leads to.
  const swap = async (address, options = {}) => await leave() && once(async () => {
    const [response, next] = await load(address, options);
    if (!one("main #pairs, main .list, main .empty", next) || one("#editor", next)) { show(response, next, options); return; }
    sign("left");
    document.title = next.title;
    for (const part of ["#status", "main"]) one(part).replaceWith(document.adoptNode(one(part, next)));
    if (response.redirected || !options.method) history.pushState(null, "", response.url);
    shown = page();
    scrollTo(0, 0);
    ready();
    if (options.method && followsDecision(response.url)) decided = performance.now();
    one("main").focus({ preventScroll: true });
  });
  // Shows the same draft as it is now: what was on screen stays where it is.
  const PARTS = ["#bar", "#notices", "#pairs"];
  const refresh = (address, options = {}) => {
    const earlier = refreshing || Promise.resolve();
    const done = earlier.then(() => once(() => renew(address, options))).finally(() => { if (refreshing === done) refreshing = null; });
    refreshing = done;
    return done;
  };
  const renew = async (address, options) => {
    const [response, next] = await load(address, options);
    if (!one("#pairs", next)) { show(response, next, options); return; }
    // A text that is the same was opened when the page was: its reading time does not begin again.
    const [old, now] = [one("#pairs").dataset, one("#pairs", next).dataset];
    if (old.sha === now.sha) now.opened = old.opened;
    const anchor = all("[data-row]").find((row) => row.getBoundingClientRect().bottom > 80);
    const before = anchor ? anchor.getBoundingClientRect().top : 0;
    for (const part of PARTS) one(part).replaceWith(document.adoptNode(one(part, next)));
    const after = anchor && document.getElementById(anchor.id);
    if (after) scrollBy({ top: after.getBoundingClientRect().top - before, behavior: "instant" });
    ready(true);
  };
  const submitOnce = (form) => {
    if (performance.now() - decided < PAUSE_MS) return;
    swap(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  };
  // A link to a place on this page fires popstate as well, and loads nothing.
  addEventListener("popstate", () => { if (page() !== shown) location.reload(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".bar a[rel=next], .bar a[rel=prev]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    swap(link.href);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.closest("#bar, .flash") || form.matches("[data-own]")) return;
    event.preventDefault();
    swap(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  });

  // Who else has the draft open: the page shows it and is a sign of life of its own editor.

  const SIGN_MS = 15_000;
  const sign = async (doing = "") => {
    const place = one("[data-presence]");
    if (!place || document.hidden && !doing) return;
    try {
      const address = `${place.dataset.presence}?doing=${doing || place.dataset.doing}`;
      const response = note(await fetch(address, { credentials: "same-origin", keepalive: Boolean(doing) }));
      const { message } = await response.json();
      if (place.textContent !== message) place.textContent = message;
    } catch { /* The next sign comes soon. */ }
  };
  setInterval(() => { if (!signedOut) sign(); }, SIGN_MS);
  document.addEventListener("visibilitychange", () => sign());
  addEventListener("focus", () => { if (signedOut) sign(); });
  addEventListener("pagehide", () => sign("left"));
  onReady(() => sign());

  return { all, one, session, scrolling, say, note, isSignedOut: () => signedOut, act, keys, onReady, swap, refresh, submitOnce, written, leave, beforeLeaving, isEditing: () => false };
})();
