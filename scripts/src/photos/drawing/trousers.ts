import type { Cloth } from './cloth.ts';
import type { Draw } from './draw.ts';
import { both, boxed, type Design, fixed, folds, type Garment, line, shape } from './garment.ts';

interface Cut {
  /** Half widths. */
  waist: number;
  hip: number;
  /** Of the whole leg at the bottom, and how far its inner edge is from the middle. */
  leg: number;
  gap: number;
  length: number;
}

function trousers({ waist, hip, leg, gap, length }: Cut, cloth: Cloth, details: string): Garment {
  const crotch = length * 0.3;
  const half = `M0 0L${fixed(waist)} 0C${fixed(waist + 10)} 80 ${fixed(hip)} 120 ${fixed(hip)} ${fixed(crotch)}L${fixed(gap + leg)} ${fixed(length)}L${fixed(gap)} ${fixed(length)}L4 ${fixed(crotch + 14)}L0 ${fixed(crotch)}Z`;
  const whole = both(shape(half, cloth.body, cloth.seam));
  const seams = [
    line(`M${fixed(-waist)} 44L${fixed(waist)} 44`, cloth.seam, 6),
    line(`M0 44L0 ${fixed(crotch)}`, cloth.seam, 6),
    both(line(`M${fixed(waist * 0.45)} 48Q${fixed(waist * 0.55)} 120 ${fixed(hip - 12)} 130`, cloth.seam, 6)),
    both(line(`M${fixed(gap + 6)} ${fixed(length - 26)}L${fixed(gap + leg - 6)} ${fixed(length - 26)}`, cloth.seam, 5)),
  ].join('');
  const creases = [
    `M${fixed(hip * 0.5)} ${fixed(crotch * 0.9)}L${fixed(gap + leg * 0.5)} ${fixed(length)}`,
    `M${fixed(hip * 0.85)} ${fixed(crotch)}L${fixed(gap + leg * 0.9)} ${fixed(length * 0.8)}`,
    `M${fixed(hip * 0.2)} ${fixed(crotch * 1.1)}L${fixed(gap + leg * 0.3)} ${fixed(length * 0.6)}`,
  ];
  const svg = whole + both(folds(half, cloth, creases)) + seams + details;
  const reach = Math.max(waist, hip, gap + leg) + 3;
  return boxed(svg, cloth, { left: -reach, right: reach, top: -3, bottom: length + 3 });
}

const length = (draw: Draw) => draw.between(900, 1000);

export const TROUSERS: readonly Design[] = [
  (cloth, draw) =>
    trousers(
      { waist: 130, hip: 162, leg: draw.between(112, 126), gap: draw.between(14, 40), length: length(draw) },
      cloth,
      '',
    ),
  (cloth, draw) =>
    trousers(
      { waist: 118, hip: 146, leg: draw.between(78, 92), gap: draw.between(10, 34), length: length(draw) },
      cloth,
      '',
    ),
  (cloth, draw) =>
    trousers(
      { waist: 128, hip: 168, leg: draw.between(150, 176), gap: draw.between(6, 20), length: length(draw) },
      cloth,
      '',
    ),
  (cloth, draw) =>
    trousers(
      { waist: 134, hip: 160, leg: draw.between(100, 116), gap: draw.between(10, 30), length: length(draw) },
      cloth,
      both(line('M84 60L78 860', cloth.shine, 6)),
    ),
];
