import type { Cloth } from './cloth.ts';
import { boxed, type Design, fixed, folds, line, shape } from './garment.ts';

/** A sole from toe to heel, flat below, `thick` at the toe and `heel` at the other end. */
function flatSole(toe: number, end: number, top: number, thick: number, colour: string, seam: string): string {
  const bottom = top + thick;
  return shape(
    `M${fixed(toe)} ${fixed(top - 14)}C${fixed(toe - 14)} ${fixed(bottom - 20)} ${fixed(toe + 10)} ${fixed(bottom)} ${fixed(toe + 70)} ${fixed(bottom)}L${fixed(end - 50)} ${fixed(bottom)}C${fixed(end)} ${fixed(bottom)} ${fixed(end + 10)} ${fixed(bottom - 30)} ${fixed(end + 2)} ${fixed(top - 14)}Z`,
    colour,
    seam,
  );
}

const laces = (
  colour: string,
  from: readonly [number, number],
  to: readonly [number, number],
  count: number,
  width = 9,
) =>
  Array.from({ length: count }, (_, index) => {
    const share = index / (count - 1);
    const [x, y] = [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
    return line(`M${fixed(x)} ${fixed(y)}l62 44`, colour, width);
  }).join('');

const sneaker =
  (thick: number, detail: (cloth: Cloth) => string, isLaced = true): Design =>
  (cloth, draw) => {
    const low = draw.between(-16, 20);
    const soleColour = draw.pick([cloth.accent, cloth.shine, cloth.accent]);
    const upper = `M60 372C50 320 110 292 240 276C380 255 480 200 ${fixed(585)} ${fixed(96 + low)}L650 ${fixed(76 + low)}C690 ${fixed(130 + low)} 770 ${fixed(180 + low)} 862 ${fixed(158 + low)}C884 ${fixed(134 + low)} 905 ${fixed(110 + low)} 930 ${fixed(112 + low)}C945 200 962 300 952 372Z`;
    const opening = `M650 ${fixed(78 + low)}C690 ${fixed(134 + low)} 770 ${fixed(184 + low)} 862 ${fixed(160 + low)}L902 ${fixed(124 + low)}C850 ${fixed(100 + low)} 740 ${fixed(84 + low)} 650 ${fixed(78 + low)}Z`;
    const svg = [
      shape(opening, cloth.seam, cloth.seam, 4),
      shape(upper, cloth.body, cloth.seam),
      folds(upper, cloth, ['M300 300C420 300 480 280 560 220', 'M700 340C800 330 880 300 920 250']),
      detail(cloth),
      isLaced ? laces(cloth.accent, [552, 126 + low], [376, 226], 5) : '',
      flatSole(52, 954, 372, thick, soleColour, cloth.seam),
    ].join('');
    return boxed(svg, cloth, { left: 40, right: 966, top: 70 + low, bottom: 375 + thick });
  };

export const SNEAKERS: readonly Design[] = [
  sneaker(56, ({ accent }) => line('M520 330C620 320 700 270 780 230M600 340C690 330 760 280 830 250', accent, 16)),
  sneaker(
    44,
    ({ accent, seam }) =>
      `${shape('M62 372C54 322 110 296 214 282C226 320 226 350 222 372Z', accent, seam)}${line('M880 130L900 368', seam, 8)}`,
  ),
  sneaker(50, ({ seam }) => line('M560 130C580 220 640 250 720 250M250 276C270 320 270 350 262 370', seam, 9), false),
  sneaker(
    84,
    ({ accent, seam }) =>
      `${line('M330 366C420 330 480 300 540 250L700 366', seam, 10)}${line('M720 200L760 366', accent, 22)}`,
  ),
];

const boot =
  (options: { shaft: number; heel: number; thick: number; detail: (cloth: Cloth) => string }): Design =>
  (cloth, draw) => {
    const lean = draw.between(-14, 14);
    const top = 40 - options.shaft;
    const { heel, thick } = options;
    const upper = `M40 600C24 540 50 494 130 470C260 434 370 390 410 300C424 240 ${fixed(420 + lean)} ${fixed(top + 90)} ${fixed(412 + lean)} ${fixed(top)}L${fixed(752 + lean)} ${fixed(top + 14)}C${fixed(748 + lean)} 150 760 340 786 440C800 500 792 560 780 600Z`;
    const soles =
      heel > 0
        ? shape(
            `M36 596C40 ${fixed(600 + thick)} 80 ${fixed(600 + thick)} 130 ${fixed(600 + thick)}L430 ${fixed(600 + thick)}L560 ${fixed(600 + thick * 0.5)}L592 ${fixed(600 + thick + heel)}L774 ${fixed(600 + thick + heel)}L786 590Z`,
            cloth.accent,
            cloth.seam,
          )
        : flatSole(40, 784, 602, thick, cloth.accent, cloth.seam);
    const svg = [
      shape(upper, cloth.body, cloth.seam),
      folds(upper, cloth, [
        'M430 320C520 380 600 390 700 360',
        'M420 380C520 440 640 440 760 400',
        'M120 530C260 500 340 480 420 420',
      ]),
      options.detail(cloth),
      soles,
    ].join('');
    return boxed(svg, cloth, { left: 28, right: 800, top: top - 3, bottom: 603 + thick + heel });
  };

export const ANKLE_BOOTS: readonly Design[] = [
  // Chelsea: elastic at the side.
  boot({
    shaft: 0,
    heel: 34,
    thick: 26,
    detail: ({ seam, accent }) =>
      `${shape('M520 50L640 54L600 300L560 300Z', accent, seam)}${line('M735 60L748 20', seam, 16)}`,
  }),
  // Laced.
  boot({
    shaft: 40,
    heel: 0,
    thick: 60,
    detail: ({ accent, seam }) =>
      laces(accent, [428, 40], [330, 400], 7, 11) + line('M560 30C560 200 540 330 480 420', seam, 8),
  }),
  // With a heel and a zip.
  boot({
    shaft: 20,
    heel: 120,
    thick: 18,
    detail: ({ shine, seam }) => line('M600 40L620 520', shine, 9) + line('M640 40L660 520', seam, 5),
  }),
  // Warm: a collar of fur.
  boot({
    shaft: 30,
    heel: 0,
    thick: 50,
    detail: ({ accent, seam }) =>
      shape(
        'M392 10C380 50 384 80 400 100C500 130 660 130 768 100C780 70 776 40 764 14C660 0 500 -4 392 10Z',
        accent,
        seam,
      ),
  }),
];

/** The strap's path with its edges. */
const strap = (path: string, { body, seam }: Cloth, width: number) =>
  line(path, seam, width + 10) + line(path, body, width);

export const SANDALS: readonly Design[] = [
  // Flat, with a strap over the toes and one around the ankle.
  (cloth, draw) => {
    const width = draw.between(34, 52);
    const svg = [
      strap('M640 330C640 230 690 150 790 140C880 140 900 230 900 320', cloth, width * 0.8),
      shape(
        'M40 352C30 330 60 318 120 322C300 336 420 318 560 322C700 326 840 310 950 318C972 330 970 372 950 380L100 392C60 390 44 376 40 352Z',
        cloth.accent,
        cloth.seam,
      ),
      strap('M170 336C180 240 260 190 330 210C400 230 430 280 436 326', cloth, width),
      strap('M330 214C460 210 600 190 700 190', cloth, width * 0.6),
    ].join('');
    return boxed(svg, cloth, { left: 34, right: 970, top: 112, bottom: 395 });
  },
  // A high heel.
  (cloth, draw) => {
    const width = draw.between(26, 40);
    const svg = [
      shape('M846 232L900 232L884 640L852 640Z', cloth.plain, cloth.seam),
      shape(
        'M40 606C60 580 160 590 260 584C420 560 560 380 720 250C790 200 880 190 930 206C936 240 920 268 880 270C760 280 640 420 520 540C440 612 330 634 200 636C120 640 50 640 40 606Z',
        cloth.plain,
        cloth.seam,
      ),
      strap('M140 588C150 500 240 470 320 500C350 520 370 540 380 556', cloth, width),
      strap('M260 560C330 470 420 430 520 440', cloth, width),
      strap('M720 250C650 150 690 40 800 40C900 40 920 120 916 206', cloth, width),
    ].join('');
    return boxed(svg, cloth, { left: 34, right: 942, top: 16, bottom: 643 });
  },
  // A slide: one wide band, open behind.
  (cloth, draw) => {
    const high = draw.between(120, 160);
    const band = `M150 330C170 ${fixed(330 - high * 1.2)} 400 ${fixed(300 - high * 1.2)} 520 330L390 340L170 340Z`;
    const svg = [
      shape(
        'M36 352C30 322 100 318 180 330C400 340 640 326 960 312C984 330 980 392 950 398L100 408C60 402 40 384 36 352Z',
        cloth.accent,
        cloth.seam,
      ),
      shape(band, cloth.body, cloth.seam),
      line('M200 300C260 250 400 240 470 300', cloth.seam, 8),
    ].join('');
    return boxed(svg, cloth, { left: 30, right: 978, top: 330 - high * 0.9, bottom: 410 });
  },
  // A wedge with straps.
  (cloth, draw) => {
    const width = draw.between(34, 50);
    const svg = [
      strap('M760 200C720 110 760 40 830 40C900 40 920 120 914 210', cloth, width * 0.7),
      shape(
        'M40 470C60 440 200 450 300 430C480 390 640 240 780 206C840 190 900 190 936 200C950 320 944 440 926 520L100 526C54 522 36 504 40 470Z',
        cloth.accent,
        cloth.seam,
      ),
      strap('M140 452C160 360 260 320 340 352C380 374 400 392 410 404', cloth, width),
      strap('M300 420C360 320 460 280 560 320', cloth, width),
      line('M60 490C300 470 640 450 930 440', cloth.seam, 8),
    ].join('');
    return boxed(svg, cloth, { left: 34, right: 950, top: 16, bottom: 530 });
  },
];
