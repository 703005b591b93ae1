// SPDX-License-Identifier: GPL-3.0-or-later
// Checks a recipe while it is written: its mistakes beside their lines.
(function () {
  "use strict";
  var form = document.querySelector("form.recipe"), text = document.getElementById("text");
  var numbers = document.getElementById("numbers"), mistakes = document.getElementById("mistakes");
  var wrong = {}, timer = null, asked = 0;

  function element(name, content, attributes) {
    var made = document.createElement(name);
    made.textContent = content || "";
    Object.keys(attributes || {}).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    return made;
  }

  function number() {
    var count = text.value.split("\n").length;
    numbers.textContent = "";
    for (var line = 1; line <= count; line += 1) {
      numbers.appendChild(element(wrong[line] ? "b" : "span", (wrong[line] ? "● " : "") + line + "\n"));
    }
    numbers.style.height = text.clientHeight + "px";
    numbers.scrollTop = text.scrollTop;
  }

  function item(each) {
    var li = document.createElement("li");
    li.appendChild(element("button", "line " + (each.line || "–"), { type: "button", "class": "link", "data-line": each.line || 1 }));
    li.appendChild(document.createTextNode(" "));
    if (each.field) { li.appendChild(element("code", each.field)); li.appendChild(document.createTextNode(": ")); }
    li.appendChild(document.createTextNode(each.message + (each.remedy ? "; " + each.remedy : "")));
    return li;
  }

  function show(found) {
    var count = found.problems.length, list = document.createElement("ul");
    wrong = {};
    found.problems.forEach(function (each) { wrong[each.line || 1] = true; list.appendChild(item(each)); });
    found.notes.forEach(function (note) { list.appendChild(element("li", "note: " + note)); });
    mistakes.textContent = "";
    var said = found.valid ? "Valid: " + found.sentence + "." : count + " problem" + (count === 1 ? "" : "s");
    mistakes.appendChild(element("p", said, { "class": found.valid ? "ok" : "bad" }));
    mistakes.appendChild(list);
    number();
  }

  function check() {
    var mine = asked += 1, name = form.elements.name.value;
    var body = { text: text.value };
    if (form.dataset.origin) { body.origin = form.dataset.origin; }
    if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) { body.name = name; }
    fetch(form.dataset.check, {
      method: "POST", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRF-Token": form.elements.csrf.value }
    }).then(function (answer) { return answer.json().then(function (found) {
      if (mine !== asked) { return; }
      if (answer.ok) { show(found); } else { mistakes.textContent = found.message; }
    }); });
  }

  text.addEventListener("input", function () {
    number();
    clearTimeout(timer);
    timer = setTimeout(check, 300);
  });
  text.addEventListener("scroll", function () { numbers.scrollTop = text.scrollTop; });
  new ResizeObserver(number).observe(text);
  mistakes.addEventListener("click", function (event) {
    var line = Number(event.target.dataset.line);
    if (!line) { return; }
    var lines = text.value.split("\n"), start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[line - 1] || "").length);
    text.scrollTop = Math.max(0, (line - 5) * text.scrollHeight / lines.length);
  });
  document.querySelectorAll("[data-line]").forEach(function (each) { wrong[each.dataset.line] = true; });
  number();
})();
