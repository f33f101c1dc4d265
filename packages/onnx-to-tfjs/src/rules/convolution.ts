import { type NumberArray, transposed } from '../arrays.ts';
import type { Constant } from '../constants.ts';
import type { Value } from '../layouts.ts';
import type { LayerDescription, LayerWeight } from '../network.ts';
import type { NodeView, Rule } from '../node-view.ts';
import { asImage, spatialLengths, zeroPadded } from './images.ts';
import { paddingOf, type Slide, slidesOf, zerosAround } from './windows.ts';

/**
 * Kernels are [outputs, inputs/groups, ...window] in the graph and [...window, inputs, outputs] in the model. Padding that is
 * neither of TensorFlow.js's two becomes a layer of its own.
 */
export const conv: Rule = (node) => {
  const weight = node.weight(1);
  const bias = node.constant(2);
  const [outputs = 0, inputsOfGroup = 0, ...window] = weight.shape;
  const groups = node.int('group', 1);
  if (window.length < 1 || window.length > 2) {
    throw node.refuse(`it convolves over ${window.length} axes; supported: 1 and 2.`);
  }
  const input = node.channelsLast(node.value(0));
  const channels = input.shape[1];
  if (
    input.shape.length !== weight.shape.length ||
    (typeof channels === 'number' && channels !== inputsOfGroup * groups)
  ) {
    throw node.contradicts(
      `its kernel has shape [${weight.shape.join(', ')}] for ${channels ?? '?'} channels in ${groups} groups`,
    );
  }
  const slides = slidesOf(node, spatialLengths(input), window);
  if (slides.some(({ stride }) => stride > 1) && slides.some(({ dilation }) => dilation > 1)) {
    throw node.refuse('it has strides and dilations, which TensorFlow.js computes one or the other of only.');
  }
  const padding = paddingOf(slides);
  const name = node.name(weight, bias);
  const ready = padding === 'explicit' ? zeroPadded(node, input, zerosAround(slides), `${name}_pad`) : input;
  const convolution = {
    name,
    slides,
    padding: padding === 'same' ? 'same' : 'valid',
    weight,
    bias,
    outputs,
    inputsOfGroup,
    groups,
  } as const;
  const lengths = slides.map((slide) => slide.outputs);
  const result = (source: Value['source']): Value => {
    const shape = [ready.shape[0] ?? null, outputs, ...lengths];
    return { source, shape, layout: ready.layout, isNonNegative: false };
  };
  if (groups === 1) return result(node.add(plain(node, convolution), [ready.source]));
  if (inputsOfGroup === 1) return result(depthwise(node, convolution, ready));
  return result(grouped(node, convolution, ready));
};

interface Convolution {
  name: string;
  slides: readonly Slide[];
  padding: 'same' | 'valid';
  weight: Constant;
  bias: Constant | undefined;
  outputs: number;
  inputsOfGroup: number;
  groups: number;
}

function plain(node: NodeView, convolution: Convolution): LayerDescription {
  const { name, slides, weight, bias, outputs } = convolution;
  // [outputs, inputs, ...window] to [...window, inputs, outputs]
  const permutation = [...slides.map((_, axis) => axis + 2), 1, 0];
  return {
    className: slides.length === 1 ? 'Conv1D' : 'Conv2D',
    name,
    config: { filters: outputs, ...settingsOf(convolution), dilation_rate: slides.map(({ dilation }) => dilation) },
    weights: weightsOf('kernel', transposed(weight, permutation), weight, bias),
    sharedBy: node.sharingKey([weight, bias]),
  };
}

/** Output c·m + j is convolution j of channel c, in the graph as in the model. A sequence is an image of width 1. */
function depthwise(node: NodeView, convolution: Convolution, input: Value): Value['source'] {
  const { name, slides, weight, bias, outputs, groups } = convolution;
  if (slides.some(({ dilation }) => dilation > 1)) {
    throw node.refuse('it is depthwise with dilations, which TensorFlow.js ignores. Use a convolution without groups.');
  }
  const image = asImage(node, input);
  const lifted = { ...convolution, slides: [...slides, ...(slides.length === 1 ? [UNMOVED] : [])] };
  const [height = 1, width = 1] = lifted.slides.map(({ kernel }) => kernel);
  const multiplier = outputs / groups;
  const apart = { shape: [groups, multiplier, height, width], values: weight.values };
  const source = node.add(
    {
      className: 'DepthwiseConv2D',
      name,
      config: { depth_multiplier: multiplier, ...settingsOf(lifted) },
      weights: weightsOf('depthwise_kernel', transposed(apart, [2, 3, 0, 1]), weight, bias),
      sharedBy: node.sharingKey([weight, bias]),
    },
    [image.source],
  );
  if (slides.length === 2) return source;
  const target = [slides[0]?.outputs ?? -1, outputs];
  return node.add({ className: 'Reshape', name: `${name}_sequence`, config: { target_shape: target } }, [source]);
}

const UNMOVED: Slide = {
  ...{ kernel: 1, stride: 1, dilation: 1, length: 1 },
  ...{ before: 0, after: 0, beyondPads: 0, outputs: 1 },
};

/** Each group by itself: its channels are cut out, convolved, and joined again. */
function grouped(node: NodeView, convolution: Convolution, input: Value): Value['source'] {
  const { name, slides, weight, bias, outputs, inputsOfGroup, groups } = convolution;
  if (slides.length !== 2) {
    throw node.refuse(`it has ${groups} groups over one axis; supported: 1, or one for each channel.`);
  }
  const units = outputs / groups;
  const size = weight.values.length / groups;
  const parts = Array.from({ length: groups }, (_, group) => {
    const cut = [group * inputsOfGroup, (groups - group - 1) * inputsOfGroup];
    // As if the channels were first, which makes the last two axes the ones to crop.
    const config = { cropping: [[0, 0], cut], data_format: 'channels_first' };
    const channels = node.add({ className: 'Cropping2D', name: `${name}_channels_${group}`, config }, [input.source]);
    const origin = (constant: Constant) => `${constant.origin} group ${group}`;
    const part: Convolution = {
      ...convolution,
      name: `${name}_group_${group}`,
      outputs: units,
      weight: {
        ...weight,
        origin: origin(weight),
        shape: [units, ...weight.shape.slice(1)],
        values: weight.values.subarray(group * size, (group + 1) * size),
      },
      bias: bias && {
        ...bias,
        origin: origin(bias),
        shape: [units],
        values: bias.values.subarray(group * units, (group + 1) * units),
      },
    };
    return node.add(plain(node, part), [channels]);
  });
  return node.add({ className: 'Concatenate', name, config: { axis: 3 } }, parts);
}

function settingsOf({ slides, padding, bias }: Convolution) {
  return {
    kernel_size: slides.map(({ kernel }) => kernel),
    strides: slides.map(({ stride }) => stride),
    padding,
    data_format: 'channels_last',
    activation: 'linear',
    use_bias: bias !== undefined,
  };
}

function weightsOf(part: string, kernel: NumberArray, weight: Constant, bias: Constant | undefined) {
  const weights: Record<string, LayerWeight> = { [part]: { ...kernel, origin: weight.origin } };
  if (bias) weights['bias'] = { shape: [bias.values.length], values: bias.values, origin: bias.origin };
  return weights;
}
