// Where a number comes from: its point, the command that makes it again, what sets the point apart, and the machine.

function showProvenance(point, number = null) {
  document.getElementById("provenance-panel")?.remove();
  const close = element("button", {type: "button", class: "close", "aria-label": "Close", onclick: () => panel.close()}, "\u00d7");
  const panel = element("dialog", {id: "provenance-panel", "aria-labelledby": "provenance-title"},
    element("header", {}, element("h2", {id: "provenance-title"}, point.name), close),
    number ? element("p", {class: "number"}, element("span", {}, number.label), " ", element("b", {}, number.text)) : null,
    element("p", {class: "soft"}, `${point.model} \u00b7 ${point.images} image${point.images === 1 ? "" : "s"}`),
    element("h3", {}, "The command that makes it again"), copied(point.command),
    element("h3", {}, "Point"), copied(point.hash),
    element("p", {class: "soft"}, "in ", element("code", {}, point.folder)),
    differences(point),
    element("h3", {}, "How it was made"), factTable({...app.data.manifest, ...point.manifest}),
    element("details", {}, element("summary", {}, "Overrides"), copied(point.overrides.join("\n") || "none")),
    element("details", {}, element("summary", {}, "All settings"), factTable({...app.data.settings, ...point.settings})));
  panel.addEventListener("click", event => { if (event.target === panel) panel.close(); });  // beside it
  panel.addEventListener("close", () => panel.remove());
  document.body.append(panel);
  panel.showModal();
}

/** Text, and a button that copies it. */
function copied(text) {
  const button = element("button", {type: "button", class: "copy", onclick: async () => {
    button.textContent = await copy(text, button.parentElement) ? "Copied" : "Press Ctrl+C";
  }}, "Copy");
  return element("div", {class: "copied"}, element("pre", {}, element("code", {}, text)), button);
}

async function copy(text, place) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(place.querySelector("code"));  // a browser that does not let pages copy
    return false;
  }
}

function factTable(facts) {
  return element("table", {class: "facts"}, element("tbody", {}, Object.entries(facts).map(([key, value]) =>
    element("tr", {}, element("th", {scope: "row"}, key), element("td", {}, element("code", {}, value))))));
}

/** What another point has otherwise; to begin with the full cache of its group. */
function differences(point) {
  const others = app.data.points.filter(other => other !== point);
  if (others.length === 0) return null;
  const mates = others.filter(other => other.group === point.group);
  let other = mates.find(one => one.full) ?? mates[0] ?? others[0];
  const list = element("div", {});
  const draw = () => {
    const keys = [...new Set([...Object.keys(point.settings), ...Object.keys(other.settings)])].sort()
      .filter(key => point.settings[key] !== other.settings[key]);
    const shown = value => value === undefined ? "\u2014" : element("code", {}, value);
    list.replaceChildren(keys.length === 0 ? element("p", {class: "soft"}, "No setting differs.")
      : element("table", {class: "facts differences"},
        element("thead", {}, element("tr", {}, ["setting", "this point", "the other"].map(name => element("th", {scope: "col"}, name)))),
        element("tbody", {}, keys.map(key => element("tr", {}, element("th", {scope: "row"}, key),
          element("td", {}, shown(point.settings[key])), element("td", {}, shown(other.settings[key])))))));
  };
  draw();
  return element("section", {}, element("h3", {}, "Settings that differ"),
    choice("from", others.map(one => [one.index, one.name]), other.index, value => {
      other = app.data.points[Number(value)];
      draw();
    }), list);
}
