// ---- the shelf: search, and items to pick ----

const PAGE = 120;
let found = [];
let onShelf = 0;

// Scripts that put no space between words: there a word may begin anywhere.
const UNSPACED = /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const wordsOf = (text) => plain(text).replace(/[^\p{L}\p{N}]+/gu, " ").trim();
const titles = items.map((item) => ` ${wordsOf(item.title)}`);
const searchable = items.map((item, n) => `${titles[n]} ${wordsOf([item.id, item.text, ...item.details].join(" "))}`);

// The items that have, for each word looked for, a word that begins with it; those that have all in the title first.
function search() {
  const words = wordsOf(at("search").value).split(" ").filter(Boolean);
  const hasAll = (text) => words.every((word) => text.includes(UNSPACED.test(word) ? word : ` ${word}`));
  found = [...items.keys()].filter((number) => hasAll(searchable[number]));
  found.sort((a, b) => hasAll(titles[b]) - hasAll(titles[a]));
  const count = `${items.length.toLocaleString("en")} items`;
  const none = `: no title, text, id or field has words that begin with ${words.map((word) => `“${word}”`).join(" and ")}.`;
  at("found").textContent = words.length
    ? `${found.length.toLocaleString("en")} of ${count}${found.length ? "" : none}`
    : count;
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

