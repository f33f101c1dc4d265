import type { ClassName } from '@atelier/domain';
import type { Draw } from '../drawing/draw.ts';
import { fixed, type Garment } from '../drawing/garment.ts';
import type { Ground } from './grounds.ts';
import { bagWearer, figure, shoeWearer, trouserWearer, type Wearer } from './person.ts';
import type { Stratum } from './strata.ts';

const SHOES: readonly ClassName[] = ['Sandal', 'Sneaker', 'Ankle boot'];

export interface Scene {
  label: ClassName;
  garment: Garment;
  ground: Ground;
  isMirrored: boolean;
  width: number;
  height: number;
}

/** The picture as SVG: a garment on its ground, with light, shadow and whoever wears it. */
export function composeScene(scene: Scene, stratum: Stratum, draw: Draw): string {
  const { garment, ground, isMirrored, width, height } = scene;
  const share = draw.between(...stratum.size);
  const scale = share * Math.min(width / garment.width, height / garment.height);
  const [roomX, roomY] = [width - garment.width * scale, height - garment.height * scale];
  const aside = () => draw.between(-0.5, 0.5) * stratum.offCentre;
  const [x, y] = [width / 2 + roomX * aside(), height / 2 + roomY * aside() * (stratum.isWorn ? 0.4 : 1)];
  const wearer = stratum.isWorn ? wearerOf(scene, draw) : { behind: '', before: '' };
  const turn = draw.between(-stratum.rotation, stratum.rotation);
  const place = [
    `translate(${fixed(x)} ${fixed(y)})`,
    `rotate(${fixed(turn)})`,
    `scale(${(isMirrored ? -scale : scale).toFixed(4)} ${scale.toFixed(4)})`,
    `translate(${fixed(-garment.width / 2)} ${fixed(-garment.height / 2)})`,
  ].join(' ');
  const shadow = shadowOf(stratum.shadow, draw);
  const light = lightOf(stratum.falloff, draw);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`,
    `<defs><filter id="soft"><feGaussianBlur stdDeviation="10"/></filter>${garment.definitions}${ground.definitions}${shadow.definitions}${light.definitions}</defs>`,
    ground.svg,
    `<g ${shadow.attribute}><g transform="${place}">${wearer.behind}${garment.svg}${wearer.before}</g></g>`,
    light.svg,
    '</svg>',
  ].join('');
}

function wearerOf({ label, garment }: Scene, draw: Draw): Wearer {
  if (garment.body !== undefined) return figure(garment.body, draw);
  if (SHOES.includes(label)) return shoeWearer(garment, draw);
  return label === 'Bag' ? bagWearer(garment, draw) : trouserWearer(garment, draw);
}

/** In pixels of the picture, so that it falls the same way however the garment lies. */
function shadowOf(kind: Stratum['shadow'], draw: Draw) {
  if (kind === 'none') return { definitions: '', attribute: '' };
  const [blur, far, opacity] = kind === 'soft' ? [10, 8, 0.35] : [3, 18, 0.5];
  const [dx, dy] = [draw.between(-far, far), draw.between(far * 0.4, far)];
  const definitions = `<filter id="shadow" x="-20%" y="-20%" width="140%" height="140%"><feDropShadow dx="${fixed(dx)}" dy="${fixed(dy)}" stdDeviation="${blur}" flood-opacity="${opacity}"/></filter>`;
  return { definitions, attribute: 'filter="url(#shadow)"' };
}

/** Falls off towards one corner, and a little towards all. */
function lightOf(falloff: number, draw: Draw): Ground {
  if (falloff === 0) return { definitions: '', svg: '' };
  const [x, y] = [draw.pick([0.1, 0.9]), draw.pick([0.1, 0.5, 0.9])];
  const definitions = `<radialGradient id="light" cx="${x}" cy="${y}" r="1.1"><stop offset="0.25" stop-opacity="0"/><stop offset="1" stop-opacity="${falloff}"/></radialGradient>`;
  return { definitions, svg: '<rect width="100%" height="100%" fill="url(#light)"/>' };
}
