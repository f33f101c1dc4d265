import type { Cloth } from './cloth.ts';
import { boxed, type Design, fixed, folds, line, shape } from './garment.ts';

const handle = (path: string, { seam, plain }: Cloth, width: number) =>
  line(path, seam, width + 10) + line(path, plain, width);

const buckle = ({ accent, seam }: Cloth, x: number, y: number) =>
  `<rect x="${x - 30}" y="${y - 22}" width="60" height="44" rx="8" fill="${accent}" stroke="${seam}" stroke-width="6"/>`;

export const BAGS: readonly Design[] = [
  // A tote with two long handles.
  (cloth, draw) => {
    const high = draw.between(180, 300);
    const body = 'M70 300L830 300L880 860C880 890 860 900 830 900L70 900C40 900 20 890 20 860Z';
    const svg = [
      handle(`M250 330C260 ${fixed(300 - high)} 640 ${fixed(300 - high)} 650 330`, { ...cloth, plain: cloth.seam }, 26),
      shape(body, cloth.body, cloth.seam),
      folds(body, cloth, ['M200 330L140 880', 'M560 340L640 880', 'M740 330L780 700']),
      handle(`M230 380C240 ${fixed(330 - high)} 660 ${fixed(330 - high)} 670 380`, cloth, 28),
      line('M72 350L828 350', cloth.seam, 6),
    ].join('');
    return boxed(svg, cloth, { left: 16, right: 884, top: 352 - high * 0.86, bottom: 904 });
  },
  // A handbag with a short handle and a clasp.
  (cloth, draw) => {
    const wide = draw.between(0, 60);
    const body = `M${fixed(140 - wide)} 300C${fixed(200 - wide)} 250 ${fixed(700 + wide)} 250 ${fixed(760 + wide)} 300L${fixed(860 + wide)} 760C${fixed(864 + wide)} 800 ${fixed(840 + wide)} 820 ${fixed(800 + wide)} 820L${fixed(100 - wide)} 820C${fixed(60 - wide)} 820 ${fixed(36 - wide)} 800 ${fixed(40 - wide)} 760Z`;
    const svg = [
      handle('M270 300C270 60 630 60 630 300', cloth, 38),
      shape(body, cloth.body, cloth.seam),
      folds(body, cloth, ['M180 400C360 460 560 460 740 400', 'M120 760C360 720 560 720 780 760']),
      line(`M${fixed(120 - wide)} 390C300 460 600 460 ${fixed(780 + wide)} 390`, cloth.seam, 8),
      buckle(cloth, 450, 440),
    ].join('');
    return boxed(svg, cloth, { left: 36 - wide, right: 864 + wide, top: 96, bottom: 824 });
  },
  // A shoulder bag with a flap and a long strap.
  (cloth, draw) => {
    const high = draw.between(200, 420);
    const body = 'M40 400L860 400L870 900C870 930 850 940 820 940L80 940C50 940 30 930 30 900Z';
    const svg = [
      handle(`M70 420C120 ${fixed(380 - high * 1.3)} 780 ${fixed(380 - high * 1.3)} 830 420`, cloth, 24),
      shape(body, cloth.body, cloth.seam),
      shape(
        'M34 396L866 396L866 640C866 700 800 720 740 720L160 720C100 720 34 700 34 640Z',
        cloth.body,
        cloth.seam,
        9,
      ),
      folds(body, cloth, ['M100 460L120 690', 'M700 450L760 690', 'M100 880L800 860']),
      buckle(cloth, 450, 716),
    ].join('');
    return boxed(svg, cloth, { left: 26, right: 874, top: 386 - high, bottom: 944 });
  },
  // A clutch.
  (cloth, draw) => {
    const high = draw.between(430, 560);
    const body = `M30 60C30 30 50 20 80 20L880 20C910 20 930 30 930 60L940 ${fixed(high - 40)}C940 ${fixed(high - 10)} 920 ${fixed(high)} 890 ${fixed(high)}L70 ${fixed(high)}C40 ${fixed(high)} 20 ${fixed(high - 10)} 20 ${fixed(high - 40)}Z`;
    const svg = [
      shape(body, cloth.body, cloth.seam),
      folds(body, cloth, ['M100 120L160 400', 'M300 420C500 380 700 400 860 440']),
      line(`M34 50L480 ${fixed(high * 0.58)}L926 50`, cloth.seam, 9),
      buckle(cloth, 480, high * 0.58),
    ].join('');
    return boxed(svg, cloth, { left: 16, right: 944, top: 16, bottom: high + 4 });
  },
];
