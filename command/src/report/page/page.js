// The charts of the page: uPlot draws them, this file says how.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const HEIGHT = 250;
  const PRINTED = { width: 700, height: 210 };
  const charts = [];
  let printing = false;

  // -- colours ----------------------------------------------------------

  let colours = {};

  function colour(name) {
    colours[name] ??= getComputedStyle(root).getPropertyValue(`--${name}`).trim();
    return colours[name];
  }

  function setTheme(theme) {
    root.dataset.theme = theme;
    colours = {};
    document.getElementById("theme").textContent = theme === "dark" ? "Light" : "Dark";
    for (const chart of charts) chart.redraw(false);
  }

  // -- numbers and times ------------------------------------------------

  const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const five = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });

  function figure(value) {
    if (value == null) return "–";
    return Number.isInteger(value) || Math.abs(value) >= 1e5
      ? whole.format(value)
      : five.format(value);
  }

  // a tick of an axis: 1,500 but 15 k
  function short(value) {
    for (const [unit, letter] of [
      [1e12, "T"],
      [1e9, "G"],
      [1e6, "M"],
      [1e3, "k"],
    ]) {
      if (Math.abs(value) >= unit * (unit === 1e3 ? 10 : 1))
        return `${five.format(value / unit)} ${letter}`;
    }
    return five.format(value);
  }

  function utc(seconds) {
    return uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC");
  }

  const clock = uPlot.fmtDate(
    data.x[data.x.length - 1] < 86400 ? "{HH}:{mm}:{ss}" : "{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}",
  );
  const day = uPlot.fmtDate("{YYYY}-{MM}-{DD}");
  const minute = uPlot.fmtDate("{HH}:{mm}");
  const second = uPlot.fmtDate("{HH}:{mm}:{ss}");
  const part = uPlot.fmtDate("{HH}:{mm}:{ss}.{fff}");

  // ticks of the time's axis: the date below the first, and where it changes
  function times(u, ticks, axis, space, step) {
    let before = "";
    return ticks.map((tick) => {
      const at = utc(tick);
      const date = day(at);
      if (step >= 86400) return date;
      const time = (step < 1 ? part : step < 60 ? second : minute)(at);
      const text = date === before ? time : `${time}\n${date}`;
      before = date;
      return text;
    });
  }

  const x = data.x.map((offset) => data.start + offset);

  // -- a chart ----------------------------------------------------------

  // from 0, unless the values stay far from it
  function range(u, low, high) {
    if (low == null) return [0, 1];
    if (low === high && low === 0) return [0, 1];
    const [from, to] = uPlot.rangeNum(low, high, 0.08, true);
    if (low >= 0) return [low < high * 0.7 ? 0 : Math.max(0, from), to];
    return [from, to];
  }

  function line(curve, alone) {
    const stroke = () => colour(curve.colour);
    return {
      label: curve.label,
      stroke,
      width: x.length > 300 ? 1 : 1.75,
      dash: curve.dashed ? [7, 4] : undefined,
      fill: alone ? () => colour(curve.colour) + "22" : undefined,
      points: { show: x.length <= 90, size: 4, fill: stroke },
      value: (u, value) => figure(value),
    };
  }

  function options(chart, width) {
    const axis = { stroke: () => colour("faint"), font: "12px system-ui, sans-serif" };
    const grid = { stroke: () => colour("grid"), width: 1 };
    return {
      width,
      height: HEIGHT,
      tzDate: utc,
      scales: { x: { time: true }, y: { range } },
      cursor: {
        y: false,
        sync: { key: "recording" },
        drag: { x: true, y: false },
        points: { size: 7 },
      },
      legend: {
        markers: {
          stroke: (u, at) => `var(--${chart.curves[at - 1].colour})`,
          dash: (u, at) => (chart.curves[at - 1].dashed ? "dashed" : "solid"),
        },
      },
      series: [
        { label: "at", value: (u, at) => (at == null ? "–" : clock(utc(at))) },
        ...chart.curves.map((curve) => line(curve, chart.curves.length === 1)),
      ],
      axes: [
        { ...axis, grid, ticks: grid, space: 80, values: times },
        {
          ...axis,
          grid,
          ticks: grid,
          size: 62,
          values: (u, ticks) => ticks.map(short),
        },
      ],
      hooks: { setScale: [(u, scale) => scale === "x" && showUnzoom()] },
    };
  }

  function values(curve) {
    const column = data.columns[curve.column];
    if (curve.divisor === 1) return column;
    return column.map((value) => (value == null ? null : value / curve.divisor));
  }

  function draw(place) {
    const chart = data.charts[Number(place.dataset.chart)];
    const columns = [x, ...chart.curves.map(values)];
    const plot = new uPlot(options(chart, place.clientWidth), columns, place);
    charts.push(plot);
    new ResizeObserver(() => {
      if (!printing && place.clientWidth > 0 && place.clientWidth !== plot.width)
        plot.setSize({ width: place.clientWidth, height: HEIGHT });
    }).observe(place);
    place.addEventListener("keydown", (event) => pressed(plot, event));
    touched(plot);
    for (const name of place.querySelectorAll(".u-legend .u-series:not(:first-child) th")) {
      name.tabIndex = 0;
      name.setAttribute("role", "button");
      name.addEventListener("keydown", (event) => event.key === "Enter" && name.click());
    }
  }

  // -- zoom, keys, fingers ----------------------------------------------

  function showUnzoom() {
    const { min, max } = charts[0]?.scales.x ?? {};
    document.getElementById("unzoom").hidden =
      min == null || (min <= x[0] && max >= x[x.length - 1]);
  }

  function unzoom() {
    for (const plot of charts) plot.setScale("x", { min: x[0], max: x[x.length - 1] });
  }

  // arrows move along the values, and the pointers of the other charts with it
  function pressed(plot, event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") unzoom();
    if (!step || event.target !== plot.root.parentElement) return;
    const at = (plot.cursor.idx ?? (step > 0 ? -1 : x.length)) + step;
    const idx = Math.min(Math.max(at, 0), x.length - 1);
    const left = plot.valToPos(x[idx], "x");
    for (const other of charts)
      other.setCursor({ left: (left / plot.over.clientWidth) * other.over.clientWidth, top: 0 });
    event.preventDefault();
  }

  function touched(plot) {
    const move = (event) => {
      const left = event.touches[0].clientX - plot.over.getBoundingClientRect().left;
      plot.setCursor({ left, top: 0 });
    };
    plot.over.addEventListener("touchstart", move, { passive: true });
    plot.over.addEventListener("touchmove", move, { passive: true });
  }

  // -- the page ---------------------------------------------------------

  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  document.getElementById("theme").addEventListener("click", () => {
    setTheme(root.dataset.theme === "dark" ? "light" : "dark");
  });
  document.getElementById("unzoom").addEventListener("click", unzoom);
  for (const place of document.querySelectorAll("[data-chart]")) draw(place);

  let shown = null;
  addEventListener("beforeprint", () => {
    printing = true;
    shown = root.dataset.theme;
    setTheme("light");
    for (const plot of charts) plot.setSize(PRINTED);
  });
  addEventListener("afterprint", () => {
    printing = false;
    setTheme(shown);
    for (const plot of charts)
      plot.setSize({ width: plot.root.parentElement.clientWidth, height: HEIGHT });
  });

  // for the console, and for tests
  window.fripp = { charts, data };
})();
