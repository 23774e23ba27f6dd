// From a chart, as the report's program makes it, to a figure of Plotly.

const NUMBER = ".5~g";

function words(axis) {
  return axis.unit ? `${axis.label} [${axis.unit}]` : axis.label;
}

function axisOf(axis, ink) {
  const { scale } = axis;
  const base = {
    title: { text: words(axis), font: { size: 12 }, standoff: 8 },
    automargin: true, hoverformat: NUMBER, gridcolor: ink.grid, linecolor: ink.line, zerolinecolor: ink.line,
    tickfont: { size: 11 }, fixedrange: false,
  };
  if (scale === "logarithmic") return { ...base, type: "log", exponentformat: "power", dtick: 1, minor: { showgrid: false } };
  if (scale === "from zero") return { ...base, type: "linear", rangemode: "tozero" };
  if (Array.isArray(scale)) return { ...base, type: "linear", range: scale };
  if (scale.names) return { ...base, type: "category", categoryorder: "array", categoryarray: scale.names, showgrid: false };
  return { ...base, type: "linear" };
}

// A value on an axis of names is the position of one.
function onAxis(axis, values) {
  const { names } = axis.scale;
  return names ? values.map((value) => names[value]) : values;
}

// How a line is drawn: as the chart says, but those that share a color with an earlier one are broken otherwise.
function strokeOf({ color: series, stroke }) {
  const again = series === null ? 0 : Math.floor(series / SERIES);
  return stroke === "solid" && again > 0 ? (again === 1 ? "dash" : "dot") : stroke;
}

function traceOf(chart, layer, column) {
  const paint = layerColor(layer);
  const common = { name: layer.name ?? "", showlegend: false, hovertemplate: layer.name ? undefined : `%{y:${NUMBER}}<extra></extra>` };
  const x = () => onAxis(chart.x, column(layer.x));
  const y = () => onAxis(chart.y, column(layer.y));
  switch (layer.mark) {
    case "line":
    case "steps": {
      const line = { color: paint, width: layer.color === null ? 1.5 : 2, dash: strokeOf(layer), shape: layer.mark === "steps" ? "hv" : "linear" };
      return { ...common, type: "scatter", mode: "lines", x: x(), y: y(), line, connectgaps: false };
    }
    case "points":
      return { ...common, type: "scatter", mode: "markers", x: x(), y: y(), marker: { color: paint, size: 6, opacity: 0.85 } };
    case "bars":
    case "stack":
      return { ...common, type: "bar", x: x(), y: y(), marker: { color: paint } };
    case "band": {
      const [at, lower, upper] = [x(), column(layer.lower), column(layer.upper)];
      return {
        ...common, type: "scatter", mode: "lines", hoverinfo: "skip", line: { width: 0 }, fill: "toself", fillcolor: faint(paint, 0.18),
        x: [...at, ...at.toReversed()], y: [...upper, ...lower.toReversed()],
      };
    }
    case "heat":
      return heatOf(chart, layer, column, common);
  }
  return null;
}

// A number in a few signs.
function brief(value) {
  return value === null ? "" : String(Number(value.toPrecision(3)));
}

// Rows and columns of a field of colors; from dark to light, legible in grey too.
function heatOf(chart, layer, column, common) {
  const [xs, ys, zs] = [column(layer.x), column(layer.y), column(layer.z)];
  const order = (values) => [...new Set(values)].sort((one, other) => one - other);
  const [columns, rows] = [order(xs), order(ys)];
  const z = rows.map(() => columns.map(() => null));
  zs.forEach((value, index) => { z[rows.indexOf(ys[index])][columns.indexOf(xs[index])] = value; });
  const { scale } = layer.values;
  const logarithmic = scale === "logarithmic";
  const shown = logarithmic ? z.map((row) => row.map((value) => (value > 0 ? Math.log10(value) : null))) : z;
  const bounds = Array.isArray(scale) ? { zmin: scale[0], zmax: scale[1] } : scale === "from zero" ? { zmin: 0 } : {};
  const few = columns.length <= 12 && rows.length <= 12;
  return {
    ...common, ...bounds, type: "heatmap", x: onAxis(chart.x, columns), y: onAxis(chart.y, rows), z: shown, customdata: z,
    colorscale: "Cividis", xgap: 1, ygap: 1, hoverongaps: false,
    ...(few ? { text: z.map((row) => row.map(brief)), texttemplate: "%{text}", textfont: { size: 11 } } : {}),
    hovertemplate: `%{x}, %{y}: %{customdata:${NUMBER}}<extra></extra>`,
    colorbar: {
      title: { text: words(layer.values), side: "right", font: { size: 11 } }, thickness: 10, outlinewidth: 0, tickfont: { size: 10 },
      ...(logarithmic ? { tickprefix: "10^", dtick: 1 } : {}),
    },
  };
}

function ruleOf(layer) {
  const line = { color: layerColor(layer), width: 1.5, dash: "dash" };
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
    type: "scatter", mode: "lines", name: layer.name ?? "", showlegend: false, line: { width: 0, color: layerColor(layer) }, opacity: 0,
    x: at, y: at.map(() => layer.at),
  };
}

function extentOf(chart, layers, column) {
  const xs = layers.filter((layer) => layer.x !== undefined).flatMap((layer) => column(layer.x)).filter((x) => x !== null);
  return xs.length ? [xs.reduce((a, b) => Math.min(a, b)), xs.reduce((a, b) => Math.max(a, b))] : null;
}

// The figure of a chart without the layers whose names are hidden.
function figureOf(chart, column, hidden) {
  const ink = { text: color("ink"), soft: color("soft"), grid: color("grid"), line: color("line"), paper: color("paper") };
  const layers = chart.layers.filter((layer) => !hidden.has(layer.name));
  const rules = layers.filter((layer) => layer.mark === "across" || layer.mark === "up");
  const extent = extentOf(chart, chart.layers, column);
  const levels = rules.map((layer) => levelOf(chart, layer, extent));
  const data = [...layers.map((layer) => traceOf(chart, layer, column)), ...levels].filter((trace) => trace);
  const named = new Set(chart.layers.map((layer) => layer.name).filter((name) => name)).size;
  const unified = named > 0 && named <= 8 && chart.layers.every((layer) => layer.mark !== "heat" && layer.mark !== "points");
  return {
    data,
    layout: {
      font: { family: getComputedStyle(document.body).fontFamily, color: ink.soft, size: 12 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 48, r: 12, t: 10, b: 40 },
      xaxis: axisOf(chart.x, ink), yaxis: axisOf(chart.y, ink),
      shapes: rules.map(ruleOf),
      barmode: chart.layers.some((layer) => layer.mark === "stack") ? "relative" : "group", bargap: 0.25,
      hovermode: unified ? "x unified" : "closest",
      hoverlabel: { bgcolor: ink.paper, bordercolor: ink.line, font: { color: ink.text, size: 12 } },
      // A finger scrolls the page; the buttons zoom.
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      showlegend: false, uirevision: chart.name,
    },
  };
}
