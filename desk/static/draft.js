// One draft: findings, claims and their places in draft and source.
"use strict";
(() => {
  const { all, one, keys, onReady, say, act, swap, scrolling } = desk;

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
    const scroll = { block: "center", behavior: scrolling };
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

  Object.assign(keys, {
    f: () => step(1),
    F: () => step(-1),
    g: () => claim(1),
    G: () => claim(-1),
    c: dismiss,
    t: takeFix,
  });

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
  onReady(() => {
    watch();
    chosen = 0;
  });
})();
