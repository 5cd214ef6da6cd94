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
    const held = view.guides, zone = place.dataset.zone;
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
    const day = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short" });
    const broken = (one) => one.verdict === "VIOLATED" && one.value != null && held.threshold != null &&
      (held.sign === "≥" ? one.value < held.threshold : one.value > held.threshold);
    const home = { min: seconds(view.start), max: seconds(view.end) };
    let chart = null, from = 0;

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

    function diamond(ctx, x, y, size) {
      ctx.save();
      ctx.fillStyle = getComputedStyle(place).getPropertyValue("--bad");
      ctx.beginPath();
      [[0, -size], [size, 0], [0, size], [-size, 0]].forEach(([a, b]) => ctx.lineTo(x + a, y + b));
      ctx.closePath();
      ctx.fill();
      ctx.restore();
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
        ctx.fillText(one.kind === "deployed" ? "D" : "B", at + (one.kind === "deployed" ? 4 : 16) * devicePixelRatio, bbox.top);
      }
      ctx.textAlign = "center";
      points.forEach((one, place) => {
        const at = u.valToPos(times[place], "x", true);
        if (at < bbox.left || at > bbox.left + bbox.width) return;
        if (one.value == null) ctx.fillText("?", at, bbox.top + bbox.height - 16 * devicePixelRatio);
        else if (broken(one)) diamond(ctx, at, u.valToPos(one.value, "y", true), 6 * devicePixelRatio);
      });
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
      const known = (pick) => points.some((one) => pick(one) != null), line = (value) => filled(length, value);
      const series = [{ label: "Time", value: (u, at) => (at == null ? "–" : day.format(at * 1000) + " " + clock.format(at * 1000)) }];
      const data = [times], bands = [];
      const add = (values, options) => { data.push(values); series.push(Object.assign({ value: shown }, options)); };
      const reach = (lower, upper, names, fill) => {
        add(lower, Object.assign({ label: names[0] }, quiet));
        add(upper, Object.assign({ label: names[1] }, quiet));
        bands.push({ series: [series.length - 1, series.length - 2], fill });
      };
      if (held.lower != null) reach(line(held.lower), line(held.upper), ["Baseline from", "to"], faint("soft", 0.15));
      if (held.baseline != null) add(line(held.baseline), { label: "Baseline", stroke: colour("soft"), dash: [5, 3], points: { show: false } });
      if (held.threshold != null) add(line(held.threshold), { label: "Threshold " + held.sign, stroke: colour("bad"), width: 1.5, dash: [7, 3], points: { show: false } });
      if (known((one) => one.lower)) reach(points.map((one) => one.lower), points.map((one) => one.upper), ["Lower", "Upper"], faint("accent", 0.18));
      add(points.map((one) => one.value), { label: view.metric, stroke: colour("accent"), width: 2, spanGaps: false,
        points: { show: true, size: length <= 260 ? 7 : 4, fill: colour("accent"), stroke: colour("paper") } });
      if (known((one) => one.rows)) add(points.map((one) => one.rows), { label: "n", scale: "n", fill: faint("soft", 0.45), stroke: "transparent",
        width: 0, paths: uPlot.paths.bars({ size: [0.7, 14] }), points: { show: false } });
      const asked = {
        width: Math.max(280, place.clientWidth), height: 360,
        tzDate: (moment) => uPlot.tzDate(new Date(moment * 1000), zone),
        cursor: { drag: { x: true, y: false, dist: 5 }, focus: { prox: 24 } },
        scales: {
          x: { time: true, range: (u, min, max) => [min, max] },
          // Room below the values for the bars of n.
          y: { range: (u, min, max) => (min == null ? [0, 1] : min === max ? [min - 1, max + 1] : [min - 0.35 * (max - min), max + 0.08 * (max - min)]) },
          n: { range: (u, min, max) => [0, 6 * (max || 1)] },
        },
        axes: [Object.assign({ values: (u, splits) => splits.map(moment) }, axis), Object.assign({ size: 64 }, axis)],
        series, bands,
        hooks: {
          draw: [marks],
          setScale: [(u, key) => { if (key === "x" && chart) remember(u.scales.x.min, u.scales.x.max); }],
        },
      };
      return { asked, data };
    }

    function moment(at) {
      const text = clock.format(at * 1000);
      return text === "00:00" ? day.format(at * 1000) : text;
    }

    function build() {
      const span = chart ? { min: chart.scales.x.min, max: chart.scales.x.max } : home;
      if (chart) chart.destroy();
      chart = null;
      const { asked, data } = options(), made = new uPlot(asked, data, place);
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
    new ResizeObserver(() => requestAnimationFrame(() => {
      const width = Math.max(280, place.clientWidth);
      if (chart && chart.width !== width) chart.setSize({ width, height: 360 });
    })).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
  }

  fetch(place.dataset.twin, { headers: { accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
    .then(start)
    .catch(() => { place.hidden = true; drawn.hidden = false; });
})();
