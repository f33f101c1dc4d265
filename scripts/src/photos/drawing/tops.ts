import type { Cloth } from './cloth.ts';
import type { Draw } from './draw.ts';
import { both, type Design, fixed, line } from './garment.ts';
import { type Cut, upperBody } from './upper-body.ts';

function cutOf(draw: Draw, fixedParts: Partial<Cut>): Cut {
  const chest = Math.round(draw.between(176, 214));
  return {
    neck: Math.round(draw.between(66, 84)),
    shoulder: chest + 4,
    chest,
    waist: chest - Math.round(draw.between(0, 16)),
    hem: chest + Math.round(draw.between(-6, 12)),
    length: Math.round(draw.between(560, 640)),
    sleeve: 0,
    cuff: 70,
    spread: 20,
    neckline: 'round',
    depth: 52,
    ...fixedParts,
  };
}

const shortSleeve = (draw: Draw) => ({
  sleeve: draw.between(150, 200),
  cuff: draw.between(100, 120),
  spread: draw.between(30, 55),
});
const longSleeve = (draw: Draw) => ({ sleeve: draw.between(500, 560), cuff: 62, spread: draw.between(6, 24) });

const print = ({ accent }: Cloth, draw: Draw) => {
  const size = draw.between(50, 90);
  return draw.pick([
    `<circle cx="0" cy="230" r="${fixed(size)}" fill="${accent}"/>`,
    `<rect x="${fixed(-size)}" y="180" width="${fixed(2 * size)}" height="${fixed(size)}" fill="${accent}"/>`,
    `<path d="M0 150L${fixed(size)} 300L${fixed(-size)} 300Z" fill="${accent}"/>`,
    '',
  ]);
};

const buttons = (colour: string, from: number, to: number, count: number, x = 0, radius = 8) =>
  Array.from({ length: count }, (_, index) => {
    const y = from + ((to - from) * index) / Math.max(1, count - 1);
    return `<circle cx="${x}" cy="${fixed(y)}" r="${radius}" fill="${colour}"/>`;
  }).join('');

const pocket = ({ seam }: Cloth, x: number, y: number, size: number) =>
  line(`M${x} ${y}l${size} 0l0 ${fixed(size * 0.9)}l${fixed(-size / 2)} 18l${fixed(-size / 2)} -18Z`, seam, 5);

export const TSHIRTS: readonly Design[] = [
  (cloth, draw) => upperBody(cutOf(draw, shortSleeve(draw)), cloth, print(cloth, draw)),
  (cloth, draw) => upperBody(cutOf(draw, { ...shortSleeve(draw), neckline: 'v' }), cloth, ''),
  (cloth, draw) =>
    upperBody(cutOf(draw, { straps: true, neck: 84, depth: 110, chest: 178 }), cloth, print(cloth, draw)),
  (cloth, draw) =>
    upperBody(
      cutOf(draw, { ...shortSleeve(draw), neck: 100, depth: 74 }),
      cloth,
      line('M-150 300L150 300', cloth.accent, 40),
    ),
];

const waistband = ({ seam }: Cloth, half: number, y: number) =>
  line(`M${-half + 4} ${y}Q0 ${y + 14} ${half - 4} ${y}`, seam, 5);

export const PULLOVERS: readonly Design[] = [
  (cloth, draw) => upperBody(cutOf(draw, { ...longSleeve(draw), length: 590 }), cloth, waistband(cloth, 190, 555)),
  (cloth, draw) =>
    upperBody(cutOf(draw, { ...longSleeve(draw), neckline: 'turtle' }), cloth, waistband(cloth, 180, 530)),
  (cloth, draw) =>
    upperBody(
      cutOf(draw, { ...longSleeve(draw), neckline: 'hood', length: 600 }),
      cloth,
      line('M-110 540L-80 410L80 410L110 540', cloth.seam, 6) + waistband(cloth, 180, 560),
    ),
  (cloth, draw) =>
    upperBody(
      cutOf(draw, { ...longSleeve(draw), neckline: 'v', depth: 60 }),
      cloth,
      `${line('M-176 250L176 250', cloth.accent, 34)}${line('M-176 330L176 330', cloth.accent, 34)}`,
    ),
];

const placket = ({ seam }: Cloth, from: number, to: number) =>
  line(`M-16 ${from}L-16 ${to}`, seam, 4) + line(`M16 ${from}L16 ${to}`, seam, 4);

export const SHIRTS: readonly Design[] = [
  (cloth, draw) =>
    upperBody(
      cutOf(draw, { ...longSleeve(draw), neckline: 'collar', length: 640 }),
      cloth,
      placket(cloth, 80, 636) + buttons(cloth.accent, 110, 600, 7) + pocket(cloth, 60, 190, 80),
    ),
  (cloth, draw) =>
    upperBody(
      cutOf(draw, { ...shortSleeve(draw), neckline: 'collar' }),
      cloth,
      placket(cloth, 80, 600) + buttons(cloth.accent, 110, 540, 6) + pocket(cloth, 50, 190, 80),
    ),
  (cloth, draw) =>
    upperBody(
      cutOf(draw, { ...longSleeve(draw), neckline: 'collar', length: 650 }),
      cloth,
      placket(cloth, 80, 650) + buttons(cloth.accent, 110, 610, 7) + both(pocket(cloth, 50, 190, 85)),
    ),
  (cloth, draw) =>
    upperBody(
      cutOf(draw, { ...longSleeve(draw), sleeve: 380, cuff: 80, neckline: 'collar', depth: 90 }),
      cloth,
      placket(cloth, 120, 600) + buttons(cloth.accent, 150, 560, 5),
    ),
];

const coatCut = (draw: Draw, parts: Partial<Cut>) => {
  const chest = Math.round(draw.between(198, 226));
  return cutOf(draw, {
    ...longSleeve(draw),
    chest,
    shoulder: chest,
    hem: chest + 14,
    cuff: 84,
    length: draw.between(720, 830),
    ...parts,
  });
};

export const COATS: readonly Design[] = [
  (cloth, draw) =>
    upperBody(
      coatCut(draw, { neckline: 'lapels', depth: 110 }),
      cloth,
      line('M0 250L0 715', cloth.seam, 6) +
        buttons(cloth.accent, 290, 560, 3, 16, 13) +
        both(line('M70 520L150 500', cloth.seam, 9)),
    ),
  (cloth, draw) =>
    upperBody(
      coatCut(draw, { neckline: 'lapels', depth: 100, waist: 180 }),
      cloth,
      `${line('M-50 230L-50 715', cloth.seam, 6)}${buttons(cloth.accent, 280, 520, 3, 50, 13)}${buttons(cloth.accent, 280, 520, 3, -30, 13)}${line('M-180 420L180 420', cloth.seam, 34, 'opacity="0.7"')}`,
    ),
  (cloth, draw) =>
    upperBody(
      coatCut(draw, { neckline: 'hood', length: 660, cuff: 96, chest: 226, shoulder: 230, hem: 224, waist: 224 }),
      cloth,
      `${line('M0 60L0 660', cloth.accent, 9)}${[170, 270, 370, 470, 570].map((y) => line(`M-214 ${y}Q0 ${y + 18} 214 ${y}`, cloth.seam, 8)).join('')}`,
    ),
  (cloth, draw) =>
    upperBody(
      coatCut(draw, { neckline: 'collar', depth: 70 }),
      cloth,
      `${line('M0 70L0 715', cloth.seam, 8)}${buttons(cloth.accent, 140, 660, 5, 18, 13)}${both(line('M60 500l110 0l0 100l-110 0Z', cloth.seam, 6))}`,
    ),
];
