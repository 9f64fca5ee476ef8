// ---- tables: sorted by a click or a key, and copied as CSV ----

// A cell's value: the number behind what it shows, else its text.
function cellValue(cell) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

// Numbers before words, and empty cells last whichever way the others go.
function order(a, b, way) {
  if (a === "" || b === "") return (a === "") - (b === "");
  if (typeof a !== typeof b) return way * (typeof a === "number" ? -1 : 1);
  return way * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
}

function sortBy(table, heading) {
  const way = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
  const column = heading.cellIndex;
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => order(cellValue(a.cells[column]), cellValue(b.cells[column]), way));
  table.tBodies[0].append(...rows);
}

// As RFC 4180 has it.
function csv(table) {
  const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const line = (row) => [...row.cells].map((cell) => quoted(String(cellValue(cell)))).join(",");
  return [...table.rows].map(line).join("\r\n");
}

// Where a browser does not let a page write to the clipboard, the text is there to be copied by hand.
async function copyTable(table, said) {
  try {
    await navigator.clipboard.writeText(csv(table));
    said.textContent = "Copied.";
  } catch {
    const text = element("textarea", { readOnly: true, value: csv(table), ariaLabel: "The table as CSV" });
    said.replaceChildren("The browser does not let this page copy; here it is: ", text);
    text.select();
  }
}

for (const table of document.querySelectorAll("table.sorted")) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = element("button", { type: "button" }, ...heading.childNodes);
    button.addEventListener("click", () => sortBy(table, heading));
    heading.append(button);
  }
  const said = element("span", { className: "note", role: "status" });
  const copy = element("button", { type: "button" }, "Copy as CSV");
  copy.addEventListener("click", () => copyTable(table, said));
  table.parentElement.after(element("p", { className: "copy" }, copy, said));
}
