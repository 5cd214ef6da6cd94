// Puts a chart that can be zoomed in the place of the drawn one. Without it the page shows the same.
(() => {
  "use strict";
  const place = document.getElementById("zoomable"), drawn = document.getElementById("drawn");
  if (!place || !place.dataset.twin || typeof uPlot === "undefined") return;
  const seconds = (text) => Date.parse(text) / 1000;
  const number = (value) => (value == null ? "–" : +value.toPrecision(5) + "");
  const filled = (length, value) => new Array(length).fill(value);

  function start(view) {
    const points = view.points, length = points.length;
    if (!length) return;
    const times = points.map((one) => seconds(one.time));
    const held = view.guides, line = (value) => filled(length, value);
    const data = [times, points.map((one) => one.lower), points.map((one) => one.upper), points.map((one) => one.value),
      line(held.lower), line(held.upper), line(held.baseline), line(held.threshold), points.map((one) => one.rows)];
    const home = { min: seconds(view.start), max: seconds(view.end) };
    let chart = null, moved = false, from = 0;

    function address(at) {
      const one = points[at];
      if (one.run) return "/runs/" + encodeURIComponent(one.run);
      const url = new URL(location.href);
      if (view.period) {
        url.searchParams.delete("range");
        url.searchParams.set("start", new Date(times[at] * 1000).toISOString());
        url.searchParams.set("end", new Date((times[at] + view.period) * 1000).toISOString());
        return url.href;
      }
      return "/schedules/" + encodeURIComponent(view.schedule) + "?before=" +
        encodeURIComponent(new Date((times[at] + 3600) * 1000).toISOString());
    }

    function remember(min, max) {
      const url = new URL(location.href), whole = min <= home.min && max >= home.max;
      url.searchParams.delete("page");
      if (whole && view.range) {
        url.searchParams.delete("start");
        url.searchParams.delete("end");
        url.searchParams.set("range", view.range);
      } else {
        url.searchParams.delete("range");
        url.searchParams.set("start", new Date(Math.floor(min) * 1000).toISOString());
        url.searchParams.set("end", new Date(Math.ceil(max) * 1000).toISOString());
      }
      history.replaceState(null, "", url);
    }

    function marks(u) {
      const { ctx, bbox } = u, colour = getComputedStyle(place).getPropertyValue("--unknown");
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = colour;
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.font = 12 * devicePixelRatio + "px system-ui";
      ctx.textAlign = "left";
      ctx.textBaseline = "top";
      for (const one of view.happenings) {
        const at = u.valToPos(seconds(one.time), "x", true);
        if (at < bbox.left || at > bbox.left + bbox.width) continue;
        ctx.beginPath();
        ctx.moveTo(at, bbox.top);
        ctx.lineTo(at, bbox.top + bbox.height);
        ctx.stroke();
        ctx.fillText(one.kind === "deployed" ? "D" : "B", at + 4 * devicePixelRatio, bbox.top);
      }
      ctx.restore();
    }

    function options() {
      const style = getComputedStyle(place), colour = (name) => style.getPropertyValue("--" + name).trim();
      const faint = (name, share) => {
        const hex = colour(name).slice(1);
        return "rgba(" + [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)).join() + "," + share + ")";
      };
      const grid = { stroke: colour("line"), width: 1 }, axis = { stroke: colour("soft"), grid, ticks: grid, font: "12px system-ui" };
      const quiet = { width: 0, points: { show: false } }, shown = (u, value) => number(value);
      const few = length <= 260;
      return {
        width: Math.max(280, place.clientWidth), height: 340,
        tzDate: (moment) => uPlot.tzDate(new Date(moment * 1000), place.dataset.zone),
        cursor: { drag: { x: true, y: false, dist: 5 }, focus: { prox: 24 } },
        scales: { x: { time: true, range: (u, min, max) => [min, max] }, n: { range: (u, min, max) => [0, 6 * (max || 1)] } },
        axes: [axis, Object.assign({ size: 64 }, axis)],
        series: [
          { label: "Time", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
          Object.assign({ label: "Lower", value: shown }, quiet), Object.assign({ label: "Upper", value: shown }, quiet),
          { label: view.metric, value: shown, stroke: colour("accent"), width: 2, spanGaps: false,
            points: { show: true, size: few ? 7 : 4, fill: colour("accent"), stroke: colour("paper") } },
          Object.assign({ label: "Baseline from", value: shown }, quiet), Object.assign({ label: "to", value: shown }, quiet),
          { label: "Baseline", value: shown, stroke: colour("soft"), dash: [5, 3], points: { show: false } },
          { label: "Threshold " + held.sign, value: shown, stroke: colour("bad"), width: 1.5, dash: [7, 3], points: { show: false } },
          { label: "n", value: shown, scale: "n", fill: faint("soft", 0.45), stroke: "transparent", width: 0,
            paths: uPlot.paths.bars({ size: [0.7, 14] }), points: { show: false } },
        ],
        bands: [{ series: [2, 1], fill: faint("accent", 0.18) }, { series: [5, 4], fill: faint("soft", 0.15) }],
        hooks: {
          draw: [marks],
          setSelect: [(u) => { moved = u.select.width > 0; }],
          setScale: [(u, key) => { if (key === "x" && chart) remember(u.scales.x.min, u.scales.x.max); }],
        },
      };
    }

    function build() {
      const span = chart ? { min: chart.scales.x.min, max: chart.scales.x.max } : home;
      if (chart) chart.destroy();
      chart = null;
      const made = new uPlot(options(), data, place);
      made.setScale("x", span);
      made.over.addEventListener("mousedown", (event) => { from = event.clientX; });
      made.over.addEventListener("click", (event) => {
        if (Math.abs(event.clientX - from) > 4 || made.cursor.idx == null) return;
        location.href = address(made.cursor.idx);
      });
      made.over.addEventListener("dblclick", (event) => {
        event.stopImmediatePropagation();
        made.setScale("x", home);
      }, true);
      // Later, as the chart settles its scales in a task of its own.
      setTimeout(() => { chart = made; });
    }

    place.hidden = false;
    document.getElementById("zoom-hint").hidden = false;
    build();
    drawn.hidden = true;
    new ResizeObserver(() => { if (chart) chart.setSize({ width: Math.max(280, place.clientWidth), height: 340 }); }).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
  }

  fetch(place.dataset.twin, { headers: { accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
    .then(start)
    .catch(() => { place.hidden = true; drawn.hidden = false; });
})();
