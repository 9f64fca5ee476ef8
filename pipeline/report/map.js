// ---- the map: a picture of places, and what is seen of it ----

const canvas = at("plane");
const EDGE = 18, GRID = 4000, REACH = 14, CLOSEST = 20;
// Pictures take the place of dots, as far as they do not cover one another, where no more points are in view.
const MOST_PICTURED = 300, PICTURED = 46;
let set = sets[sets.length - 1];
let colouring = null;
const groups = new Set(); // of the legend; with none, all are shown
let hovered = -1;
let points = []; // in pixels of the canvas
const view = { zoom: 1, x: 0, y: 0 };
let lasso = null; // the line that is being drawn
let listed = new Set();

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const groupOf = (number) => (colouring ? colouring.codes[number] : -1);
const isShown = (number) => points[number] && (!groups.size || groups.has(groupOf(number)));
const inView = ([x, y]) => x >= 0 && y >= 0 && x <= canvas.clientWidth && y <= canvas.clientHeight;

function shade(code) {
  if (!colouring) return "c0";
  if (code < 0 || code >= colouring.labels.length) return "other";
  if (!colouring.ordered) return `c${code}`;
  return `o${Math.round((4 * code) / Math.max(1, colouring.labels.length - 1))}`;
}

function zoomAt(x, y, factor) {
  const zoom = Math.min(Math.max(view.zoom * factor, 1), CLOSEST);
  const change = zoom / view.zoom;
  Object.assign(view, { zoom, x: x - (x - view.x) * change, y: y - (y - view.y) * change });
  drawMap();
}

const zoomMiddle = (factor) => zoomAt(canvas.clientWidth / 2, canvas.clientHeight / 2, factor);

function pan(dx, dy) {
  view.x += dx;
  view.y += dy;
  drawMap();
}

function reveal(number) {
  if (!points[number] || inView(points[number])) return;
  pan(canvas.clientWidth / 2 - points[number][0], canvas.clientHeight / 2 - points[number][1]);
}

function drawMap() {
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!set || !width) return;
  // The map covers the canvas, wherever it was moved.
  view.x = Math.min(0, Math.max(view.x, width * (1 - view.zoom)));
  view.y = Math.min(0, Math.max(view.y, height * (1 - view.zoom)));
  canvas.style.touchAction = view.zoom > 1 || isLassoing() ? "none" : "pan-y";
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const place = (value, room) => EDGE + (value / GRID) * (room - 2 * EDGE);
  points = set.places.map(([x, y]) =>
    x < 0 ? null : [view.x + view.zoom * place(x, width), view.y + view.zoom * place(y, height)]);
  const paints = Object.fromEntries([...Array(8).keys()].map((n) => [`c${n}`, colour(`--c${n}`)]));
  for (let n = 0; n < 5; n++) paints[`o${n}`] = colour(`--o${n}`);
  paints.other = colour("--rest");
  const radius = points.length > 1000 ? 3.2 : 4.5;
  points.forEach((point, number) => {
    if (!point) return;
    pen.globalAlpha = isShown(number) ? 0.85 : 0.12;
    dot(pen, point, radius, paints[shade(groupOf(number))]);
  });
  pen.globalAlpha = 1;
  drawPictures(pen, paints);
  drawPicked(pen, paints, radius);
  drawListed(pen, radius);
}

function dot(pen, [x, y], radius, paint) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = paint;
  pen.fill();
}

function ring(pen, [x, y], radius, width) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.lineWidth = width;
  pen.stroke();
}

const images = new Map();

// The picture of an item once it is decoded; until then nothing, and the map is drawn again.
function decoded(number) {
  if (!images.has(number)) {
    const image = new Image();
    image.onload = drawMap;
    image.src = `data:image/webp;base64,${items[number].picture}`;
    images.set(number, image);
  }
  const image = images.get(number);
  return image.complete && image.naturalWidth ? image : null;
}

let pictured = 0;

function drawPictures(pen, paints) {
  pictured = 0;
  const numbers = [...points.keys()].filter((n) => isShown(n) && inView(points[n]));
  if (numbers.length > MOST_PICTURED) return;
  const first = new Set([picked, ...set.neighbours[picked]]);
  numbers.sort((a, b) => first.has(b) - first.has(a));
  const taken = [];
  for (const number of numbers) {
    const [x, y] = points[number];
    if (!items[number].picture || taken.some(([a, b]) => Math.abs(a - x) < PICTURED && Math.abs(b - y) < PICTURED)) continue;
    taken.push([x, y]);
    const image = decoded(number);
    if (!image) continue;
    const side = PICTURED - 8, most = Math.max(image.naturalWidth, image.naturalHeight);
    const [width, height] = [(side * image.naturalWidth) / most, (side * image.naturalHeight) / most];
    pen.fillStyle = paints[shade(groupOf(number))];
    pen.fillRect(x - width / 2 - 3, y - height / 2 - 3, width + 6, height + 6);
    pen.drawImage(image, x - width / 2, y - height / 2, width, height);
    pictured += 1;
  }
}

