// From values to places on an axis, and which values stand beside it.

function niceStep(span, count) {
  const rough = span / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.95) ?? 10);
}

// Seconds are told by minutes and hours.
function niceSeconds(span, count) {
  const steps = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
  const rough = span / Math.max(count, 1);
  return rough <= 30 ? niceStep(span, count) : steps.find((step) => step >= rough) ?? niceStep(span / 86400, count) * 86400;
}

function stepTicks([low, high], step) {
  const ticks = [];
  for (let number = Math.ceil(low / step - 1e-9); number * step <= high + step * 1e-9; number += 1) ticks.push(Number((number * step).toPrecision(12)));
  return ticks;
}

function factorTicks([low, high], [a, b], count) {
  const ticks = [];
  const factors = b - a > Math.max(count, 2) * 0.7 ? [1] : b - a > 1.2 ? [1, 3] : [1, 2, 5];
  const skip = Math.max(1, Math.ceil((b - a) / Math.max(count, 2)));
  for (let power = Math.floor(a); power <= Math.ceil(b); power += factors.length === 1 ? skip : 1) {
    for (const factor of factors) {
      const value = Number(`${factor}e${power}`);
      if (value >= low * 0.9999 && value <= high * 1.0001) ticks.push(value);
    }
  }
  return ticks;
}

// kind: "linear", "seconds" or "log".
function scale(kind, [low, high], [from, to], count) {
  if (kind === "log") {
    const [a, b] = [Math.log10(low), Math.log10(high)];
    const place = (value) => from + ((Math.log10(value) - a) / (b - a || 1)) * (to - from);
    const invert = (at) => 10 ** (a + ((at - from) / (to - from)) * (b - a));
    // Within less than half a decade round steps say more than round factors.
    const ticks = b - a > 0.5 ? factorTicks([low, high], [a, b], count) : stepTicks([low, high], niceStep(high - low || 1, count));
    return { place, invert, ticks, low, high };
  }
  const span = high - low || 1;
  const step = kind === "seconds" ? niceSeconds(span, count) : niceStep(span, count);
  const ticks = stepTicks([low, high], step);
  return { place: (value) => from + ((value - low) / span) * (to - from), invert: (at) => low + ((at - from) / (to - from)) * span, ticks, low, high };
}

// The ends of an axis that shows these values.
function endsOf(kind, values, fromZero, most = Infinity) {
  const known = values.filter((value) => Number.isFinite(value) && (kind !== "log" || value > 0));
  if (known.length === 0) return kind === "log" ? [1, 10] : [0, 1];
  let low = known.reduce((a, b) => Math.min(a, b));
  let high = known.reduce((a, b) => Math.max(a, b));
  if (kind === "log") return low === high ? [low / 2, Math.min(high * 2, most)] : [low / 1.06, Math.min(high * 1.06, most)];
  if (fromZero) low = Math.min(low, 0);
  if (low === high) high = low + (Math.abs(low) || 1);
  const room = (high - low) * 0.06;
  return [low < 0 || !fromZero ? low - room : low, high + room];
}
