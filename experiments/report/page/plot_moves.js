// What pointer, wheel and keys do to a plot: zoom, move, point at, open.

class PlotMoves {
  constructor(plot) {
    this.plot = plot;
    this.drag = null;
    this.lastScroll = -Infinity;
    const {svg} = plot;
    addEventListener("scroll", event => { this.lastScroll = event.timeStamp; }, {passive: true});
    svg.addEventListener("wheel", event => this.wheel(event), {passive: false});
    svg.addEventListener("pointerdown", event => this.down(event));
    svg.addEventListener("pointermove", event => this.move(event));
    svg.addEventListener("pointerup", event => this.up(event));
    svg.addEventListener("pointercancel", () => this.stop());
    svg.addEventListener("dblclick", () => plot.show(null));
    svg.addEventListener("keydown", event => this.key(event));
    svg.addEventListener("focusin", event => this.focused(event));
    svg.addEventListener("focusout", () => { document.getElementById("tip").hidden = true; });
    explain(svg, event => {
      if (this.drag) return null;
      const point = plot.nearest(...this.place(event));
      return point && plot.describe(point);
    });
  }

  place(event) {
    const box = this.plot.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** The view with `factor` of what is seen, a place of the drawing kept where it is; all of it at most. */
  zoom(factor, at = null) {
    const {view, all, box} = this.plot.scale;
    const [left, top] = at ?? [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const parts = {x: (left - box.left) / (box.right - box.left), y: (box.bottom - top) / (box.bottom - box.top)};
    const next = {};
    for (const side of ["x", "y"]) {
      const span = view[side][1] - view[side][0];
      const fixed = view[side][0] + parts[side] * span;
      const size = Math.max(span * factor, (all[side][1] - all[side][0]) * 1e-4);
      next[side] = [fixed - parts[side] * size, fixed + (1 - parts[side]) * size];
    }
    const isAll = next.x[1] - next.x[0] >= all.x[1] - all.x[0] && next.y[1] - next.y[0] >= all.y[1] - all.y[0];
    this.plot.show(isAll ? null : next);
  }

  /** Moves the view by pixels of the drawing. */
  shift(right, down) {
    const {view, box} = this.plot.scale;
    const x = right / (box.right - box.left) * (view.x[1] - view.x[0]);
    const y = down / (box.bottom - box.top) * (view.y[1] - view.y[0]);
    this.plot.show({x: view.x.map(end => end - x), y: view.y.map(end => end + y)});
  }

  /** A page that is being scrolled goes on scrolling when the plot comes under the pointer. */
  wheel(event) {
    const isOut = event.deltaY > 0;
    if ((isOut && this.plot.view === null) || event.timeStamp - this.lastScroll < 300) return;
    event.preventDefault();
    this.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 300))), this.place(event));
  }

  down(event) {
    if (event.button !== 0) return;
    const from = this.place(event);
    this.drag = {from, last: from, isLong: false, isMoving: this.plot.isMoving || event.shiftKey || event.pointerType === "touch"};
    this.plot.svg.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.drag) return;
    const at = this.place(event);
    const {from, last} = this.drag;
    if (!this.drag.isLong && Math.hypot(at[0] - from[0], at[1] - from[1]) < 5) return;
    this.drag.isLong = true;
    if (this.drag.isMoving) {
      this.shift(at[0] - last[0], at[1] - last[1]);
    } else {
      this.rectangle ??= this.plot.svg.appendChild(svgElement("rect", {class: "chosen"}));
      setAttributes(this.rectangle, {x: Math.min(at[0], from[0]), y: Math.min(at[1], from[1]),
        width: Math.abs(at[0] - from[0]), height: Math.abs(at[1] - from[1])});
    }
    this.drag.last = at;
  }

  up(event) {
    const {drag, plot} = this;
    this.stop();
    if (!drag) return;
    const at = this.place(event);
    if (!drag.isLong) {
      const point = plot.nearest(...at);
      if (point) plot.open(point);
      return;
    }
    const isArea = Math.abs(at[0] - drag.from[0]) > 8 && Math.abs(at[1] - drag.from[1]) > 8;
    if (drag.isMoving || !isArea) return;
    const {view, box} = plot.scale;
    const cost = left => view.x[0] + (left - box.left) / (box.right - box.left) * (view.x[1] - view.x[0]);
    const quality = top => view.y[0] + (box.bottom - top) / (box.bottom - box.top) * (view.y[1] - view.y[0]);
    const sorted = (a, b) => [Math.min(a, b), Math.max(a, b)];
    plot.show({x: sorted(cost(at[0]), cost(drag.from[0])), y: sorted(quality(at[1]), quality(drag.from[1]))});
  }

  stop() {
    this.drag = null;
    this.rectangle?.remove();
    this.rectangle = null;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const point = app.byHash.get(event.target.dataset?.point ?? "");
    const actions = {"+": () => this.zoom(0.6), "=": () => this.zoom(0.6), "-": () => this.zoom(1 / 0.6), 0: () => this.plot.show(null)};
    if (point) {
      Object.assign(actions, {ArrowLeft: () => this.focusBeside(point, -1), ArrowRight: () => this.focusBeside(point, 1),
        ArrowUp: () => this.focusBeside(point, 1), ArrowDown: () => this.focusBeside(point, -1),
        Enter: () => this.plot.open(point), " ": () => this.plot.open(point)});
    } else {
      Object.assign(actions, {ArrowLeft: () => this.shift(40, 0), ArrowRight: () => this.shift(-40, 0), ArrowUp: () => this.shift(0, 40),
        ArrowDown: () => this.shift(0, -40)});
    }
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  focusBeside(point, by) {
    const next = this.plot.order[this.plot.order.indexOf(point) + by];
    if (next) this.plot.svg.querySelector(`[data-point="${next.hash.slice(0, hashDigits)}"]`).focus();
  }

  /** A point with the focus says what it is, as one under the pointer does. */
  focused(event) {
    const point = app.byHash.get(event.target.dataset?.point ?? "");
    if (!point || !event.target.matches(":focus-visible")) return;
    const box = event.target.querySelector(".marker").getBoundingClientRect();
    showTip(this.plot.describe(point), box.right, box.bottom);
  }
}