// The picked item in a ring, with lines to its neighbours; the hovered one in a thin ring.
function drawPicked(pen, paints, radius) {
  pen.strokeStyle = colour("--ink");
  const here = points[picked];
  if (here) {
    pen.lineWidth = 1;
    for (const number of set.neighbours[picked]) {
      if (!points[number]) continue;
      pen.beginPath();
      pen.moveTo(...here);
      pen.lineTo(...points[number]);
      pen.stroke();
      if (!pictured) dot(pen, points[number], radius, paints[shade(groupOf(number))]);
    }
    if (!pictured) dot(pen, here, radius + 2, paints[shade(groupOf(picked))]);
    ring(pen, here, pictured ? PICTURED / 1.6 : radius + 4, 2.5);
  }
  if (points[hovered]) ring(pen, points[hovered], pictured ? PICTURED / 1.6 : radius + 3, 1.5);
}

function drawListed(pen, radius) {
  pen.strokeStyle = colour("--ink");
  for (const number of listed) if (points[number]) ring(pen, points[number], radius + 1, 1.5);
  if (!lasso) return;
  pen.beginPath();
  for (const point of lasso) pen.lineTo(...point);
  pen.setLineDash([6, 4]);
  pen.lineWidth = 1.5;
  pen.stroke();
}

// ---- the map: what is under the pointer, or beside it ----

function nearest(x, y, reach) {
  let best = -1, least = reach * reach;
  points.forEach((point, number) => {
    if (!isShown(number)) return;
    const distance = (point[0] - x) ** 2 + (point[1] - y) ** 2;
    if (distance < least) [best, least] = [number, distance];
  });
  return best;
}

// Towards an arrow: the nearest point within 45 degrees of its direction.
function towards(number, [dx, dy]) {
  const [x, y] = points[number];
  let best = number, least = Infinity;
  points.forEach((point, other) => {
    if (!isShown(other) || other === number) return;
    const [a, b] = [point[0] - x, point[1] - y];
    const along = a * dx + b * dy, aside = Math.abs(a * dy - b * dx);
    if (along > 0 && aside <= along && along + aside < least) [best, least] = [other, along + aside];
  });
  return best;
}

function hover(number) {
  if (number === hovered) return;
  hovered = number;
  drawMap();
  const box = at("hover");
  box.hidden = number < 0;
  canvas.style.cursor = number < 0 ? "" : "pointer";
  if (number < 0) return;
  const item = items[number], code = groupOf(number);
  const label = colouring && code >= 0 ? `${colouring.name}: ${colouring.labels[code] ?? "other"}` : "";
  box.replaceChildren(picture(item, ""), title(item), element("span", { className: "note", dir: "auto" }, label));
  const [x, y] = points[number];
  const left = x + 16 + box.offsetWidth > canvas.clientWidth ? x - 16 - box.offsetWidth : x + 16;
  box.style.left = `${Math.max(0, left)}px`;
  box.style.top = `${Math.max(0, Math.min(y - 20, canvas.clientHeight - box.offsetHeight))}px`;
  at("hovered").textContent = [item.title, label].filter(Boolean).join(", ");
}

// The picked item and its neighbours beside the map, where one looks.
function showBeside() {
  if (!set) return;
  const item = items[picked];
  const head = element("div", { className: "here" }, picture(item, ""), title(item));
  const [, list] = neighbourList(set);
  const heading = element("h3", {}, `Nearest in ${set.name}`);
  at("beside").replaceChildren(head, heading, list);
}

// ---- the map: mouse, touch and keys ----

const DRAGGED = 4; // pixels that make a drag of a click
const pointers = new Map();
let dragged = false;

const isLassoing = () => at("lasso").getAttribute("aria-pressed") === "true";
const gap = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]);

function press(event) {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
  dragged = pointers.size > 1;
  lasso = pointers.size === 1 && (isLassoing() || event.shiftKey) ? [[event.offsetX, event.offsetY]] : null;
}

function move(event) {
  const here = [event.offsetX, event.offsetY], before = pointers.get(event.pointerId);
  if (!before) return hover(nearest(...here, REACH));
  if (!dragged && gap([before, here]) < DRAGGED) return;
  dragged = true;
  hover(-1);
  const width = pointers.size === 2 ? gap([...pointers.values()]) : 0;
  pointers.set(event.pointerId, here);
  if (lasso) {
    lasso.push(here);
    drawMap();
  } else if (width) {
    const [a, b] = [...pointers.values()];
    zoomAt((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, gap([a, b]) / width);
  } else pan(here[0] - before[0], here[1] - before[1]);
}

function release(event) {
  pointers.delete(event.pointerId);
  if (lasso && dragged) list(points.flatMap((point, n) => (isShown(n) && isInside(point, lasso) ? [n] : [])), "inside the lasso");
  else if (!dragged && event.type === "pointerup") {
    const number = nearest(event.offsetX, event.offsetY, REACH);
    if (number >= 0) pick(number);
  }
  lasso = null;
  drawMap();
}

// By how often a ray from the point to the right crosses the line.
function isInside([x, y], line) {
  let inside = false;
  line.forEach(([a, b], n) => {
    const [c, d] = line[(n || line.length) - 1];
    if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) inside = !inside;
  });
  return inside;
}

