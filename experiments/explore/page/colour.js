// Colours of numbers. The scale of amounts is viridis, as in kvscope's figures: lightness rises with
// the number. Differences run from blue over the page's ground to orange, equally far on both sides.

class Colours {
  constructor(description) {
    this.series = description.series;
    this.scale = [];
    for (let i = 0; i < description.scale.length; i += 6) {
      this.scale.push([0, 2, 4].map(part => parseInt(description.scale.substr(i + part, 2), 16)));
    }
  }

  /** [red, green, blue] of a part from 0 to 1. */
  amount(part) {
    const last = this.scale.length - 1;
    return this.scale[Math.min(last, Math.max(0, Math.round(part * last)))];
  }

  /** [red, green, blue] of a part from -1 to 1. */
  difference(part) {
    const ground = isDark() ? [0.24, 0, 0] : [0.97, 0, 0];
    const end = part < 0 ? (isDark() ? [0.72, -0.06, -0.15] : [0.45, -0.04, -0.16])
                         : (isDark() ? [0.78, 0.08, 0.14] : [0.55, 0.11, 0.12]);
    const weight = Math.min(1, Math.abs(part));
    return oklab(ground.map((value, i) => value + weight * (end[i] - value)));
  }
}

/** sRGB bytes of a colour of OKLab (Ottosson, 2020), in which equal distances look equal. */
function oklab([lightness, a, b]) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s];
  return linear.map(part => {
    const encoded = part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.min(1, Math.max(0, encoded)));
  });
}

/** What the ends of a colour scale stand for, and how numbers between are shaded. */
class Shading {
  constructor(lowest, highest, isDifference, isRoot) {
    this.isDifference = isDifference;
    this.isRoot = isRoot;
    this.highest = isDifference ? Math.max(Math.abs(lowest), Math.abs(highest)) : highest;
    this.lowest = isDifference ? -this.highest : Math.min(0, lowest);
  }

  /** Of the numbers of any number of iterables. */
  static of(lists, isDifference, isRoot) {
    let lowest = Infinity;
    let highest = -Infinity;
    for (const list of lists) {
      for (const value of list) {
        if (value < lowest) lowest = value;
        if (value > highest) highest = value;
      }
    }
    if (lowest > highest) lowest = highest = 0;
    return new Shading(lowest, highest, isDifference, isRoot);
  }

  part(value) {
    if (this.isDifference) {
      const part = this.highest === 0 ? 0 : value / this.highest;
      return this.isRoot ? Math.sign(part) * Math.sqrt(Math.abs(part)) : part;
    }
    const part = this.highest === this.lowest ? 0 : (value - this.lowest) / (this.highest - this.lowest);
    return this.isRoot ? Math.sqrt(Math.max(0, part)) : part;
  }

  colour(value) {
    return this.isDifference ? app.colours.difference(this.part(value)) : app.colours.amount(this.part(value));
  }
}

function cssColour(parts) {
  return `rgb(${parts.join(",")})`;
}

/** Whether black or white reads better on a colour. */
function inkOn([red, green, blue]) {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#000" : "#fff";
}
