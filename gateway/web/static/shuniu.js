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
})();
