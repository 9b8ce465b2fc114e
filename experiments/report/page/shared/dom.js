// The few things that every view does with the document. Text is always set as text, never as markup.

/** element("button", {class: "x", onclick: f}, child, "text", ...) */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  setAttributes(made, attributes);
  made.append(...children.flat().filter(child => child !== null && child !== undefined));
  return made;
}

function svgElement(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

function setAttributes(made, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) {
      made.addEventListener(key.slice(2), value);
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(key, value === true ? "" : value);
    }
  }
}

/** A labelled <select>; `options` are [value, text], `chosen` is called with the value. */
function choice(label, options, value, chosen) {
  const select = element("select", {onchange: () => chosen(select.value)},
    options.map(([key, text]) => element("option", {value: key, selected: String(key) === String(value)}, text)));
  return element("label", {class: "choice"}, element("span", {}, label), select);
}

/** A button that is on or off. */
function toggle(text, isOn, changed, attributes = {}) {
  return element("button", {type: "button", class: "toggle", "aria-pressed": String(isOn),
    onclick: () => changed(!isOn), ...attributes}, text);
}

/** Shows what `text(event)` says beside the pointer while it is over `target`; null hides it. */
function explain(target, text) {
  const tip = document.getElementById("tip");
  const hide = () => { tip.hidden = true; };
  const show = event => {
    const said = text(event);
    if (said) showTip(said, event.clientX, event.clientY);
    else hide();
  };
  target.addEventListener("pointermove", show);
  target.addEventListener("pointerdown", show);
  target.addEventListener("pointerleave", hide);
  return target;
}

/** Shows a text beside a place of the window. */
function showTip(text, x, y) {
  const tip = document.getElementById("tip");
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = Math.min(x + 14, document.documentElement.clientWidth - box.width - 6);
  const above = y + 18 + box.height > window.innerHeight;
  tip.style.left = `${Math.max(6, left)}px`;
  tip.style.top = `${above ? y - box.height - 12 : y + 18}px`;
}

/** Where an event lies in an element, as parts of its width and height. */
function placeIn(target, event) {
  const box = target.getBoundingClientRect();
  const clamp = part => Math.min(1 - 1e-9, Math.max(0, part));
  return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
}

/** A canvas of rows x columns pixels, each the colour of a number; `colour(row, column)` may be null. */
function pixels(rows, columns, colour, attributes = {}) {
  const canvas = element("canvas", {width: columns, height: rows, ...attributes});
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let row = 0, at = 0; row < rows; ++row) {
    for (let column = 0; column < columns; ++column, at += 4) {
      const parts = colour(row, column);
      if (!parts) continue;
      image.data[at] = parts[0];
      image.data[at + 1] = parts[1];
      image.data[at + 2] = parts[2];
      image.data[at + 3] = parts.length > 3 ? parts[3] : 255;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}
