import type { Cloth } from './cloth.ts';
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

/** Widths that are drawn for each pair: from and to. */
interface Style {
  waist: number;
  hip: number;
  leg: readonly [number, number];
  gap: readonly [number, number];
  details?: (cloth: Cloth) => string;
}

const STYLES: readonly Style[] = [
  { waist: 130, hip: 162, leg: [112, 126], gap: [14, 40] },
  { waist: 118, hip: 146, leg: [78, 92], gap: [10, 34] },
  { waist: 128, hip: 168, leg: [150, 176], gap: [6, 20] },
  // With a stripe along the leg.
  {
    waist: 134,
    hip: 160,
    leg: [100, 116],
    gap: [10, 30],
    details: ({ shine }) => both(line('M84 60L78 860', shine, 6)),
  },
];

export const TROUSERS: readonly Design[] = STYLES.map(({ waist, hip, leg, gap, details }): Design => (cloth, draw) => {
  const cut = { waist, hip, leg: draw.between(...leg), gap: draw.between(...gap), length: draw.between(900, 1000) };
  return trousers(cut, cloth, details?.(cloth) ?? '');
});
