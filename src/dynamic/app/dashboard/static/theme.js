// Sets the chosen theme before anything is painted; without a choice the system's holds.
"use strict";
(() => {
  const kept = localStorage.getItem("dynamic-theme");
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
})();
