import type { Cloth } from './cloth.ts';
import { boxed, both, fixed, folds, type Garment, line, shape } from './garment.ts';

/** Everything with shoulders: half widths from the middle, and heights from the neck's side downwards. */
export interface Cut {
  neck: number;
  shoulder: number;
  /** Half the width under the arms. */
  chest: number;
  waist: number;
  hem: number;
  length: number;
  /** Along the arm; 0 for none. */
  sleeve: number;
  cuff: number;
  /** Of the arm away from hanging straight down, in degrees. */
  spread: number;
  neckline: 'round' | 'v' | 'boat' | 'turtle' | 'collar' | 'lapels' | 'hood';
  /** How deep the opening goes. */
  depth: number;
  /** Narrow straps instead of shoulders. */
  straps?: boolean;
}

const SLOPE = 38;
const ARMHOLE = 175;

/** A garment of this cut with `details`, drawn about x = 0, on its front. */
export function upperBody(cut: Cut, cloth: Cloth, details: string): Garment {
  const { neck, shoulder, chest, waist, hem, length } = cut;
  const arm = armOf(cut);
  const middle = length * 0.52;
  const right = cut.straps
    ? `M0 ${cut.depth}Q${fixed(neck * 0.8)} ${cut.depth} ${fixed(neck)} 0L${fixed(neck + 26)} 0Q${fixed(neck + 40)} ${ARMHOLE - 30} ${chest} ${ARMHOLE}`
    : `M0 0L${neck} 0L${shoulder} ${SLOPE}Q${fixed(chest - 14)} ${ARMHOLE - 70} ${chest} ${ARMHOLE}`;
  const side = `C${chest} ${fixed(middle * 0.7)} ${waist} ${fixed(middle * 0.8)} ${waist} ${fixed(middle)}C${waist} ${fixed(middle + (length - middle) * 0.3)} ${hem} ${fixed(length - 60)} ${hem} ${length}`;
  const half = `${right}${side}Q${fixed(hem * 0.5)} ${length + 12} 0 ${length + 12}Z`;
  const body = `${half}${mirroredPath(half)}`;
  const seamless = `<path d="${half}" fill="${cloth.body}"/><path d="${half}" fill="${cloth.body}" transform="scale(-1 1)"/>`;
  const edge = both(line(half.replace(/Q[^Q]*Z$/, ''), cloth.seam, 6));
  const hemLine = both(line(`M0 ${length + 12}Q${fixed(hem * 0.5)} ${length + 12} ${hem} ${length}`, cloth.seam, 6));
  const creases = [
    `M${fixed(chest * 0.75)} ${ARMHOLE}L${fixed(waist * 0.6)} ${fixed(length * 0.6)}`,
    `M${fixed(-chest * 0.8)} ${ARMHOLE + 40}L${fixed(-waist * 0.4)} ${fixed(length * 0.55)}`,
    `M${fixed(-hem * 0.5)} ${length}L${fixed(-waist * 0.3)} ${fixed(length * 0.65)}`,
    `M${fixed(hem * 0.6)} ${length}L${fixed(waist * 0.5)} ${fixed(length * 0.6)}`,
  ];
  const neckline = NECKLINES[cut.neckline](cut, cloth);
  const svg = [
    neckline.behind,
    arm === null ? '' : both(arm.svg(cloth)),
    seamless,
    edge,
    hemLine,
    folds(body, cloth, creases),
    neckline.front,
    details,
  ].join('');
  const reach = Math.max(chest, waist, hem, cut.straps ? 0 : shoulder, arm?.right ?? 0);
  const bottom = Math.max(length + 12, arm?.bottom ?? 0);
  const place = (x: number, y: number) => ({ x: x + reach + 3, y: y + neckline.height });
  return {
    ...boxed(svg, cloth, { left: -reach - 3, right: reach + 3, top: -neckline.height, bottom: bottom + 3 }),
    body: {
      neck: place(0, 0),
      shoulder: cut.straps ? chest - 20 : shoulder - 20,
      sleeveEnd:
        arm === null ? place(cut.straps ? chest - 34 : shoulder - 34, SLOPE + 24) : place(arm.end.x, arm.end.y),
      hem: place(0, length),
    },
  };
}

/** Paths here use absolute commands with pairs of numbers alone. */
function mirroredPath(path: string): string {
  return path.replace(/(-?[\d.]+) (-?[\d.]+)/g, (_, x: string, y: string) => `${fixed(-Number(x))} ${y}`);
}

