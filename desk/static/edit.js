// The page that edits a draft: autosave, conflicts, leaving with unsaved text.
"use strict";
(() => {
  const { one, scrolling } = desk;
  const editor = one("#editor");
  if (!editor) return;
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.closest("#editor")) return;
    event.preventDefault();
    one("#save").click();
  });
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
      conflict().scrollIntoView({ block: "start", behavior: scrolling });
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
