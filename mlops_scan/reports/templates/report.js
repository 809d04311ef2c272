"use strict";
(() => {
  const words = document.getElementById("words");
  const state = document.getElementById("state");
  const told = document.getElementById("told");
  const items = [...document.querySelectorAll("[data-state]")];
  const text = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
  const groups = [...document.querySelectorAll("[data-group]")];
  const folds = [...document.querySelectorAll("details")];

  function filter() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      const states = item.dataset.state.split(" ");
      const fits = (!state.value || states.includes(state.value)) && wanted.every((word) => text.get(item).includes(word));
      item.hidden = !fits;
      shown += fits;
    }
    for (const group of groups) {
      group.hidden = !group.querySelector("[data-state]:not([hidden])");
    }
    told.textContent = wanted.length || state.value ? `${shown} of ${items.length} entries shown` : "";
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#about-"]');
    const fold = link && document.getElementById(link.hash.slice(1));
    if (fold) {
      fold.open = true;
      fold.closest("[data-state]").hidden = false;
    }
  });
  words.addEventListener("input", filter);
  state.addEventListener("change", filter);
  document.getElementById("open").addEventListener("click", () => folds.forEach((fold) => { fold.open = true; }));
  document.getElementById("close").addEventListener("click", () => folds.forEach((fold) => { fold.open = false; }));
  let before = [];
  window.addEventListener("beforeprint", () => {
    before = folds.map((fold) => fold.open);
    folds.forEach((fold) => { fold.open = true; });
  });
  window.addEventListener("afterprint", () => folds.forEach((fold, number) => { fold.open = before[number]; }));
  document.documentElement.classList.remove("no-script");
})();