function armOf({ shoulder, chest, sleeve, cuff, spread }: Cut) {
  if (sleeve === 0) return null;
  const angle = (spread * Math.PI) / 180;
  const [across, down] = [Math.sin(angle), Math.cos(angle)];
  const outer = { x: shoulder + sleeve * across + 12, y: SLOPE + sleeve * down };
  const inner = { x: outer.x - cuff * down, y: outer.y + cuff * across };
  const bend = { x: shoulder + 26 + sleeve * 0.35 * across, y: SLOPE + sleeve * 0.3 * down };
  const under = { x: chest - 6, y: ARMHOLE + 8 };
  const path =
    `M${fixed(shoulder - 40)} ${SLOPE - 14}L${shoulder} ${SLOPE}Q${fixed(bend.x)} ${fixed(bend.y)} ${fixed(outer.x)} ${fixed(outer.y)}` +
    `L${fixed(inner.x)} ${fixed(inner.y)}L${fixed(under.x)} ${fixed(under.y)}L${fixed(under.x - 40)} ${fixed(under.y - 30)}Z`;
  return {
    right: outer.x,
    bottom: Math.max(inner.y, outer.y),
    end: { x: (outer.x + inner.x) / 2, y: (outer.y + inner.y) / 2 },
    svg: (cloth: Cloth) => {
      const [backX, backY] = [-across * 26, -down * 26];
      const hemOfSleeve = `M${fixed(outer.x + backX)} ${fixed(outer.y + backY)}L${fixed(inner.x + backX)} ${fixed(inner.y + backY)}`;
      return shape(path, cloth.body, cloth.seam) + line(hemOfSleeve, cloth.seam, 5);
    },
  };
}

interface Neckline {
  /** How far it stands above the neck's side. */
  height: number;
  behind: string;
  front: string;
}

const NECKLINES: Record<Cut['neckline'], (cut: Cut, cloth: Cloth) => Neckline> = {
  round: ({ neck, depth, straps }, { seam, accent }) => {
    if (straps) return { height: 3, behind: '', front: '' };
    const opening = `M${-neck} -4Q0 18 ${neck} -4Q${fixed(neck * 0.9)} ${depth} 0 ${depth}Q${fixed(-neck * 0.9)} ${depth} ${-neck} -4Z`;
    const rib = `M${-neck - 4} 0Q${fixed(-neck * 0.9)} ${depth + 12} 0 ${depth + 12}Q${fixed(neck * 0.9)} ${depth + 12} ${neck + 4} 0`;
    return { height: 6, behind: '', front: `${shape(opening, seam, seam, 4)}${line(rib, accent, 5, 'opacity="0.6"')}` };
  },
  v: ({ neck, depth }, { seam }) => ({
    height: 6,
    behind: '',
    front: `${shape(`M${-neck} -4Q0 18 ${neck} -4L0 ${depth * 1.7}Z`, seam, seam, 4)}${line(`M${-neck - 8} 4L0 ${depth * 1.7 + 16}L${neck + 8} 4`, seam, 6)}`,
  }),
  boat: ({ neck, depth }, { seam }) => ({
    height: 4,
    behind: '',
    front: shape(`M${-neck} -2Q0 8 ${neck} -2Q0 ${depth} ${-neck} -2Z`, seam, seam, 4),
  }),
  turtle: ({ neck }, { body, seam }) => ({
    height: 78,
    behind: '',
    front: `${shape(`M${-neck} 8L${fixed(-neck * 0.8)} -72Q0 -80 ${fixed(neck * 0.8)} -72L${neck} 8Q0 42 ${-neck} 8Z`, body, seam)}${line(`M${-neck + 14} -34Q0 -16 ${neck - 14} -34`, seam, 5)}`,
  }),
  collar: ({ neck, depth }, { body, seam }) => ({
    height: 44,
    behind: shape(`M${-neck} 10L${fixed(-neck * 0.8)} -40L${fixed(neck * 0.8)} -40L${neck} 10Z`, seam, seam),
    front: `${shape(`M${fixed(-neck * 0.75)} -22L${fixed(neck * 0.75)} -22L0 ${depth}Z`, seam, seam, 3)}${both(shape(`M${fixed(neck * 0.8)} -40L${neck + 14} 14L${fixed(neck * 0.62)} ${depth + 34}L0 ${depth - 4}L${fixed(neck * 0.6)} -6Z`, body, seam))}`,
  }),
  lapels: ({ neck, depth }, { body, seam }) => ({
    height: 44,
    behind: shape(`M${-neck} 10L${fixed(-neck * 0.8)} -40L${fixed(neck * 0.8)} -40L${neck} 10Z`, seam, seam),
    front: `${shape(`M${fixed(-neck * 0.75)} -22L${fixed(neck * 0.75)} -22L0 ${depth * 2.2}Z`, seam, seam, 3)}${both(shape(`M${fixed(neck * 0.8)} -40L${neck + 18} 10L${neck + 40} ${depth * 0.9}L${neck + 8} ${depth}L${neck + 16} ${depth * 1.3}L0 ${depth * 2.3}L${fixed(neck * 0.62)} -8Z`, body, seam))}`,
  }),
  hood: ({ neck, depth }, { body, seam, accent }) => ({
    height: 96,
    behind: shape(`M${-neck - 24} 30Q${-neck - 10} -90 0 -90Q${neck + 10} -90 ${neck + 24} 30Z`, body, seam),
    front: `${shape(`M${fixed(-neck * 0.8)} 6Q${fixed(-neck * 0.7)} -62 0 -62Q${fixed(neck * 0.7)} -62 ${fixed(neck * 0.8)} 6Q0 ${depth + 20} ${fixed(-neck * 0.8)} 6Z`, seam, seam)}${both(line(`M24 ${depth * 0.6}L34 ${depth + 110}`, accent, 7))}`,
  }),
};
