import type { NodeView } from '../node-view.ts';

/** How a kernel slides along one axis. */
export interface Slide {
  kernel: number;
  stride: number;
  dilation: number;
  /** Of the input; null where it is open. */
  length: number | null;
  /** Cells before the input that the first window takes in. */
  before: number;
  /** Cells behind it that the last window takes in; below 0 where the input's end is left out. */
  after: number;
  /** Of these, cells that only `ceil_mode` brought, which no average counts. */
  beyondPads: number;
  outputs: number | null;
}

export type Padding = 'valid' | 'same' | 'explicit';

/** The axes of a Conv or a pool, from its attributes; whatever depends on an open length is `unsupported-operator`. */
export function slidesOf(node: NodeView, lengths: readonly (number | null)[], kernels: readonly number[]): Slide[] {
  const rank = lengths.length;
  const ones = new Array<number>(rank).fill(1);
  const strides = node.ints('strides') ?? ones;
  const dilations = node.ints('dilations') ?? ones;
  const pads = node.ints('pads') ?? new Array<number>(2 * rank).fill(0);
  if (kernels.length !== rank || strides.length !== rank || dilations.length !== rank || pads.length !== 2 * rank) {
    throw node.contradicts(`its kernel, strides, dilations or pads are not for ${rank} axes`);
  }
  const automatic = node.text('auto_pad', 'NOTSET');
  const isCeiling = node.int('ceil_mode', 0) !== 0;
  return lengths.map((length, axis) => {
    const slide = { kernel: kernels[axis] ?? 1, stride: strides[axis] ?? 1, dilation: dilations[axis] ?? 1, length };
    if (automatic === 'NOTSET') return explicit(node, slide, pads[axis] ?? 0, pads[axis + rank] ?? 0, isCeiling);
    if (automatic === 'VALID') return explicit(node, slide, 0, 0, false);
    return automaticSlide(node, slide, automatic);
  });
}

type Basics = Pick<Slide, 'kernel' | 'stride' | 'dilation' | 'length'>;

const extent = ({ kernel, dilation }: Basics) => (kernel - 1) * dilation + 1;

function explicit(node: NodeView, slide: Basics, begin: number, end: number, isCeiling: boolean): Slide {
  const { length, stride } = slide;
  if (begin < 0 || end < 0) throw node.refuse('it has pads below 0; supported: 0 and more. Slice the input instead.');
  if (length === null) {
    if (isCeiling && stride > 1) throw node.refuse('ceil_mode with an open size; export the model with fixed sizes.');
    return { ...slide, before: begin, after: end, beyondPads: 0, outputs: null };
  }
  const room = length + begin + end - extent(slide);
  const whole = (isCeiling ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  // The last window must begin inside the input or the padding before it.
  const outputs = isCeiling && (whole - 1) * stride >= length + begin ? whole - 1 : whole;
  if (outputs < 1) throw node.contradicts(`its kernel does not fit into a length of ${length}`);
  const after = (outputs - 1) * stride + extent(slide) - length - begin;
  return { ...slide, before: begin, after, beyondPads: Math.max(0, after - end), outputs };
}

/** The output's length is the input's, divided by the stride and rounded up; an odd cell goes to the named side. */
function automaticSlide(node: NodeView, slide: Basics, automatic: string): Slide {
  const { length, stride } = slide;
  if (automatic !== 'SAME_UPPER' && automatic !== 'SAME_LOWER') {
    throw node.contradicts(`auto_pad is "${automatic}"; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER`);
  }
  if (length === null && stride > 1) {
    throw node.refuse(`auto_pad ${automatic} with a stride and an open size; export the model with fixed sizes.`);
  }
  const outputs = length === null ? null : Math.ceil(length / stride);
  const total = samePads(slide);
  const before = automatic === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
  return { ...slide, before, after: total - before, beyondPads: 0, outputs };
}

/** What TensorFlow pads altogether for `same`; with an open length only right for stride 1. */
function samePads(slide: Basics): number {
  const { length, stride } = slide;
  if (length === null) return extent(slide) - 1;
  return Math.max(0, (Math.ceil(length / stride) - 1) * stride + extent(slide) - length);
}

/** The padding of TensorFlow.js that lays the windows exactly so on all axes; `explicit` where neither does. */
export function paddingOf(slides: readonly Slide[]): Padding {
  if (slides.every(isValid)) return 'valid';
  return slides.every(isSame) ? 'same' : 'explicit';
}

function isValid({ before, after, outputs }: Slide): boolean {
  return before === 0 && (outputs === null ? after === 0 : after <= 0);
}

function isSame(slide: Slide): boolean {
  const { length, stride, before, after, outputs } = slide;
  const total = samePads(slide);
  if (length === null) return stride === 1 && before === Math.floor(total / 2) && before + after === total;
  return outputs === Math.ceil(length / stride) && before === Math.floor(total / 2);
}

/** The cells that must be laid around the input so that `valid` windows are these. */
export function zerosAround(slides: readonly Slide[]): [number, number][] {
  return slides.map(({ before, after }) => [before, Math.max(0, after)]);
}
