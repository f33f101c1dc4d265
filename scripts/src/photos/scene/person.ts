import { type Cloth, clothOf } from '../drawing/cloth.ts';
import type { Draw } from '../drawing/draw.ts';
import { type Body, fixed, type Garment, line, type Point, shape } from '../drawing/garment.ts';

/** What is seen of whoever wears a garment, in the garment's own units: some before it is drawn, some over it. */
export interface Wearer {
  behind: string;
  before: string;
}

const SKINS = ['#f1c9a5', '#e0ac80', '#c68863', '#8d5a3b', '#5f3b26'] as const;
const HAIRS = ['#1b1411', '#3d2718', '#6b4423', '#b58b4c', '#777777'] as const;

/** How far below the shoulders the legs of who wears a top or a dress begin, and how long all of them are. */
const HIP = 640;
const FEET = 1500;

/** Head, neck, arms and legs of who wears something on the shoulders. */
export function figure({ neck, shoulder, sleeveEnd, hem }: Body, draw: Draw): Wearer {
  const skin = draw.pick(SKINS);
  const jeans = clothOf(draw.pick(['dark', 'middle']), draw, ['plain']);
  const hip = neck.y + HIP;
  const leg = (side: number) => {
    const outer = neck.x + side * shoulder * 0.92;
    return `M${fixed(neck.x)} ${fixed(hip - 140)}L${fixed(outer)} ${fixed(hip - 140)}L${fixed(neck.x + side * shoulder * 0.78)} ${fixed(neck.y + FEET)}L${fixed(neck.x + side * shoulder * 0.2)} ${fixed(neck.y + FEET)}Z`;
  };
  const isBare = hem.y > hip + 60; // under a dress or a long coat
  const legs = [-1, 1]
    .map((side) => shape(leg(side), isBare ? skin : jeans.body, isBare ? skin : jeans.seam, 5))
    .join('');
  return {
    behind: [legs, arms(neck, shoulder, sleeveEnd, skin), head(neck, draw, skin)].join(''),
    before: hand(neck, sleeveEnd, skin),
  };
}

function arms(neck: Point, shoulder: number, sleeveEnd: Point, skin: string): string {
  const [across, down] = [sleeveEnd.x - neck.x, sleeveEnd.y - neck.y];
  const length = Math.hypot(across - shoulder, down);
  const isShort = length < 120;
  const end = isShort ? { x: shoulder + 60, y: 560 } : extended({ x: shoulder, y: 40 }, { x: across, y: down }, 600);
  return [-1, 1]
    .map((side) =>
      line(
        `M${fixed(neck.x + side * (shoulder - 26))} ${fixed(neck.y + 70)}L${fixed(neck.x + side * end.x)} ${fixed(neck.y + end.y)}`,
        skin,
        66,
      ),
    )
    .join('');
}

function hand(neck: Point, sleeveEnd: Point, skin: string): string {
  const [across, down] = [sleeveEnd.x - neck.x, sleeveEnd.y - neck.y];
  if (down < 300) return '';
  return [-1, 1]
    .map(
      (side) =>
        `<ellipse cx="${fixed(neck.x + side * across)}" cy="${fixed(neck.y + down + 36)}" rx="30" ry="46" fill="${skin}"/>`,
    )
    .join('');
}

function extended(from: Point, to: Point, length: number): Point {
  const distance = Math.max(1, Math.hypot(to.x - from.x, to.y - from.y));
  return { x: from.x + ((to.x - from.x) / distance) * length, y: from.y + ((to.y - from.y) / distance) * length };
}

