// The leaderboard: policies in their order by a metric, at equal memory or by hypervolume, within points that compare.

class Ranking {
  constructor(section) {
    this.section = section;
    const {rankings, groups} = app.data;
    this.groups = groups.map((_, i) => i).filter(i => rankings.some(one => one.group === i));
    if (this.groups.length === 0) return;
    [this.model, this.group] = ["", this.groups[0]];
    this.metric = rankings.find(one => one.group === this.group).metric;
    this.budget = "";
    this.words = "";
    this.controls = element("div", {class: "controls"});
    this.place = element("div", {});
    this.figure = element("figure", {class: "table ranking"}, this.controls, this.place);
    section.querySelector("h2").after(this.figure);
    for (const table of section.querySelectorAll("figure.table:not(.ranking)")) table.hidden = true;
    this.drawControls();
    this.draw();
  }

  modelOf(group) {
    return app.data.points[app.data.groups[group].points[0]].model;
  }

  /** The rankings that can be chosen from once group and metric are. */
  ofGroup() {
    return app.data.rankings.filter(one => one.group === this.group);
  }

  drawControls() {
    const {groups, metrics} = app.data;
    const models = [...new Set(this.groups.map(i => this.modelOf(i)))];
    const seen = this.groups.filter(i => !this.model || this.modelOf(i) === this.model);
    if (!seen.includes(this.group)) [this.group] = seen;
    const known = [...new Set(this.ofGroup().map(one => one.metric))];
    if (!known.includes(this.metric)) [this.metric] = known;
    const of = this.ofGroup().filter(one => one.metric === this.metric);
    if (!of.some(one => one.budget === this.budget)) this.budget = of[0].budget;
    const set = (name, of = String) => value => { this[name] = of(value); this.drawControls(); this.draw(); };
    const search = element("input", {type: "search", placeholder: "filter policies, folders", "aria-label": "Filter policies and folders", value: this.words,
      oninput: () => { this.words = search.value; this.draw(); }});
    this.controls.replaceChildren(
      models.length > 1 ? choice("Model", [["", "all"], ...models.map(name => [name, name])], this.model, set("model")) : "",
      seen.length > 1 ? choice("Setting", seen.map(i => [i, groups[i].name]), this.group, set("group", Number)) : "",
      choice("By", known.map(i => [i, metrics[i].title]), this.metric, set("metric", Number)),
      choice("at", of.map(one => [one.budget, one.budget === "" ? "all budgets: hypervolume"
        : `${one.budget} or less (${one.limit_mib.toFixed(2)} MiB)`]), this.budget, set("budget")), search);
  }

  draw() {
    const {data} = app;
    const ranking = this.ofGroup().find(one => one.metric === this.metric && one.budget === this.budget);
    const metric = data.metrics[this.metric];
    const isVolume = this.budget === "";
    const words = this.words.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = ranking.rows.filter(row => {
      const text = `${row.name} ${data.points[row.point].folder}`.toLowerCase();
      return words.every(word => text.includes(word));
    });
    const most = Math.max(...ranking.rows.map(row => number(row.value)).filter(Number.isFinite));
    const kv = data.axes.findIndex(axis => axis.key === "kv_peak");
    const seconds = data.axes.findIndex(axis => axis.key === "seconds");
    const head = (text, unit, attributes) => element("th", {scope: "col", ...attributes}, text, unit ? element("br") : "", unit ? element("small", {}, unit) : "");
    const right = {class: "right"};
    const table = element("table", {},
      element("thead", {}, element("tr", {}, head("rank", "", right), head("", "", {"aria-label": "image"}), head("policy", "", {class: "left"}),
        isVolume ? head("hypervolume \u2191", `decades \u00b7 ${metric.unit || metric.label}`, right)
          : head(`${metric.label} ${metric.higher ? "\u2191" : "\u2193"}`, metric.unit, right),
        head(isVolume ? "best point" : "budget", "", {class: "left"}), head(`${metric.label} of it`, metric.unit, right),
        head("KV peak", "MiB", right), head("time", "s/image", right), head("images", "", right), head("folder", "", {class: "left"}))),
      element("tbody", {}, rows.map(row => this.row(row, {isVolume, metric, most, kv, seconds}))));
    this.place.replaceChildren(element("p", {class: "group"}, data.groups[this.group].name), element("div", {class: "scroll"}, table), this.note(ranking, isVolume, metric));
    new SortedTable(this.figure, false);
  }

  row(row, {isVolume, metric, most, kv, seconds}) {
    const {data} = app;
    const point = data.points[row.point];
    const value = number(row.value);
    const hash = point.hash.slice(0, hashDigits);
    const picture = document.querySelector(`figure.images tr[data-point="${hash}"] img`);
    const text = content => element("td", {class: "left"}, content);
    const cell = (shown, raw, attributes = {}, small = "") => Number.isNaN(raw) ? element("td", {class: "right missing", title: "not measured"}, "\u2014")
      : element("td", {class: "right", "data-value": raw, ...attributes}, element("span", {}, shown), small ? element("small", {}, ` ${small}`) : "");
    const measured = point.y[this.metric];
    const bar = Number.isFinite(value / most) && metric.higher ? {style: `--part:${Math.max(0, value / most)}`} : {};
    return element("tr", {"data-point": hash},
      element("td", {class: "right rank", "data-value": row.rank}, element("span", {}, String(row.rank))),
      element("td", {class: "thumbnail"}, picture ? element("img", {src: picture.src, alt: picture.alt, loading: "lazy", width: 44, height: 44}) : ""),
      text(row.name),
      cell(isVolume ? value.toPrecision(4) : shownNumber(value, metric.decimals), value, {class: row.rank === 1 ? "right best bar" : "right bar", ...bar}),
      text(point.budget), cell(shownNumber(measured.value ?? NaN, metric.decimals), measured.value ?? NaN, {}, shownEnds(measured, metric)),
      cell(shownNumber(point.x[kv], 2), point.x[kv]), cell(shownNumber(point.x[seconds], 3), point.x[seconds]),
      cell(String(point.images), point.images), text(point.folder.replace(/\/points\/[^/]*$/, "")));
  }

  note(ranking, isVolume, metric) {
    const {corner} = app.data.groups[this.group].fronts[`kv_peak ${metric.key}`];
    return element("figcaption", {}, isVolume
      ? `Hypervolume: the area of (log10 of peak KV memory, ${metric.label}) that a policy's points dominate, up to the corner of `
        + `${shownNumber(corner[0], 2)} MiB and ${shownNumber(corner[1], metric.decimals)}: what the full cache takes, or the largest `
        + "point, and the worst value of any point here. The image and the numbers beside it are of the policy's best point."
      : `Each policy's best point with no more KV memory at its peak than the points of ${ranking.budget} take: ${ranking.limit_mib.toFixed(2)} MiB.`);
  }
}
