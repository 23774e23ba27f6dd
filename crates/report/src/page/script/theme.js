// Light, dark or as the system has it; and the colors of charts, which are those of the page.

const CHOICES = [["", "as the system has them", "◐"], ["light", "light", "☀"], ["dark", "dark", "☾"]];
const redraws = new Set();

function remembered() {
  // A browser may forbid files to remember anything.
  try { return localStorage.getItem("theme") ?? ""; } catch { return ""; }
}

function remember(choice) {
  try { localStorage.setItem("theme", choice); } catch { /* Then it holds until the page is closed. */ }
}

function paint(choice) {
  const [theme, words, sign] = CHOICES.find(([name]) => name === choice) ?? CHOICES[0];
  const button = document.getElementById("theme");
  if (theme) document.documentElement.dataset.theme = theme; else delete document.documentElement.dataset.theme;
  button.textContent = sign;
  button.setAttribute("aria-label", `Colors: ${words}`);
  button.title = `Colors: ${words}`;
  redraws.forEach((redraw) => redraw());
}

function startTheme() {
  let choice = remembered();
  paint(choice);
  document.getElementById("theme").addEventListener("click", () => {
    const next = CHOICES.findIndex(([name]) => name === choice) + 1;
    choice = CHOICES[next % CHOICES.length][0];
    remember(choice);
    paint(choice);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraws.forEach((redraw) => redraw()));
}

// What a color of the style sheet is right now, as `rgb(r, g, b)`.
function color(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const SERIES = 8;

const isField = (chart) => chart.layers.some((layer) => layer.mark === "heat");

function colorName(chart, layer) {
  if (layer.color !== null) return `series-${layer.color % SERIES}`;
  return isField(chart) ? "bound" : "reference";
}

function layerColor(chart, layer) {
  return color(colorName(chart, layer));
}

function faint(rgb, alpha) {
  return rgb.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);
}
