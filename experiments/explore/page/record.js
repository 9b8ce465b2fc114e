// Records as the page holds them: arrays with one number, curve or map per head (the two sides of a map:
// down, then across), marks of heads, and the difference of two records.

class HeadArray {
  constructor(record, description) {
    Object.assign(this, description);  // name, unit, help, parameters, averaging, hasHeads, sides, bits
    this.record = record;
    this.heads = this.hasHeads ? record.heads : 1;
    this.cells = this.sides.reduce((cells, side) => cells * side.first.length, 1);
    this.isDifference = false;
  }

  get values() {
    this.decoded ??= blockNumbers(this.block, this.bits);
    return this.decoded;
  }

  has(layer, head) {
    return layer < this.record.layers && head < this.heads;
  }

  /** All numbers of a head, row by row. */
  of(layer, head) {
    const begin = (layer * this.heads + head) * this.cells;
    return this.values.subarray(begin, begin + this.cells);
  }

  get rows() { return this.sides.length > 1 ? this.sides[0].first.length : 1; }
  get columns() { return this.sides.length ? this.sides.at(-1).first.length : 1; }

  /** A number as text: the file's own, unless it is a mean or a difference. */
  text(value) {
    const plain = this.isDifference || this.averaging ? roundText(value) : exactText(value, this.bits);
    return this.isDifference && value > 0 ? `+${plain}` : plain;
  }

  /** "step 3 (4 x 4)": what stands at an index of a side. */
  place(side, index) {
    return this.record.placeName(this.sides[side].name, this.sides[side].first[index], this.sides[side].last[index]);
  }

  /** The same as short as fits beside an axis. */
  tick(side, index) {
    const {first, last} = this.sides[side];
    return first[index] === last[index] ? String(first[index]) : `${first[index]}\u2013${last[index]}`;
  }

  get sideNames() { return this.sides.map(side => side.name.replaceAll("_", " ")); }
}

/** What b has more than a; null where their numbers do not stand for the same. */
function differenceOf(a, b) {
  if (!a || !b || a.values.length !== b.values.length || a.heads !== b.heads) return null;
  const same = (x, y) => x.length === y.length && x.every((value, i) => value === y[i]);
  const sidesAgree = a.sides.length === b.sides.length && a.sides.every((side, i) =>
    side.name === b.sides[i].name && same(side.first, b.sides[i].first) && same(side.last, b.sides[i].last));
  if (!sidesAgree || a.record.layers !== b.record.layers) return null;
  const difference = Object.create(HeadArray.prototype);
  Object.assign(difference, a, {isDifference: true, record: b.record});
  difference.decoded = Float64Array.from(b.values, (value, i) => value - a.values[i]);
  return difference;
}

class AttentionRecord {
  constructor(description, letter) {
    Object.assign(this, description);
    this.letter = letter;
    this.byName = new Map(this.arrays.map(array => [array.name, new HeadArray(this, array)]));
    this.queryMaps = this.maps ? new QueryMaps(this) : null;
  }

  /** "scale 3 (4 x 4)", "tokens 16-31", "head 3". */
  placeName(name, first, last) {
    if (name !== "step" && name !== "on_step") {
      return first === last ? `${name.replaceAll("_", " ")} ${first}` : `${name.replaceAll("_", " ")} ${first}\u2013${last}`;
    }
    const on = name === "on_step" ? "on " : "";
    if (this.steps.kind[first] === 0) return `${on}condition`;
    if (this.steps.kind[first] === 1) {
      const size = `${this.steps.height[first]} \u00d7 ${this.steps.width[first]}`;
      return first === last ? `${on}scale ${first} (${size})` : `${on}scales ${first}\u2013${last}`;
    }
    const begin = this.steps.kind[0] === 0 ? 1 : 0;  // tokens are counted from the first of the image
    return first === last ? `${on}token ${first - begin}` : `${on}tokens ${first - begin}\u2013${last - begin}`;
  }

  /** Numbers of every head to order by: {name, values [layers * heads], text(value)}. */
  get headNumbers() {
    this.knownNumbers ??= [
      ...this.headMarks.map(mark => ({name: mark.name, values: mark.values, text: roundText})),
      ...[...this.byName.values()].filter(array => array.hasHeads).map(array => meansOf(array))];
    return this.knownNumbers;
  }
}

function meansOf(array) {
  const values = [];
  for (let layer = 0; layer < array.record.layers; ++layer) {
    for (let head = 0; head < array.heads; ++head) {
      const numbers = array.of(layer, head).filter(value => !Number.isNaN(value));
      values.push(numbers.reduce((sum, value) => sum + value, 0) / numbers.length);
    }
  }
  const isSingle = array.cells === 1;
  return {name: isSingle ? array.name : `mean of ${array.name}`, values,
    text: value => isSingle ? array.text(value) : roundText(value)};
}
