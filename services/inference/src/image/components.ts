import type { Mask } from './picture.ts';
import type { Rectangle } from './rectangle.ts';

/** Pixels that touch, also over corners. */
export interface Component {
  /** In `Components.labels`. */
  label: number;
  area: number;
  box: Rectangle;
  /** How many of its pixels lie at the picture's edge. */
  atEdge: number;
}

export interface Components {
  /** [height, width]; 0 where the mask is 0. */
  labels: Int32Array;
  found: Component[];
}

/** The connected parts of a mask. */
export function componentsOf({ width, height, pixels }: Mask): Components {
  const labels = new Int32Array(pixels.length);
  const stack = new Int32Array(pixels.length);
  const found: Component[] = [];
  for (let start = 0; start < pixels.length; start++) {
    if (pixels[start] === 0 || labels[start] !== 0) continue;
    const label = found.length + 1;
    let [left, top, right, bottom, area, atEdge, depth] = [width, height, -1, -1, 0, 0, 1];
    labels[start] = label;
    stack[0] = start;
    while (depth > 0) {
      const place = stack[--depth] ?? 0;
      const y = Math.floor(place / width);
      const x = place - y * width;
      area++;
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1) atEdge++;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
      for (let nextY = Math.max(0, y - 1); nextY <= Math.min(height - 1, y + 1); nextY++) {
        for (let nextX = Math.max(0, x - 1); nextX <= Math.min(width - 1, x + 1); nextX++) {
          const next = nextY * width + nextX;
          if (pixels[next] === 0 || labels[next] !== 0) continue;
          labels[next] = label;
          stack[depth++] = next;
        }
      }
    }
    found.push({ label, area, atEdge, box: { left, top, width: right - left + 1, height: bottom - top + 1 } });
  }
  return { labels, found };
}
