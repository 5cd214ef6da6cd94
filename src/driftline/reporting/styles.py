"""How the page and its charts look: light, dark, and on paper."""

from __future__ import annotations

CHARTS = """\
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2328; --soft: #57606a; --line: #d8dee4;
  --track: #e4e8ec;
  --ok: #1a7f37; --bad: #c1121f; --unknown: #9a6700; --accent: #0b5cad; --wrong: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #e6edf3; --soft: #9aa4af; --line: #2a313a;
  --track: #2d343d;
  --ok: #56d364; --bad: #ff7b72; --unknown: #e3b341; --accent: #58a6ff; --wrong: #f78a4a; } }
@media print { :root { color-scheme: light; --paper: #ffffff; --ink: #1f2328; --soft: #57606a; --line: #d8dee4;
  --track: #e4e8ec;
  --ok: #1a7f37; --bad: #c1121f; --unknown: #9a6700; --accent: #0b5cad; --wrong: #c2410c; } }
.chart { display: block; height: auto; max-width: 100%; font: 13px system-ui, sans-serif;
  font-variant-numeric: tabular-nums; }
.chart text { fill: var(--ink); }
.chart .small { font-size: 12px; }
.chart .counts { font-size: 11px; }
.chart .soft { fill: var(--soft); }
.chart .name, .chart .value { font-weight: 600; }
.chart .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
.chart .grid { stroke: var(--line); }
.chart .axis { stroke: var(--soft); }
.chart .track, .chart .bar { fill: var(--track); }
.chart .bar { fill: var(--accent); fill-opacity: .55; }
.chart .bins { fill: var(--accent); fill-opacity: .55; }
.chart .was-bins { fill: var(--track); stroke: var(--soft); stroke-width: 1; }
.chart .new { fill: var(--bad); font-weight: 600; }
.chart .forbidden { fill: var(--bad); fill-opacity: .35; }
.chart .threshold { stroke: var(--ink); stroke-width: 2; }
.chart .whisker { stroke: var(--accent); stroke-width: 2; }
.chart .dot, .chart .now-dot { fill: var(--accent); stroke: var(--paper); stroke-width: 1.5; }
.chart .guess-whisker { stroke: var(--accent); stroke-width: 2; stroke-dasharray: 2 2; }
.chart .guess { fill: var(--paper); stroke: var(--accent); stroke-width: 2; }
.chart .truth { fill: var(--ink); }
.chart .inside .status { fill: var(--soft); }
.chart .outside .status { fill: var(--unknown); font-weight: 600; }
.chart .violated .whisker { stroke: var(--bad); }
.chart .violated .dot { fill: var(--bad); }
.chart .violated .status, .chart .violated .value { fill: var(--bad); font-weight: 600; }
.chart .met .status { fill: var(--ok); }
.chart .undefined .status { fill: var(--unknown); font-weight: 600; }
.chart .now { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
.chart .was { fill: none; stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 5 3; }
.chart .was-mark { fill: var(--paper); stroke: var(--soft); stroke-width: 1.5; }
.chart .chance { fill: none; stroke: var(--soft); stroke-dasharray: 1 4; stroke-linecap: round; stroke-width: 1.5; }
.chart .point { fill: var(--paper); stroke: var(--ink); stroke-width: 2; }
.chart .limit { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 6 3; }
.chart .run { fill: var(--accent); stroke: var(--paper); stroke-width: 1; } .chart .bad { fill: var(--bad); }
.chart .ring { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.chart .unknown-run { fill: var(--unknown); font-weight: 700; }
.chart a:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
.chart .right { fill: var(--accent); }
.chart .wrong { fill: var(--wrong); }
.chart .part-good { fill: var(--accent); } .chart .part-bad { fill: var(--bad); }
.chart .part-some { fill: var(--unknown); } .chart .part-none { fill: var(--soft); fill-opacity: .45; }
.chart .limit { stroke: var(--ink); stroke-dasharray: 3 2; }
.chart .last, .chart .alone { fill: var(--accent); }
.chart .violated-dot { fill: var(--bad); }
.chart .large { font-size: 16px; font-weight: 600; }
.chart .share { font-size: 12px; font-weight: 400; }
.chart .box rect { fill: var(--track); stroke: var(--soft); }
.chart .box.breaching rect { fill: var(--bad); stroke: var(--bad); }
.chart .box.breaching text { fill: var(--paper); font-weight: 700; }
.chart .box.fine rect { fill: var(--paper); stroke: var(--ok); }
.chart .box.fine text { fill: var(--ok); font-weight: 700; }
.chart .box.missing rect { fill: var(--paper); stroke: var(--unknown); stroke-dasharray: 3 2; }
.chart .box.missing text { fill: var(--unknown); font-weight: 700; }
"""

