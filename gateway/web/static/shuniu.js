// What pages do beyond HTML: warn before a session ends, copy, hide what was revealed, keys.
// Everything works without it; nothing is stored, and no value stands anywhere but in the page's own nodes.
"use strict";
(() => {
  const say = (text) => { const place = document.getElementById("said"); if (place) place.textContent = text; };
  const token = () => document.getElementById("session-end")?.dataset.csrf ?? "";

  // ── the end of the session ──────────────────────────────────────────────────────────────────────────────────────
  const dialog = document.getElementById("session-end");
  const WARN_BEFORE = 120_000;
  let timer = 0;
  const show = (part) => {
    for (const one of dialog.querySelectorAll("[data-while]")) one.hidden = one.dataset.while !== part;
    if (!dialog.open) dialog.showModal();
  };
  const take = (session) => {
    dialog.dataset.idleAt = session.idle_at;
    dialog.dataset.endsAt = session.ends_at;
    dialog.dataset.csrf = session.csrf_token;
    for (const one of document.querySelectorAll("input[name=csrf_token]")) one.value = session.csrf_token;
  };
  const ask = async (method) => {
    try {
      const answer = await fetch("/v1/session", { method, headers: { "X-CSRF-Token": token() }, cache: "no-store" });
      if (answer.ok) { take(await answer.json()); return true; }
      return answer.status === 401 ? false : null;
    } catch { return null; }
  };
  const watch = () => {
    clearTimeout(timer);
    const left = Math.min(Date.parse(dialog.dataset.idleAt), Date.parse(dialog.dataset.endsAt)) - Date.now();
    timer = setTimeout(look, Math.min(Math.max(left - WARN_BEFORE, 1_000), 2_000_000_000));
  };
  const look = async () => {
    // Another tab may have used the session meanwhile.
    const alive = await ask("GET");
    const left = Date.parse(dialog.dataset.idleAt) - Date.now();
    if (alive === false) return show("over");
    if (left <= WARN_BEFORE) { show("running"); timer = setTimeout(look, Math.max(left, 1_000)); return; }
    if (dialog.open) dialog.close();
    watch();
  };
  if (dialog) {
    dialog.addEventListener("click", async (event) => {
      const act = event.target.closest("[data-act]")?.dataset.act;
      if (!act) return;
      const alive = await ask(act === "extend" ? "POST" : "GET");
      if (alive) { dialog.close(); watch(); } else if (alive === false) show("over");
    });
    watch();
  }

  // ── numbers that are shown for a minute ─────────────────────────────────────────────────────────────────────────
  const SHOWN_SECONDS = 60;
  const hide = (why) => {
    for (const one of document.querySelectorAll("[data-revealed]")) {
      const slot = one.closest(".reveal-slot");
      const opener = slot?.previousElementSibling;
      one.remove();
      if (why === "asked") (opener ?? document.getElementById("main")).focus();
    }
  };
  const revealed = (root) => {
    const one = root.querySelector?.("[data-revealed]:not([data-watched])");
    if (!one) return;
    one.dataset.watched = "";
    for (const button of one.querySelectorAll("[data-act=hide]")) button.hidden = false;
    one.querySelector("[tabindex]").focus();
    say(one.querySelector("small").textContent);
    setTimeout(() => hide("time"), SHOWN_SECONDS * 1_000);
  };
  addEventListener("blur", () => hide("left"));
  addEventListener("pagehide", () => hide("left"));
  document.addEventListener("visibilitychange", () => { if (document.hidden) hide("left"); });

  // ── copying: what is copied is read from the page, and a number that is not shown cannot be ─────────────────────
  const copied = async (text) => {
    if (navigator.clipboard) { try { await navigator.clipboard.writeText(text); return true; } catch { /* below */ } }
    const place = document.createElement("textarea");
    place.value = text;
    place.className = "unseen";
    document.body.append(place);
    place.select();
    const done = document.execCommand("copy");
    place.remove();
    return done;
  };
  const copy = async (button) => {
    if (button.getAttribute("aria-disabled") === "true") return;
    const label = button.firstChild;
    const before = label.textContent;
    const zh = document.documentElement.lang.startsWith("zh");
    const done = await copied(document.getElementById(button.dataset.copy).textContent.trim());
    label.textContent = done ? (zh ? "已复制" : "Copied") : (zh ? "请按 Ctrl+C" : "Press Ctrl+C");
    say(label.textContent);
    button.setAttribute("aria-disabled", "true");
    setTimeout(() => { label.textContent = before; button.removeAttribute("aria-disabled"); }, 4_000);
  };

  // ── what only a script can do is offered only where there is one ────────────────────────────────────────────────
  const offer = (root) => {
    for (const one of root.querySelectorAll?.("[data-copy], [data-act=print], [data-keys]") ?? []) one.hidden = false;
    revealed(root);
  };

  // ── a work order that is closed closes the page's powers ────────────────────────────────────────────────────────
  const close = () => {
    if (!document.querySelector("[data-closed]")) return;
    hide("closed");
    for (const one of document.querySelectorAll("[data-needs-open]")) one.remove();
    for (const one of document.querySelectorAll(".reveal-slot")) one.replaceChildren();
  };

  // ── an answer that arrives in pieces ────────────────────────────────────────────────────────────────────────────
  let titled = false;
  const arrived = () => {
    const title = document.getElementById("answer-title");
    if (!title) return;
    if (!titled || document.activeElement === document.body) title.focus();
    titled = true;
    const address = title.dataset.address;
    if (address && location.pathname !== address) {
      // A reload shows the stored answer; no agency is asked again.
      history.replaceState(null, "", address);
      for (const one of document.querySelectorAll(".look input[name=to]")) one.value = address;
    }
  };
  document.addEventListener("htmx:before:request", (event) => { if (event.target.id === "ask") titled = false; });
  for (const name of ["htmx:after:swap", "htmx:after:process", "htmx:sse:after:message"]) {
    document.addEventListener(name, () => { offer(document); close(); arrived(); });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy], [data-act]");
    if (!button) return;
    if (button.dataset.copy) copy(button);
    if (button.dataset.act === "hide") hide("asked");
    if (button.dataset.act === "print") print();
  });

  // ── keys, all with a modifier ───────────────────────────────────────────────────────────────────────────────────
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return;
    const party = /^Digit([1-9])$/.exec(event.code);
    const act = {
      KeyL: () => document.getElementById("look-up")?.click(),
      KeyP: () => (document.querySelector("[data-act=print]") ?? document.getElementById("print-record"))?.click(),
    }[event.code] ?? (party && (() => document.querySelector(`[data-party="${party[1]}"]`)?.click()));
    if (act) { event.preventDefault(); act(); }
  });

  offer(document);
  close();
})();
