// All layers and heads at a glance: one recorded array as thumbnails, in their places or ordered by a
// number, with marks; the chosen head enlarged beside them.

class Overview {
  draw(main) {
    this.array = shownArray(app.state.array);
    this.grid = element("div", {id: "grid"});
    this.detail = element("aside", {id: "detail", "aria-live": "polite"});
    main.append(this.controls(), element("div", {class: "columns"}, this.grid, this.detail));
    this.grid.style.setProperty("--thumb", `${this.thumbSide()}px`);
    this.drawGrid();
    this.drawDetail();
  }

  /** As large as the heads of a layer leave room for in a line. */
  thumbSide() {
    const isNarrow = this.grid.clientWidth < 500;
    const room = this.grid.clientWidth - (isNarrow ? 0 : 124);
    return Math.max(isNarrow ? 44 : 56, Math.min(108, Math.floor(room / (this.array?.heads || 1)) - (isNarrow ? 12 : 16)));
  }

  controls() {
    const {state} = app;
    const change = changes => { Object.assign(state, changes); redraw(); };
    const numbers = shownRecord().headNumbers.map(number => number.name);
    return element("div", {class: "controls"},
      choice("Show", arrayNames().map(name => [name, name]), state.array, array => change({array})),
      choice("Order", [["place", "layer and head"], ...numbers.map(name => [name, name])], state.order,
        order => change({order})),
      state.order === "place" ? null
        : toggle(state.isFalling ? "highest first" : "lowest first", false, () => change({isFalling: !state.isFalling}),
          {"aria-pressed": null, title: "turn the order round"}),
      toggle("own scale", state.isOwn, isOwn => change({isOwn}), {title: "each head from its own lowest to highest"}),
      toggle("\u221a shading", state.isRoot, isRoot => change({isRoot}), {title: "shows small numbers better"}));
  }

  shading(layer, head) {
    const {array} = this;
    const lists = app.state.isOwn && layer !== undefined ? [array.of(layer, head)] : [array.values];
    return Shading.of(lists, array.isDifference, app.state.isRoot);
  }