PAGE = """\
*, *::before { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 3rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.35rem, 4vw, 1.9rem); line-height: 1.25; margin: 0 0 .5rem; text-wrap: balance; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .7rem; padding-top: .7rem; border-top: 1px solid var(--line); }
h3 { font-size: .95rem; font-weight: 600; margin: 0 0 .6rem; }
p, ul { margin: .3rem 0; text-wrap: pretty; }
ul { list-style: none; padding: 0; }
.soft, footer { color: var(--soft); }
.OK { color: var(--ok); } .VIOLATED { color: var(--bad); } .UNKNOWN { color: var(--unknown); }
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem 1.1rem .3rem 0; text-align: left;
  vertical-align: top; font-weight: 400; }
thead th { color: var(--soft); font-size: .87rem; vertical-align: bottom; white-space: nowrap; }
td { overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
@media (max-width: 50rem) { th, td { padding-right: .8rem; } }
pre { margin: .2rem 0 .8rem; padding: .5rem .7rem; border-left: 3px solid var(--line); font-size: .82rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 2.5rem; font-size: .9rem; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; }
  h2, thead { break-after: avoid; } tr, pre { break-inside: avoid; } }
"""

SECTIONS = """\
figcaption { font-size: .95rem; font-weight: 600; margin: 0 0 .6rem; }
caption { text-align: left; padding-bottom: .2rem; }
.ledger { display: grid; gap: 0 3rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
.violated { color: var(--bad); } .undefined { color: var(--unknown); }
.met { color: var(--ok); } .outside { color: var(--unknown); } .inside { color: var(--soft); }
.estimate { margin: 2.4rem 0 0; padding: 0 1rem 1rem; border: 2px dashed var(--soft); border-radius: 6px; }
.estimate h2 { margin-top: 0; border: 0; }
.estimate h3 { margin: 1.2rem 0 .3rem; }
.estimate .facts { margin-top: 1rem; }
.ends { margin-left: .4rem; font-size: .87rem; }
.coverage { font-size: 1.05rem; font-weight: 600; }
figure { margin: 0 0 1rem; break-inside: avoid; min-width: 0; }
.figures { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr));
  align-items: start; }
.figures .chart { width: 100%; max-width: 25rem; }
.wide { width: 100%; } .narrow { display: none; }
@media (max-width: 50rem) { .wide { display: none; } .narrow { display: block; } .narrow .chart { width: 100%;
  max-width: 30rem; } }
@media (min-width: 50rem) { .figures .beside { grid-column: span 2; }
  .figures:has(> :nth-child(4):last-child) { grid-template-columns: repeat(2, 1fr); } }
.beside { min-width: 0; }
.segments { margin-top: 1.4rem; }
.segments th[scope=row] { min-width: 7rem; max-width: 20rem; overflow-wrap: anywhere; }
.segments td { font-size: .93rem; min-width: 9rem; }
.scroll { overflow-x: auto; }
.scroll .chart { max-width: none; }
.scroll table { overflow-wrap: normal; }
.scroll td, .facts th { overflow-wrap: anywhere; }
.metrics th[scope=row] { min-width: 9rem; font-weight: 600; }
.metrics td { white-space: nowrap; }
.metrics td.why { white-space: normal; min-width: 13rem; font-size: .87rem; }
@media (max-width: 50rem) { .metrics td.why { white-space: nowrap; } }
@media (min-width: 50rem) { .metrics th[scope=row] { min-width: 11rem; } }
.classes th[scope=row], .classes td:not(.number) { min-width: 9rem; overflow-wrap: anywhere; }
.classes .number { min-width: 0; }
.facts th { color: var(--soft); font-weight: 400; min-width: 8rem; }
@media print { .scroll { overflow: visible; } .scroll .chart { max-width: 100%; } }
"""