function walkMap(event) {
  const arrows = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const zooms = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 0 };
  const here = hovered >= 0 ? hovered : isShown(picked) ? picked : points.findIndex((_, number) => isShown(number));
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key in zooms) {
    const [x, y] = here >= 0 && inView(points[here]) ? points[here] : [canvas.clientWidth / 2, canvas.clientHeight / 2];
    zoomAt(x, y, zooms[event.key]);
  } else if (event.key in arrows && here >= 0) {
    const there = towards(here, arrows[event.key]);
    reveal(there);
    hover(there);
  } else if (event.key === "Enter" && here >= 0) pick(here);
  else if (event.key === "Escape") {
    hover(-1);
    list([], "");
  } else return;
  event.preventDefault();
}

const MOST_LISTED = 200;

// The items that were chosen on the map, below it.
function list(numbers, where) {
  listed = new Set(numbers);
  drawMap();
  at("chosen").hidden = !where;
  if (!where) return;
  const count = numbers.length.toLocaleString("en");
  at("chosen-title").textContent = numbers.length ? `${count} items ${where}` : `No item is ${where}.`;
  at("chosen-items").replaceChildren(...numbers.slice(0, MOST_LISTED).map((number) => {
    const button = element("button", { type: "button" }, picture(items[number], ""), title(items[number]));
    button.addEventListener("click", () => pick(number));
    return element("li", {}, button);
  }));
  if (numbers.length > MOST_LISTED)
    at("chosen-items").append(element("li", { className: "note" }, `and ${(numbers.length - MOST_LISTED).toLocaleString("en")} more`));
}

// ---- the map: colours ----

function swatch(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const circle = document.createElementNS(space, "circle");
  for (const [key, value] of [["width", 14], ["height", 14], ["aria-hidden", true]]) svg.setAttribute(key, value);
  for (const [key, value] of [["cx", 7], ["cy", 7], ["r", 6], ["class", name]]) circle.setAttribute(key, value);
  svg.append(circle);
  return svg;
}

function colourBy(number) {
  colouring = colourings[number] ?? null;
  groups.clear();
  const times = colouring?.times;
  at("map-about").textContent = times
    ? `Two items of one user have the same ${colouring.name} ${times.toFixed(1)} times as often as by chance.`
    : "";
  showLegend();
  drawMap();
}

function showLegend() {
  const counts = new Map();
  for (const code of colouring ? colouring.codes : []) counts.set(code, (counts.get(code) ?? 0) + 1);
  const codes = [...counts.keys()].sort((a, b) => (a < 0) - (b < 0) || a - b);
  at("legend").replaceChildren(...codes.map((code) => {
    const label = code < 0 ? "none" : colouring.labels[code] ?? "other";
    const count = element("span", { className: "note" }, counts.get(code).toLocaleString("en"));
    const button = element("button", { type: "button" }, swatch(shade(code)), element("bdi", { dir: "auto" }, label), count);
    button.setAttribute("aria-pressed", groups.has(code));
    button.addEventListener("click", () => {
      if (!groups.delete(code)) groups.add(code);
      button.setAttribute("aria-pressed", groups.has(code));
      drawMap();
    });
    return element("li", {}, button);
  }));
}

function beginMap() {
  at("map-set").append(...sets.map(({ name }) => element("option", { value: name, selected: name === set?.name }, name)));
  const names = [...colourings.map(({ name }) => name), "nothing"];
  at("map-colour").append(...names.map((name, n) => element("option", { value: n }, name)));
  at("map-set").addEventListener("change", (event) => {
    set = sets[event.target.selectedIndex];
    hover(-1);
    list([], "");
    showBeside();
  });
  at("map-colour").addEventListener("change", (event) => colourBy(event.target.selectedIndex));
  for (const [name, factor] of [["closer", 1.5], ["farther", 1 / 1.5], ["whole", 0]])
    at(name).addEventListener("click", () => zoomMiddle(factor));
  at("lasso").addEventListener("click", () => {
    at("lasso").setAttribute("aria-pressed", !isLassoing());
    drawMap();
  });
  at("in-view").addEventListener("click", () =>
    list(points.flatMap((point, number) => (isShown(number) && inView(point) ? [number] : [])), "in view"));
  at("unlist").addEventListener("click", () => list([], ""));
  canvas.addEventListener("pointerdown", press);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => hover(-1));
  canvas.addEventListener("blur", () => hover(-1));
  canvas.addEventListener("dblclick", (event) => zoomAt(event.offsetX, event.offsetY, 2));
  // A wheel alone scrolls the page; with a key, or two fingers on a touchpad, it zooms.
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoomAt(event.offsetX, event.offsetY, Math.exp(-event.deltaY / 200));
  }, { passive: false });
  canvas.addEventListener("keydown", walkMap);
  new ResizeObserver(drawMap).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
  colourBy(0);
}
