import type { Tone } from '../drawing/cloth.ts';
import type { Draw } from '../drawing/draw.ts';
import { fixed } from '../drawing/garment.ts';

/** What a garment lies on, `width`·`height` pixels of it. */
export interface Ground {
  definitions: string;
  svg: string;
}

interface Place {
  width: number;
  height: number;
  tone: Tone;
}

type GroundDesign = (place: Place, draw: Draw) => Ground;

const LIGHTNESS: Record<Tone, readonly [number, number]> = { light: [84, 95], middle: [45, 60], dark: [8, 22] };

interface Colour {
  hue: number;
  saturation: number;
  lightness: number;
}

function colourOf(tone: Tone, draw: Draw, saturations: readonly number[] = [0, 4, 12, 28]): Colour {
  return { hue: draw.between(0, 360), saturation: draw.pick(saturations), lightness: draw.between(...LIGHTNESS[tone]) };
}

const css = ({ hue, saturation, lightness }: Colour, change = 0) =>
  `hsl(${hue.toFixed(0)}, ${saturation}%, ${Math.min(100, Math.max(0, lightness + change)).toFixed(1)}%)`;

const whole = (fill: string, rest = '') => `<rect width="100%" height="100%" fill="${fill}" ${rest}/>`;

/** Grey noise of `frequency` (cycles a pixel, across and down), whose contrast is `strength`. */
function noise(id: string, frequency: string, octaves: number, strength: number, draw: Draw): Ground {
  const seed = Math.floor(draw.between(0, 10_000));
  return {
    definitions: `<filter id="${id}" x="0" y="0" width="100%" height="100%" color-interpolation-filters="sRGB"><feTurbulence type="fractalNoise" baseFrequency="${frequency}" numOctaves="${octaves}" seed="${seed}"/><feColorMatrix values="${`${strength} 0 0 0 ${fixed((1 - strength) / 2)} `.repeat(3)}0 0 0 0 1"/></filter>`,
    svg: `<rect width="100%" height="100%" filter="url(#${id})" style="mix-blend-mode:soft-light"/>`,
  };
}

const plain: GroundDesign = ({ tone }, draw) => ({ definitions: '', svg: whole(css(colourOf(tone, draw))) });

const white: GroundDesign = (_, draw) => ({
  definitions: '',
  svg: whole(`hsl(0, 0%, ${draw.pick([100, 100, 99, 97])}%)`),
});

const gradient: GroundDesign = ({ tone }, draw) => {
  const colour = colourOf(tone, draw);
  const change = draw.between(14, 26) * (tone === 'light' ? -1 : 1);
  const [x, y] = draw.pick([
    ['0', '1'],
    ['1', '0'],
    ['1', '1'],
  ] as const);
  return {
    definitions: `<linearGradient id="fade" x2="${x}" y2="${y}"><stop stop-color="${css(colour)}"/><stop offset="1" stop-color="${css(colour, change)}"/></linearGradient>`,
    svg: whole('url(#fade)'),
  };
};

const wood: GroundDesign = ({ width, height, tone }, draw) => {
  const colour = {
    hue: draw.between(18, 38),
    saturation: draw.between(18, 45),
    lightness: draw.between(...LIGHTNESS[tone]),
  };
  const plank = draw.between(46, 110);
  const planks = [];
  for (let y = 0; y < height; y += plank) {
    for (let x = -draw.between(0, 300); x < width; x += 320) {
      const fill = css(colour, draw.between(-6, 6));
      planks.push(
        `<rect x="${fixed(x)}" y="${fixed(y)}" width="320" height="${fixed(plank)}" fill="${fill}" stroke="${css(colour, -18)}" stroke-width="2"/>`,
      );
    }
  }
  const grain = noise('grain', '0.006 0.16', 4, 1.5, draw);
  const turn = draw.pick([0, 90, draw.between(-25, 25)]);
  const spin = `transform="rotate(${fixed(turn)} ${width / 2} ${height / 2}) translate(${fixed(-width * 0.3)} ${fixed(-height * 0.3)}) scale(1.6)"`;
  return { definitions: grain.definitions, svg: `${whole(css(colour))}<g ${spin}>${planks.join('')}${grain.svg}</g>` };
};

