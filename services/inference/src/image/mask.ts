import type { Component, Components } from './components.ts';
import type { Mask } from './picture.ts';

/** How many pixels it holds. */
export function areaOf({ pixels }: Mask): number {
  let area = 0;
  for (const value of pixels) area += value;
  return area;
}

/** These parts of a mask alone; `components` are all of its parts. */
export function onlyParts(mask: Mask, { labels, found }: Components, parts: readonly Component[]): Mask {
  const isKept = new Uint8Array(found.length + 1);
  for (const { label } of parts) isKept[label] = 1;
  const pixels = new Uint8Array(labels.length);
  for (let place = 0; place < pixels.length; place++) pixels[place] = isKept[labels[place] ?? 0] ?? 0;
  return { ...mask, pixels };
}
