// Draws each [data-chart] again with Lightweight Charts, from the data behind the SVG already there.
// Without the library the SVG stays, and is replaced when its data changes.
"use strict";
(() => {
  const library = window.LightweightCharts;
  const mounted = new Map();
  const range = () => document.body.dataset.range;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const alpha = (hex, share) => hex + Math.round(share * 255).toString(16).padStart(2, "0");
  const minus = (text) => (/^-0\.?0*$/.test(text) ? text.slice(1) : text.replace("-", "\u2212"));
  const formats = {
    usd: (v) => (Math.abs(v) >= 1e6 ? "$" + (v / 1e6).toFixed(2) + "M" : Math.abs(v) >= 1e4 ? "$" + (v / 1e3).toFixed(1) + "k" : "$" + v.toFixed(0)),
    percent: (v) => minus((v * 100).toFixed(2)) + " %",
    per_8h: (v) => minus((v * 100).toFixed(3)) + " %",
    ratio: (v) => minus(v.toFixed(2)),
    index: (v) => v.toFixed(0),
  };

  const looks = (data) => ({
    autoSize: true,
    layout: { background: { color: "transparent" }, textColor: colour("--muted"), attributionLogo: false, fontSize: 11,
      fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { vertLines: { visible: false }, horzLines: { color: colour("--line") } },
    rightPriceScale: { borderVisible: false, mode: data.logarithmic ? 1 : 0, scaleMargins: { top: 0.08, bottom: 0.06 } },
    timeScale: { borderVisible: false, fixLeftEdge: true, fixRightEdge: true, lockVisibleTimeRangeOnResize: true, timeVisible: false },
    crosshair: { vertLine: { color: colour("--line-2"), labelBackgroundColor: colour("--line-2") }, horzLine: { color: colour("--line-2"), labelBackgroundColor: colour("--line-2") } },
    localization: { priceFormatter: formats[data.unit], locale: "en-GB",
      ...(data.thresholds.length ? { tickmarksPriceFormatter: (prices) => prices.map(() => "") } : {}) },
    handleScroll: { vertTouchDrag: false }, handleScale: { mouseWheel: false, pinch: true },
  });

  const style = (line) => {
    const hue = colour("--s" + line.colour);
    const shared = { priceLineVisible: false, lastValueVisible: !line.dashed, lineWidth: line.dashed ? 1 : 2, lineStyle: line.dashed ? 2 : 0, crosshairMarkerRadius: 3 };
    if (!line.area) return { ...shared, color: hue };
    const below = line.colour === 5;
    return { ...shared, lineColor: hue, topColor: alpha(hue, below ? 0.05 : 0.28), bottomColor: alpha(hue, below ? 0.3 : 0.01), invertFilledArea: below };
  };

  const rows = (line) => {
    const kept = [];
    for (const [time, value] of line.points) if (!kept.length || time > kept[kept.length - 1].time) kept.push({ time, value });
    return kept;
  };

  const read = async (name, kind) => {
    const answer = await fetch(`/ui/chart/${name}.${kind}?range=${range()}`);
    if (!answer.ok) throw new Error(`chart ${name}: ${answer.status}`);
    return kind === "json" ? answer.json() : answer.text();
  };

  const mount = (box, data) => {
    const canvas = document.createElement("div");
    canvas.className = "canvas";
    canvas.setAttribute("aria-hidden", "true");
    box.append(canvas);
    const chart = library.createChart(canvas, looks(data));
    const kinds = { area: library.AreaSeries, line: library.LineSeries };
    const series = data.lines.map((line) => chart.addSeries(kinds[line.area ? "area" : "line"], style(line)));
    const limits = data.thresholds.map((value) => series[0].createPriceLine({ price: value, color: colour("--warn"), lineStyle: 2, lineWidth: 1, axisLabelVisible: true, axisLabelColor: colour("--panel-2"), axisLabelTextColor: colour("--warn"), title: "" }));
    if (data.thresholds.length) series[0].applyOptions({ autoscaleInfoProvider: (original) => {
      const found = original();
      if (!found) return null;
      const low = Math.min(found.priceRange.minValue, ...data.thresholds), high = Math.max(found.priceRange.maxValue, ...data.thresholds);
      return { priceRange: { minValue: low, maxValue: high } };
    } });
    box.classList.add("mounted");
    const held = { chart, series, limits, data };
    mounted.set(box.dataset.chart, held);
    fill(box, held, data);
    chart.timeScale().fitContent();
  };

  const fill = (box, held, data) => {
    held.data = data;
    data.lines.forEach((line, index) => held.series[index] && held.series[index].setData(rows(line)));
    box.dataset.digest = data.digest;
    box.dataset.points = Math.max(0, ...data.lines.map((line) => line.points.length));
    box.dataset.thresholds = data.thresholds.join(" ");
  };

  const draw = async (box) => {
    const name = box.dataset.chart;
    if (!library) { box.innerHTML = await read(name, "svg"); return; }
    const data = await read(name, "json");
    if (Math.max(0, ...data.lines.map((line) => line.points.length)) < 2) return;
    const held = mounted.get(name);
    if (held && held.series.length === data.lines.length) fill(box, held, data);
    else if (!held) mount(box, data);
  };

  window.dynamicCharts = {
    digests: () => [...document.querySelectorAll("[data-chart]")].map((box) => [box.dataset.chart, box.dataset.digest]),
    refresh: async (changed) => {
      for (const box of document.querySelectorAll("[data-chart]")) {
        const digest = changed[box.dataset.chart];
        if (digest && digest !== box.dataset.digest) { box.dataset.digest = digest; await draw(box); }
      }
    },
    repaint: () => mounted.forEach((held) => {
      held.chart.applyOptions(looks(held.data));
      held.series.forEach((each, index) => each.applyOptions(style(held.data.lines[index])));
      held.limits.forEach((each) => each.applyOptions({ color: colour("--warn"), axisLabelColor: colour("--panel-2"), axisLabelTextColor: colour("--warn") }));
    }),
  };
  if (library) for (const box of document.querySelectorAll("[data-chart]")) draw(box);
})();
