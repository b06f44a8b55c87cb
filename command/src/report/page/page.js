// The charts of the page: uPlot draws them, this file says how.
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const HEIGHT = 250;
  const FLAT = 90;
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

  // all times are UTC, whatever the zone of the browser: uPlot's own dates are
  // local ones that are shifted, and wrong where summer time begins or ends
  function iso(seconds) {
    return new Date(Math.round(seconds * 1e3)).toISOString();
  }

  // of two recordings times count from the start of each
  const start = data.start ?? 0;
  const isDays = data.x[data.x.length - 1] >= 86400;

  function day(at) {
    if (data.start != null) return iso(at).slice(0, 10);
    return isDays ? `day ${Math.floor(at / 86400) + 1}` : "";
  }

  const clock = (at) => (isDays ? `${day(at)} ` : "") + iso(at).slice(11, 19);

  // lengths that ticks of the time's axis are apart
  const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5].concat(
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200],
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000].map((days) => days * 86400),
  );

  // ticks of the time's axis: the date below the first, and where it changes
  function times(u, ticks, axis, space, step) {
    let before = "";
    return ticks.map((tick) => {
      const date = day(tick);
      if (step >= 86400) return date;
      const time = iso(tick).slice(11, step < 1 ? 23 : step < 60 ? 19 : 16);
      const text = date === before ? time : `${time}\n${date}`;
      before = date;
      return text;
    });
  }

  const x = data.x.map((offset) => start + offset);

  // -- a chart ----------------------------------------------------------

  // from 0, unless the values stay far from it
  function range(u, low, high) {
    if (low == null) return [0, 1];
    if (low === high && low === 0) return [0, 1];
    const [from, to] = uPlot.rangeNum(low, high, 0.08, true);
    if (low >= 0) return [low < high * 0.7 ? 0 : Math.max(0, from), to];
    return [from, to];
  }

  // an axis that is linear around 0 and logarithmic beyond the least value
  function logScale(columns) {
    const least = columns.flat().reduce(
      (low, value) => (value ? Math.min(low, Math.abs(value)) : low),
      Infinity,
    );
    const asinh = Number.isFinite(least) ? 10 ** Math.floor(Math.log10(least)) : 1;
    // without values below 0 the axis has none either
    const range = (u, low, high) => {
      const [from, to] = uPlot.rangeAsinh(low ?? 0, high || 1, 10, true);
      if (low > 0) return [10 ** Math.floor(Math.log10(low)), to];
      return [low < 0 ? from : 0, to];
    };
    return { distr: 4, asinh, range };
  }

  // ticks of that axis: powers of ten, and 0
  function powers(u, axis, low, high) {
    const ticks = low <= 0 && high >= 0 ? [0] : [];
    for (let power = u.scales.y.asinh; power <= high || -power >= low; power *= 10) {
      if (power >= low && power <= high) ticks.push(power);
      if (-power >= low) ticks.unshift(-power);
    }
    return ticks.map((tick) => Number(tick.toPrecision(6)));
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

  function options(chart, columns, width, isLog) {
    const axis = { stroke: () => colour("faint"), font: "12px system-ui, sans-serif" };
    const grid = { stroke: () => colour("grid"), width: 1 };
    return {
      width,
      height: heightOf(columns),
      scales: { x: { time: false }, y: isLog ? logScale(columns) : { range } },
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
        { label: "at", value: (u, at) => (at == null ? "–" : clock(at)) },
        ...chart.curves.map((curve) => line(curve, chart.curves.length === 1)),
      ],
      axes: [
        { ...axis, grid, ticks: grid, space: 80, incrs: STEPS, values: times },
        {
          ...axis,
          grid,
          ticks: grid,
          size: 62,
          splits: isLog ? powers : undefined,
          values: (u, ticks) => ticks.map((tick) => (tick == null ? "" : short(tick))),
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

  // a chart of nothing but 0 is a low one
  function heightOf(columns) {
    return columns.every((column) => column.every((value) => !value)) ? FLAT : HEIGHT;
  }

  function draw(place) {
    const number = Number(place.dataset.chart);
    const chart = data.charts[number];
    const columns = chart.curves.map(values);
    const button = place.parentElement.querySelector(".log");
    button.hidden = heightOf(columns) === FLAT;

    function make(isLog) {
      const { min, max } = charts[number]?.scales.x ?? {};
      charts[number]?.destroy();
      const plot = new uPlot(options(chart, columns, place.clientWidth, isLog), [x, ...columns], place);
      charts[number] = plot;
      if (min != null) plot.setScale("x", { min, max });
      button.setAttribute("aria-pressed", String(isLog));
      touched(plot);
      for (const name of place.querySelectorAll(".u-legend .u-series:not(:first-child) th")) {
        name.tabIndex = 0;
        name.setAttribute("role", "button");
        name.addEventListener("keydown", (event) => event.key === "Enter" && name.click());
      }
    }

    const toggle = () => make(button.getAttribute("aria-pressed") !== "true");
    make(chart.log);
    button.addEventListener("click", toggle);
    new ResizeObserver(() => {
      const plot = charts[number];
      if (!printing && place.clientWidth > 0 && place.clientWidth !== plot.width)
        plot.setSize({ width: place.clientWidth, height: plot.height });
    }).observe(place);
    place.addEventListener("keydown", (event) => {
      if (event.key === "l" && event.target === place && !button.hidden) toggle();
      else pressed(charts[number], event);
    });
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
    for (const plot of charts)
      plot.setSize({ ...PRINTED, height: Math.min(PRINTED.height, plot.height) });
  });
  addEventListener("afterprint", () => {
    printing = false;
    setTheme(shown);
    for (const plot of charts)
      plot.setSize({
        width: plot.root.parentElement.clientWidth,
        height: plot.height === FLAT ? FLAT : HEIGHT,
      });
  });

  // for the console, and for tests
  window.fripp = { charts, data };
})();
