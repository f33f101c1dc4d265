/**
 * The value that parts a histogram into two kinds best: those up to it and those above (N. Otsu, "A Threshold Selection
 * Method from Gray-Level Histograms", IEEE Transactions on Systems, Man, and Cybernetics 9, 1979). 0 where there is only one value.
 */
export function otsuThreshold(values: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  const total = counts.reduce((sum, count, value) => sum + count * value, 0);
  let [below, sumBelow, threshold, largest] = [0, 0, 0, 0];
  for (let value = 0; value < 255; value++) {
    below += counts[value] ?? 0;
    sumBelow += (counts[value] ?? 0) * value;
    const above = values.length - below;
    if (below === 0 || above === 0) continue;
    const between = below * above * (sumBelow / below - (total - sumBelow) / above) ** 2;
    if (between > largest) [largest, threshold] = [between, value];
  }
  return threshold;
}