FEATURES = """\
.features > table { width: 100%; }
.features th[scope=row] { min-width: 9rem; max-width: 20rem; font-weight: 600; overflow-wrap: anywhere; }
.features td { white-space: nowrap; }
.features .why, .opens td, .opens th { white-space: normal; }
.features .opens th[scope=row] { font-weight: 400; min-width: 8.5rem; }
.violations table { width: 100%; }
.violations th[scope=row] { min-width: 10rem; max-width: 20rem; font-weight: 600; overflow-wrap: anywhere; }
.violations td:nth-child(2) { white-space: nowrap; }
.violations td:nth-child(3) { min-width: 15rem; }
.features tr.above > * { border-bottom: 0; padding-bottom: 0; }
.features tr.opens > td { padding-top: 0; }
.drifted { color: var(--unknown); } .chance, .unknown { color: var(--soft); }
.opens details { position: sticky; left: 0; max-width: calc(100vw - 2rem); }
.opens summary { color: var(--soft); cursor: pointer; font-size: .87rem; width: fit-content; }
.opens summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.opens details[open] { padding-bottom: 1rem; }
.opens details .figures { margin-top: .6rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)) !important; }
.opens details .facts { font-size: .87rem; }
.opens .number { overflow-wrap: normal; }
.opens details .facts { width: 100%; max-width: 28rem; }
.opens details .facts th[scope=col] { white-space: nowrap; min-width: 0; }
.opens details pre { margin-bottom: .3rem; }
.opens details h3 { margin: 1rem 0 .3rem; font-size: .87rem; }
.opens details li { font-size: .93rem; }
@media print { .opens details:not([open]) { display: none; } }
"""

BIAS = """\
.bias h3 { margin: 1.4rem 0 .4rem; }
.meanings { width: 100%; }
.meanings th[scope=row] { font-weight: 600; }
.meanings td { white-space: nowrap; }
.meanings td.why { white-space: normal; min-width: 12.5rem; width: 60%; }
"""

RANKINGS = """\
.rankings { width: 100%; }
.rankings th[scope=row] { min-width: 9rem; max-width: 24rem; font-weight: 600; overflow-wrap: anywhere; }
.rankings td { white-space: nowrap; }
.moves { margin: .4rem 0 1rem; }
.chart .was-bar { fill: none; stroke: var(--soft); stroke-width: 1.2; }
.chart .rose { fill: var(--accent); font-weight: 600; } .chart .fell { fill: var(--unknown); font-weight: 600; }
.rose { color: var(--accent); } .fell { color: var(--unknown); }
"""

TIMES = """\
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
.chart .tile .box { fill: var(--track); }
.chart .tile.ok .box { fill: color-mix(in srgb, var(--ok) 14%, var(--paper)); }
.chart .tile.violated .box { fill: color-mix(in srgb, var(--bad) 24%, var(--paper)); }
.chart .tile.unknown .box, .chart .tile.failed .box, .chart .tile.overdue .box {
  fill: color-mix(in srgb, var(--unknown) 22%, var(--paper)); }
.chart .tile.planned .box, .chart .tile.none .box { fill: none; stroke: var(--line); }
.key-ok b { color: var(--ok); } .chart .tile.ok text { fill: var(--ok); }
.key-violated b { color: var(--bad); } .chart .tile.violated text { fill: var(--bad); font-weight: 700; }
.key-unknown b, .key-failed b, .key-overdue b { color: var(--unknown); }
.chart .tile.unknown text, .chart .tile.failed text, .chart .tile.overdue text {
  fill: var(--unknown); font-weight: 700; }
.key-planned b, .key-none b, .key-stopped b, .key-waiting b { color: var(--soft); }
.chart .tile.planned text, .chart .tile.none text, .chart .tile.stopped text, .chart .tile.waiting text {
  fill: var(--soft); }
.key-running b { color: var(--accent); } .chart .tile.running text { fill: var(--accent); }
.chart .reach { fill: var(--accent); fill-opacity: .16; }
.chart .base-band { fill: var(--soft); fill-opacity: .14; }
.chart .limit { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 7 3; }
.chart .event { stroke: var(--unknown); stroke-dasharray: 2 3; stroke-width: 1.5; }
.chart .happening text { fill: var(--unknown); }
.chart .broken { fill: var(--bad); stroke: var(--paper); stroke-width: 1.5; }
.chart .unknown-mark { fill: var(--unknown); font-weight: 700; }
.chart .rows { fill: var(--soft); fill-opacity: .55; }
.chart a:hover .dot, .chart a:focus-visible .dot, .chart a:hover .broken, .chart a:focus-visible .broken {
  stroke: var(--ink); stroke-width: 2; }
.chart a:hover .box, .chart a:focus-visible .box { stroke: var(--ink); stroke-width: 2; }
"""
