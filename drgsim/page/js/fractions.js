// Exact fractions of big integers: [numerator, denominator], the denominator above 0.
"use strict";

drgsim.ratio = function (decimal) {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(String(decimal).trim());
  if (!match || !(match[2] || match[3])) throw new Error("not a number: " + decimal);
  const power = BigInt(match[3].length) - BigInt(match[4] || 0);
  const digits = BigInt(match[1] + ((match[2] + match[3]) || "0"));
  return power >= 0n ? [digits, 10n ** power] : [digits * 10n ** -power, 1n];
};
drgsim.times = (a, b) => [a[0] * b[0], a[1] * b[1]];
drgsim.over = (a, b) => (b[0] < 0n ? [-a[0] * b[1], -a[1] * b[0]] : [a[0] * b[1], a[1] * b[0]]);
drgsim.plus = (a, b) => [a[0] * b[1] + b[0] * a[1], a[1] * b[1]];
drgsim.compared = function (a, b) {
  const left = a[0] * b[1];
  const right = b[0] * a[1];
  return left < right ? -1 : left > right ? 1 : 0;
};
drgsim.roundHalfAway = function (a) {
  const size = a[0] < 0n ? -a[0] : a[0];
  const whole = (2n * size + a[1]) / (2n * a[1]);
  return a[0] < 0n ? -whole : whole;
};
drgsim.asNumber = (a) => Number(a[0]) / Number(a[1]);
