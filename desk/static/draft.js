// One draft: walking the pairs of sentences, deciding on findings where they stand, what was on screen.
"use strict";
(() => {
  const { all, one, keys, onReady, say, act, swap, refresh, scrolling } = desk;
  const page = () => one("#pairs");
  const rows = () => all("[data-row]");

  // The row at hand, and the finding at hand

  let row = null;
  let finding = null;
  const isOpen = (each) => each.matches(".block, .warn");
  const open = () => all("[data-finding]").filter(isOpen);
  const top = () => { const bar = one("#bar"); return bar && getComputedStyle(bar).position === "sticky" && bar.getBoundingClientRect().top <= 0 ? bar.getBoundingClientRect().bottom : 0; };
  const inView = (each) => {
    const place = each.getBoundingClientRect();
    return place.bottom > top() && place.top < innerHeight;
  };
  const toRow = (next) => {
    if (!next) return;
    if (row) row.classList.remove("on");
    row = next;
    row.classList.add("on");
  };
  const toFinding = (next, scroll = true) => {
    if (finding) finding.classList.remove("on");
    finding = next || null;
    if (!finding) return;
    finding.classList.add("on");
    const around = finding.closest("[data-row]");
    if (around) toRow(around);
    if (scroll && !inView(finding)) (around || finding).scrollIntoView({ block: "center", behavior: scrolling });
  };
  // The open finding that a key decides: one that is on screen. Otherwise the key only goes there.
  const target = () => {
    if (finding && finding.isConnected && isOpen(finding) && inView(finding)) return finding;
    const seen = open().find(inView);
    toFinding(seen || (finding && finding.isConnected && isOpen(finding) ? finding : open()[0]));
    if (!seen) say(finding ? "This is the next finding: press the key again to decide on it." : "No finding is open.");
    return seen || null;
  };
  const step = (by) => {
    const listed = open();
    if (!listed.length) { say("No finding is open."); return; }
    const at = listed.indexOf(finding);
    toFinding(listed[(at + by + listed.length) % listed.length] || listed[0]);
    finding.focus({ preventScroll: true });
  };
  const walk = (by, repeated) => {
    const listed = rows();
    const at = listed.indexOf(row);
    // A key that is held down stops at what is to be decided.
    if (repeated && row && open().some((each) => row.contains(each))) return;
    const next = at < 0 ? listed.find(inView) || listed[0] : listed[at + by];
    if (!next) return;
    toRow(next);
    const first = open().find((each) => next.contains(each));
    if (first) toFinding(first, false);
    next.scrollIntoView({ block: "center", behavior: scrolling });
    next.focus({ preventScroll: true });
  };

  // Deciding on a finding: the next open one is chosen, and the page stays where it is.

  const decide = async (form, submitter) => {
    const of = form.closest("[data-finding]");
    const at = all("[data-finding]").indexOf(of);
    const dismissed = !form.matches(".fix");
    await refresh(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, submitter)) });
    const listed = all("[data-finding]");
    const from = listed.slice(dismissed ? at + 1 : at);
    toFinding(from.find(isOpen) || open()[0]);
    if (!finding) say("No finding is open.", true);
  };
  const digit = (number) => {
    const chosen = target();
    if (!chosen) return;
    const button = one(`[data-digit="${number}"]`, chosen);
    const details = one(".ack", chosen);
    if (button) button.click();
    else if (details) { details.open = true; one("input[name=reason]", details).focus(); }
    else say("This finding cannot be dismissed: change the text.");
  };
  const dismiss = () => {
    const chosen = target();
    if (!chosen) return;
    const details = one(".ack", chosen);
    if (!details) { say("This finding cannot be dismissed: change the text."); return; }
    details.open = true;
    one("button", details).focus();
  };
  const take = () => {
    const chosen = target();
    if (!chosen) return;
    const button = one(".fix button", chosen);
    if (button) button.click();
    else say("This finding offers no words to take: edit the sentence with e.");
  };

  // Approving: the key goes to what is missing.

  const waiting = () => all("form.shown:not(.done)");
  const approve = async (form) => {
    await Promise.allSettled(reports);
    const must = all(".finding.block");
    if (must.length) {
      toFinding(must.find((each) => each === finding) || must[0]);
      say(`${must.length} must ${must.length === 1 ? "is" : "are"} open: take the fix, edit or dismiss.`);
      return;
    }
    const [left] = form.matches("#approve") ? waiting() : [];
    if (left) {
      const unseen = sections.get(left.dataset.shows);
      const next = unseen && [...unseen.rows].find((each) => !unseen.seen.has(each)) || left.closest("[data-row]");
      toRow(next);
      next.scrollIntoView({ block: "center", behavior: scrolling });
      say(one("#missing").textContent);
      return;
    }
    desk.submitOnce(form);
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!page()) return;
    if (form.closest(".finding")) { event.preventDefault(); decide(form, event.submitter); }
    else if (form.matches("#approve, #approve-light")) { event.preventDefault(); approve(form); }
    else if (form.matches(".shown")) { event.preventDefault(); report(form.dataset.shows); }
  });

  // What was on screen: all rows of a section, for the reading time of its new words.

  const TICK_MS = 250;
  let sections = new Map();
  let observer = null;
  let reports = [];
  const speed = () => Number(page().dataset.speed);
  const due = (each) => each.seen.size === each.rows.size && (!speed() || each.ms * speed() >= 1000 * each.words);
  const watchSections = () => {
    if (observer) observer.disconnect();
    sections = new Map();
    if (!page()) return;
    for (const form of waiting()) {
      const mine = all(`[data-of="${form.dataset.shows}"]`);
      sections.set(form.dataset.shows, { rows: new Set(mine), seen: new Set(), here: new Set(), ms: 0, words: Number(form.dataset.words), sent: false });
    }
    observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const each = sections.get(entry.target.dataset.of);
        if (!each) continue;
        // A row that is higher than the screen was seen when half of the screen was full of it.
        const seen = entry.intersectionRatio >= 0.5 || entry.intersectionRect.height >= innerHeight / 2;
        if (seen) { each.seen.add(entry.target); each.here.add(entry.target); } else each.here.delete(entry.target);
      }
      if (!speed()) look(0);
    }, { threshold: [0, 0.25, 0.5, 0.75, 1] });
    for (const each of sections.values()) each.rows.forEach((one) => observer.observe(one));
  };
  const look = (ms) => {
    if (document.visibilityState !== "visible" || !page()) return;
    for (const [number, each] of sections) {
      if (each.here.size) each.ms += ms;
      if (!each.sent && due(each)) { each.sent = true; report(number); }
    }
  };
  setInterval(() => look(TICK_MS), TICK_MS);
  const report = (number) => {
    const form = one(`form.shown[data-shows="${number}"]`);
    const sent = send(form).catch(() => { const each = sections.get(number); if (each) setTimeout(() => { each.sent = false; }, 2000); });
    reports.push(sent);
    return sent;
  };
  const send = async (form) => {
    const body = new URLSearchParams(new FormData(form));
    body.set("opened", page().dataset.opened);
    const response = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" }, credentials: "same-origin" });
    const answer = await response.json();
    if (!form.isConnected) return;
    if (answer.problem) { say(answer.problem); throw new Error(answer.problem); }
    for (const number of answer.shown) {
      const done = one(`form.shown[data-shows="${number}"]`);
      if (done && !done.matches(".done")) { done.classList.add("done"); one("button", done).replaceWith(Object.assign(document.createElement("span"), { textContent: "shown" })); }
    }
    one("#progress").textContent = answer.progress;
    one("#missing").textContent = answer.missing;
    one("#left").textContent = answer.left;
    one("#approve button").classList.toggle("primary", answer.ready);
    one("#approve button").classList.toggle("waits", !answer.ready);
  };

  // Editing a sentence in place: saved while one types, and merged with what others changed.

  const SAVE_AFTER_MS = 800;
  const RETRY_MS = 3000;
  let edit = null;
  const state = (text, bad = false) => { const bar = one("#saving"); bar.textContent = text; bar.classList.toggle("bad", bad); };
  const begin = (of) => {
    if (edit) { edit.field.focus(); return; }
    if (!of || !page().dataset.edits) { say("This draft cannot be edited now."); return; }
    const ours = one(".ours", of);
    const box = document.createElement("div");
    box.className = "inplace";
    const field = document.createElement("textarea");
    field.value = of.dataset.raw;
    field.setAttribute("aria-label", "Edit this sentence");
    field.dir = "auto";
    const done = Object.assign(document.createElement("button"), { type: "button", textContent: "Done", className: "primary" });
    const back = Object.assign(document.createElement("button"), { type: "button", textContent: "Undo change" });
    const message = Object.assign(document.createElement("p"), { className: "hint" });
    message.setAttribute("role", "status");
    box.append(field, done, back, message);
    ours.hidden = true;
    ours.after(box);
    edit = {
      row: of, ours, box, field, message, timer: 0, busy: null, saved: of.dataset.raw, first: of.dataset.raw,
      sha256: page().dataset.sha, name: of.dataset.field, start: of.dataset.start, end: of.dataset.end,
      form: crypto.getRandomValues(new Uint32Array(4)).join("-"),
    };
    const fit = () => { field.style.height = "auto"; field.style.height = `${field.scrollHeight + 4}px`; };
    field.addEventListener("input", () => { fit(); typed(); });
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape" || event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); finish(); }
    });
    done.addEventListener("click", finish);
    back.addEventListener("click", () => { field.value = edit.first; finish(); });
    toRow(of);
    fit();
    field.focus();
  };
  const stored = () => `copydesk.sentence.${page().dataset.ref}`;
  const typed = () => {
    state("NOT SAVED");
    sessionStorage.setItem(stored(), edit.field.value);
    clearTimeout(edit.timer);
    edit.timer = setTimeout(save, SAVE_AFTER_MS);
  };
  // Saves one after another: each names the text and the place that the one before it left.
  const save = async () => {
    const mine = edit;
    if (!mine) return false;
    clearTimeout(mine.timer);
    if (mine.busy) { await mine.busy; return save(); }
    const text = mine.field.value;
    if (text === mine.saved) return true;
    state("Saving");
    mine.busy = attempt(mine, text);
    const saved = await mine.busy;
    mine.busy = null;
    return saved && edit === mine && mine.field.value !== text ? save() : saved;
  };
  const attempt = async (mine, text) => {
    const body = new URLSearchParams({ sha256: mine.sha256, field: mine.name, start: mine.start, end: mine.end, before: mine.saved, text, form: mine.form, ...(mine.done ? { done: "1" } : {}) });
    let response, answer;
    try {
      response = await fetch(`/drafts/${page().dataset.ref}/sentence`, { method: "POST", body, headers: { accept: "application/json" }, credentials: "same-origin" });
      answer = await response.json();
    } catch {
      state("NOT SAVED: the desk does not respond. Your text stays here and is sent again.", true);
      mine.timer = setTimeout(save, RETRY_MS);
      return false;
    }
    if (response.ok) {
      Object.assign(mine, { sha256: answer.sha256, start: answer.start, end: answer.end, saved: text });
      sessionStorage.removeItem(stored());
      state(answer.message || "Saved");
      return true;
    }
    state(`NOT SAVED: ${answer.reason}`, true);
    if (answer.theirs !== undefined) {
      mine.message.textContent = `${answer.reason} Theirs: “${answer.theirs}” Yours is above${answer.kept ? ", and kept in History" : ""}. Save again to replace theirs, or copy what you need.`;
      if (answer.sha256) Object.assign(mine, { sha256: answer.sha256, start: answer.start, end: answer.end, saved: answer.theirs });
    } else mine.message.textContent = answer.reason;
    return false;
  };
  const finish = async () => {
    const mine = edit;
    if (!mine) return;
    if (!await save()) return;
    // The second reader reads a sentence when the editor has left it.
    mine.done = true;
    if (mine.saved !== mine.first) await attempt(mine, mine.saved);
    if (edit !== mine) return;
    const changed = mine.saved !== mine.first;
    const id = mine.row.id;
    edit = null;
    mine.box.remove();
    mine.ours.hidden = false;
    if (changed) await refresh(location.href);
    if (changed) state("Saved");
    const again = document.getElementById(id);
    toRow(again);
    const next = open().find((each) => again && again.contains(each)) || open().find((each) => again && again.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (next) toFinding(next);
    else if (again) again.focus({ preventScroll: true });
  };
  addEventListener("beforeunload", (event) => { if (edit && edit.field.value !== edit.saved) event.preventDefault(); });

  // The second reader, a rewrite that was asked for, and who else is here

  let timer = 0;
  const watch = () => {
    clearTimeout(timer);
    const note = one("[data-reading], [data-request]");
    if (note) timer = setTimeout(async () => {
      const response = await fetch(note.dataset.reading || note.dataset.request, { credentials: "same-origin" }).catch(() => null);
      if (!note.isConnected) return;
      if (!response || response.status === 204) { watch(); return; }
      if (edit || desk.written()) { note.textContent = "Something new is there: load the page again when you are done."; return; }
      await refresh(location.href);
    }, 1000);
  };
  const PRESENCE_MS = 15_000;
  const others = async () => {
    const place = one("#presence");
    if (!place || document.visibilityState !== "visible") return;
    const response = await fetch(`${place.dataset.presence}?doing=${edit ? "edits" : "reads"}`, { credentials: "same-origin" }).catch(() => null);
    if (!response || !response.ok || !place.isConnected) return;
    place.textContent = (await response.json()).message;
  };
  setInterval(others, PRESENCE_MS);

  document.addEventListener("click", (event) => {
    const clicked = event.target.closest("[data-finding]");
    if (clicked && !event.target.closest("a, button, input, summary, label")) toFinding(clicked, false);
    const mark = event.target.closest("mark[data-f]");
    const about = mark && document.getElementById(`f${mark.dataset.f.split(" ")[0]}`);
    if (about) toFinding(about, false);
    else if (event.target.closest("[data-row]") && !clicked) toRow(event.target.closest("[data-row]"));
    const to = event.target.closest("[data-to]");
    if (to) { event.preventDefault(); toFinding(open().find((each) => each.matches(`.${to.dataset.to}`))); }
  });
  document.addEventListener("dblclick", (event) => {
    const of = event.target.closest(".ours") && event.target.closest("[data-row]");
    if (of && page().dataset.edits) begin(of);
  });
  const here = () => (row && row.isConnected && inView(row) ? row : finding && finding.closest("[data-row]") || rows().find(inView));
  const draftKeys = {
    " ": (event) => walk(event.shiftKey ? -1 : 1, event.repeat),
    f: () => step(1),
    F: () => step(-1),
    d: dismiss,
    t: take,
    e: () => begin(here()),
    n: () => {
      const select = one("#bar select[name=section]");
      const heading = here() && one("h2", here().closest("section"));
      const option = heading && all("option", select).find((each) => each.textContent === heading.textContent);
      if (option) select.value = option.textContent;
      act(one("[data-opens=n]"));
    },
    A: () => approve(one("#approve-light") || one("#approve")),
    1: () => digit(1), 2: () => digit(2), 3: () => digit(3), 4: () => digit(4),
  };
  onReady((refreshed) => {
    Object.keys(draftKeys).forEach((key) => { if (page()) keys[key] = draftKeys[key]; else delete keys[key]; });
    watch();
    watchSections();
    if (refreshed) { const same = row && document.getElementById(row.id); row = null; toRow(same); return; }
    row = null;
    finding = null;
    if (!page()) return;
    reports = [];
    others();
    toFinding(all(".finding.block")[0] || open()[0], false);
    const left = sessionStorage.getItem(stored());
    if (left) say(`Your last change was not saved: “${left}”`);
  });
})();
