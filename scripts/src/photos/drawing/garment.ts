import type { Cloth } from './cloth.ts';
import type { Draw } from './draw.ts';

/** A garment in its own units, seen from the front; shoes from the side with their toes to the left. */
export interface Garment {
  /** It touches all four edges of this box, which begins at 0, 0. */
  width: number;
  height: number;
  /** SVG elements. */
  svg: string;
  /** What `svg` refers to. */
  definitions: string;
  /** Where a body sits in it; none for what is not worn on the shoulders. */
  body?: Body;
}

/** Places in a garment's box. */
export interface Body {
  neck: Point;
  /** Half of the width. */
  shoulder: number;
  /** Where the right sleeve ends; at the shoulder where there is none. */
  sleeveEnd: Point;
  /** Where the legs come out. */
  hem: Point;
}

/** Draws one of the models that a class comes in. */
export type Design = (cloth: Cloth, draw: Draw) => Garment;

export interface Point {
  x: number;
  y: number;
}

/** Moves what was drawn about x = 0 into a box. */
export function boxed(
  svg: string,
  cloth: Cloth,
  box: { left: number; top: number; right: number; bottom: number },
): Garment {
  const { left, top, right, bottom } = box;
  return {
    width: right - left,
    height: bottom - top,
    svg: `<g transform="translate(${fixed(-left)} ${fixed(-top)})">${svg}</g>`,
    definitions: cloth.definitions,
  };
}

/** A number as it stands in a path. */
export function fixed(value: number): string {
  return value.toFixed(1);
}

/** A closed path through points. */
export function polygon(points: readonly Point[]): string {
  return `M${points.map(({ x, y }) => `${fixed(x)} ${fixed(y)}`).join('L')}Z`;
}

/** A filled shape with its outline. */
export function shape(path: string, fill: string, outline: string, width = 6): string {
  return `<path d="${path}" fill="${fill}" stroke="${outline}" stroke-width="${width}" stroke-linejoin="round"/>`;
}

export function line(path: string, colour: string, width = 6, rest = ''): string {
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linecap="round" ${rest}/>`;
}

/** Both a path drawn for x > 0 and its mirror image. */
export function both(svg: string): string {
  return `${svg}<g transform="scale(-1 1)">${svg}</g>`;
}

/** Soft folds of cloth inside a path. */
export function folds(path: string, cloth: Cloth, strokes: readonly string[], width = 26): string {
  const drawn = strokes
    .map((stroke, index) => line(stroke, index % 2 === 0 ? cloth.seam : cloth.shine, width))
    .join('');
  return `<clipPath id="inside"><path d="${path}"/></clipPath><g clip-path="url(#inside)"><g opacity="0.42" filter="url(#soft)">${drawn}</g></g>`;
}
