// The queue: choosing a row and acting on it, filters at once, selecting drafts; the row is found again later.
"use strict";
(() => {
  const { all, one, session, keys, onReady, say, scrolling } = desk;
  const rows = () => all("#results [data-row]");
  const chosen = () => one("#results .row.on");
  const REF = /^\/drafts\/([0-9a-f]{16})/;

  // Which row was chosen, by filters: it is found again after a draft, a decision or Back.

  // The filters of an address, without what says where in the queue an editor is.
  const filtersOf = (search) => {
    const query = new URLSearchParams(search);
    ["page", "at", "did", "asked_for", "saved", "from", "token"].forEach((name) => query.delete(name));
    return query.toString();
  };
  const KEY = "copydesk.queue?";
  const remembered = (search) => JSON.parse(session.get(KEY + filtersOf(search))) || {};
  const remember = (changes, search = location.search) => {
    const place = { ...remembered(search), ...changes };
    session.set(KEY + filtersOf(search), JSON.stringify(place));
  };

  const choose = (row, { focus = true, scroll = true } = {}) => {
    const listed = rows();
    if (!row || !listed.includes(row)) return;
    listed.forEach((each) => each.classList.toggle("on", each === row));
    if (focus) one("a.title", row).focus({ preventScroll: true });
    if (scroll) row.scrollIntoView({ block: "nearest", behavior: scrolling });
    remember({ ref: row.dataset.row, index: listed.indexOf(row) });
  };
  const step = (by) => {
    const listed = rows();
    const at = listed.indexOf(chosen());
    choose(listed[Math.max(0, Math.min(listed.length - 1, at < 0 && by < 0 ? 0 : at + by))]);
  };

  // What is shown is replaced by a page from the desk; the filters' form stays, and with it what is typed.

  const replace = async (response) => {
    const next = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!one("#results", next)) { location.href = response.url; return false; }
    document.title = next.title;
    for (const part of ["#status", "#queue-head", "#results"]) one(part).replaceWith(document.adoptNode(one(part, next)));
    const clear = one("#clear", next);
    one("#clear").hidden = clear.hidden;
    one("#clear").href = clear.href;
    const address = new URL(response.url);
    ["at", "did", "asked_for", "page"].forEach((name) => address.searchParams.delete(name));
    if (one("#results").dataset.page > 1) address.searchParams.set("page", one("#results").dataset.page);
    history.replaceState(history.state, "", address);
    prepare();
    return true;
  };
  let latest = 0;
  const load = async (address) => {
    const mine = latest += 1;
    try {
      const response = await fetch(address, { credentials: "same-origin" });
      return mine === latest && await replace(response);
    } catch {
      say("The desk does not respond: try again.");
      return false;
    }
  };

  // Filters act at once

  const form = () => one("#filters");
  const apply = () => {
    const query = new URLSearchParams(new FormData(form()));
    for (const [name, value] of [...query]) if (!value || (name === "sort" && value === "waiting")) query.delete(name);
    return load(`/?${query}`);
  };
  let typed = 0;
  const applyIn = (delay) => { // ms
    clearTimeout(typed);
    typed = setTimeout(apply, delay);
  };
  document.addEventListener("input", (event) => { if (event.target.id === "search") applyIn(250); });
  document.addEventListener("change", (event) => {
    if (event.target.matches("#filters select, #filters [type=checkbox][name]")) apply();
    if (event.target.id === "search") applyIn(0); // Escape empties the field: a change, and no input
  });
  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    event.preventDefault();
    clearTimeout(typed);
    apply();
  });

  // Selecting

  const ticks = () => all("#results [name=draft]");
  const count = (number, what) => `${number} ${number === 1 ? "is" : "are"} ${what}`;
  const tally = () => {
    const bulk = one("[data-bulk]");
    if (!bulk) return;
    const ticked = ticks().filter((tick) => tick.checked).map((tick) => tick.closest(".row"));
    const blocked = ticked.filter((row) => row.dataset.must).length;
    const unopened = ticked.filter((row) => !row.dataset.must && !row.dataset.viewed).length;
    const ready = ticked.length - blocked - unopened;
    bulk.hidden = !ticked.length;
    one("#queue-head").classList.toggle("ticking", ticked.length > 0);
    const [approve, reject] = ["approve", "reject"].map((value) => one(`[value=${value}]`, bulk));
    approve.textContent = ready ? `Approve ${ready} (light: not all sections were shown)` : "Approve 0";
    approve.disabled = !ready;
    reject.textContent = `Reject ${ticked.length}`;
    const stays = [];
    if (blocked) stays.push(count(blocked, "blocked by a must"));
    if (unopened) stays.push(count(unopened, "not opened yet"));
    one("[data-stays]", bulk).textContent = stays.length ? `Not approved: ${stays.join(", ")}.` : "";
    const everything = one("#all");
    everything.checked = ticks().every((tick) => tick.checked);
  };
  document.addEventListener("change", (event) => {
    if (event.target.id === "all") ticks().forEach((tick) => { tick.checked = event.target.checked; });
    if (event.target.matches("#all, [name=draft]")) tally();
  });

  // A decision on the chosen row, in place

  const closeForm = () => {
    const open = one("#results .in-row");
    if (!open) return;
    const row = open.closest(".row");
    open.remove();
    one("a.title", row).focus({ preventScroll: true });
  };
  const openForm = (kind) => {
    const row = chosen();
    if (!row) { say("Choose a draft first, with j."); return; }
    if (!row.dataset.waits) { say("This article is published: open it."); return; }
    closeForm();
    const made = one(`#${kind}-form`).content.cloneNode(true).firstElementChild;
    const query = one("#results").dataset.query;
    made.action = `/drafts/${row.dataset.row}/${kind}?${query}${query ? "&" : ""}from=queue`;
    if (kind === "reject") one("[name=sha256]", made).value = row.dataset.sha256;
    if (kind === "redraft" && row.dataset.edited) one("[data-over-edits]", made).hidden = false;
    // The list is a form itself, and no form may stand in another: the script sends this one.
    row.append(made);
    one("input:not([type=hidden])", made).focus();
    row.scrollIntoView({ block: "nearest", behavior: scrolling });
  };
  const send = async (made) => {
    const button = one("button", made);
    if (button.disabled) return;
    button.disabled = true;
    const row = made.closest(".row");
    const index = rows().indexOf(row);
    try {
      const body = new URLSearchParams(new FormData(made));
      const response = await fetch(made.action, { method: "POST", credentials: "same-origin", body });
      if (!response.ok) {
        const plain = (response.headers.get("content-type") || "").startsWith("text/plain");
        one(".error", made).textContent = plain ? await response.text() : "Nothing was changed: open the draft.";
        return;
      }
      const stays = made.dataset.action === "redraft";
      const next = rows()[index + 1] || rows()[index - 1];
      remember({ ref: next ? next.dataset.row : null, index: stays ? index + 1 : index });
      if (await replace(response)) restore({ scroll: true });
    } catch {
      one(".error", made).textContent = "The desk does not respond. Nothing is lost: try again.";
    } finally {
      button.disabled = false;
    }
  };
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".in-row")) return;
    event.preventDefault();
    send(event.target);
  }, true); // a browser does not pass the event on through the form around it
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-cancel]")) closeForm();
    const row = event.target.closest("#results .row");
    if (row && !event.target.closest("a, button, input, label, form")) choose(row, { scroll: false });
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.matches("#results a.title") && event.target.closest(".row");
    if (row && row !== chosen()) choose(row, { focus: false, scroll: false });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest(".in-row")) { event.stopPropagation(); closeForm(); }
  }, true);

  const open = () => (chosen() ? one("a.title", chosen()).click() : say("Choose a draft first, with j."));
  const edit = () => {
    const row = chosen();
    if (!row) say("Choose a draft first, with j.");
    else if (!row.dataset.waits) say("This article is published: open it.");
    else location.href = `/drafts/${row.dataset.row}/edit?${one("#results").dataset.query}`;
  };
  const acts = {
    j: () => step(1),
    k: () => step(-1),
    x: () => { const tick = one("#results .row.on [name=draft]"); if (tick) tick.click(); },
    a: open, // at what is missing: nothing was shown here
    e: edit,
    r: () => openForm("reject"),
    n: () => openForm("redraft"),
  };

  // Coming back

  const restore = ({ scroll = false } = {}) => {
    const { ref, index } = remembered(location.search);
    const listed = rows();
    const same = listed.find((row) => row.dataset.row === ref);
    const row = same || (index === undefined ? null : listed[Math.min(index, listed.length - 1)]);
    if (row) choose(row, { scroll });
    else if (listed.length && scroll) one("main").focus({ preventScroll: true });
  };
  // After the page is loaded, and after a part of it was replaced.
  const prepare = () => {
    all("[data-show]").forEach((button) => { button.hidden = true; });
    all("[data-all], [data-shortcuts]").forEach((each) => { each.hidden = false; });
    const bulk = one("#results [data-bulk]");
    if (bulk) one("#queue-head").append(bulk); // its fields name their form: it may stand above the rows
    tally();
  };
  const comeBack = async () => {
    const at = new URLSearchParams(location.search).get("at");
    if (at) remember({ ref: at, left: false });
    const place = remembered(location.search);
    if (at) { restore({ scroll: true }); return; }
    if (!place.left || location.hash) return;
    remember({ left: false });
    const isListed = place.ref && rows().some((row) => row.dataset.row === place.ref);
    const page = new URLSearchParams(location.search).get("page");
    if (place.ref && !isListed && !page) {
      const query = filtersOf(location.search);
      const where = `at=${place.ref}${place.page > 1 ? `&page=${place.page}` : ""}`;
      await load(`/?${query}${query ? "&" : ""}${where}`);
    }
    scrollTo({ top: place.scroll || 0, behavior: "instant" });
    restore({ scroll: true });
  };
  onReady(() => {
    const draft = REF.exec(location.pathname);
    if (draft) remember({ ref: draft[1], left: true });
    if (!one("#results")) return;
    prepare();
    comeBack();
  });
  addEventListener("pagehide", () => {
    if (one("#results")) remember({ scroll: scrollY, page: Number(one("#results").dataset.page), left: true });
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted && one("#results")) load(location.href).then(comeBack);
  });
  for (const [key, act] of Object.entries(acts)) keys[key] = (event) => { if (rows().length) act(event); };
})();
