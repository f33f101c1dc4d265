/** A value that changes evenly over a picture: `level` in its upper left corner, and what each column and row adds. */
export interface Plane {
  level: number;
  perColumn: number;
  perRow: number;
}

const ROUNDS = 4;

/** What lies farther from the plane than this many times the median distance has no say in the next round. */
const OUTLIER = 3;
const LEAST_OUTLIER = 4;

/**
 * The plane through most of the values at `places`, by least squares over those near it, beginning with their median: up
 * to nearly half of them may be something else. Values in rows of `width`; at least one place.
 */
export function fitPlane(values: Float32Array, width: number, places: Int32Array): Plane {
  const away = new Float32Array(places.length);
  for (let index = 0; index < places.length; index++) away[index] = values[places[index] ?? 0] ?? 0;
  let plane: Plane = { level: median(away), perColumn: 0, perRow: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    for (let index = 0; index < places.length; index++) {
      away[index] = Math.abs(distanceFrom(plane, values, width, places[index] ?? 0));
    }
    const limit = Math.max(LEAST_OUTLIER, OUTLIER * median(away));
    const near = places.filter((_, index) => (away[index] ?? 0) <= limit);
    plane = leastSquares(values, width, near) ?? plane;
  }
  return plane;
}

function median(values: Float32Array): number {
  return values.toSorted()[values.length >> 1] ?? 0;
}

function distanceFrom({ level, perColumn, perRow }: Plane, values: Float32Array, width: number, place: number): number {
  const y = Math.floor(place / width);
  return (values[place] ?? 0) - (level + perColumn * (place - y * width) + perRow * y);
}

/** By the normal equations about the mean; undefined where the places lie on a line. */
function leastSquares(values: Float32Array, width: number, places: Int32Array): Plane | undefined {
  let [meanX, meanY, mean] = [0, 0, 0];
  for (const place of places) {
    const y = Math.floor(place / width);
    meanX += place - y * width;
    meanY += y;
    mean += values[place] ?? 0;
  }
  meanX /= places.length;
  meanY /= places.length;
  mean /= places.length;
  let [xx, xy, yy, xv, yv] = [0, 0, 0, 0, 0];
  for (const place of places) {
    const row = Math.floor(place / width);
    const [x, y, value] = [place - row * width - meanX, row - meanY, (values[place] ?? 0) - mean];
    xx += x * x;
    xy += x * y;
    yy += y * y;
    xv += x * value;
    yv += y * value;
  }
  const determinant = xx * yy - xy * xy;
  if (!(determinant > 1e-6 * places.length ** 2)) return undefined;
  const perColumn = (xv * yy - yv * xy) / determinant;
  const perRow = (yv * xx - xv * xy) / determinant;
  return { level: mean - perColumn * meanX - perRow * meanY, perColumn, perRow };
}
