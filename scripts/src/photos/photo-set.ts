import { CLASS_NAMES, type ClassName } from '@atelier/domain';
import { type Cloth, clothOf, LEATHER, PATTERNS, type Tone } from './drawing/cloth.ts';
import { DESIGNS } from './drawing/designs.ts';
import { type Draw, drawFor } from './drawing/draw.ts';
import { composeScene } from './scene/compose.ts';
import { GROUNDS } from './scene/grounds.ts';
import { STRATA, type Stratum } from './scene/strata.ts';

/** A picture that says what it shows. */
export interface Photo {
  /** Unique, fit for a file. */
  name: string;
  label: ClassName;
  stratum: string;
  /** Whether the garment is lighter than its ground; null where it has its tone. */
  isLighter: boolean | null;
  /** Shoes with their toes to the right. */
  isMirrored: boolean;
  svg: string;
  /** Of the JPEG file. */
  quality: number;
}

/** Both polarities where the ground allows it, and both directions. */
export const PHOTOS_PER_CELL = 4;

const CLOTHES: readonly ClassName[] = ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Shirt'];

/** Every picture of the set, by stratum, then class; the same seed gives the same pictures. */
export function photoSet(seed: number): Photo[] {
  return STRATA.flatMap((stratum) =>
    CLASS_NAMES.flatMap((label) =>
      Array.from({ length: PHOTOS_PER_CELL }, (_, index) => photo(stratum, label, index, seed)),
    ),
  );
}

function photo(stratum: Stratum, label: ClassName, index: number, seed: number): Photo {
  const name = `${stratum.name}-${CLASS_NAMES.indexOf(label)}-${index}`;
  const draw = drawFor(`photo ${name}`, seed);
  const ground = stratum.tones[(index + CLASS_NAMES.indexOf(label)) % stratum.tones.length] ?? 'light';
  const isLighter = stratum.isToneInTone ? null : ground === 'dark' || (ground === 'middle' && index % 2 === 1);
  const isMirrored = index >= PHOTOS_PER_CELL / 2;
  const [width, height] = draw.pick(stratum.aspects);
  const design = draw.pick(DESIGNS[label]);
  const garment = design(clothBefore(ground, isLighter, label, draw), draw);
  const groundDesign = GROUNDS[draw.pick(stratum.grounds)];
  const scene = {
    label,
    garment,
    ground: groundDesign({ width, height, tone: ground }, draw),
    isMirrored,
    width,
    height,
  };
  const svg = composeScene(scene, stratum, draw);
  return {
    name,
    label,
    stratum: stratum.name,
    isLighter,
    isMirrored,
    svg,
    quality: Math.round(draw.between(...stratum.quality)),
  };
}

/** Cloth that is lighter or darker than the ground, or, where that is null, neither. */
function clothBefore(ground: Tone, isLighter: boolean | null, label: ClassName, draw: Draw): Cloth {
  const others: Record<Tone, readonly Tone[]> = {
    light: ['dark', 'middle'],
    middle: isLighter ? ['light'] : ['dark'],
    dark: ['light', 'middle'],
  };
  const tones = isLighter === null ? [ground] : others[ground];
  return clothOf(draw.pick(tones), draw, CLOTHES.includes(label) ? PATTERNS : LEATHER);
}
