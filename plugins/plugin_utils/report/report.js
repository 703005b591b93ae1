// SPDX-License-Identifier: GPL-3.0-or-later
// Puts interactive figures in the place of the static drawings, in the colours of the page: light or dark.
(function () {
  "use strict";
  var figures = JSON.parse(document.getElementById("figures").textContent);
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var plots = [];

  function colours() {
    return dark.matches
      ? { text: "#c9d1d9", grid: "#30363d", line: "#484f58" }
      : { text: "#333a42", grid: "#e3e6ea", line: "#b6bcc4" };
  }

  function height(own) { return own.height || 300; }

  function axis(own, colour) {
    return Object.assign({ gridcolor: colour.grid, linecolor: colour.line, zerolinecolor: colour.line,
      automargin: true, fixedrange: window.innerWidth < 700 }, own);
  }

  function layout(own) {
    var colour = colours();
    return Object.assign({}, own, {
      xaxis: axis(own.xaxis, colour), yaxis: axis(own.yaxis, colour),
      font: { family: "system-ui, sans-serif", size: 12, color: colour.text },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 10, r: 10, t: 10, b: 10 }, height: height(own), barmode: "overlay",
      hovermode: "closest", showlegend: own.showlegend !== false,
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" }
    });
  }

  function draw() {
    var known = plots.filter(function (plot) { return plot.figure; });
    // all places before the first plot: how wide one is depends on how high they are together
    known.forEach(function (plot) {
      plot.node.style.minHeight = height(plot.figure.layout) + "px";
      if (!plot.node.parentNode) { plot.place.appendChild(plot.node); }
      plot.place.classList.add("live"); // its static drawing is for paper from now on
    });
    known.forEach(function (plot) {
      Plotly.react(plot.node, plot.figure.data, layout(plot.figure.layout), { responsive: true, displayModeBar: false });
    });
  }

  document.querySelectorAll("[data-figure]").forEach(function (node) {
    var place = document.createElement("div");
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", node.querySelector("figcaption").textContent);
    plots.push({ name: node.dataset.figure, place: node, node: place, figure: figures[node.dataset.figure] });
  });
  draw();
  dark.addEventListener("change", draw);
  // a page that goes on hands in what has changed of its figures, by name
  document.addEventListener("figures", function (event) {
    plots.forEach(function (plot) { plot.figure = event.detail[plot.name] || plot.figure; });
    draw();
  });

  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.prototype.slice.call(document.querySelectorAll("details:not([open])"));
    opened.forEach(function (each) { each.open = true; });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (each) { each.open = false; });
  });
})();
