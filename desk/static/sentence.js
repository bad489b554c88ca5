// Editing one sentence where it stands: saved as one types, merged with others' changes, asked about in a conflict.
"use strict";
(() => {
  const { one, session, say, onReady, refresh } = desk;
  const page = () => one("#pairs");
  const SAVE_AFTER_MS = 800;
  const RETRY_MS = 3000;
  const STORE = "copydesk.sentence.";
  const SIGN_IN = "you are no longer signed in: open the desk's link in another tab";

  let edit = null;
  const state = (text, bad = false) => {
    const bar = one("#saving");
    if (bar) { bar.textContent = text; bar.classList.toggle("bad", bad); }
  };
  const element = (name, properties = {}) => Object.assign(document.createElement(name), properties);
  // What is not saved survives a reload of the tab.
  const remember = () => session.set(STORE + edit.ref, JSON.stringify({ raw: edit.first, text: edit.field.value }));
  const forget = (ref) => session.remove(STORE + ref);

  const begin = (row) => {
    if (edit) { edit.field.focus(); return; }
    if (!row || !page().dataset.edits) { say("This draft cannot be edited now."); return; }
    const ours = one(".ours", row);
    const box = element("div", { className: "inplace" });
    const field = element("textarea", { value: row.dataset.raw, dir: "auto" });
    field.setAttribute("aria-label", "Edit this sentence");
    const done = element("button", { type: "button", textContent: "Done", className: "primary" });
    const back = element("button", { type: "button", textContent: "Undo change" });
    const question = element("div", { className: "question" });
    question.setAttribute("role", "status");
    box.append(field, done, back, question);
    ours.hidden = true;
    ours.after(box);
    edit = {
      row, ours, box, field, back, question, timer: 0, busy: null, conflict: false, finishing: false,
      ref: page().dataset.ref, first: row.dataset.raw, saved: row.dataset.raw, before: row.dataset.raw,
      sha256: page().dataset.sha, name: row.dataset.field, start: row.dataset.start, end: row.dataset.end,
      form: crypto.getRandomValues(new Uint32Array(4)).join("-"),
    };
    const presence = one("#presence");
    if (presence) presence.dataset.doing = "edits";
    field.addEventListener("input", typed);
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape" || event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); finish(); }
    });
    done.addEventListener("click", finish);
    back.addEventListener("click", () => { field.value = edit.first; finish(); });
    fit();
    field.focus();
  };
  const fit = () => { edit.field.style.height = "auto"; edit.field.style.height = `${edit.field.scrollHeight + 4}px`; };
  const typed = () => {
    fit();
    clearTimeout(edit.timer);
    if (!edit.conflict) {
      state("NOT SAVED");
      edit.timer = setTimeout(save, SAVE_AFTER_MS);
    }
    remember();
  };

  // Saves one after another: each names the text, the place and the words that the one before it left.
  const save = async () => {
    const mine = edit;
    if (!mine || mine.conflict) return false;
    clearTimeout(mine.timer);
    if (mine.busy) { await mine.busy; return save(); }
    const text = mine.field.value;
    if (text === mine.saved) { forget(mine.ref); state(mine.saved === mine.first ? "" : "Saved"); return true; }
    state("Saving");
    mine.busy = attempt(mine, text);
    const saved = await mine.busy;
    mine.busy = null;
    return saved && edit === mine && mine.field.value !== text ? save() : saved;
  };
  const fields = (mine, text, done = false) => new URLSearchParams({
    sha256: mine.sha256, field: mine.name, start: mine.start, end: mine.end, before: mine.before, text, form: mine.form, ...(done ? { done: "1" } : {}),
  });
  const post = (mine, body, options = {}) => fetch(`/drafts/${mine.ref}/sentence`, { method: "POST", body, credentials: "same-origin", headers: { accept: "application/json" }, ...options });
  const attempt = async (mine, text, done = false) => {
    let response, answer;
    try {
      response = await post(mine, fields(mine, text, done));
      answer = (response.headers.get("content-type") || "").includes("json") ? await response.json() : { reason: response.status === 401 ? SIGN_IN : `the desk refuses it (${response.status})` };
    } catch {
      return later(mine, "the desk does not respond. Your text stays here and is sent again.");
    }
    if (response.ok) {
      Object.assign(mine, { sha256: answer.sha256, start: answer.start, end: answer.end, before: answer.before, saved: text });
      if (mine.field.value === text) forget(mine.ref);
      state(answer.message);
      return true;
    }
    if (response.status >= 500) return later(mine, `${answer.reason}. Your text stays here and is sent again.`);
    state(`NOT SAVED: ${answer.reason}`, true);
    if (answer.sha256) ask(mine, answer);
    else mine.question.textContent = answer.reason;
    return false;
  };
  const later = (mine, why) => {
    state(`NOT SAVED: ${why}`, true);
    if (edit === mine) mine.timer = setTimeout(save, RETRY_MS);
    return false;
  };

  // Somebody else changed the same sentence: nothing is saved until the editor chooses.
  const ask = (mine, answer) => {
    mine.conflict = true;
    mine.back.hidden = true;
    const settle = (keepMine) => {
      Object.assign(mine, { sha256: answer.sha256, start: answer.start, end: answer.end, before: answer.theirs, saved: answer.theirs, first: answer.theirs, conflict: false });
      if (!keepMine) mine.field.value = answer.theirs;
      mine.question.replaceChildren();
      finish();
    };
    const keep = element("button", { type: "button", textContent: "Keep mine" });
    const take = element("button", { type: "button", textContent: "Keep theirs" });
    keep.addEventListener("click", () => settle(true));
    take.addEventListener("click", () => settle(false));
    const theirs = element("blockquote", { textContent: answer.theirs || "(deleted)" });
    mine.question.replaceChildren(element("p", { textContent: `${answer.reason}. Theirs:` }), theirs, keep, take);
  };

  // Ends the edit; false where the text could not be saved: it stays on the page then.
  const finish = async () => {
    const mine = edit;
    if (!mine || mine.finishing) return false;
    if (mine.conflict) { say("Choose which text to keep."); mine.field.focus(); return false; }
    mine.finishing = mine.field.readOnly = true;
    const saved = await save();
    const changed = mine.saved !== mine.first;
    // The second reader reads a sentence when the editor has left it.
    if (saved && changed) await attempt(mine, mine.saved, true);
    mine.finishing = mine.field.readOnly = false;
    if (!saved) return false;
    edit = null;
    mine.box.remove();
    mine.ours.hidden = false;
    const presence = one("#presence");
    if (presence) presence.dataset.doing = "reads";
    if (changed) { await refresh(location.href); state("Saved"); }
    const again = document.getElementById(mine.row.id);
    if (again) again.focus({ preventScroll: true });
    return true;
  };
  desk.beforeLeaving(async () => !edit || finish());
  addEventListener("beforeunload", (event) => { if (edit && edit.field.value !== edit.saved) event.preventDefault(); });
  addEventListener("pagehide", () => {
    if (edit && !edit.conflict && edit.field.value !== edit.saved) post(edit, fields(edit, edit.field.value), { keepalive: true }).catch(() => {});
  });
  onReady((refreshed) => {
    if (refreshed || !page() || !page().dataset.edits) return;
    const kept = JSON.parse(session.get(STORE + page().dataset.ref));
    const row = kept && desk.all("[data-row]").find((each) => each.dataset.raw === kept.raw);
    if (kept) forget(page().dataset.ref);
    if (!row) return;
    begin(row);
    edit.field.value = kept.text;
    typed();
  });
  desk.edit = begin;
  desk.isEditing = () => Boolean(edit);
})();
