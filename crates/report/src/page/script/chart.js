// A chart on the page: what it shows in words, the plot, a legend of buttons and tools. It is drawn when it is seen.

const CONFIG = { displayModeBar: false, displaylogo: false, responsive: true, doubleClick: "reset", showTips: false };

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value); else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// Words in which what stands between ` and ` is meant for a machine.
function rich(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (isIntersecting) target.draw();
  }
}, { rootMargin: "300px" });

// Figures on disk, for those who want the chart on paper.
const FIGURES = new Set(JSON.parse(document.getElementById("figures").textContent));

function legendMark(chart, layer) {
  const kind = { points: "point", bars: "area", stack: "area", band: "area", across: "dash", up: "dash" }[layer.mark] ?? strokeOf(layer) ?? "solid";
  return element("i", { class: kind, style: `--swatch: var(--${colorName(chart, layer)})`, "aria-hidden": "true" });
}

class ChartCard {
  constructor(chart, columns, prefix) {
    this.hidden = new Set();
    this.plot = element("div", { class: "plot", role: "img" });
    this.caption = element("figcaption");
    this.legend = element("div", { class: "legend", role: "group", "aria-label": "Series" });
    this.tools = element("div", { class: "tools" });
    this.node = element("figure", { class: "chart", "data-chart": chart.name }, this.caption, this.plot, this.legend, this.tools);
    this.node.draw = () => this.draw();
    this.drawn = false;
    this.fill(chart, columns, prefix);
    seen.observe(this.node);
    redraws.add(() => this.drawn && this.draw());
  }

  // Shows another chart of the same name: another slot's, or another case's.
  fill(chart, columns, prefix) {
    this.chart = chart;
    this.figure = `figures/${prefix}${chart.name}`;
    this.column = (index) => columns[index];
    this.caption.replaceChildren(element("h3", {}, chart.title), element("p", {}, ...rich(chart.caption)));
    this.plot.setAttribute("aria-label", `Chart: ${chart.title}. ${chart.caption}`);
    this.listLayers();
    this.listTools();
    if (this.drawn) {
      this.reset();
      this.draw();
    }
  }

  listLayers() {
    const names = new Map();
    for (const layer of this.chart.layers) {
      if (layer.name && !names.has(layer.name)) names.set(layer.name, layer);
    }
    const buttons = [...names].map(([name, layer]) => {
      const button = element("button", { type: "button", "aria-pressed": String(!this.hidden.has(name)) }, legendMark(this.chart, layer), name);
      button.addEventListener("click", () => {
        if (!this.hidden.delete(name)) this.hidden.add(name);
        button.setAttribute("aria-pressed", String(!this.hidden.has(name)));
        if (this.drawn) this.draw();
      });
      return button;
    });
    this.legend.replaceChildren(...buttons);
    this.legend.hidden = buttons.length === 0;
  }

  listTools() {
    const tool = (sign, words, act) => element("button", { type: "button", "aria-label": `${words}: ${this.chart.title}`, title: words, onclick: act }, sign);
    const tools = isField(this.chart) ? [] : [
      tool("+", "Zoom in", () => this.zoom(0.5, 0)), tool("−", "Zoom out", () => this.zoom(2, 0)),
      tool("‹", "Move left", () => this.zoom(1, -0.25)), tool("›", "Move right", () => this.zoom(1, 0.25)),
      tool("Reset", "Show all", () => { this.reset(); this.draw(); }),
    ];
    const links = ["svg", "png"].map((kind) => [kind, `${this.figure}.${kind}`]).filter(([, path]) => FIGURES.has(path));
    const anchors = links.map(([kind, path]) => element("a", { href: path, "aria-label": `${this.chart.title} as ${kind.toUpperCase()}` }, kind.toUpperCase()));
    this.tools.replaceChildren(...tools, element("span", { class: "space" }), ...anchors);
    this.tools.hidden = tools.length + anchors.length === 0;
  }

  draw() {
    seen.unobserve(this.node);
    this.drawn = true;
    const { data, layout } = figureOf(this.chart, this.column, this.hidden, this.plot.clientWidth);
    Plotly.react(this.plot, data, layout, CONFIG);
  }

  // Magnifies the horizontal axis around its middle, and moves it by a part of what is seen.
  zoom(factor, shift) {
    if (!this.drawn) this.draw();
    const [from, to] = this.plot._fullLayout.xaxis.range;
    const [middle, half] = [(from + to) / 2 + shift * (to - from), ((to - from) / 2) * factor];
    Plotly.relayout(this.plot, { "xaxis.range": [middle - half, middle + half] });
  }

  reset() {
    if (this.drawn) Plotly.purge(this.plot);
  }
}

// So many charts are seen at once; the others are behind a line that unfolds them.
const FIRST_CHARTS = 8;

// Cards in a container, one a chart; those that were there before are kept where a chart has the same name.
class ChartList {
  constructor(container) {
    this.container = container;
    this.cards = new Map();
    this.more = element("div", { class: "charts" });
    this.summary = element("summary");
    this.details = element("details", { class: "more" }, this.summary, this.more);
    container.after(this.details);
  }

  show({ columns, charts, prefix }) {
    const nodes = charts.map((chart) => {
      const card = this.cards.get(chart.name);
      if (card) card.fill(chart, columns, prefix); else this.cards.set(chart.name, new ChartCard(chart, columns, prefix));
      return this.cards.get(chart.name).node;
    });
    const first = nodes.length <= FIRST_CHARTS + 2 ? nodes.length : FIRST_CHARTS;
    this.container.replaceChildren(...nodes.slice(0, first));
    this.more.replaceChildren(...nodes.slice(first));
    this.details.hidden = nodes.length === first;
    this.summary.textContent = `${nodes.length - first} more charts`;
  }
}

function startPrinting() {
  addEventListener("beforeprint", () => document.querySelectorAll(".chart").forEach((node) => node.draw()));
}
