// The queue: choosing a row, selecting drafts.
"use strict";
(() => {
  const { all, one, keys, onReady, scrolling } = desk;

  let row = -1;
  const choose = (by) => {
    const rows = all("[data-row]");
    if (!rows.length) return;
    rows.forEach((each) => each.classList.remove("on"));
    row = Math.max(0, Math.min(rows.length - 1, row + by));
    rows[row].classList.add("on");
    one("a.title", rows[row]).focus({ preventScroll: true });
    rows[row].scrollIntoView({ block: "nearest", behavior: scrolling });
  };

  Object.assign(keys, {
    j: () => choose(1),
    k: () => choose(-1),
    x: () => { const tick = one("[data-row].on input[type=checkbox]"); if (tick) tick.click(); },
  });
  onReady(() => {
    row = -1;
    const everything = one("[data-all]");
    if (everything) everything.hidden = false;
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "all") all("[name=draft]").forEach((each) => { each.checked = event.target.checked; });
  });
})();
