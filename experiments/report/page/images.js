// Two images of one prompt: a slider between them, side by side, or their differences amplified. The grid below has them all;
// a click on one of its images shows it here.

class ImageComparison {
  constructor(figure) {
    this.rows = [...figure.querySelectorAll("tbody tr")];
    this.prompts = [...figure.querySelectorAll("thead th")].map(head => head.textContent);
    if (!this.rows.some(row => row.querySelector("img"))) return;
    this.prompt = Math.max(0, this.prompts.findIndex((_, i) => this.image(this.rows[0], i)));
    this.right = this.rows.length - 1;
    this.left = this.referenceOf(this.right);
    this.mode = "slider";
    this.part = 50;  // percent of the width that the left image has
    this.factor = 4;
    this.body = element("figure", {class: figure.querySelector("table.pixelated") ? "comparison pixelated" : "comparison"});
    figure.before(this.body);
    figure.addEventListener("click", event => this.chooseImage(event.target.closest("img")));
    this.draw();
  }

  image(row, prompt) {
    return row.cells[prompt + 1]?.querySelector("img") ?? null;
  }

  name(index) {
    const head = this.rows[index].cells[0];
    return `${head.querySelector("b").textContent} ${head.querySelector("small")?.textContent ?? ""}`.trim();
  }

  referenceOf(index) {
    const hash = this.rows[index].dataset.reference;
    const found = this.rows.findIndex(row => hash && row.dataset.point === hash);
    return found >= 0 ? found : 0;
  }

  chooseImage(image) {
    if (!image) return;
    const cell = image.closest("td");
    this.prompt = cell.cellIndex - 1;
    this.right = this.rows.indexOf(cell.parentElement);
    this.left = this.referenceOf(this.right);
    this.draw();
    this.body.scrollIntoView({block: "nearest"});
  }

  draw() {
    const rows = this.rows.map((_, i) => [i, this.name(i)]);
    const set = name => value => { this[name] = Number(value); this.draw(); };
    const controls = element("div", {class: "controls"},
      choice("Prompt", this.prompts.map((text, i) => [i, text]), this.prompt, set("prompt")),
      choice("Left", rows, this.left, set("left")),
      choice("Right", rows, this.right, set("right")),
      element("span", {class: "segments", role: "group", "aria-label": "How they are compared"},
        [["slider", "Slider"], ["both", "Side by side"], ["difference", "Difference"]].map(([mode, text]) =>
          toggle(text, this.mode === mode, () => { this.mode = mode; this.draw(); }, {"data-mode": mode}))));
    const [left, right] = [this.left, this.right].map(index => this.image(this.rows[index], this.prompt));
    const focused = document.activeElement?.dataset?.mode;
    this.body.replaceChildren(controls, element("p", {class: "prompt"}, `\u201c${this.prompts[this.prompt]}\u201d`),
      left && right ? this.stage(left, right) : element("p", {class: "soft"}, "One of them has no image of this prompt."));
    if (focused) this.body.querySelector(`[data-mode=${focused}]`)?.focus();
  }

  stage(left, right) {
    if (this.mode === "both") return element("div", {class: "pair"}, this.shown(left, this.left), this.shown(right, this.right));
    if (this.mode === "difference") return this.difference(left, right);
    return this.slider(left, right);
  }

  copyOf(image) {
    const copy = element("img", {alt: image.alt, src: image.src, draggable: "false"});
    copy.style.aspectRatio = `${image.width} / ${image.height}`;
    return copy;
  }

  shown(image, index) {
    return element("figure", {}, this.copyOf(image), this.label(index));
  }

  label(index) {
    const details = [...this.rows[index].cells[0].querySelectorAll("small")].slice(1).map(one => one.textContent);
    return element("figcaption", {}, element("b", {}, this.name(index)), details.length ? ` \u00b7 ${details.join(" \u00b7 ")}` : "");
  }

  slider(left, right) {
    const above = this.copyOf(left);
    above.className = "above";
    const handle = element("div", {class: "handle", role: "slider", tabindex: 0, "aria-label": `How much of ${this.name(this.left)} is shown`,
      "aria-valuemin": 0, "aria-valuemax": 100});
    const place = part => {
      this.part = Math.min(100, Math.max(0, part));
      above.style.clipPath = `inset(0 ${100 - this.part}% 0 0)`;
      handle.style.left = `${this.part}%`;
      setAttributes(handle, {"aria-valuenow": Math.round(this.part), "aria-valuetext": `${Math.round(this.part)} %`});
    };
    const stage = element("div", {class: "stage"}, this.copyOf(right), above, handle);
    const follow = event => place(100 * placeIn(stage, event)[0]);
    stage.addEventListener("pointerdown", event => {
      stage.setPointerCapture(event.pointerId);
      follow(event);
      handle.focus({preventScroll: true});
      event.preventDefault();
    });
    stage.addEventListener("pointermove", event => { if (event.buttons & 1) follow(event); });
    handle.addEventListener("keydown", event => {
      const step = event.shiftKey ? 10 : 2;
      const to = {ArrowLeft: this.part - step, ArrowDown: this.part - step, ArrowRight: this.part + step, ArrowUp: this.part + step,
        PageDown: this.part - 20, PageUp: this.part + 20, Home: 0, End: 100}[event.key];
      if (to === undefined) return;
      event.preventDefault();
      place(to);
    });
    place(this.part);
    return element("div", {class: "sliding"}, stage,
      element("div", {class: "sides"}, this.label(this.left), this.label(this.right)));
  }

  difference(left, right) {
    const canvas = element("canvas", {role: "img", "aria-label": "Differences of the two images, amplified"});
    const said = element("figcaption", {});
    const factor = element("output", {});
    const range = element("input", {type: "range", min: 0, max: 4, step: 1, value: Math.log2(this.factor), "aria-label": "Amplified"});
    const draw = () => {
      factor.textContent = `\u00d7${this.factor}`;
      range.setAttribute("aria-valuetext", factor.textContent);
      drawDifference(canvas, left, right, this.factor).then(text => { said.textContent = text; });
    };
    range.addEventListener("input", () => { this.factor = 2 ** Number(range.value); draw(); });
    draw();
    return element("div", {class: "pair three"}, this.shown(left, this.left), this.shown(right, this.right),
      element("figure", {}, canvas, element("label", {class: "amplify"}, "Amplified ", range, factor), said));
  }
}

/** |left - right| * factor of each colour; says how large the differences are. */
async function drawDifference(canvas, left, right, factor) {
  const [a, b] = await Promise.all([left, right].map(pixelsOf));
  if (a.width !== b.width || a.height !== b.height) return "The images differ in size.";
  setAttributes(canvas, {width: a.width, height: a.height});
  const context = canvas.getContext("2d");
  const image = context.createImageData(a.width, a.height);
  let sum = 0;
  let most = 0;
  for (let i = 0; i < image.data.length; i += 4) {
    for (let c = 0; c < 3; ++c) {
      const difference = Math.abs(a.data[i + c] - b.data[i + c]);
      sum += difference;
      if (difference > most) most = difference;
      image.data[i + c] = Math.min(255, difference * factor);
    }
    image.data[i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  const mean = sum / (3 * a.width * a.height);
  return `Black: equal. Mean difference ${mean.toFixed(2)} of 255, largest ${most}.`;
}

async function pixelsOf(image) {
  const own = new Image();
  own.src = image.src;
  await own.decode();
  const canvas = element("canvas", {width: own.naturalWidth, height: own.naturalHeight});
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(own, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
