// ---- the shelf: search, and items to pick ----

const PAGE = 120;
let found = [];
let onShelf = 0;

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const searchable = items.map((item) => plain([item.title, item.id, item.text, ...item.details].join(" ")));

function search() {
  const words = plain(at("search").value).split(/\s+/).filter(Boolean);
  found = [...items.keys()].filter((number) => words.every((word) => searchable[number].includes(word)));
  const of = `${items.length.toLocaleString("en")} items`;
  at("found").textContent = words.length ? `${found.length.toLocaleString("en")} of ${of}` : of;
  at("items").replaceChildren();
  onShelf = 0;
  shelve();
}

function shelve() {
  const next = found.slice(onShelf, onShelf + PAGE).map((number) => {
    const item = items[number];
    const button = element("button", { type: "button", tabIndex: -1 }, picture(item, ""), title(item));
    button.dataset.item = number;
    button.addEventListener("click", () => pick(number));
    return element("li", {}, button);
  });
  at("items").append(...next);
  onShelf += next.length;
  at("more").hidden = onShelf >= found.length;
  markShelf();
}

// One stop for the Tab key; the arrow keys move inside.
function markShelf() {
  const buttons = [...at("items").querySelectorAll("button")];
  for (const button of buttons) {
    const chosen = Number(button.dataset.item) === picked;
    button.setAttribute("aria-pressed", chosen);
    button.tabIndex = chosen ? 0 : -1;
  }
  if (buttons.length && !buttons.some((button) => button.tabIndex === 0)) buttons[0].tabIndex = 0;
}

function walkShelf(event) {
  const buttons = [...at("items").querySelectorAll("button")];
  const here = buttons.indexOf(document.activeElement);
  if (here < 0) return;
  const top = buttons[0].offsetTop;
  const across = Math.max(1, buttons.filter((button) => button.offsetTop === top).length);
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across };
  const ends = { Home: 0, End: buttons.length - 1 };
  const there = event.key in ends ? ends[event.key] : here + steps[event.key];
  if (!buttons[there]) return;
  event.preventDefault();
  buttons[here].tabIndex = -1;
  buttons[there].tabIndex = 0;
  buttons[there].focus();
}

