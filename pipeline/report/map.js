// ---- the map ----

const canvas = at("plane");
const EDGE = 18, GRID = 1000, REACH = 14;
let set = sets[sets.length - 1];
let colouring = null;
let group = null;
let hovered = -1;
let points = [];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const groupOf = (number) => (colouring ? colouring.codes[number] : -1);

function shade(code) {
  if (!colouring) return "c0";
  if (code < 0 || code >= colouring.labels.length) return "other";
  if (!colouring.ordered) return `c${code}`;
  return `o${Math.round((4 * code) / Math.max(1, colouring.labels.length - 1))}`;
}

function drawMap() {
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!set || !width) return;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const place = (value, room) => EDGE + (value / GRID) * (room - 2 * EDGE);
  points = set.places.map(([x, y]) => (x < 0 ? null : [place(x, width), place(y, height)]));
  const paints = Object.fromEntries([...Array(8).keys()].map((n) => [`c${n}`, colour(`--c${n}`)]));
  for (let n = 0; n < 5; n++) paints[`o${n}`] = colour(`--o${n}`);
  paints.other = colour("--rest");
  const radius = points.length > 1000 ? 3.2 : 4.5;
  points.forEach((point, number) => {
    if (!point) return;
    const code = groupOf(number);
    pen.globalAlpha = group === null || group === code ? 0.85 : 0.12;
    dot(pen, point, radius, paints[shade(code)]);
  });
  pen.globalAlpha = 1;
  drawPicked(pen, paints, radius);
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
      dot(pen, points[number], radius, paints[shade(groupOf(number))]);
    }
    dot(pen, here, radius + 2, paints[shade(groupOf(picked))]);
    ring(pen, here, radius + 4, 2.5);
  }
  if (points[hovered]) ring(pen, points[hovered], radius + 3, 1.5);
}

function nearest(x, y, reach) {
  let best = -1, least = reach * reach;
  points.forEach((point, number) => {
    if (!point || (group !== null && groupOf(number) !== group)) return;
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
    if (!point || other === number) return;
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

const underPointer = (event) => nearest(event.offsetX, event.offsetY, REACH);

function walkMap(event) {
  const arrows = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const here = hovered >= 0 ? hovered : points[picked] ? picked : points.findIndex(Boolean);
  if (here < 0) return;
  if (event.key in arrows) hover(towards(here, arrows[event.key]));
  else if (event.key === "Enter") pick(here);
  else if (event.key === "Escape") hover(-1);
  else return;
  event.preventDefault();
}

function swatch(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const circle = document.createElementNS(space, "circle");
  for (const [key, value] of [["width", 14], ["height", 14], ["aria-hidden", true]]) svg.setAttribute(key, value);
  for (const [key, value] of [["cx", 7], ["cy", 7], ["r", 6], ["class", name]]) circle.setAttribute(key, value);
  svg.append(circle);
  return svg;
}

function showLegend() {
  const counts = new Map();
  for (const code of colouring ? colouring.codes : []) counts.set(code, (counts.get(code) ?? 0) + 1);
  const codes = [...counts.keys()].sort((a, b) => (a < 0) - (b < 0) || a - b);
  at("legend").replaceChildren(...codes.map((code) => {
    const label = code < 0 ? "none" : colouring.labels[code] ?? "other";
    const count = element("span", { className: "note" }, counts.get(code).toLocaleString("en"));
    const button = element("button", { type: "button" }, swatch(shade(code)), element("bdi", { dir: "auto" }, label), count);
    button.setAttribute("aria-pressed", group === code);
    button.addEventListener("click", () => {
      group = group === code ? null : code;
      showLegend();
      drawMap();
      at("legend").children[codes.indexOf(code)].firstChild.focus();
    });
    return element("li", {}, button);
  }));
}

