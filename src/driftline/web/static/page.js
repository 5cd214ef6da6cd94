// What every page can do with a keyboard. Without this script every page can be read and used all the same.
"use strict";
(() => {
  const KEYS = [
    ["/", "search"],
    ["j", "next row"],
    ["k", "row before"],
    ["Enter", "open the row"],
    ["[", "earlier or previous"],
    ["]", "later or next"],
    ["?", "these keys"],
    ["Esc", "close, or leave a field"],
  ];

  function make(name, text, ...children) {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    made.append(...children);
    return made;
  }

  const typing = (target) =>
    target instanceof Element && target.closest("input, select, textarea, [contenteditable]") !== null;

  // Rows: one at a time can be reached with Tab, as a list of choices is walked.
  const shown = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.getClientRects().length > 0);

  function step(by) {
    const rows = shown();
    if (rows.length === 0) return;
    const old = rows.findIndex((row) => row.classList.contains("here"));
    const at = old < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(old + by, 0), rows.length - 1);
    rows.forEach((row) => row.classList.remove("here"));
    rows[at].classList.add("here");
    rows[at].tabIndex = -1;
    rows[at].focus({ preventScroll: true });
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    rows[at].scrollIntoView({ block: "nearest", behavior: calm ? "instant" : "auto" });
  }

  function follow(relation) {
    const link = document.querySelector(`a[rel~="${relation}"][href]`);
    if (link) link.click();
  }

  let dialog = null;
  function help() {
    if (dialog === null) {
      const list = make("dl");
      for (const [key, does] of KEYS) list.append(make("dt", "", make("kbd", key)), make("dd", does));
      const title = make("h2", "Keys");
      title.id = "keys-title";
      const close = make("button", "Close");
      dialog = make("dialog", "", title, list, close);
      dialog.className = "keys";
      dialog.setAttribute("aria-labelledby", title.id);
      close.type = "button";
      close.addEventListener("click", () => dialog.close());
      document.body.append(dialog);
    }
    if (!dialog.open) dialog.showModal();
  }

  const ACTIONS = {
    "/": () => document.getElementById("search")?.select(),
    j: () => step(1),
    k: () => step(-1),
    "[": () => follow("prev"),
    "]": () => follow("next"),
    "?": help,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (dialog !== null && dialog.open) return;
    if (event.key === "Enter" && event.target instanceof Element && event.target.matches("[data-row]")) {
      event.preventDefault();
      event.target.querySelector("a[href]")?.click();
    } else if (Object.hasOwn(ACTIONS, event.key)) {
      event.preventDefault();
      ACTIONS[event.key]();
    }
  });

  for (const button of document.querySelectorAll("[data-keys]")) {
    button.hidden = false;
    button.addEventListener("click", help);
  }

  // The browser's own zone, where the server knows it.
  for (const button of document.querySelectorAll("button[data-own-zone]")) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const field = button.form.elements.namedItem("zone");
    if (!zone || ![...field.list.options].some((option) => option.value === zone)) continue;
    button.textContent = `Use this browser's zone (${zone})`;
    button.hidden = false;
    button.addEventListener("click", () => {
      field.value = zone;
      button.form.requestSubmit();
    });
  }

  // Commands can be copied where the browser allows it.
  for (const text of navigator.clipboard ? document.querySelectorAll("pre[data-copy]") : []) {
    const button = make("button", "Copy");
    button.type = "button";
    button.className = "copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
    });
    text.after(button);
  }
})();
