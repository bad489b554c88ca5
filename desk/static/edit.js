// The page that edits a draft: autosave, merging with others' changes, conflicts, a connection that is lost.
"use strict";
(() => {
  const { all, one, session, say, scrolling } = desk;

  // What was typed and is not saved survives a reload of the tab. On another page it is handed to the desk,
  // which keeps it as a version aside.

  const STORE = "copydesk.unsaved.";
  const post = (address, fields, options = {}) => fetch(address, {
    method: "POST", body: new URLSearchParams(fields), credentials: "same-origin", headers: { "HX-Request": "true" }, ...options,
  });
  const editor = one("#editor");
  const handOver = async (name) => {
    const kept = JSON.parse(session.get(name));
    try {
      const response = await post(kept.action, [...kept.fields, ["then", "aside"]]);
      if (response.status >= 500 || response.status === 401) return;
      const answer = response.ok ? await response.json() : {};
      session.remove(name);
      if (answer.kept) say("You left the editor before everything was saved. Your text is kept as a version: see History.");
    } catch { /* The next page tries again. */ }
  };
  for (const name of session.names()) {
    if (name.startsWith(STORE) && name !== STORE + (editor ? editor.dataset.ref : "")) handOver(name);
  }
  if (!editor) return;

  // Findings link to the words in the fields.

  document.addEventListener("click", (event) => {
    const find = event.target.closest("[data-find]");
    if (!find) return;
    event.preventDefault();
    const text = one(find.getAttribute("href"));
    const at = text.value.indexOf(find.dataset.find.replaceAll("\r\n", "\n"));
    text.focus();
    if (at >= 0) text.setSelectionRange(at, at + find.dataset.find.length);
  });

  // The bar says one of three things: Saved, Saving, NOT SAVED.

  const bar = () => one("#saving");
  const show = (state, why = "") => {
    const word = document.createElement("strong");
    word.textContent = state;
    bar().replaceChildren(word, why);
    bar().classList.toggle("bad", state === "NOT SAVED");
  };
  const isBad = () => bar().classList.contains("bad");
  const conflict = () => one("#conflict");

  // Saving: one request at a time. `typed` counts what was typed, `safe` how much of it is saved in the draft.

  const WAIT_MS = 800;
  const RETRY_MS = [500, 1000, 2000];
  const PATIENCE_MS = 30_000;
  let typed = 0;
  let safe = 0;
  let failures = 0;
  let sending = false;
  let queued = null; // what to do after the request under way
  let timer = null;
  let leaving = false;
  let restored = []; // choices in a conflict that were made before the tab was loaded again
  const isUnsaved = () => typed > safe || sending;

  const store = STORE + editor.dataset.ref;
  const isChoice = (name) => /^(choice|own)-/.test(name);
  const everything = () => [...new FormData(editor)].filter(([name]) => name !== "then");
  const fieldsNow = () => everything().filter(([name]) => !isChoice(name));
  let storing = null;
  const remember = () => {
    clearTimeout(storing);
    storing = null;
    if (typed === safe) return;
    session.set(store, JSON.stringify({ action: editor.action, fields: everything() }));
  };
  const rememberSoon = () => { storing ??= setTimeout(remember, 300); };
  const forget = () => { clearTimeout(storing); storing = null; session.remove(store); };

  const saveSoon = (wait = WAIT_MS) => { clearTimeout(timer); timer = setTimeout(() => save(), wait); };
  const retry = () => {
    const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    failures += 1;
    saveSoon(wait);
  };
  const save = async (then = "") => {
    clearTimeout(timer);
    if (sending) { queued = then || queued || ""; return; }
    sending = true;
    queued = null;
    const sent = typed;
    if (then || !isBad()) show("Saving");
    const fields = then ? everything() : fieldsNow();
    try {
      const response = await post(editor.action, [...fields, ["then", then]], { signal: AbortSignal.timeout(PATIENCE_MS) });
      const text = await response.text();
      sending = false;
      failures = 0;
      if (response.status === 409) refused(text);
      else if (response.ok && text.includes('id="base"')) saved(text, sent, response.headers.get("x-copydesk-next"));
      else failed(response.status);
    } catch {
      sending = false;
      lost(then);
    }
    if (queued !== null && failures === 0) save(queued);
  };

  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
  const take = (answer, ...names) => names.forEach((name) => {
    const part = one(`#${name}`, answer);
    if (!part) return;
    // The bar stays the same element: screen readers announce what changes in it.
    if (name === "saving") { bar().className = part.className; bar().replaceChildren(...document.adoptNode(part).childNodes); return; }
    one(`#${name}`).replaceWith(document.adoptNode(part));
  });
  const saved = (text, sent, next) => {
    const answer = parsed(text);
    const merged = one("#merged", answer);
    one("#saved").replaceChildren();
    take(answer, "saving", "found");
    safe = sent;
    // What was typed meanwhile is not in the merged text: the next save still starts from what was sent.
    if (!merged || typed === sent) {
      describe(answer, Boolean(merged));
      if (merged) fill(merged);
    }
    if (typed > sent) { show("Saving"); remember(); if (queued === null) saveSoon(); return; }
    forget();
    if (next && queued === null) { leaving = true; location.href = next; }
  };
  const refused = (text) => {
    const answer = parsed(text);
    const keys = (from) => all("[data-conflict]", from).map((each) => each.dataset.conflict).join();
    const chosen = [...restored, ...everything().filter(([name]) => isChoice(name))];
    const written = all("[name^=own-]").map((each) => (each.value === each.defaultValue ? null : each.value));
    take(answer, "saving");
    if (conflict() && keys(document) && keys(document) === keys(answer)) return;
    const box = one("#conflict, #refused", answer);
    one("#saved").replaceChildren(...(box ? [document.adoptNode(box)] : []));
    // What was chosen and written already stays, also where the conflict is another one by now.
    const owns = all("[name^=own-]");
    if (owns.length === written.length) owns.forEach((field, number) => { if (written[number] !== null) field.value = written[number]; });
    chosen.forEach(([name, value]) => all(`[name="${name}"]`).forEach((field) => {
      if (field.matches("textarea")) field.value = value;
      else if (field.value === value) field.checked = true;
    }));
    restored = [];
  };
  const failed = (status) => {
    const reasons = {
      401: "you are signed out. Open the link of the desk in another tab, then press Save here",
      403: "the desk refused the request. Load the page again: your text is kept in this tab",
      404: "the draft is gone. Copy your text before you leave",
      413: "the text is too long. Shorten it",
    };
    queued = null;
    show("NOT SAVED", `: ${reasons[status] || "the desk had an error. Your text is still here and is saved by itself when the desk works again"}.`);
    if (status >= 500 || status === 200) retry();
    remember();
  };
  const lost = (then) => {
    const again = then === "approve" ? " Approve again when it is saved." : "";
    queued = null;
    show("NOT SAVED", `: the desk does not respond; your text is still here. It is saved by itself when the connection is back: leave this page open.${again}`);
    remember();
    retry();
  };
  addEventListener("online", () => { if (failures) save(); });

  // The form's fields take the merged text; the cursor stays between the words where it was.

  const place = (old, at, text) => {
    for (let length = 60; length > 4; length = Math.floor(length / 2)) {
      const before = old.slice(Math.max(0, at - length), at);
      const after = old.slice(at, at + length);
      for (const [words, shift] of [[before + after, before.length], [before, before.length], [after, 0]]) {
        if (words.length <= 4) continue;
        const places = [];
        for (let found = text.indexOf(words); found >= 0; found = text.indexOf(words, found + 1)) places.push(found + shift);
        if (places.length) return places.reduce((best, each) => (Math.abs(each - at) < Math.abs(best - at) ? each : best));
      }
    }
    return Math.min(at, text.length);
  };
  const put = (field, value) => {
    if (field.value === value) return;
    const { scrollTop } = field;
    const selection = field.selectionStart === null || field.selectionStart === undefined ? null
      : [field.selectionStart, field.selectionEnd].map((at) => place(field.value, at, value));
    field.value = value;
    if (selection && field === document.activeElement) field.setSelectionRange(...selection);
    field.scrollTop = scrollTop;
  };
  const fill = (merged) => {
    all("[data-field]", merged).forEach((part) => {
      const field = editor.elements[part.dataset.field];
      if (!field) return;
      if (field.options && !Array.from(field.options).some((option) => option.value === part.value)) field.add(new Option(part.value));
      put(field, part.value);
    });
    const tags = all("data", merged).map((tag) => tag.value);
    all("[name=tags]").forEach((box) => { box.checked = tags.includes(box.value); });
    editor.elements.cover.value = "";
    count();
    if (window.htmx) htmx.trigger(one("#preview"), "merged");
  };
  // A description that the desk changed with the text replaces the one in the form, unless the editor wrote it.
  const describe = (answer, merged) => {
    const before = one("#described").value;
    take(answer, "base", "described");
    const now = one("#described").value;
    const field = one("#description");
    if (!merged && now !== before && field.value === before) field.value = now;
  };

  const count = () => {
    const words = one("#body").value.split(/\s+/).filter(Boolean).length;
    one("#words").textContent = `${words.toLocaleString("en")} words`;
  };
  editor.addEventListener("input", (event) => {
    if (event.target.closest("#conflict")) {
      const own = event.target.closest(".own");
      if (own && event.target.matches("textarea")) one("[type=radio]", own).checked = true;
      rememberSoon();
      return;
    }
    typed += 1;
    count();
    if (!isBad()) show("Saving");
    rememberSoon();
    if (!failures) saveSoon();
  });
  editor.addEventListener("submit", (event) => {
    event.preventDefault();
    save((event.submitter && event.submitter.value) || "done");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.closest("#editor")) return;
    event.preventDefault();
    save("done");
  });
  editor.addEventListener("click", (event) => {
    if (!event.target.closest("#saving a[href='#conflict']")) return;
    event.preventDefault();
    conflict().scrollIntoView({ block: "start", behavior: scrolling });
    conflict().focus({ preventScroll: true });
  });
  addEventListener("beforeunload", (event) => { if (!leaving && isUnsaved()) event.preventDefault(); });
  addEventListener("pageshow", (event) => { if (event.persisted) leaving = false; });
  addEventListener("pagehide", () => {
    if (leaving || !isUnsaved()) return;
    remember();
    // A small text reaches the desk even if the tab is closed; a larger one is sent from the next page.
    const fields = [...fieldsNow(), ["then", "aside"]];
    if (String(new URLSearchParams(fields)).length < 60_000) post(editor.action, fields, { keepalive: true }).catch(() => {});
  });

  // After a reload of the tab.

  if (isBad()) typed = 1;
  const kept = JSON.parse(session.get(store));
  if (kept) {
    const value = (name) => kept.fields.filter(([each]) => each === name).map(([, text]) => text);
    for (const name of ["title", "description", "category", "sentiment", "sticky_weight", "cover", "body", "base", "form", "described"]) {
      const [text] = value(name);
      const field = editor.elements[name];
      if (text === undefined || !field) continue;
      if (field.options && !Array.from(field.options).some((option) => option.value === text)) field.add(new Option(text));
      field.value = text;
    }
    all("[name=tags]").forEach((box) => { box.checked = value("tags").includes(box.value); });
    count();
    restored = kept.fields.filter(([name]) => isChoice(name));
    typed = 1;
    save();
  }
})();
