// Adds keyboard shortcuts, links between marks and findings, and autosave. Every page works without it.
"use strict";
(() => {
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  const one = (query, from = document) => from.querySelector(query);
  const typing = (where) => where.isContentEditable
    || (where.matches("input, textarea, select") && !where.matches("[type=checkbox], [type=radio], [type=submit], [type=button]"));
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  // Keys

  const KEY = "copydesk.keys";
  const keysAct = () => localStorage.getItem(KEY) !== "off";
  const dialog = one("#keys");
  const box = one("#keys-on");
  const opener = one("[data-keys]");
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());
  box.checked = keysAct();
  box.addEventListener("change", () => localStorage.setItem(KEY, box.checked ? "on" : "off"));

  const say = (words, quietly = false) => {
    one("#status").textContent = words;
    one("#status").classList.toggle("hidden", quietly);
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

  let row = -1;
  const choose = (by) => {
    const rows = all("[data-row]");
    if (!rows.length) return;
    rows.forEach((each) => each.classList.remove("on"));
    row = Math.max(0, Math.min(rows.length - 1, row + by));
    rows[row].classList.add("on");
    one("a.title", rows[row]).focus({ preventScroll: true });
    rows[row].scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  };

  // Findings and their places

  let chosen = 0;
  const findings = () => all("[data-finding]");
  const light = (number, from) => {
    const name = String(number);
    all(".on").forEach((each) => { if (!each.matches("[data-row]")) each.classList.remove("on"); });
    const places = all("mark[data-f]").filter((mark) => mark.dataset.f.split(" ").includes(name));
    places.forEach((mark) => mark.classList.add("on"));
    const entry = one(`[data-finding="${name}"]`);
    if (entry) entry.classList.add("on");
    chosen = Number(number);
    const scroll = { block: "center", behavior: calm ? "auto" : "smooth" };
    for (const part of [".draft", ".source"]) {
      const first = places.find((mark) => mark.closest(part));
      if (first && from !== part) first.scrollIntoView({ ...scroll, block: "nearest" });
    }
    if (entry && from !== "list") entry.scrollIntoView({ block: "nearest" });
    const evidence = places.some((mark) => mark.closest(".source"));
    const what = entry ? `Finding ${name}` : `“${places.length ? places[0].textContent : ""}”`;
    say(evidence ? `${what}: marked in the source.` : `${what}: nothing in the source supports it.`, true);
    return entry;
  };
  const step = (by) => {
    const listed = findings();
    if (!listed.length) return;
    const at = listed.findIndex((each) => Number(each.dataset.finding) === chosen);
    const next = listed[(at + by + listed.length) % listed.length] || listed[0];
    light(next.dataset.finding).focus({ preventScroll: false });
  };
  const claim = (by) => {
    const numbers = [...new Set(all(".draft mark[data-f]").map((mark) => Number(mark.dataset.f.split(" ")[0])))];
    if (!numbers.length) return;
    const at = numbers.indexOf(chosen);
    const next = numbers[at < 0 ? (by > 0 ? 0 : numbers.length - 1) : (at + by + numbers.length) % numbers.length];
    light(next, "keys");
  };
  const dismiss = () => {
    const entry = one(`[data-finding="${chosen}"] .ack > summary`) || one(".finding .ack > summary");
    if (entry) act(entry);
  };
  const takeFix = () => {
    const button = one(`[data-finding="${chosen}"] .fix button`);
    if (button) button.click();
    else say(chosen ? `Finding ${chosen} has no fix to take.` : "Choose a finding first, with f.");
  };
  document.addEventListener("click", (event) => {
    const mark = event.target.closest("mark[data-f]");
    if (mark) light(mark.dataset.f.split(" ")[0], mark.closest(".source") ? ".source" : ".draft");
    const go = event.target.closest("[data-go]");
    if (go) light(go.dataset.go, "list");
    const finding = event.target.closest("[data-finding]");
    if (finding && !event.target.closest("a, button, input, summary, label")) light(finding.dataset.finding, "list");
  });

  const keys = {
    "?": () => dialog.showModal(),
    j: () => choose(1),
    k: () => choose(-1),
    f: () => step(1),
    F: () => step(-1),
    g: () => claim(1),
    G: () => claim(-1),
    c: dismiss,
    t: takeFix,
    x: () => { const tick = one("[data-row].on input[type=checkbox]"); if (tick) tick.click(); },
    u: () => one("#undo-last").requestSubmit(),
    "/": () => { location.href = "/#search"; },
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("#editor")) {
      event.preventDefault();
      one("#save").click();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"jk".includes(event.key)) return;
    if (!keysAct() || typing(event.target) || dialog.open) return;
    const target = all("[data-key]").find((each) => each.dataset.key === event.key);
    if (target) { event.preventDefault(); act(target); return; }
    if (Object.hasOwn(keys, event.key)) { event.preventDefault(); keys[event.key](); }
  });
  if (location.hash === "#search" && one("#search")) one("#search").focus();

  // The queue

  // The second reader reads a change after it was saved: the page shows what it found when it is done.
  let timer = 0;
  const watch = () => {
    clearTimeout(timer);
    const note = one("[data-reading]");
    if (note) timer = setTimeout(async () => {
      const response = await fetch(note.dataset.reading, { credentials: "same-origin" }).catch(() => null);
      if (!note.isConnected) return;
      if (!response || response.status === 204) watch();
      else await swap(location.href, {}, note);
    }, 1000);
  };
  const written = () => all("main input, main textarea, main select").some((field) => field === document.activeElement
    || (field.options ? field.selectedIndex > 0 : field.value !== field.defaultValue || field.checked !== field.defaultChecked));
  const ready = () => {
    watch();
    row = -1;
    chosen = 0;
    const everything = one("[data-all]");
    if (everything) everything.hidden = false;
  };
  ready();
  document.addEventListener("change", (event) => {
    if (event.target.id === "all") all("[name=draft]").forEach((each) => { each.checked = event.target.checked; });
  });
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches("details.pop") || !event.target.open) return;
    all("details.pop[open]").forEach((other) => { if (other !== event.target) other.open = false; });
  }, true);

  // From draft to draft: the next page's content replaces this one's, which halves the browser's work.

  const PAUSE_MS = 1000;
  // When a decision about another draft led to this page: a key that is still pressed must not approve it.
  const followsDecision = (address) => ["did", "asked_for"].some((name) => new URL(address).searchParams.has(name));
  let decided = followsDecision(location.href) ? performance.now() : -PAUSE_MS;
  const page = () => location.pathname + location.search;
  let shown = page();
  let going = false;
  // With `note`, what an editor sees and has typed stays: only findings and marks change, or the note says what to do.
  const swap = async (address, options = {}, note = null) => {
    if (going) return;
    going = true;
    try {
      const response = await fetch(address, { ...options, credentials: "same-origin" });
      const next = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!one("main .desk, main .list, main .empty", next) || one("#editor", next)) { location.href = response.url; return; }
      if (note && written()) { note.textContent = "The second reader has read your change: load the page again."; return; }
      if (note) {
        // The columns stay, and with them where they are scrolled to.
        for (const part of [".acts", ".headline", ".found", ".draft", ".source"]) one(part).replaceChildren(...document.adoptNode(one(part, next)).childNodes);
        ready();
        return;
      }
      document.title = next.title;
      for (const part of ["#status", "main"]) one(part).replaceWith(document.adoptNode(one(part, next)));
      if (response.redirected || !options.method) history.pushState(null, "", response.url);
      shown = page();
      scrollTo(0, 0);
      ready();
      if (options.method && followsDecision(response.url)) decided = performance.now();
      one("main").focus({ preventScroll: true });
    } catch {
      say("The desk does not respond. Nothing is lost: try again.");
    } finally {
      going = false;
    }
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
    if (!form.closest(".bar, .finding, .flash") || form.closest("#editor")) return;
    event.preventDefault();
    if (form.matches("[action*='/approve?']") && performance.now() - decided < PAUSE_MS) return;
    swap(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  });

  // Editing

  const editor = one("#editor");
  if (!editor) return;
  document.addEventListener("click", (event) => {
    const find = event.target.closest("[data-find]");
    if (!find) return;
    event.preventDefault();
    const text = one(find.getAttribute("href"));
    const at = text.value.indexOf(find.dataset.find.replaceAll("\r\n", "\n"));
    text.focus();
    if (at >= 0) text.setSelectionRange(at, at + find.dataset.find.length);
  });
  // A description that the desk changed with the text replaces the one in the form, unless the editor wrote it.
  const described = () => one("#described").value;
  let lastDescribed = described();
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.target !== editor || described() === lastDescribed) return;
    const field = one("#description");
    if (field.value === lastDescribed) field.value = described();
    lastDescribed = described();
  });
  const status = () => one("#saving");
  const conflict = () => one("#conflict");
  let unsaved = false; // not saved in the draft
  let fresh = false; // not sent to the desk either
  let saving = false; // a request is under way
  let leaving = null;
  let gone = false;
  const showStatus = (text, bad = false) => { status().textContent = text; status().classList.toggle("bad", bad); };
  editor.addEventListener("input", (event) => {
    if (event.target.id === "mine") return;
    unsaved = true;
    fresh = true;
    if (!conflict()) showStatus("Not saved yet");
    const words = one("#body").value.split(/\s+/).filter(Boolean).length;
    one("#words").textContent = `${words.toLocaleString("en")} words`;
  });
  // After a conflict the editor chooses: Save replaces the other text only where "Keep mine" is ticked.
  const settle = () => {
    if (!conflict()) return;
    one("#base").value = one("#mine").checked ? conflict().dataset.theirs : conflict().dataset.base;
    unsaved = true;
  };
  settle();
  editor.addEventListener("change", (event) => {
    if (event.target.id !== "mine") return;
    settle();
    showStatus(event.target.checked ? "Not saved: Save replaces their text with yours" : "Not saved: somebody else changed this", true);
  });
  editor.addEventListener("click", (event) => {
    if (event.target.closest("#saving a[href='#conflict']")) {
      event.preventDefault();
      conflict().scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
      conflict().focus({ preventScroll: true });
    }
    // What was sent is kept as a version: keeping theirs loses nothing.
    if (event.target.closest("#take-theirs") && !fresh && !saving) unsaved = false;
  });
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (event.target !== editor || !conflict()) return;
    // An autosave never replaces the other text, whatever is ticked.
    event.detail.formData.set("base", conflict().dataset.base);
    event.detail.formData.set("known", conflict().dataset.theirs);
  });
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target !== editor) return;
    // A queued autosave would race with the form's own submission, which holds the same text.
    if (gone) { event.preventDefault(); return; }
    saving = true;
    unsaved = false;
    fresh = false;
    if (!conflict()) showStatus("Saving…");
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.target !== editor) return;
    saving = false;
    if (!event.detail.successful) {
      unsaved = true;
      // After a refusal the bar says who changed the draft, and that the text is kept.
      if (event.detail.xhr.status !== 409) {
        fresh = true;
        showStatus("Not saved: the desk does not respond; your text is still here", true);
      }
      settle();
    }
    if (leaving) { const button = leaving; leaving = null; editor.requestSubmit(button === editor ? undefined : button); }
  });
  document.body.addEventListener("htmx:sendError", (event) => {
    if (event.target === editor) setTimeout(() => htmx.trigger(editor, "save-now"), 5000);
  });
  editor.addEventListener("submit", (event) => {
    if (saving) { event.preventDefault(); leaving = event.submitter || editor; return; }
    unsaved = false;
    gone = true;
  });
  addEventListener("beforeunload", (event) => { if (unsaved || saving) event.preventDefault(); });
})();