function head(neck: Point, draw: Draw, skin: string): string {
  const hair = draw.pick(HAIRS);
  const isLong = draw.chance(0.5);
  const [x, y] = [neck.x, neck.y];
  const locks = isLong
    ? `<path d="M${fixed(x - 96)} ${fixed(y + 30)}C${fixed(x - 130)} ${fixed(y - 300)} ${fixed(x + 130)} ${fixed(y - 300)} ${fixed(x + 96)} ${fixed(y + 30)}Z" fill="${hair}"/>`
    : '';
  return [
    locks,
    `<rect x="${fixed(x - 42)}" y="${fixed(y - 100)}" width="84" height="150" fill="${skin}"/>`,
    `<ellipse cx="${fixed(x)}" cy="${fixed(y - 150)}" rx="76" ry="100" fill="${skin}"/>`,
    `<path d="M${fixed(x - 80)} ${fixed(y - 160)}C${fixed(x - 90)} ${fixed(y - 280)} ${fixed(x + 90)} ${fixed(y - 280)} ${fixed(x + 80)} ${fixed(y - 160)}C${fixed(x + 40)} ${fixed(y - 215)} ${fixed(x - 40)} ${fixed(y - 215)} ${fixed(x - 80)} ${fixed(y - 160)}Z" fill="${hair}"/>`,
  ].join('');
}

/** Torso and feet of who wears trousers: what is above the waist and below the hem. */
export function trouserWearer({ width, height }: Garment, draw: Draw): Wearer {
  const skin = draw.pick(SKINS);
  const shirt = clothOf(draw.pick(['light', 'dark', 'middle']), draw, ['plain']);
  const [middle, half] = [width / 2, width * 0.52];
  const torso = `M${fixed(middle - half * 0.95)} 60L${fixed(middle - half * 1.1)} -430L${fixed(middle - 60)} -470L${fixed(middle + 60)} -470L${fixed(middle + half * 1.1)} -430L${fixed(middle + half * 0.95)} 60Z`;
  const arm = (side: number) =>
    line(`M${fixed(middle + side * half * 1.05)} -380L${fixed(middle + side * half * 1.45)} 80`, shirt.body, 74) +
    line(`M${fixed(middle + side * half * 1.45)} 80L${fixed(middle + side * half * 1.42)} 150`, skin, 56);
  const foot = (side: number) =>
    `<ellipse cx="${fixed(middle + side * half * 0.5)}" cy="${fixed(height + 8)}" rx="62" ry="30" fill="#333"/>`;
  return {
    behind: arm(-1) + arm(1) + head({ x: middle, y: -470 }, draw, skin),
    before: shape(torso, shirt.body, shirt.seam) + foot(-1) + foot(1),
  };
}

/** A leg that comes out of a shoe's opening, upwards beyond the picture. */
export function shoeWearer({ width }: Garment, draw: Draw): Wearer {
  const isBare = draw.chance(0.4);
  const jeans = clothOf(draw.pick(['dark', 'middle']), draw, ['plain']);
  const skin = draw.pick(SKINS);
  const [fill, seam] = isBare ? [skin, skin] : [jeans.body, jeans.seam];
  const leg = `M${fixed(width * 0.66)} 160L${fixed(width * 0.6)} -900L${fixed(width * 1.0)} -900L${fixed(width * 0.92)} 160Z`;
  return { behind: shape(leg, fill, seam), before: '' };
}

/** An arm from above whose hand holds the bag, before a leg in jeans. */
export function bagWearer({ width }: Garment, draw: Draw): Wearer {
  const skin = draw.pick(SKINS);
  const sleeve: Cloth = clothOf(draw.pick(['light', 'dark', 'middle']), draw, ['plain']);
  const jeans = clothOf(draw.pick(['dark', 'middle']), draw, ['plain']);
  const x = width / 2;
  const leg = shape(
    `M${fixed(width * 0.75)} -900L${fixed(width * 1.25)} -900L${fixed(width * 1.2)} 1500L${fixed(width * 0.8)} 1500Z`,
    jeans.body,
    jeans.seam,
  );
  return {
    behind: leg,
    before:
      line(`M${fixed(x)} 20L${fixed(x + 30)} -180`, skin, 64) +
      line(`M${fixed(x + 30)} -180L${fixed(x + 80)} -900`, sleeve.body, 100) +
      `<circle cx="${fixed(x)}" cy="24" r="46" fill="${skin}"/>`,
  };
}
