// ---- the catalogue's quality: items that were found get their picture, and a click picks them ----

for (const button of document.querySelectorAll("#quality button[data-item]")) {
  const number = Number(button.dataset.item);
  const item = items[number];
  button.prepend(picture(item, ""));
  button.addEventListener("click", () => pick(number, { focus: true }));
  const list = button.closest(".findings");
  if (list.classList.contains("alone") && item.text) button.append(element("span", { className: "note words", dir: "auto" }, item.text));
  if (list.dataset.sounds !== undefined) button.after(player(item));
}
