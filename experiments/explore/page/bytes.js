// Numbers and images lie in the page as base64 in inert script elements. They are decoded when first
// asked for, so that a large page opens at once.

function blockText(name) {
  return document.getElementById(name).textContent;
}

function blockBytes(name) {
  const binary = atob(blockText(name));
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; ++i) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The value of every IEEE half, made once. */
const halfValues = (() => {
  let table = null;
  return () => {
    if (table) return table;
    table = new Float32Array(65536);
    for (let bits = 0; bits < 65536; ++bits) {
      const exponent = (bits >> 10) & 31;
      const fraction = bits & 1023;
      let value = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
      if (exponent === 31) value = fraction ? NaN : Infinity;
      table[bits] = bits & 32768 ? -value : value;
    }
    return table;
  };
})();

/** A block of halves as they are stored: halfValues() says what each is. */
function blockHalves(name) {
  return new Uint16Array(blockBytes(name).buffer);
}

function blockNumbers(name, bits) {
  if (bits === 32) return new Float32Array(blockBytes(name).buffer);
  const table = halfValues();
  return Float32Array.from(blockHalves(name), half => table[half]);
}

/** The shortest decimal that no other number of so many bits is nearer to: the file's own number. */
function exactText(value, bits) {
  if (Number.isNaN(value)) return "nothing there";
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const [mantissa, least] = bits === 16 ? [10, 2 ** -24] : [23, 2 ** -149];
  const spacing = Math.max(least, 2 ** (Math.floor(Math.log2(Math.abs(value))) - mantissa));
  for (let digits = 2; digits < 17; ++digits) {
    const text = Number(value.toPrecision(digits));
    if (Math.abs(text - value) < spacing / 4) return String(text);
  }
  return String(value);
}

/** A number that was computed here, to four digits. */
function roundText(value) {
  return Number.isNaN(value) ? "nothing there" : String(Number(value.toPrecision(4)));
}