  /** [layer, head] in the order in which they are shown. */
  places() {
    const record = shownRecord();
    const places = [];
    for (let layer = 0; layer < record.layers; ++layer) {
      for (let head = 0; head < (this.array?.heads ?? 0); ++head) places.push([layer, head]);
    }
    const number = this.number();
    if (!number || !this.array?.hasHeads) return places;
    const value = ([layer, head]) => number.values[layer * record.heads + head];
    const sign = app.state.isFalling ? -1 : 1;
    return places.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return sign * (x - y);
    });
  }

  number() {
    return shownRecord().headNumbers.find(number => number.name === app.state.order);
  }

  drawGrid() {
    const {array} = this;
    this.thumbs = new Map();
    if (!array) {
      this.grid.replaceChildren(element("p", {class: "notice"}, this.whyNothing()));
      return;
    }
    this.common = this.shading();
    const places = this.places();
    const isOrdered = this.number() && array.hasHeads;
    const parts = [this.legend()];
    if (isOrdered) {
      parts.push(element("div", {class: "heads"}, places.map(place => this.thumb(...place, true))));
    } else {
      for (let layer = 0; layer < shownRecord().layers; ++layer) {
        parts.push(element("section", {class: "layer"},
          element("h3", {}, `Layer ${layer}`, this.roleStrip(layer)),
          element("div", {class: "heads"}, places.filter(place => place[0] === layer).map(place => this.thumb(...place, false)))));
      }
    }
    this.grid.replaceChildren(...parts);
    this.mark();
  }

  whyNothing() {
    const {state} = app;
    if (state.shown !== "difference") {
      return `${shownRecord().file} holds no ${state.array}; it is recorded by --statistics ${state.array}.`;
    }
    return app.records.every(record => record.byName.has(state.array))
      ? "The two records differ in layers, heads or steps: there is no difference to show. A and B can be compared side by side."
      : `Only one of the records holds ${state.array}.`;
  }

  thumb(layer, head, isNamed) {
    const {array} = this;
    const record = shownRecord();
    const shading = app.state.isOwn ? this.shading(layer, head) : this.common;
    const name = array.hasHeads ? `layer ${layer}, head ${head}` : `layer ${layer}`;
    const number = this.number();
    const caption = isNamed ? `${layer}\u00b7${head}` : array.hasHeads ? String(head) : "";
    const marks = array.hasHeads ? record.headMarks.filter(mark => mark.isMarked[layer * record.heads + head]) : [];
    const button = element("button", {type: "button", class: "head", "data-layer": layer, "data-head": head, "aria-label": name,
      onclick: () => this.choose(layer, head, true)},
      thumbnail(array, layer, head, shading),
      element("span", {class: "caption"}, caption, marks.map(mark =>
        element("i", {class: `mark ${mark.marked}`, title: mark.marked}, markSign(mark)))));
    explain(button, event => this.valueAt(event, layer, head) + this.markText(marks) + (isNamed && number
      ? `\n${number.name}: ${number.text(number.values[layer * record.heads + head])}` : ""));
    this.thumbs.set(`${layer} ${head}`, button);
    return button;
  }

  markText(marks) {
    return marks.length ? `\n${marks.map(mark => mark.marked).join(", ")}` : "";
  }

  /** "layer 2, head 3, step 5 ...: 0.0123" of what is under the pointer in a thumbnail. */
  valueAt(event, layer, head) {
    const {array} = this;
    const target = event.currentTarget.querySelector(".thumb");
    const [x, y] = placeIn(target, event);
    return valueText(array, layer, head, Math.floor(y * array.rows), Math.floor(x * array.columns));
  }

  roleStrip(layer) {
    const {roles} = shownRecord();
    if (!roles) return null;
    const groups = roles.first.length;
    const cells = roles.first.map((first, group) => {
      const role = roles.role[layer * groups + group];
      const z = roles.zScore[layer * groups + group];
      const name = ["no history", "drafter", "refiner"][role];
      return explain(element("i", {class: `role ${["none", "drafter", "refiner"][role]}`}), () =>
        `${name} at ${shownRecord().placeName("step", first, roles.last[group])}${role ? `\nZ-score ${roundText(z)}` : ""}`);
    });
    return element("span", {class: "roles", role: "img", "aria-label":
      `drafter at ${roles.role.slice(layer * groups, (layer + 1) * groups).filter(role => role === 1).length} of ${groups} steps`}, cells);
  }

  legend() {
    const {array} = this;
    const record = shownRecord();
    const end = value => roundText(value);
    const bar = app.state.isOwn ? element("span", {}, "each head from its own lowest to its highest")
      : element("span", {class: "bar"}, end(this.common.lowest),
        pixels(1, 64, (_, i) => this.common.colour(this.unshaded(i / 63))), end(this.common.highest));
    const keys = record.headMarks.map(mark => explain(element("span", {class: "term"},
      element("i", {class: `mark ${mark.marked}`}, markSign(mark)), mark.marked), () => mark.help));
    if (record.roles) {
      keys.push(explain(element("span", {class: "term"}, element("i", {class: "role drafter"}), "drafter"),
        () => "a layer that spreads its attention over the history at this step (ScaleKV); refiners look at the current one or at few tokens"));
    }
    return element("div", {class: "legend"},
      element("p", {}, array.help, array.unit ? ` [${array.unit}]` : "", array.isDifference ? ", B \u2212 A" : "",
        array.averaging ? ` \u2014 ${array.averaging}` : "",
        array.sides.length === 2 ? ` \u2014 down: ${array.sideNames[0]}, across: ${array.sideNames[1]}`
          : array.sides.length === 1 ? ` \u2014 across: ${array.sideNames[0]}` : ""),
      element("p", {class: "keys"}, bar, keys,
        record.missingMarks.map(text => element("span", {class: "missing"}, `not recorded: ${text}`))));
  }

  /** The number that stands at a part of the colour bar. */
  unshaded(part) {
    const {lowest, highest, isRoot, isDifference} = this.common;
    if (!isDifference) return lowest + (isRoot ? part * part : part) * (highest - lowest);
    const signed = 2 * part - 1;
    return highest * (isRoot ? signed * Math.abs(signed) : signed);
  }

  choose(layer, head, isClick) {
    app.state.layer = layer;
    app.state.head = head;
    this.mark();
    this.drawDetail();
    const thumb = this.thumbs.get(`${layer} ${head}`);
    if (!isClick) thumb?.focus();
    if (isClick && getComputedStyle(this.detail).position !== "sticky") this.detail.scrollIntoView({block: "nearest"});
  }

  mark() {
    for (const [place, thumb] of this.thumbs) {
      const is = place === `${app.state.layer} ${this.array.hasHeads ? app.state.head : 0}`;
      thumb.setAttribute("aria-pressed", String(is));
      thumb.classList.toggle("pinned", isPinned(Number(thumb.dataset.layer), Number(thumb.dataset.head)));
    }
  }

  drawDetail() {
    drawHeadDetail(this.detail, this.array);
  }

  move(by) {
    const places = this.places();
    const head = this.array?.hasHeads ? app.state.head : 0;
    const at = places.findIndex(place => place[0] === app.state.layer && place[1] === head);
    const next = places[Math.min(places.length - 1, Math.max(0, at + by))];
    if (next) this.choose(next[0], next[1], false);
  }

  /** As many places as one line down is in the order that is shown. */
  line() {
    if (!this.number()) return this.array?.heads ?? 1;
    const thumbs = [...this.thumbs.values()];
    const top = thumbs[0].offsetTop;
    const second = thumbs.findIndex(thumb => thumb.offsetTop > top);
    return second < 0 ? thumbs.length : second;
  }

  changeArray(by) {
    const names = arrayNames();
    app.state.array = names[(names.indexOf(app.state.array) + by + names.length) % names.length];
    redraw();
  }

  keys() {
    return [
      [["ArrowLeft"], "", () => this.move(-1)],
      [["ArrowRight"], "head", () => this.move(1)],
      [["ArrowUp"], "", () => this.move(-this.line())],
      [["ArrowDown"], "layer", () => this.move(this.line())],
      [["["], "", () => this.changeArray(-1)],
      [["]"], "array", () => this.changeArray(1)],
      [["p"], "follow in curves", () => { togglePin(app.state.layer, app.state.head); this.mark(); this.drawDetail(); }],
    ];
  }
}

/** "sp" of spatial: what stands below the heads that a mark is of. */
function markSign(mark) {
  return mark.marked.slice(0, 2);
}

/** "layer 2, head 3, step 5 (8 x 8): 0.0123 [share]" of one number of an array. */
function valueText(array, layer, head, row, column) {
  const value = array.of(layer, head)[row * array.columns + column];
  const places = [`layer ${layer}`, ...(array.hasHeads ? [`head ${head}`] : [])];
  if (array.sides.length === 2) places.push(array.place(0, row), array.place(1, column));
  if (array.sides.length === 1) places.push(array.place(0, column));
  return `${places.join(", ")}\n${array.text(value)}${array.unit && !Number.isNaN(value) ? ` ${array.unit}` : ""}`;
}
