// Tables whose headings are buttons that sort, but for `plain` ones, whose lines have an order. Rows are made as they are
// asked for; a `total` stands below them.

const FIRST = 24;
const MORE = 2000;
const collator = new Intl.Collator("en", { numeric: true });

function cellText(value, { decimals }) {
  if (value === null) return "–";
  if (typeof value !== "number") return value;
  const text = decimals === null ? String(value) : value.toFixed(decimals);
  const [whole, rest] = text.split(".");
  const grouped = whole.length > 4 && !whole.includes("e") ? whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") : whole;
  return (rest === undefined ? grouped : `${grouped}.${rest}`).replace("-", "\u2212");
}

function compare(one, other) {
  // What is undefined comes last, whichever way the rest is sorted.
  if (one === null || other === null) return null;
  return typeof one === "number" && typeof other === "number" ? one - other : collator.compare(one, other);
}

function sortedBy(rows, column, sign) {
  return [...rows].sort((one, other) => {
    const order = compare(one[column], other[column]);
    return order === null ? (one[column] === null) - (other[column] === null) : sign * order;
  });
}

function tableNode({ caption, columns, rows, note, plain, total }) {
  let [shown, sorted, sort] = [Math.min(FIRST, rows.length), rows, { column: -1, sign: 1 }];
  const isNumber = columns.map((_, index) => rows.every((row) => row[index] === null || typeof row[index] === "number"));
  const body = element("tbody");
  const more = element("button", { type: "button" });
  const heads = columns.map((column, index) => {
    const unit = column.unit ? [element("small", {}, ` ${column.unit}`)] : [];
    const kind = { scope: "col", class: isNumber[index] ? "number" : "" };
    if (plain) return element("th", kind, column.title, ...unit);
    const button = element("button", { type: "button", onclick: () => sortBy(index) }, column.title, ...unit);
    return element("th", { ...kind, "aria-sort": "none" }, button);
  });

  function line(row) {
    const cells = row.map((value, index) => {
      const cell = document.createElement("td");
      if (isNumber[index]) cell.className = "number";
      cell.textContent = cellText(value, columns[index]);
      return cell;
    });
    return element("tr", {}, ...cells);
  }

  function fill() {
    body.replaceChildren(...sorted.slice(0, shown).map(line));
    const left = rows.length - shown;
    more.hidden = left === 0;
    more.textContent = left <= MORE ? `Show all ${cellText(rows.length, { decimals: null })} rows` : `Show ${MORE} more of ${cellText(rows.length, { decimals: null })} rows`;
  }

  function sortBy(column) {
    sort = { column, sign: sort.column === column ? -sort.sign : 1 };
    sorted = sortedBy(rows, column, sort.sign);
    heads.forEach((head, index) => head.setAttribute("aria-sort", index !== column ? "none" : sort.sign > 0 ? "ascending" : "descending"));
    fill();
  }

  more.addEventListener("click", () => {
    shown = Math.min(rows.length, shown + MORE);
    fill();
  });
  fill();
  const foot = total ? [element("tfoot", {}, line(total))] : [];
  const table = element("table", { class: plain ? "data lines" : "data" }, element("thead", {}, element("tr", {}, ...heads)), body, ...foot);
  const scroll = element("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": caption }, table);
  const node = element("div", { class: "table" }, element("h3", {}, caption), scroll, more);
  if (note) node.append(element("p", { class: "note" }, ...rich(note)));
  return node;
}

function fillTables(container, tables) {
  container.replaceChildren(...tables.filter((table) => table && table.rows.length > 0).map(tableNode));
}
