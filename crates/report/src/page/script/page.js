// Puts the parts together: the study's charts, the case and the slot that are picked, the tables.

function read(id) {
  const node = document.getElementById(id);
  return node && JSON.parse(node.textContent);
}

function options(select, entries) {
  select.replaceChildren(...entries.map(([value, text]) => element("option", { value }, text)));
}

function startPicker(picks) {
  const [caseSelect, slotSelect] = [document.getElementById("pick-case"), document.getElementById("pick-slot")];
  const [before, after] = [document.getElementById("slot-before"), document.getElementById("slot-after")];
  const day = new ChartList(document.getElementById("day-charts"));
  const slot = slotSelect && new ChartList(document.getElementById("slot-charts"));
  const bills = new Bills();
  const picked = () => picks.cases.find((entry) => entry.case === Number(caseSelect.value));

  function showCase(wanted) {
    const entry = picked();
    document.getElementById("day-of").textContent = `Of ${entry.name}.`;
    document.getElementById("day-of").hidden = picks.cases.length === 1;
    day.show(read(`case-${entry.case}`));
    document.getElementById("day").hidden = document.querySelectorAll("#day .chart").length === 0;
    bills.show(read(`bills-${entry.case}`));
    if (!slotSelect) return;
    options(slotSelect, entry.slots.map(({ slot: number, label }) => [number, label]));
    const number = entry.slots.some((one) => one.slot === wanted) ? wanted : entry.shown;
    slotSelect.value = String(number);
    showSlot();
  }

  function showSlot() {
    const data = read(`slot-${caseSelect.value}-${slotSelect.value}`);
    document.getElementById("slot").hidden = !data;
    if (!data) return;
    document.getElementById("slot-of").replaceChildren(...rich(data.reading));
    slot.show(data);
    fillTables(document.getElementById("slot-trades"), [data.trades]);
    fillTables(document.getElementById("slot-prosumers"), [data.prosumers]);
    before.disabled = slotSelect.selectedIndex <= 0;
    after.disabled = slotSelect.selectedIndex >= slotSelect.length - 1;
  }

  function step(by) {
    slotSelect.selectedIndex += by;
    showSlot();
  }

  options(caseSelect, picks.cases.map((entry) => [entry.case, entry.name]));
  caseSelect.value = String(picks.shown);
  // What leaves no choice is not offered.
  caseSelect.closest("label").hidden = picks.cases.length === 1;
  document.getElementById("picker").hidden = picks.cases.length === 1 && !slotSelect;
  caseSelect.addEventListener("change", () => showCase(slotSelect ? Number(slotSelect.value) : null));
  slotSelect?.addEventListener("change", showSlot);
  before?.addEventListener("click", () => step(-1));
  after?.addEventListener("click", () => step(1));
  document.getElementById("picker").addEventListener("submit", (event) => event.preventDefault());
  showCase(null);
}

startTheme();
const mechanisms = read("mechanisms-data");
if (mechanisms) {
  fillTables(document.getElementById("mechanisms-tables"), mechanisms.tables);
  new ChartList(document.getElementById("mechanisms-charts")).show(mechanisms);
}
const study = read("study-data");
if (study) new ChartList(document.getElementById("study-charts")).show(study);
const picks = read("picks");
if (picks) startPicker(picks);
const tables = document.getElementById("all-tables");
if (tables) fillTables(tables, read("tables-data"));
startPrinting();
