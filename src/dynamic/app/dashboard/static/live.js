// Keeps an open page alive: asks for what changed, replaces only that, and never under somebody's hands.
"use strict";
(() => {
  const body = document.body;
  const sign = document.getElementById("live");
  const every = Number(body.dataset.pollMs);

  const busy = (box) => box.contains(document.activeElement) && document.activeElement.matches("input, textarea, select, button, summary");

  const swap = (name, part) => {
    for (const box of document.querySelectorAll(`[data-fragment="${name}"]`)) {
      if (box.dataset.digest === part.digest || busy(box)) continue;
      const focused = box.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      const at = [...box.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
      box.innerHTML = part.html;
      box.dataset.digest = part.digest;
      box.querySelectorAll(".scroll").forEach((each, index) => { each.scrollLeft = at[index] || 0; });
      if (focused) box.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
      box.classList.remove("changed");
      void box.offsetWidth;
      if (name !== "strip") box.classList.add("changed");
    }
    reach();
  };

  const ask = async () => {
    const seen = [...document.querySelectorAll("[data-fragment]")].map((box) => `${box.dataset.fragment}:${box.dataset.digest}`).join(",");
    const answer = await fetch(`/ui/live/${body.dataset.page}?range=${body.dataset.range}&seen=${encodeURIComponent(seen)}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const found = await answer.json();
    for (const [name, part] of Object.entries(found.fragments)) swap(name, part);
    await window.dynamicCharts.refresh(found.charts);
  };

  const turn = async () => {
    try {
      if (!document.hidden) await ask();
      sign.classList.remove("lost");
      sign.textContent = "live";
    } catch {
      sign.classList.add("lost");
      sign.textContent = "not connected: figures are old";
    }
    setTimeout(turn, every);
  };

  // A table that scrolls sideways can be reached and scrolled with the keyboard.
  const reach = () => {
    for (const box of document.querySelectorAll(".scroll")) {
      if (box.scrollWidth > box.clientWidth) { box.tabIndex = 0; box.setAttribute("role", "region"); box.setAttribute("aria-label", "Table, scrolls sideways"); }
      else { box.removeAttribute("tabindex"); box.removeAttribute("role"); box.removeAttribute("aria-label"); }
    }
  };

  const theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : !matchMedia("(prefers-color-scheme: light)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("dynamic-theme", root.dataset.theme);
    window.dynamicCharts.repaint();
  });

  const dialog = document.getElementById("stop-dialog");
  document.getElementById("stop").addEventListener("click", (event) => { event.preventDefault(); dialog.showModal(); });

  sign.hidden = false;
  reach();
  addEventListener("resize", reach);
  setTimeout(turn, every);
})();
