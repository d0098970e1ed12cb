/* Small tools of the explorer: elements, numbers as text. The files of this folder share one scope: viz/components/explorer.py joins them. */

const UNIT = 10000; // attention weights come in ten-thousandths
const GIVEN = -2, NEVER = -1; // in `came`: there before the run; not written yet
const WIDEST = 230; // pixels of a token
const THUMB = 16; // width of the scrubber's thumb, as in the style sheet
const NO_PLAN = { wanted: null, shown: null }; // settings asked about; the answer that is shown

const { make, unpack } = window.dawnParts;
const find = (ui, selector) => ui.root.querySelector(selector);
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** .734 rather than 0.734, cut to `digits`. */
function number(value, digits = 3) {
  return value.toFixed(digits).replace(/^0\./, ".");
}

/** Two numbers with as many digits as it takes to see that they differ, if they do. */
function pair(one, other) {
  for (let digits = 2; digits < 7; digits++) {
    const texts = [number(one, digits), number(other, digits)];
    if (one === other || (texts[0] !== texts[1] && digits > 2)) return texts;
  }
  return [number(one, 7), number(other, 7)];
}

/** Put a value into a control of the page, as a hand would; its number field, since a slider takes its own steps only. @returns why it
    cannot be done, or nothing */
function setControl(id, value) {
  const fields = [...document.querySelectorAll(`#${CSS.escape(id)} input[type=number]`)], box = fields.find((one) => one.offsetParent !== null) || fields[0];
  if (!box) return "Choose this run's rule among the controls first: then this value can be set.";
  const ends = document.querySelector(`#${CSS.escape(id)} input[type=range]`), [low, high] = ends ? [Number(ends.min), Number(ends.max)] : [-Infinity, Infinity];
  if (value < low || value > high) return `This control goes from ${plain(low)} to ${plain(high)}.`;
  box.value = value;
  for (const name of ["input", "change"]) box.dispatchEvent(new Event(name, { bubbles: true }));
  return "";
}

/** A threshold as it was compared: rounded to float32. */
const level = Math.fround;
const plain = (value) => String(Number(value.toPrecision(6))).replace(/^0\./, ".");
