import type { Tone } from '../drawing/cloth.ts';
import type { GroundName } from './grounds.ts';

/** How the pictures of a stratum come about. */
export interface Stratum {
  name: string;
  /** For people. */
  title: string;
  grounds: readonly GroundName[];
  tones: readonly Tone[];
  /** Of the garment to the picture: the share of its longest edge that fits, lowest and highest. */
  size: readonly [number, number];
  /** Largest angle in degrees, either way. */
  rotation: number;
  /** Farthest from the middle, as a share of the room that is left. */
  offCentre: number;
  /** Cast by the garment. */
  shadow: 'none' | 'soft' | 'hard';
  /** How much darker the darkest corner is, as a share. */
  falloff: number;
  aspects: readonly (readonly [number, number])[];
  /** Of the JPEG file. */
  quality: readonly [number, number];
  isWorn?: boolean;
  /** The garment has the tone of its ground. Default: one that stands out from it. */
  isToneInTone?: boolean;
}

const SQUARE = [600, 600] as const;
const CATALOGUE = [SQUARE, [480, 640], [640, 480]] as const;
const PHONE = [
  [480, 640],
  [405, 720],
  [640, 480],
] as const;

const catalogue = {
  tones: ['light'],
  size: [0.66, 0.92],
  rotation: 3,
  offCentre: 0.3,
  shadow: 'none',
  falloff: 0,
  aspects: CATALOGUE,
  quality: [75, 92],
} as const;

const lying = {
  tones: ['light', 'middle', 'dark'],
  size: [0.6, 0.84],
  rotation: 8,
  offCentre: 0.5,
  shadow: 'soft',
  falloff: 0.25,
  aspects: [SQUARE, ...PHONE],
  quality: [60, 85],
} as const;

/** In the order of the tables. */
export const STRATA: readonly Stratum[] = [
  { ...catalogue, name: 'white', title: 'plain white', grounds: ['white'] },
  { ...catalogue, name: 'white-shadow', title: 'plain white, with a shadow', grounds: ['white'], shadow: 'soft' },
  { ...catalogue, name: 'dark', title: 'plain dark', grounds: ['plain'], tones: ['dark'] },
  { ...catalogue, name: 'mid-tone', title: 'plain, of middle tone', grounds: ['plain'], tones: ['middle'] },
  {
    ...catalogue,
    name: 'gradient',
    title: 'gradient',
    grounds: ['gradient'],
    tones: ['light', 'middle', 'dark'],
    shadow: 'soft',
  },
  {
    ...lying,
    name: 'uneven-light',
    title: 'uneven light, hard shadow',
    grounds: ['plain'],
    shadow: 'hard',
    falloff: 0.55,
  },
  { ...lying, name: 'wood', title: 'wooden floor', grounds: ['wood'] },
  { ...lying, name: 'carpet', title: 'carpet', grounds: ['carpet'] },
  { ...lying, name: 'tiles', title: 'tiles', grounds: ['tiles'] },
  { ...lying, name: 'linen', title: 'bed linen', grounds: ['linen'] },
  { ...lying, name: 'clutter', title: 'room out of focus', grounds: ['clutter'], falloff: 0.35 },
  {
    ...lying,
    name: 'phone',
    title: 'by phone: small, aside, turned',
    grounds: ['wood', 'carpet', 'tiles', 'linen', 'plain'],
    size: [0.34, 0.55],
    rotation: 18,
    offCentre: 0.8,
    falloff: 0.35,
    aspects: PHONE,
  },
  {
    ...catalogue,
    name: 'worn',
    title: 'worn by a person',
    grounds: ['white', 'plain', 'gradient'],
    size: [0.5, 0.64],
    isWorn: true,
  },
  {
    ...catalogue,
    name: 'tone-in-tone',
    title: 'tone in tone: light on light, dark on dark',
    grounds: ['plain'],
    tones: ['light', 'dark'],
    shadow: 'soft',
    isToneInTone: true,
  },
];
