// What the pages do beyond forms and links: they tell of new alerts, and they
// can be used by keyboard. Without this script everything still works.
"use strict";
(() => {
  const all = (css, from = document) => [...from.querySelectorAll(css)];
  const one = (css, from = document) => from.querySelector(css);
  const list = one("[data-bulk]");
  const rows = list ? all("tbody tr", list) : [];
  const boxes = list ? all("tbody input[type=checkbox]", list) : [];

  // New alerts are counted, not put under the reader's hand.
  const live = one("[data-live]");
  if (live && window.EventSource) {
    const title = document.title;
    let fresh = 0;
    const tell = () => {
      const link = document.createElement("a");
      link.href = location.pathname + location.search;
      link.textContent = fresh + (fresh === 1 ? " new alert" : " new alerts") + ": show";
      live.replaceChildren(link);
      document.title = "(" + fresh + ") " + title;
    };
    const source = new EventSource("/v1/events");
    source.addEventListener("alert", (e) => {
      if (JSON.parse(e.data).status === "suppressed") return; // an exception hides it
      fresh++;
      tell();
    });
    source.addEventListener("reload", () => { fresh++; tell(); });
    source.addEventListener("hello", () => { live.dataset.state = "on"; });
    addEventListener("pagehide", () => source.close());
  }

  // Selection.
  const every = one("[data-every]");
  const count = one("[data-count]");
  const whole = one("[data-whole]");
  const selected = () => boxes.filter((b) => b.checked).length;
  function showCount() {
    if (!list) return;
    const n = selected();
    if (count) count.textContent = whole && whole.checked ? "everything that passes the filter" : n === 0 ? "Nothing selected" : n + " selected";
    if (every) { every.checked = n > 0 && n === boxes.length; every.indeterminate = n > 0 && n < boxes.length; }
  }
  if (list) {
    list.addEventListener("change", (e) => {
      if (e.target === every) boxes.forEach((b) => { b.checked = every.checked; });
      showCount();
    });
    if (every) every.hidden = false;
    showCount();
  }

  // Moving through the list: the focus is the place.
  const here = () => rows.findIndex((r) => r.contains(document.activeElement));
  function move(step) {
    if (rows.length === 0) return;
    const at = here();
    const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1);
    const link = one("a.open", rows[next]);
    if (link) { link.focus(); rows[next].scrollIntoView({ block: "nearest" }); }
  }
  function toggle() {
    const at = here();
    if (at < 0) return;
    const box = one("input[type=checkbox]", rows[at]);
    if (box) { box.checked = !box.checked; showCount(); }
  }
  function choose() { // what is acted upon: the selection, or else the row with the focus
    if (whole && whole.checked || selected() > 0) return true;
    toggle();
    return selected() > 0;
  }

  const press = (css) => { const b = one(css); if (b) b.click(); return Boolean(b); };
  function act(key) {
    const onList = Boolean(list);
    switch (key) {
      case "j": case "ArrowDown": if (key === "j" || here() >= 0) { move(1); return onList; } return false;
      case "k": case "ArrowUp": if (key === "k" || here() >= 0) { move(-1); return onList; } return false;
      case "x": toggle(); return onList;
      case "a": return onList && !choose() ? true : press("[data-key=a]");
      case "c": return onList && !choose() ? true : press("[data-key=c]");
      case "e": case "u": return press("[data-key=" + key + "]");
      case "n": { const note = one("#note"); if (note) note.focus(); return Boolean(note); }
      case "o": { const at = here(); if (at >= 0) one("a.open", rows[at]).click(); return at >= 0; }
      case "r": if (live) { location.reload(); return true; } return false;
      case "/": { const field = one("[data-search]"); if (field) { field.focus(); field.select(); } return Boolean(field); }
      case "?": { const help = one("#keys"); if (help) help.togglePopover(); return Boolean(help); }
    }
    return false;
  }
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    const t = e.target;
    const typing = t.matches("input:not([type=checkbox]), select, textarea") || t.isContentEditable;
    if (typing) { if (e.key === "Escape") t.blur(); return; }
    if (one("[popover]:popover-open") && e.key !== "?") return;
    if (act(e.key)) e.preventDefault();
  });

  // Small helps.
  all("[data-copy]").forEach((b) => {
    b.hidden = !navigator.clipboard;
    b.addEventListener("click", async () => {
      await navigator.clipboard.writeText(one(b.dataset.copy).textContent);
      b.textContent = "Copied";
    });
  });
  all("[data-print]").forEach((b) => { b.hidden = false; b.addEventListener("click", () => print()); });
  all("[data-submit]").forEach((el) => el.addEventListener("change", () => el.form.requestSubmit()));
})();
