/** The numbers that bit patterns of IEEE 754 binary16 stand for, as float32, which holds each of them exactly. */
export function widenedFloat16(bits: Uint16Array): Float32Array {
  const table = float16Table();
  const values = new Float32Array(bits.length);
  for (let index = 0; index < bits.length; index++) values[index] = table[bits[index] ?? 0] ?? NaN;
  return values;
}

let float16Values: Float32Array | undefined;

/** What each of the 65536 bit patterns stands for; made when first needed. */
function float16Table(): Float32Array {
  float16Values ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => float16Value(bits));
  return float16Values;
}

/** 1 bit of sign, 5 of exponent, 10 of fraction. */
function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
