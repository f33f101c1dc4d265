import type { Cloth } from './cloth.ts';
import type { Draw } from './draw.ts';
import { both, type Design, fixed, line } from './garment.ts';
import { type Cut, upperBody } from './upper-body.ts';

function cutOf(draw: Draw, parts: Partial<Cut>): Cut {
  const chest = Math.round(draw.between(138, 160));
  return {
    neck: Math.round(draw.between(62, 80)),
    shoulder: chest,
    chest,
    waist: chest - Math.round(draw.between(22, 36)),
    hem: chest + Math.round(draw.between(0, 40)),
    length: Math.round(draw.between(820, 980)),
    sleeve: 0,
    cuff: 60,
    spread: 18,
    neckline: 'round',
    depth: 62,
    ...parts,
  };
}

const belt = ({ accent }: Cloth, half: number, y: number) =>
  line(`M${fixed(-half)} ${fixed(y)}L${fixed(half)} ${fixed(y)}`, accent, 26);

const pleats = ({ seam }: Cloth, from: number, to: number, hem: number) =>
  both(
    [0.25, 0.55, 0.8]
      .map((share) => line(`M${fixed(70 * share)} ${from}L${fixed(hem * share)} ${to}`, seam, 6))
      .join(''),
  );

export const DRESSES: readonly Design[] = [
  // A straight one without sleeves.
  (cloth, draw) => upperBody(cutOf(draw, {}), cloth, ''),
  // Fitted above, a wide skirt below.
  (cloth, draw) => {
    const cut = cutOf(draw, {
      straps: true,
      waist: 100,
      depth: 100,
      chest: 136,
      hem: draw.between(250, 320),
      length: draw.between(800, 880),
    });
    return upperBody(
      cut,
      cloth,
      belt(cloth, 100, cut.length * 0.5) + pleats(cloth, cut.length * 0.54, cut.length, cut.hem),
    );
  },
  // Short sleeves and a belt.
  (cloth, draw) => {
    const cut = cutOf(draw, { sleeve: 130, cuff: 92, spread: 26, hem: draw.between(190, 230) });
    return upperBody(cut, cloth, belt(cloth, cut.waist, cut.length * 0.5));
  },
  // Knitted, with long sleeves.
  (cloth, draw) =>
    upperBody(
      cutOf(draw, {
        sleeve: 500,
        cuff: 54,
        spread: draw.between(4, 12),
        neckline: draw.pick(['turtle', 'boat']),
        hem: 170,
      }),
      cloth,
      '',
    ),
];
