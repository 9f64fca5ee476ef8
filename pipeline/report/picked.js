// ---- the picked item: one for the whole page, and part of its address ----

let picked = 0;

function pick(number, { focus = false, remember = true } = {}) {
  picked = number;
  showPicked();
  markShelf();
  showBeside();
  drawMap();
  if (remember) history.replaceState(null, "", `#item=${encodeURIComponent(items[number].id)}`);
  if (focus) at("picked").focus({ preventScroll: false });
}

function addressed() {
  const match = /^#item=(.*)$/.exec(location.hash);
  if (!match) return -1;
  try {
    const id = decodeURIComponent(match[1]);
    return items.findIndex((item) => item.id === id);
  } catch {
    return -1; // an address somebody mangled
  }
}

function showPicked() {
  const item = items[picked];
  const facts = element("dl");
  for (const [name, value] of [["id", item.id], ...details.map((name, n) => [name, item.details[n]])])
    if (value) facts.append(element("dt", {}, name), element("dd", { dir: "auto" }, value));
  const words = element("div", {}, element("h3", { dir: "auto" }, item.title));
  words.append(player(item), element("p", { className: "note", dir: "auto" }, item.text), facts);
  at("picked").replaceChildren(picture(item, `Picture of ${item.title}`), words);
  at("neighbours").replaceChildren(...sets.map((set) => element("section", { className: "near" }, ...neighbourList(set))));
}

// A heading and the neighbours of the picked item in a set, as buttons that pick one.
function neighbourList(set) {
  const list = element("ol");
  set.neighbours[picked].forEach((number, rank) => {
    const item = items[number];
    const cosine = element("span", { className: "note" }, (set.cosines[picked][rank] / 100).toFixed(2));
    const words = element("span", {}, contrasted(item, items[picked]), cosine);
    const button = element("button", { type: "button" }, picture(item, ""), words);
    button.dataset.item = number;
    button.addEventListener("click", () => pick(number, { focus: button.closest("#neighbours") !== null }));
    for (const event of ["mouseenter", "focus"]) button.addEventListener(event, () => markSame(number));
    for (const event of ["mouseleave", "blur"]) button.addEventListener(event, () => markSame(-1));
    list.append(element("li", {}, button));
  });
  const empty = element("p", { className: "note" }, "This set has no vector for the item.");
  return [element("h4", {}, set.name), list.children.length ? list : empty];
}

// Of a title that begins as another does, so much that it hides where they part.
const LONG_BEGINNING = 16;

// A title beside another: a long beginning that both share stands back, words of its own stand out.
function contrasted(item, other) {
  const words = item.title.split(/(?<=\s)/), others = other.title.split(/(?<=\s)/);
  const shared = new Set(others.map((word) => plain(word.trim())));
  const isOwn = (word) => !shared.has(plain(word.trim()));
  let start = words.findIndex((word, n) => word !== others[n]);
  if (words.slice(0, Math.max(start, 0)).join("").length < LONG_BEGINNING) start = 0;
  const bdi = element("bdi", { className: "title", dir: "auto", title: item.title });
  if (start > 0) {
    const dots = element("span", { ariaHidden: "true" }, "… ");
    bdi.append(element("span", { className: "unseen" }, words.slice(0, start).join("")), dots);
  }
  const some = words.some((word) => !isOwn(word));
  for (const word of words.slice(start)) bdi.append(some && isOwn(word) ? element("b", {}, word) : word);
  return bdi;
}

// The same item under several sets lights up in all of them.
function markSame(number) {
  for (const button of at("neighbours").querySelectorAll("button"))
    button.classList.toggle("same", button.dataset.item === String(number));
}
