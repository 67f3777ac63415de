// The style sheet. Categories have one colour each, taken from a palette made for colour-blind eyes
// (Paul Tol's "muted"); neighbours are kept apart by a gap as well, and every figure has its numbers
// in words beside it.
#include "sections.hpp"

namespace wirelag::report::html {

void style(Writer& w) {
  const auto element = w.element("style");
  w.markup(R"css(
:root{color-scheme:light dark;--page:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#545b66;--line:#d5d9df;
--accent:#0b5cad;--good:#0b6b3a;--bad:#a11d1d;--ground:#e9ecf0;--ring:#1b1f24;--warn:#fff4d6;
--dns:#aa4499;--connect:#88ccee;--tls:#44aa99;--send:#999933;--think:#332288;--rounds:#ddcc77;
--bandwidth:#117733;--stall:#cc6677;--client:#c9ced6;--dark:#111;--pale:#fff;
--h1:#cfe1f2;--h2:#9dc6e4;--h3:#62a5d2;--h4:#3080bd;--h5:#0e57a0;--h6:#08306b}
@media (prefers-color-scheme:dark){:root{--page:#14171c;--card:#1d2128;--ink:#e8eaee;--soft:#a9b1bd;
--line:#3a414c;--accent:#7fb8f5;--good:#6fd39b;--bad:#ff9a92;--ground:#262b34;--ring:#fff;--warn:#3a3115;
--dns:#cf72bf;--send:#b3b34d;--think:#9184e6;--bandwidth:#3f9f5c;--stall:#e07f8e;--client:#59616e;--pale:#111;
--h1:#173a5e;--h2:#1d5688;--h3:#2b78b5;--h4:#4c9bd6;--h5:#8cc2ea;--h6:#e3f1fc}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,"DejaVu Sans",sans-serif;
overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 24px}
header{padding-top:28px}
h1{font-size:1.9rem;line-height:1.25;margin:.2em 0 .4em;text-wrap:balance}
h2{font-size:1.35rem;line-height:1.3;margin:0 0 .5em}
h3{font-size:1.08rem;line-height:1.35;margin:1.3em 0 .4em}
h4{font-size:1rem;margin:1.1em 0 .3em}
p{margin:.4em 0}
section{margin:44px 0;padding-top:20px;border-top:1px solid var(--line)}
a{color:var(--accent)}
a:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
code,pre{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.9rem}
pre{margin:.3em 0;padding:10px 12px;background:var(--ground);border-radius:6px;white-space:pre-wrap}
.kicker,.note,.more,caption,footer{color:var(--soft);font-size:.9rem}
.kicker{margin:0}
.lead{font-size:1.15rem;font-weight:600}
.chip{display:inline-block;margin-left:8px;padding:1px 8px;border:1px solid var(--line);border-radius:999px;
font-size:.82rem;color:var(--soft);background:var(--page)}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;margin:22px 0 0;padding:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:22px 0}
.tile{padding:10px 14px;background:var(--card);border:1px solid var(--line);border-radius:8px}
.tile dt{color:var(--soft);font-size:.85rem}
.tile dd{margin:0}
.tile b{display:block;font-size:1.25rem}
.tile span{color:var(--soft);font-size:.82rem}
.first{padding:14px 20px;border:2px solid var(--accent);border-radius:10px;background:var(--card)}
.failed,.marks{margin:0 0 22px;padding:8px 14px;border-left:4px solid var(--bad);background:var(--card)}
.marks{border-color:var(--accent)}
.failed ul{margin:.2em 0;padding-left:1.2em}
.steps{margin:.3em 0;padding-left:1.4em}
.steps li{margin:.7em 0}
.steps a{font-weight:600}
.steps p{margin:.15em 0}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;margin:.6em 0;padding:0;font-size:.88rem;
color:var(--soft)}
.legend b{color:var(--ink)}
.swatch{display:inline-block;width:14px;height:14px;margin-right:7px;border-radius:3px;vertical-align:-2px}
.key .swatch{margin:0 1px}
svg{display:block;overflow:hidden}
svg text{fill:var(--soft);font-size:12px;text-anchor:middle}
svg text.first{text-anchor:start}
svg text.end,.scale text{text-anchor:end}
svg text.mark{fill:var(--ink);font-weight:600;paint-order:stroke;stroke:var(--page);stroke-width:4px}
.seg{stroke:var(--page);stroke-width:1.5}
.label{pointer-events:none}
svg text.label{font-weight:600;font-size:12.5px}
.bar{margin:.5em 0}
.bar p{margin:0 0 2px;font-size:.92rem;color:var(--soft)}
.bar p b{color:var(--ink);font-size:1.02rem}
.c-dns{fill:var(--dns);background:var(--dns)}
.c-connect{fill:var(--connect);background:var(--connect)}
.c-tls{fill:var(--tls);background:var(--tls)}
.c-send{fill:var(--send);background:var(--send)}
.c-think{fill:var(--think);background:var(--think)}
.c-rounds{fill:var(--rounds);background:var(--rounds)}
.c-bandwidth{fill:var(--bandwidth);background:var(--bandwidth)}
.c-stall{fill:var(--stall);background:var(--stall)}
.c-client{fill:var(--client);background:var(--client)}
svg text.on-c-connect,svg text.on-c-tls,svg text.on-c-send,svg text.on-c-rounds,svg text.on-c-stall{fill:var(--dark)}
svg text.on-c-dns,svg text.on-c-think,svg text.on-c-bandwidth{fill:var(--pale)}
svg text.on-c-client{fill:var(--ink)}
.step{display:grid;grid-template-columns:minmax(0,260px) minmax(0,1fr) 215px;gap:0 14px;align-items:center}
.step p{margin:0;font-size:.86rem;line-height:1.3}
.step .what{text-align:right}
.step .when{color:var(--soft)}
.step:not(.on) .seg{opacity:.38}
.step.on .what{font-weight:600}
.rail{background:linear-gradient(var(--ground),var(--ground)) 0 50%/100% 1px no-repeat}
.critical{fill:none;stroke:var(--ring);stroke-width:1.6}
.visit{margin-bottom:28px}
.plot{display:grid;grid-template-columns:66px minmax(0,1fr)}
.ground{fill:var(--ground)}
.left{fill:var(--accent)}.open{fill:var(--accent);opacity:.35}
.h1{fill:var(--h1)}.h2{fill:var(--h2)}.h3{fill:var(--h3)}.h4{fill:var(--h4)}.h5{fill:var(--h5)}.h6{fill:var(--h6)}
.g1{background:var(--h1)}.g2{background:var(--h2)}.g3{background:var(--h3)}.g4{background:var(--h4)}
.g5{background:var(--h5)}.g6{background:var(--h6)}
.map{overflow:visible}
.point{fill:var(--h4)}
.point.beyond{fill:var(--stall);stroke:var(--ring);stroke-width:1.4}
.level{stroke:var(--soft);stroke-width:1}
.level.knee{stroke-dasharray:5 4;stroke:var(--ring)}
.axis-title{margin-top:1em}
.card{margin:16px 0;padding:14px 20px 16px;background:var(--card);border:1px solid var(--line);border-radius:10px}
.card h3,.card h4:first-child{margin-top:.2em}
.saves b{font-size:1.15rem;color:var(--good)}
.interval .span{fill:var(--good);opacity:.55}
.interval .mark{stroke:var(--good);stroke-width:2}
.interval .mark.mid{stroke:var(--ring);stroke-width:3}
.warning{padding:8px 12px;background:var(--warn);border-left:4px solid var(--bad);border-radius:4px}
.change{margin:.6em 0}
.change p{margin:.2em 0}
.facts{display:grid;grid-template-columns:minmax(110px,190px) minmax(0,1fr);gap:4px 16px;margin:.8em 0;font-size:.93rem}
.facts dt{color:var(--soft)}
.facts dd{margin:0}
.evidence{margin:.3em 0;padding-left:1.2em;font-size:.93rem}
.segments{padding-left:1.4em}
.segments li{margin:1em 0}
table{width:100%;border-collapse:collapse;margin:1em 0;font-size:.88rem}
caption{text-align:left;font-weight:600;padding-bottom:4px}
th,td{padding:5px 8px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--soft);font-weight:600}
th.n,td.n{text-align:right}
th,td.n,td.w{overflow-wrap:normal}
tr.bad td{color:var(--bad)}
details{margin:.6em 0}
summary{cursor:pointer;color:var(--accent);padding:4px 0}
footer{padding-top:10px;padding-bottom:40px}
@media screen and (max-width:760px){
main,header,footer{padding-left:16px;padding-right:16px}
h1{font-size:1.4rem}
.wide{display:none}
.first,.card{padding:12px 14px}
.facts{grid-template-columns:minmax(0,1fr)}
.facts dt{margin-top:6px}
.step{grid-template-columns:minmax(0,1fr) auto;margin-top:6px}
.step .what{text-align:left}
.step .when{text-align:right}
.step svg{grid-column:1/-1;grid-row:2}
.step.axis p{display:none}
.step.axis svg{grid-row:1}
table,tbody,tr,td,caption{display:block}
thead{display:none}
tr{padding:8px 0;border-bottom:1px solid var(--line)}
td,td.n{display:grid;grid-template-columns:minmax(0,9.5em) minmax(0,1fr);gap:0 10px;padding:1px 0;border:0;text-align:left}
td::before{content:attr(data-label);color:var(--soft)}
}
@page{size:landscape;margin:12mm}
@media print{
:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--ground:#eee;--ring:#000;
--accent:#000;--good:#0b6b3a;--bad:#a11d1d;--warn:#fff;--dns:#aa4499;--send:#999933;--think:#332288;
--bandwidth:#117733;--stall:#cc6677;--client:#c9ced6;--pale:#fff;--h1:#cfe1f2;--h2:#9dc6e4;--h3:#62a5d2;
--h4:#3080bd;--h5:#0e57a0;--h6:#08306b}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{font-size:10pt}
main,header,footer{max-width:none;padding:0}
nav,details{display:none}
section{margin:20px 0}
.scope,.visit,.heat,.knee,.step,thead,tr,pre{break-inside:avoid}
thead{break-after:avoid}
h2,h3,h4,.legend,h2+.note{break-after:avoid}
}
)css");
}

}  // namespace wirelag::report::html
