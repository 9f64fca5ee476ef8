// ---- begin ----

function begin() {
  at("search").addEventListener("input", search);
  at("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && found.length) pick(found[0]);
  });
  at("items").addEventListener("keydown", walkShelf);
  at("more").addEventListener("click", shelve);
  window.addEventListener("hashchange", () => {
    const number = addressed();
    if (number >= 0) pick(number, { remember: false });
  });
  beginMap();
  search();
  pick(Math.max(0, addressed()), { remember: false });
}

if (items.length) begin();
