// ---- begin ----

function begin() {
  at("map-set").append(...sets.map(({ name }) => element("option", { value: name, selected: name === set?.name }, name)));
  const names = [...colourings.map(({ name }) => name), "nothing"];
  at("map-colour").append(...names.map((name, n) => element("option", { value: n }, name)));
  colouring = colourings[0] ?? null;
  at("search").addEventListener("input", search);
  at("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && found.length) pick(found[0]);
  });
  at("items").addEventListener("keydown", walkShelf);
  at("more").addEventListener("click", shelve);
  at("map-set").addEventListener("change", (event) => {
    set = sets[event.target.selectedIndex];
    hover(-1);
    drawMap();
  });
  at("map-colour").addEventListener("change", (event) => {
    [colouring, group] = [colourings[event.target.selectedIndex] ?? null, null];
    showLegend();
    drawMap();
  });
  canvas.addEventListener("pointermove", (event) => hover(underPointer(event)));
  canvas.addEventListener("pointerleave", () => hover(-1));
  canvas.addEventListener("blur", () => hover(-1));
  canvas.addEventListener("click", (event) => {
    const number = underPointer(event);
    if (number >= 0) pick(number);
  });
  canvas.addEventListener("keydown", walkMap);
  new ResizeObserver(drawMap).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
  window.addEventListener("hashchange", () => {
    const number = addressed();
    if (number >= 0) pick(number, { remember: false });
  });
  showLegend();
  search();
  pick(Math.max(0, addressed()), { remember: false });
}

if (items.length) begin();
