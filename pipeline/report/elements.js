"use strict";
// Everything the data says reaches the page as text or as a base64 picture or sound, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const { items, sets, colourings, details } = data;
const at = (id) => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function picture(item, alternative) {
  if (!item.picture) return element("span", { className: "blank", ariaHidden: "true" }, "no picture");
  return element("img", { src: `data:image/webp;base64,${item.picture}`, alt: alternative });
}

function player(item) {
  if (!item.sound) return "";
  const source = `data:audio/mpeg;base64,${item.sound}`;
  return element("audio", { src: source, controls: true, preload: "none", ariaLabel: `Sound of ${item.title}` });
}

function title(item) {
  return element("bdi", { className: "title", dir: "auto" }, item.title);
}

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