const carpet: GroundDesign = ({ tone }, draw) => {
  const pile = noise('pile', String(draw.between(0.25, 0.7)), 2, 2.6, draw);
  const wear = noise('wear', '0.012', 3, 0.8, draw);
  return {
    definitions: pile.definitions + wear.definitions,
    svg: whole(css(colourOf(tone, draw))) + wear.svg + pile.svg,
  };
};

const tiles: GroundDesign = ({ width, height, tone }, draw) => {
  const colour = colourOf(tone, draw, [0, 5, 14]);
  const size = draw.between(90, 210);
  const joint = css(colour, tone === 'dark' ? 18 : -22);
  const squares = [];
  for (let y = -draw.between(0, size); y < height; y += size) {
    for (let x = -size * 0.4; x < width; x += size) {
      squares.push(
        `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(size - 5)}" height="${fixed(size - 5)}" fill="${css(colour, draw.between(-4, 4))}"/>`,
      );
    }
  }
  const marble = noise('marble', '0.02', 4, 0.7, draw);
  return { definitions: marble.definitions, svg: whole(joint) + squares.join('') + marble.svg };
};

/** Crumpled cloth, lit from the side. */
const linen: GroundDesign = ({ tone }, draw) => {
  const colour = colourOf(tone, draw);
  const seed = Math.floor(draw.between(0, 10_000));
  const height = draw.between(8, 22);
  return {
    definitions: `<filter id="crumple" x="0" y="0" width="100%" height="100%" color-interpolation-filters="sRGB"><feTurbulence type="fractalNoise" baseFrequency="0.007 0.011" numOctaves="3" seed="${seed}"/><feDiffuseLighting surfaceScale="${fixed(height)}" diffuseConstant="1.25" lighting-color="${css(colour)}"><feDistantLight azimuth="${fixed(draw.between(0, 360))}" elevation="55"/></feDiffuseLighting></filter>`,
    svg: whole('black', 'filter="url(#crumple)"'),
  };
};

/** A room out of focus: a wall, a floor and things of which most are not far from their tone. */
const clutter: GroundDesign = ({ width, height, tone }, draw) => {
  const colour = colourOf(tone, draw);
  const things = Array.from({ length: 16 }, () => {
    const fill = css(
      { hue: draw.between(0, 360), saturation: draw.between(0, 35), lightness: colour.lightness },
      draw.between(-20, 20),
    );
    const [x, y, size] = [draw.between(-60, width), draw.between(-60, height), draw.between(40, 190)];
    return draw.chance(0.4)
      ? `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="${fixed(size / 2)}" fill="${fill}"/>`
      : `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(size)}" height="${fixed(size * draw.between(0.3, 2))}" fill="${fill}" transform="rotate(${fixed(draw.between(-20, 20))} ${fixed(x)} ${fixed(y)})"/>`;
  });
  const floor = height * draw.between(0.5, 0.75);
  return {
    definitions: `<filter id="far" x="-10%" y="-10%" width="120%" height="120%"><feGaussianBlur stdDeviation="${fixed(draw.between(9, 16))}"/></filter>`,
    svg: `${whole(css(colour))}<g filter="url(#far)"><rect x="-50" y="${fixed(floor)}" width="${width + 100}" height="${height}" fill="${css(colour, tone === 'dark' ? 10 : -12)}"/>${things.join('')}</g>`,
  };
};

export const GROUNDS = { plain, white, gradient, wood, carpet, tiles, linen, clutter } as const satisfies Record<
  string,
  GroundDesign
>;
export type GroundName = keyof typeof GROUNDS;
