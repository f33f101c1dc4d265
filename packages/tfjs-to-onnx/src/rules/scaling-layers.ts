import { float, float32Scalar, float32Tensor, float32Values, node, type OnnxTensor } from '@atelier/onnx';
import { malformed, unsupported } from '../errors.ts';
import { passThrough, type Rule, shownShape } from '../step.ts';

/** `epsilon` is always written: Keras's default is 1e-3, ONNX's 1e-5. */
export const batchNormalization: Rule = (layer, input) => {
  const { name, output, settings } = layer;
  const rank = input.shape.length;
  const axis = settings.axis('axis', -1, rank);
  if (axis === undefined) {
    throw unsupported(`Layer "${name}" is a BatchNormalization over several axes; supported: one axis.`);
  }
  const channels = input.shape[axis];
  if (typeof channels !== 'number') {
    throw malformed(
      `Layer "${name}" normalises axis ${axis} of ${shownShape(input.shape)}; expected a known size there.`,
    );
  }
  if (axis !== rank - 1) {
    // https://github.com/tensorflow/tfjs/issues/1106
    layer.warn(
      `It normalises axis ${axis} of ${rank}, as Keras does; the cpu and wasm backends of TensorFlow.js cycle through ` +
        'the channels as if the axis were the last, and give something else.',
    );
  }
  const epsilon = settings.number('epsilon', 1e-3);
  const weight = (part: string) => layer.weight(part, [channels]);
  const constant = (part: string, value: number) =>
    float32Tensor(`${output}/${part}`, [channels], new Float32Array(channels).fill(value));
  const statistics = [
    settings.boolean('scale', true) ? weight('gamma') : constant('gamma', 1),
    settings.boolean('center', true) ? weight('beta') : constant('beta', 0),
    weight('moving_mean'),
    weight('moving_variance'),
  ] as const;
  const result = { ...input, name: output };
  // ONNX's operator has its channels on axis 1.
  if (axis === 1) {
    const names = statistics.map((tensor) => tensor.name);
    return {
      nodes: [node('BatchNormalization', [input.name, ...names], output, { epsilon: float(epsilon) })],
      initializers: statistics,
      output: result,
    };
  }
  const shape = [channels, ...new Array<number>(rank - axis - 1).fill(1)];
  const [scale, shift] = folded(statistics, epsilon);
  return {
    nodes: [
      node('Mul', [input.name, `${output}/scale`], `${output}/scaled`),
      node('Add', [`${output}/scaled`, `${output}/shift`], output),
    ],
    initializers: [float32Tensor(`${output}/scale`, shape, scale), float32Tensor(`${output}/shift`, shape, shift)],
    output: result,
  };
};

/** gamma·(x − mean)/√(variance + epsilon) + beta as scale·x + shift. */
function folded(statistics: readonly [OnnxTensor, OnnxTensor, OnnxTensor, OnnxTensor], epsilon: number) {
  const [gamma, beta, mean, variance] = statistics.map(float32Values) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const scale = Array.from(gamma, (value, index) => value / Math.sqrt((variance[index] ?? 0) + epsilon));
  const shift = Array.from(beta, (value, index) => value - (mean[index] ?? 0) * (scale[index] ?? 0));
  return [scale, shift] as const;
}

/** x·scale + offset. */
export const rescaling: Rule = (layer, input) => {
  const { output, settings } = layer;
  const scale = settings.number('scale');
  const offset = settings.number('offset', 0);
  const parts = [
    ...(scale === 1 ? [] : [{ opType: 'Mul', name: 'scale', value: scale }]),
    ...(offset === 0 ? [] : [{ opType: 'Add', name: 'offset', value: offset }]),
  ];
  if (parts.length === 0) return passThrough(layer, input);
  const between = parts.length > 1 ? `${output}/scaled` : input.name;
  return {
    nodes: parts.map(({ opType, name }, index) => {
      const isLast = index === parts.length - 1;
      return node(opType, [index === 0 ? input.name : between, `${output}/${name}`], isLast ? output : between);
    }),
    initializers: parts.map(({ name, value }) => float32Scalar(`${output}/${name}`, value)),
    output: { ...input, name: output },
  };
};
