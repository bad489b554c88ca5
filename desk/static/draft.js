// One draft: walking the pairs of sentences, deciding on findings where they stand, what was on screen.
"use strict";
(() => {
  const { all, one, keys, onReady, say, act, refresh, scrolling } = desk;
  const page = () => one("#pairs");
  const rows = () => all("[data-row]");

  // The row at hand, and the finding at hand

  let row = null;
  let finding = null;
  const isOpen = (each) => each.matches(".block, .warn");
  const open = () => all("[data-finding]").filter(isOpen);
  // What a key decides on is whole on the screen, between the bars.
  const inView = (each) => {
    const place = each.getBoundingClientRect();
    const bar = one("#bar").getBoundingClientRect();
    const [top, bottom] = bar.top > innerHeight / 2 ? [0, bar.top] : [Math.max(0, bar.bottom), innerHeight];
    return place.top >= top - 1 && (place.bottom <= bottom + 1 || place.top <= top + 1 && place.height > bottom - top);
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
    if (!await desk.leave()) return;
    const of = form.closest("[data-finding]");
    const at = all("[data-finding]").indexOf(of);
    const dismissed = !form.matches(".fix");
    if (!await refresh(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, submitter)) })) return;
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
    if (!form || !await desk.leave()) return;
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
  const watchSections = (refreshed) => {
    if (observer) observer.disconnect();
    if (!page()) { sections = new Map(); return; }
    const before = refreshed ? sections : new Map();
    sections = new Map();
    for (const form of waiting()) {
      const mine = all(`[data-of="${form.dataset.shows}"]`);
      const old = before.get(form.dataset.shows);
      // After a refresh, rows that say the same have been seen.
      const known = new Set(old ? [...old.seen].map((each) => each.dataset.raw) : []);
      const seen = new Set(mine.filter((each) => known.has(each.dataset.raw)));
      sections.set(form.dataset.shows, { rows: new Set(mine), seen, here: new Set(), ms: old ? old.ms : 0, words: Number(form.dataset.words), sent: false });
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
    if (document.visibilityState !== "visible" || !page() || desk.isEditing() || desk.isSignedOut()) return;
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
    const response = desk.note(await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" }, credentials: "same-origin" }));
    const answer = await response.json();
    if (!form.isConnected) return;
    if (answer.problem && answer.retry) throw new Error(answer.problem);
    if (answer.problem) { say(answer.problem); return; }
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

  // The second reader, a rewrite that was asked for, and who else is here

  let timer = 0;
  const watch = () => {
    clearTimeout(timer);
    const note = one("[data-reading], [data-request]");
    if (note) timer = setTimeout(async () => {
      if (desk.isSignedOut()) { watch(); return; }
      const response = await fetch(note.dataset.reading || note.dataset.request, { credentials: "same-origin" }).then(desk.note).catch(() => null);
      if (!note.isConnected) return;
      if (!response || !response.ok || response.status === 204 || document.hidden) { watch(); return; }
      if (desk.isEditing() || desk.written()) { note.textContent = "Something new is there: load the page again when you are done."; return; }
      await refresh(location.href);
    }, 1000);
  };
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
    if (of && page().dataset.edits) desk.edit(of);
  });
  const here = () => (row && row.isConnected && inView(row) ? row : finding && finding.closest("[data-row]") || rows().find(inView));
  const draftKeys = {
    " ": (event) => walk(event.shiftKey ? -1 : 1, event.repeat),
    f: () => step(1),
    F: () => step(-1),
    d: dismiss,
    t: take,
    e: () => desk.edit(here()),
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
  // The keys of the queue have the same letters: these act only where a draft is shown, and is not decided.
  for (const [key, does] of Object.entries(draftKeys)) {
    const other = keys[key];
    keys[key] = (event) => { if (page() && page().dataset.edits) does(event); else if (!page() && other) other(event); };
  }
  onReady((refreshed) => {
    watch();
    watchSections(refreshed);
    if (refreshed) { const same = row && document.getElementById(row.id); row = null; toRow(same); return; }
    row = null;
    finding = null;
    if (!page()) return;
    reports = [];
    toFinding(all(".finding.block")[0] || open()[0], false);
  });
})();
