// SPDX-License-Identifier: GPL-3.0-or-later
// What goes on in a page: streams that renew a part of it, forms whose answer is a part of it. Every page works without.
(function () {
  "use strict";

  // What is drawn anew between press and release takes the click away: it waits, but not for a release that nobody sees.
  var isPressed = false, waiting = new Map(), timer, LONGEST_PRESS_MS = 2000;

  function release() {
    isPressed = false;
    waiting.forEach(function (html, node) { renew(node, html); });
    waiting.clear();
  }

  function releaseAfter(ms) {
    clearTimeout(timer); // an earlier press's
    timer = setTimeout(release, ms);
  }

  document.addEventListener("pointerdown", function () { isPressed = true; releaseAfter(LONGEST_PRESS_MS); });
  document.addEventListener("pointerup", function () { releaseAfter(0); }); // after the click

  function renew(node, html) {
    if (isPressed) { waiting.set(node, html); return; }
    if (html === node.drawn) { return; } // what is marked in it stays so
    node.drawn = html;
    var active = document.activeElement, name = active && node.contains(active) && active.name;
    var chosen = Array.prototype.map.call(node.querySelectorAll("input:checked"), function (box) { return box.value; });
    node.innerHTML = html; // of this server, with every value escaped
    node.querySelectorAll("input[type=checkbox]").forEach(function (box) { box.checked = chosen.indexOf(box.value) >= 0; });
    if (name) { var again = node.querySelector("[name='" + name + "']"); if (again) { again.focus(); } }
  }

  function append(node, text) {
    if (!text) { return; }
    var atEnd = node.scrollTop + node.clientHeight >= node.scrollHeight - 4;
    node.appendChild(document.createTextNode(text));
    if (atEnd) { node.scrollTop = node.scrollHeight; }
  }

  function follow(node) {
    var source = new EventSource(node.dataset.stream);
    source.addEventListener("news", function (event) {
      var news = JSON.parse(event.data);
      if (node.dataset.append) {
        append(node, news.text);
        renew(document.getElementById(node.dataset.append), news.html);
      } else if (news.html && node.dataset.reload === undefined || news.html && node.id === "live") {
        renew(node, news.html);
      }
      if (news.figures) { document.dispatchEvent(new CustomEvent("figures", { detail: news.figures })); }
    });
    source.addEventListener("over", function () {
      source.close();
      if (node.dataset.reload) { window.location.reload(); }
    });
    window.addEventListener("pagehide", function () { source.close(); });
  }

  function ask(form) {
    var part = document.getElementById(form.dataset.part);
    var query = new URLSearchParams(new FormData(form));
    fetch(form.action + "?" + query, { headers: { Accept: "text/html" } })
      .then(function (answer) { return answer.text(); })
      .then(function (html) { renew(part, html); });
  }

  document.querySelectorAll("[data-stream]").forEach(follow);
  document.querySelectorAll("form[data-part]").forEach(function (form) {
    form.addEventListener("submit", function (event) { event.preventDefault(); ask(form); });
    form.addEventListener("change", function () { ask(form); });
    ask(form);
  });
  var output = document.getElementById("output");
  if (output) { output.scrollTop = output.scrollHeight; }
})();
