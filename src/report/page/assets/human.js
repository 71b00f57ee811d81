// Numbers as people read them: three digits, and a unit that keeps them before the point. The terminal writes them in the same way.

const NOTHING = "–";

// So many decimals; what lies exactly between two goes to the even one, as in the terminal.
function fixed(value, decimals) {
  const text = value.toFixed(decimals);
  const exact = value.toFixed(60);
  const cut = exact.length - 60 + decimals;
  if (!/^50*$/.test(exact.slice(cut))) return text;
  const below = decimals === 0 ? exact.slice(0, cut - 1) : exact.slice(0, cut);
  return Number(below.at(-1)) % 2 === 0 ? below : text;
}

function threeDigits(value) {
  const text = value < 9.995 ? fixed(value, 2) : value < 99.95 ? fixed(value, 1) : fixed(value, 0);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function scaled(value, units, behind) {
  if (!Number.isFinite(value)) return NOTHING;
  const sign = value < 0 ? "-" : "";
  const size = Math.abs(value);
  let index = 0;
  while (index + 1 < units.length && size >= units[index + 1][0] * 0.9995) index += 1;
  const number = size / units[index][0];
  const digits = number < 999.5 ? threeDigits(number) : fixed(number, 0);
  if (digits === "0" && size > 0) return sign + number.toExponential(1) + units[index][1] + behind;
  return (digits === "0" ? "" : sign) + digits + units[index][1] + behind;
}

const TIMES = [[1, "ns"], [1e3, "us"], [1e6, "ms"], [1e9, "s"], [6e10, "min"], [3.6e12, "h"], [8.64e13, "d"]];
const SIZES = [[1, ""], [1e3, "k"], [1e6, "M"], [1e9, "G"], [1e12, "T"]];

function humanTime(nanos) {
  if (nanos === 0) return "0s";
  const size = Math.abs(nanos);
  // Seconds are read well up to some minutes.
  return size >= 1e9 && size < 6e11 ? scaled(nanos / 1e9, [[1, ""]], "s") : scaled(nanos, TIMES, "");
}

function humanCount(text) {
  return String(text).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

// Two decimals, and more where two would claim nothing or everything.
function humanShare(share) {
  if (!Number.isFinite(share)) return NOTHING;
  if (Math.abs(share) < 1e-12) return "0%";
  if (Math.abs(share - 1) < 1e-12) return "100%";
  for (let decimals = 2; decimals < 6; decimals += 1) {
    const text = fixed(share * 100, decimals);
    if (Number(text) !== 0 && Number(text) !== 100) return text + "%";
  }
  return (share * 100).toFixed(6) + "%";
}

// A share as it stands beside an axis.
function percent(share) {
  return Math.abs(share) >= 0.01 || share === 0 ? scaled(share * 100, [[1, "%"]], "") : `${Number((share * 100).toPrecision(3))}%`;
}

// How values of a unit are written, and how beside an axis, with which words above it, if that differs.
const UNITS = {
  ns: { show: humanTime },
  s: { show: (value) => humanTime(value * 1e9) },
  per_s: { show: (value) => scaled(value, SIZES, "/s"), tick: (value) => scaled(value, SIZES, ""), label: "per second" },
  share: { show: humanShare, tick: percent },
  count: { show: (value) => (Number.isInteger(value) ? humanCount(value) : scaled(value, SIZES, "")) },
  bytes: { show: (value) => scaled(value, SIZES, "B") },
  "": { show: (value) => scaled(value, SIZES, "") },
};

// What a statistic is counted in, by the end of its key; the rest is its name.
function statisticOf(key) {
  for (const unit of ["per_s", "ns", "s"]) {
    if (key.endsWith("_" + unit)) return { name: key.slice(0, -unit.length - 1), unit };
  }
  const shares = ["share", "low", "high"];
  const unit = shares.includes(key) ? "share" : key === "size" ? "bytes" : ["count", "max", "confirmed"].includes(key) ? "count" : "";
  return { name: key, unit };
}

// The number that a text of a table stands for, if it stands for one.
function numberOf(text) {
  return text === null || text === undefined || text === "" ? null : Number(text);
}

function show(text, unit) {
  const value = numberOf(text);
  return value === null ? NOTHING : (UNITS[unit] ?? UNITS[""]).show(value);
}

// The ends of an interval, or half its width where both would read the same.
function intervalOf(low, high, unit) {
  const ends = [show(low, unit), show(high, unit)];
  return ends[0] === ends[1] && low !== high ? `± ${show(String((numberOf(high) - numberOf(low)) / 2), unit)}` : ends.join(" – ");
}
