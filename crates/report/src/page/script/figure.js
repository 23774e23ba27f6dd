// From a chart, as the report's program makes it, to a figure of Plotly.

const NUMBER = ".5~g";

// So many signs fit along an axis on a phone.
const LINE = 26;

// The library takes signs in texts for markup; in names none is meant.
const literal = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_SECONDS = 24 * 3600;

// What each moment along an axis is called, by the zone's clocks; an hour that they show twice is another the second time.
function momentNames({ count, start, step, changes }) {
  const shifts = new Map(changes);
  const called = new Set();
  let time = Date.parse(`${start}Z`) / 1000;
  return Array.from({ length: count }, (_, place) => {
    time += shifts.get(place) ?? 0;
    const at = new Date(time * 1000);
    time += step;
    const date = `${DAYS[at.getUTCDay()]} ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
    const clock = at.toISOString().slice(11, at.getUTCSeconds() ? 19 : 16);
    const name = step === DAY_SECONDS ? `${date} ${at.getUTCFullYear()}` : `${date} ${clock}`;
    const own = called.has(name) ? `${name} again` : name;
    called.add(own);
    return own;
  });
}

// Along an axis names have so many letters.
const LETTERS = 22;
const short = (name) => ([...name].length > LETTERS ? `${[...name].slice(0, LETTERS - 1).join("")}…` : name);

function literalAxis(axis) {
  const { label, scale } = axis;
  const plain = { ...axis, label: literal(label), unit: axis.unit && literal(axis.unit) };
  if (scale.moments) return { ...plain, scale: { names: momentNames(scale.moments), ticks: scale.moments.ticks } };
  return { ...plain, scale: scale.names ? { names: scale.names.map(literal), written: scale.names.map(short).map(literal) } : scale };
}

function literalChart(chart) {
  const layer = (one) => ({ ...one, name: one.name && literal(one.name), ...(one.values ? { values: literalAxis(one.values) } : {}) });
  return { ...chart, x: literalAxis(chart.x), y: literalAxis(chart.y), layers: chart.layers.map(layer) };
}

// What stands along an axis, in lines.
function words(axis) {
  const text = axis.unit ? `${axis.label} [${axis.unit}]` : axis.label;
  return text.split(" ").reduce((lines, word) => {
    const last = lines.at(-1);
    return last && last.length + word.length < LINE ? [...lines.slice(0, -1), `${last} ${word}`] : [...lines, word];
  }, []).join("<br>");
}

// Below this numbers are written with powers of ten; prefixes, as in 3 m, are for units, and the label has the unit.
const SMALL = 1e-3;

// Over a few decades 1, 2 and 5 of each are written: all digits would touch. Fewer or more are left to the library.
function logarithmicTicks(values) {
  const positive = values.filter((value) => value > 0);
  const [least, most] = [positive.reduce((a, b) => Math.min(a, b), Infinity), positive.reduce((a, b) => Math.max(a, b), 0)];
  const decades = Math.log10(most / least);
  return decades > 0.8 && decades < 3 ? { dtick: "D2" } : {};
}

function axisOf(axis, ink, values) {
  const { scale } = axis;
  const powers = scale === "logarithmic" || values.every((value) => Math.abs(value) < SMALL);
  const base = {
    title: { text: words(axis), font: { size: 12 }, standoff: 8 },
    hoverformat: NUMBER, gridcolor: ink.grid, linecolor: ink.line, zerolinecolor: ink.line,
    tickfont: { size: 11 }, fixedrange: false, 
    exponentformat: powers ? "power" : "none", separatethousands: true,
  };
  if (scale === "logarithmic") return { ...base, type: "log", minor: { showgrid: false }, ...logarithmicTicks(values) };
  if (scale === "from zero") return { ...base, type: "linear", rangemode: "tozero" };
  // A little beyond the upper bound, so that what lies on it is seen whole.
  if (Array.isArray(scale)) return { ...base, type: "linear", range: [scale[0], scale[1] + 0.02 * (scale[1] - scale[0])] };
  if (scale.names) {
    const range = [-0.5, scale.names.length - 0.5];
    // Moments have names of their own, and ticks at few of them.
    const ticks = scale.ticks && { tickmode: "array", tickvals: scale.ticks.map(([place]) => scale.names[place]), ticktext: scale.ticks.map(([, text]) => text) };
    return { ...base, type: "category", categoryorder: "array", categoryarray: scale.names, range, showgrid: Boolean(ticks), ...ticks };
  }
  return { ...base, type: "linear" };
}

// Charts narrower than this have no room for words that their titles have too [px].
const NARROW = 420;
// So many names are written along an axis of a field of colors, along one of a narrow field, and up an axis.
const MOST_NAMES = [24, 8, 12];

// An axis of a field of colors has names at 0, 1, 2 and so on, and places between them, where bounds are.
function fieldAxisOf(axis, ink, values, width, up) {
  const { names, written, ticks } = axis.scale;
  if (!names) return axisOf(axis, ink, values);
  if (ticks) {
    return {
      ...axisOf({ ...axis, scale: "linear" }, ink, values), range: [-0.5, names.length - 0.5],
      tickmode: "array", tickvals: ticks.map(([place]) => place), ticktext: ticks.map(([, text]) => text), showgrid: false, zeroline: false,
    };
  }
  const each = Math.ceil(names.length / (up && names.length > 14 ? MOST_NAMES[2] : MOST_NAMES[Number(width < NARROW && !up)]));
  const at = names.map((_, index) => index).filter((index) => index % each === 0);
  return {
    ...axisOf({ ...axis, scale: "linear" }, ink, values), range: [-0.5, names.length - 0.5],
    tickmode: "array", tickvals: at, ticktext: at.map((index) => written[index]), showgrid: false, zeroline: false,
  };
}

// A value on an axis of names is the position of one.
function named(axis, values) {
  const { names } = axis.scale;
  return names ? values.map((value) => names[value]) : values;
}

// How a line is drawn: as the chart says, but those that share a color with an earlier one are broken otherwise.
function strokeOf({ color: series, stroke }) {
  const again = series === null ? 0 : Math.floor(series / SERIES);
  return stroke === "solid" && again > 0 ? (again === 1 ? "dash" : "dot") : stroke;
}

// Points are told apart by their shape too; that of theory leaves room for a result within.
function shapeOf({ color: series }) {
  if (series === null) return { symbol: "circle-open", size: 9, line: { width: 1.5 } };
  return { symbol: ["circle", "square", "triangle-up", "diamond"][series % 4], size: 7, opacity: 0.85 };
}

// The places of a band in pieces between its gaps.
function parted(lower, upper) {
  const pieces = [[]];
  lower.forEach((low, n) => { if (low === null || upper[n] === null) pieces.push([]); else pieces.at(-1).push(n); });
  return pieces.filter(({ length }) => length > 0);
}

function traceOf(chart, layer, column, width) {
  const paint = layerColor(chart, layer);
  const said = chart.y.scale.names ? `%{y}: %{x:${NUMBER}}` : `%{y:${NUMBER}}`;
  const common = { name: layer.name ?? "", showlegend: false, hovertemplate: layer.name ? undefined : `${said}<extra></extra>` };
  const field = isField(chart);
  const x = () => (field ? column(layer.x) : named(chart.x, column(layer.x)));
  const y = () => (field ? column(layer.y) : named(chart.y, column(layer.y)));
  switch (layer.mark) {
    case "line":
    case "steps": {
      // On an axis of names a value holds as far as its name does.
      const shape = layer.mark === "line" ? "linear" : chart.x.scale.names ? "hvh" : "hv";
      const line = { color: paint, width: field ? 3 : layer.color === null ? 1.5 : 2, dash: strokeOf(layer), shape };
      return { ...common, type: "scatter", mode: "lines", x: x(), y: y(), line, connectgaps: false };
    }
    case "points":
      return { ...common, type: "scatter", mode: "markers", x: x(), y: y(), marker: { color: paint, ...shapeOf(layer) } };
    case "bars":
    case "stack":
      return { ...common, type: "bar", x: x(), y: y(), marker: { color: paint } };
    case "band": {
      const [at, lower, upper] = [x(), column(layer.lower), column(layer.upper)];
      const pieces = parted(lower, upper);
      const outline = (above, below) =>
        pieces.flatMap((piece) => [...piece.map((n) => above[n]), ...piece.toReversed().map((n) => below[n]), null]).slice(0, -1);
      // A place by itself has no area: its line is seen.
      const [shade, alone] = [faint(paint, 0.18), pieces.some(({ length }) => length === 1)];
      return {
        ...common, type: "scatter", mode: "lines", hoverinfo: "skip", line: { width: alone ? 3 : 0, color: shade }, fill: "toself", fillcolor: shade,
        x: outline(at, at), y: outline(upper, lower), connectgaps: false,
      };
    }
    case "heat":
      return heatOf(chart, layer, column, common, width);
  }
  return null;
}

// A number in a few signs.
function brief(value, digits) {
  return value === null ? "" : String(Number(value.toPrecision(digits)));
}

// How names along the horizontal axis are turned. Left to the library, they may turn to and fro until it gives up.
function nameAngle(chart, width) {
  const { names, ticks } = chart.x.scale;
  if (!names) return {};
  if (ticks) {
    const longest = Math.max(0, ...ticks.map(([, text]) => text.length));
    const room = isField(chart) ? cellWidth(chart, ticks.length, width) : (width - 80) / ticks.length;
    return { tickangle: room < 6.5 * longest + 4 ? -45 : 0 };
  }
  const room = isField(chart) ? cellWidth(chart, names.length, width) : (width - 80) / names.length;
  const { written } = chart.x.scale;
  const between = written.slice(1).map((name, index) => 3.25 * (name.length + written[index].length) + 4);
  const needed = Math.max(0, ...between);
  // Numbers of slots are short, and left out where they would touch.
  return { tickangle: needed <= Math.max(room, 26) ? 0 : room >= 28 ? -30 : -90 };
}

// Of more columns none is set apart from the next.
const MOST_PARTED = 60;

// Cells narrower than this have no room for a number [px].
const CELL = 34;

// About how wide a cell is, between names on the left and the scale of colors on the right [px].
function cellWidth(chart, columns, width) {
  const longest = Math.max(3, ...(chart.y.scale.written ?? chart.y.scale.names ?? []).map((name) => name.length));
  return (width - 6.5 * longest - 125) / columns;
}

// Up to here, as a part of the scale of colors, white on them has more contrast than black; either has 4.5:1 at least.
const DARK = 0.47;

// The numbers in the cells of a field, in black or white; `share` tells where on the scale of colors a value lies.
function digitsOf(columns, rows, z, shown, share, common) {
  const cells = rows.flatMap((y, row) => columns.map((x, index) => ({ x, y, value: z[row][index], tone: shown[row][index] })));
  const known = cells.filter(({ value }) => value !== null);
  return {
    ...common, type: "scatter", mode: "text", hoverinfo: "skip", hovertemplate: undefined,
    x: known.map(({ x }) => x), y: known.map(({ y }) => y), text: known.map(({ value }) => brief(value, 3)),
    textfont: { size: 11, color: known.map(({ tone }) => tone === null ? color("ink") : share(tone) < DARK ? "#ffffff" : "#000000") },
  };
}

// Rows and columns of a field of colors; from dark to light, legible in grey too.
function heatOf(chart, layer, column, common, width) {
  const [xs, ys, zs] = [column(layer.x), column(layer.y), column(layer.z)];
  const order = (values) => [...new Set(values)].sort((one, other) => one - other);
  const [columns, rows] = [order(xs), order(ys)];
  const z = rows.map(() => columns.map(() => null));
  zs.forEach((value, index) => { z[rows.indexOf(ys[index])][columns.indexOf(xs[index])] = value; });
  const { scale } = layer.values;
  const logarithmic = scale === "logarithmic";
  const shown = logarithmic ? z.map((row) => row.map((value) => (value > 0 ? Math.log10(value) : null))) : z;
  const tones = shown.flat().filter((tone) => tone !== null);
  // The library heeds a bound only beside the other.
  const bounds = Array.isArray(scale)
    ? { zmin: scale[0], zmax: scale[1] }
    : scale === "from zero" && Math.max(...tones) > 0 ? { zmin: 0, zmax: Math.max(...tones) } : {};
  const roomy = rows.length <= 12 && cellWidth(chart, columns.length, width) >= CELL;
  const at = (axis, value) => named(axis, [value])[0];
  const said = (row, y) => row.map((value, index) => `${at(chart.x, columns[index])}, ${at(chart.y, rows[y])}: ${brief(value, 5)}`);
  const [least, most] = [bounds.zmin ?? Math.min(...tones), bounds.zmax ?? Math.max(...tones)];
  const share = (tone) => (most > least ? (tone - least) / (most - least) : 0.5);
  const field = {
    ...common, ...bounds, type: "heatmap", x: columns, y: rows, z: shown, hovertext: z.map(said),
    colorscale: "Cividis", hoverongaps: false,
    ...(columns.length > MOST_PARTED ? {} : { xgap: 1, ygap: 1 }),
    hovertemplate: "%{hovertext}<extra></extra>",
    colorbar: {
      title: { text: width < NARROW ? (layer.values.unit ?? "") : words(layer.values), side: "right", font: { size: 11 } }, thickness: 10, outlinewidth: 0, tickfont: { size: 10 },
      ...(logarithmic ? { tickprefix: "10^", dtick: 1 } : {}),
    },
  };
  return roomy ? [field, digitsOf(columns, rows, z, shown, share, common)] : [field];
}

function ruleOf(chart, layer) {
  const line = { color: layerColor(chart, layer), width: 1.5, dash: "dash" };
  return layer.mark === "across"
    ? { type: "line", xref: "paper", x0: 0, x1: 1, y0: layer.at, y1: layer.at, line }
    : { type: "line", yref: "paper", y0: 0, y1: 1, x0: layer.at, x1: layer.at, line };
}

// A level says its value where the mouse is near it, as everything else does: an invisible line lies on it.
function levelOf(chart, layer, extent) {
  if (layer.mark !== "across" || !extent || chart.x.scale.names) return null;
  const [from, to] = extent;
  const at = Array.from({ length: 41 }, (_, step) => from + ((to - from) * step) / 40);
  return {
    type: "scatter", mode: "lines", name: layer.name ?? "", showlegend: false, line: { width: 0, color: layerColor(chart, layer) }, opacity: 0,
    x: at, y: at.map(() => layer.at),
  };
}

function extentOf(chart, layers, column) {
  const xs = layers.filter((layer) => layer.x !== undefined).flatMap((layer) => column(layer.x)).filter((x) => x !== null);
  return xs.length ? [xs.reduce((a, b) => Math.min(a, b)), xs.reduce((a, b) => Math.max(a, b))] : null;
}

// The figure of a chart without the layers whose names are hidden, for a plot of this width [px].
function figureOf(given, column, hidden, width) {
  const chart = literalChart(given);
  const ink = { text: color("ink"), soft: color("soft"), grid: color("grid"), line: color("line"), paper: color("paper") };
  const layers = chart.layers.filter((_, index) => !hidden.has(given.layers[index].name));
  const rules = layers.filter((layer) => layer.mark === "across" || layer.mark === "up");
  const extent = extentOf(chart, chart.layers, column);
  const along = (...keys) => chart.layers.flatMap((layer) => keys.flatMap((key) => (layer[key] === undefined ? [] : column(layer[key]))));
  const layAxis = isField(chart) ? fieldAxisOf : axisOf;
  const levels = rules.map((layer) => levelOf(chart, layer, extent));
  const data = [...layers.flatMap((layer) => traceOf(chart, layer, column, width)), ...levels].filter((trace) => trace);
  const series = new Set(chart.layers.map((layer) => layer.name).filter((name) => name)).size;
  const unified = series > 0 && series <= 8 && chart.layers.every((layer) => layer.mark !== "heat" && layer.mark !== "points");
  return {
    data,
    layout: {
      font: { family: getComputedStyle(document.body).fontFamily, color: ink.soft, size: 12 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 48, r: 20, t: 10, b: 40 },
      // Each axis makes room in its own direction only: with both, the two of them may never agree.
      xaxis: { ...layAxis(chart.x, ink, along("x"), width), ...nameAngle(chart, width), automargin: "height" },
      yaxis: { ...layAxis(chart.y, ink, along("y", "lower", "upper"), width, true), automargin: "width" },
      separators: ".\u202f",
      shapes: rules.map((layer) => ruleOf(chart, layer)),
      barmode: chart.layers.some((layer) => layer.mark === "stack") ? "relative" : "group", bargap: 0.25,
      hovermode: unified ? "x unified" : "closest",
      hoverlabel: { bgcolor: ink.paper, bordercolor: ink.line, font: { color: ink.text, size: 12 } },
      // A finger scrolls the page; the buttons zoom.
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      showlegend: false, uirevision: chart.name,
    },
  };
}
