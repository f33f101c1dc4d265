import {
  type Attribute,
  float32Tensor,
  int,
  int64Scalar,
  int64Tensor,
  int64Vector,
  ints,
  model,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  tensorAttribute,
  value,
} from '@atelier/onnx';
import { uniform } from '../../scripts/src/verification/uniform.ts';

/**
 * Writes a graph as torch.onnx.export does: nodes named after the module that they came from (`/fc1/Gemm`), values after the
 * nodes (`/fc1/Gemm_output_0`), weights after the parameters (`fc1.weight`), sizes in Constant nodes.
 */
export class TorchExport {
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = uniform(seed);
  }

  /** A node of `module`, with the constants and parameters that it takes; resolves to the name of its output. */
  op(
    opType: string,
    module: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const scope = module === '' ? '' : `/${module.split('.').join('/')}`;
    const taken = this.#nodes.filter(({ name }) => name.replace(/_\d+$/, '') === `${scope}/${opType}`).length;
    const name = `${scope}/${opType}${taken === 0 ? '' : `_${taken}`}`;
    const output = `${name}_output_0`;
    this.#nodes.push({ opType, name, domain: '', inputs, outputs: [output], attributes });
    return output;
  }

  /** A parameter between `-spread` and `spread`, around `centre`. */
  parameter(name: string, shape: readonly number[], { centre = 0, spread = 0.5 } = {}): string {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length: count }, () => centre + spread * (2 * this.#next() - 1));
    return this.initializer(float32Tensor(name, shape, values));
  }

  initializer(tensor: OnnxTensor): string {
    if (!this.#initializers.some(({ name }) => name === tensor.name)) this.#initializers.push(tensor);
    return tensor.name;
  }

  /** The sizes that a Reshape takes, or a scalar index, as a Constant node. */
  constant(values: readonly number[] | number): string {
    const tensor = typeof values === 'number' ? int64Scalar('', values) : int64Vector('', values);
    return this.op('Constant', '', [], { value: tensorAttribute(tensor) });
  }

  floats(values: number | readonly number[], shape: readonly number[] = []): string {
    const list = typeof values === 'number' ? [values] : values;
    return this.op('Constant', '', [], { value: tensorAttribute(float32Tensor('', shape, list)) });
  }

  linear(module: string, input: string, [inputs, units]: readonly [number, number], bias = true): string {
    const weight = this.parameter(`${module}.weight`, [units, inputs]);
    if (bias)
      return this.op('Gemm', module, [input, weight, this.parameter(`${module}.bias`, [units])], { transB: int(1) });
    // Without a bias torch multiplies with a transposed copy that it names itself.
    const copy = this.parameter(`onnx::MatMul_${this.#initializers.length}`, [inputs, units]);
    return this.op('MatMul', module, [input, copy]);
  }

  /** `pads` and `strides` are one number for all axes. */
  conv(
    module: string,
    input: string,
    [inputs, outputs, ...kernel]: readonly number[],
    { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = {},
  ): string {
    const axes = kernel.length;
    const all = (size: number, count = axes) => ints(new Array<number>(count).fill(size));
    const weight = this.parameter(`${module}.weight`, [outputs ?? 1, (inputs ?? 1) / groups, ...kernel]);
    const taken = [input, weight, ...(bias ? [this.parameter(`${module}.bias`, [outputs ?? 1])] : [])];
    return this.op('Conv', module, taken, {
      dilations: all(dilation),
      group: int(groups),
      kernel_shape: ints(kernel),
      pads: all(padding, 2 * axes),
      strides: all(stride),
    });
  }

  batchNorm(module: string, input: string, channels: number, epsilon = 1e-5): string {
    return this.op(
      'BatchNormalization',
      module,
      [
        input,
        this.parameter(`${module}.weight`, [channels], { centre: 1 }),
        this.parameter(`${module}.bias`, [channels]),
        this.parameter(`${module}.running_mean`, [channels]),
        this.parameter(`${module}.running_var`, [channels], { centre: 1 }),
      ],
      { epsilon: { type: 'float', value: Math.fround(epsilon) }, momentum: { type: 'float', value: Math.fround(0.9) } },
    );
  }

  /** `x.view(x.size(0), -1)`: the batch is read from the tensor itself. */
  view(input: string): string {
    const shape = this.op('Shape', '', [input]);
    const batch = this.op('Gather', '', [shape, this.constant(0)], { axis: int(0) });
    const axes = this.initializer(int64Tensor(`onnx::Unsqueeze_${this.#initializers.length}`, [1], [0]));
    const first = this.op('Unsqueeze', '', [batch, axes]);
    const sizes = this.op('Concat', '', [first, this.constant([-1])], { axis: int(0) });
    return this.op('Reshape', '', [input, sizes]);
  }

  /** The model; its batch is open, and its output has no shape written down. */
  model(
    input: { name: string; shape: readonly number[]; batch?: string | number },
    output: string,
    opset = 17,
  ): OnnxModel {
    return model(
      {
        name: 'main_graph',
        nodes: this.#nodes,
        inputs: [value(input.name, 'float32', [input.batch ?? 'batch_size', ...input.shape])],
        outputs: [value(output, 'float32', null)],
        initializers: this.#initializers,
        values: [],
      },
      { producerName: 'pytorch', producerVersion: '2.5.1', opsetImports: [{ domain: '', version: opset }] },
    );
  }
}
