// Bills of members: one is picked, and a month or all of them.

// What there is to say of energy that was not foreseen.
const unforeseen = (storage) => `Meters read otherwise than was foreseen. Own roof${storage ? " and storage" : ""}, neighbours and `
  + `grid add up to what was consumed and what was passed on to neighbours${storage ? ", the grid or the storage" : " or the grid"}. `
  + "Short and long are settled with the grid, and the amounts beside the grid include them; what cancels within a slot does not "
  + "cross the meter and is not in the energy beside the grid.";

class Bills {
  constructor() {
    this.member = document.getElementById("pick-member");
    this.month = document.getElementById("pick-month");
    if (!this.member) return;
    this.member.addEventListener("change", () => this.showMember());
    this.month.addEventListener("change", () => this.showBill());
    document.getElementById("bill-picker").addEventListener("submit", (event) => event.preventDefault());
  }

  // Shows those of another case.
  show(data) {
    if (!this.member) return;
    document.getElementById("bills").hidden = !data;
    if (!data) return;
    const before = this.member.selectedIndex;
    this.data = data;
    options(this.member, data.members.map(({ label }, index) => [index, label]));
    this.member.selectedIndex = before >= 0 && before < data.members.length ? before : 0;
    this.showMember();
  }

  showMember() {
    const { months } = this.data.members[this.member.selectedIndex];
    const names = months.map(([month]) => month).filter((month) => month);
    const before = this.month.value;
    options(this.month, [["", names.length === 1 ? names[0] : "all"], ...(names.length > 1 ? names.map((name) => [name, name]) : [])]);
    this.month.value = names.includes(before) ? before : "";
    this.month.closest("label").hidden = names.length === 0;
    this.showBill();
    const { columns, currency, storage } = this.data;
    const of = (values, name) => values[columns.indexOf(name)];
    const errs = months.some(([, row]) => of(row, "short") > 0 || of(row, "long") > 0);
    const [energy, money] = [{ unit: "kWh", decimals: 1 }, { unit: currency, decimals: 2 }];
    const kept = [
      ["consumed", energy, (row) => of(row, "consumed")], ["own roof", energy, (row) => of(row, "roof")],
      ...(storage ? [["storage", energy, (row) => of(row, "storage")]] : []), ["neighbours", energy, (row) => of(row, "bought")],
      ["grid", energy, (row) => of(row, "imported")], ...(errs ? [["short", energy, (row) => of(row, "short")]] : []),
      ["to neighbours", energy, (row) => of(row, "sold")], ["into the grid", energy, (row) => of(row, "exported")],
      ...(errs ? [["long", energy, (row) => of(row, "long")]] : []), ["net cost", money, (row) => this.net(row)],
      ["in P2G", money, (row) => of(row, "p2g")], ["saved", money, (row) => of(row, "p2g") - this.net(row)],
    ];
    const table = {
      caption: "Month by month", note: errs ? "Short and long: drawn and fed in beside what had been registered, where meters read otherwise than was foreseen." : null,
      columns: [{ title: "month", unit: null, decimals: null }, ...kept.map(([title, kind]) => ({ title, ...kind }))],
      rows: months.map(([month, row]) => [month, ...kept.map(([, , value]) => value(row))]),
      total: ["all", ...kept.map(([, , value]) => months.reduce((sum, [, row]) => sum + value(row), 0))],
    };
    fillTables(document.getElementById("bill-months"), names.length > 1 ? [table] : []);
  }

  net(row) {
    const of = (name) => row[this.data.columns.indexOf(name)];
    return of("paid") + of("gridPaid") + of("service") + of("network") - of("earned") - of("gridEarned");
  }

  showBill() {
    const { columns, members, currency, storage } = this.data;
    const { months, label } = members[this.member.selectedIndex];
    const wanted = months.filter(([month]) => !this.month.value || month === this.month.value);
    const row = columns.map((_, index) => wanted.reduce((sum, [, values]) => sum + values[index], 0));
    const of = (name) => row[columns.indexOf(name)];
    const net = this.net(row);
    const errs = of("short") > 0 || of("long") > 0;
    // Where meters read otherwise than was foreseen, not all that came was consumed.
    const passed = of("roof") + of("storage") + of("bought") + of("imported") - of("consumed");
    const lines = [
      ["Consumed", of("consumed"), null], ["Own roof, used at once", of("roof"), null],
      ...(storage ? [["Own storage", of("storage"), null]] : []),
      ["From neighbours", of("bought"), of("paid")], ["From the grid", of("imported"), of("gridPaid")],
      ...(errs ? [["Of all this passed on, not consumed", Math.max(0, passed), null]] : []),
      ["Generated", of("generated"), null],
      ["To neighbours", of("sold"), -of("earned")], ["Into the grid", of("exported"), -of("gridEarned")],
      ...(errs ? [["Short: drawn beside what was registered", of("short"), null], ["Long: fed in beside what was registered", of("long"), null]] : []),
      ["Service fee", null, of("service")], ["Grid fee", null, of("network")],
      ["Net cost", null, net],
      [storage ? "In P2G, without market and storage" : "In P2G, without market", null, of("p2g")],
      ["Saved over P2G", null, of("p2g") - net],
      ...(storage ? [["In P2G with storage", null, of("p2gStorage")], ["Saved over P2G with storage", null, of("p2gStorage") - net]] : []),
    ];
    const table = {
      caption: `${label}, ${this.month.value || this.month.selectedOptions[0].textContent}`,
      note: `Amounts that are earned are negative.${errs ? ` ${unforeseen(storage)}` : ""}`,
      plain: true,
      columns: [{ title: "item", unit: null, decimals: null }, { title: "energy", unit: "kWh", decimals: 3 }, { title: "amount", unit: currency, decimals: 2 }],
      rows: lines,
    };
    fillTables(document.getElementById("bill"), [table]);
  }
}
