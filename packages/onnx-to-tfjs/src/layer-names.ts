import type { OnnxNode } from '@atelier/onnx';

/** How weights are called that belong to a layer: by TensorFlow.js and Keras, by PyTorch, by TensorFlow's variables. */
const WEIGHT_NAMES = [
  /^(.+)\/(?:kernel|depthwise_kernel|bias|gamma|beta|moving_mean|moving_variance|alpha)(?::\d+)?$/,
  /^(.+)\.(?:weight|bias|running_mean|running_var)$/,
  /^(.+?)(?:\/[A-Z]\w*|\/depthwise)?\/ReadVariableOp(?:_\d+)?(?:\/resource)?(?::\d+)?$/,
];

/** What exporters call a weight that they made themselves: `onnx::MatMul_12` says nothing of the layer. */
const GENERATED = /^onnx::|^\d+$|^val_\d+$/;

/**
 * The name of the layer that `node` stands for: the one that its weights carry, or else its own without the operator.
 * PyTorch's `/fc1/Gemm` with `fc1.weight` is "fc1", Keras's `dense/BiasAdd` is "dense".
 */
export function layerName(node: OnnxNode, weights: readonly string[] = []): string {
  for (const weight of weights.filter((name) => !GENERATED.test(name))) {
    for (const pattern of WEIGHT_NAMES) {
      const found = pattern.exec(weight)?.[1];
      if (found !== undefined) return joinedPath(found);
    }
  }
  const written = node.name || (node.outputs[0] ?? '');
  const plain = written
    .replace(/^node_(?=.)/, '')
    .replace(/:\d+$/, '')
    .replace(/_output_\d+$/, '');
  const scope = /^(.+)\/[A-Z]\w*$/.exec(plain)?.[1]; // the last part is an operator's name
  const name = joinedPath(scope ?? plain);
  return GENERATED.test(name) || name === '' ? node.opType.toLowerCase() : name.replace(/^[A-Z]\w*?(?=_\d+$|$)/, lower);
}

/** A path without what it repeats: `/layer1/layer1.0/relu` is `layer1.0/relu`. */
function joinedPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.filter((part, index) => !parts[index + 1]?.startsWith(`${part}.`)).join('/');
}

const lower = (text: string) => text.toLowerCase();

/**
 * Names as TensorFlow.js takes them, each once, in the order of `wished`; the first parts that all the names from `/` paths
 * have in common, a Keras model's own name, are left out.
 */
export function uniqueNames(wished: readonly string[]): string[] {
  const taken = new Set<string>();
  const prefix = commonPrefix(wished);
  return wished.map((wish) => {
    const plain = (prefix !== '' && wish.startsWith(prefix) ? wish.slice(prefix.length) : wish)
      .replaceAll(/[^A-Za-z0-9_./-]/g, '_')
      .replace(/^[^A-Za-z0-9]+/, '');
    const name = plain === '' ? 'layer' : plain;
    let unique = name;
    for (let number = 1; taken.has(unique); number++) unique = `${name}_${number}`;
    taken.add(unique);
    return unique;
  });
}

/** `model/` where every name with a path begins so, and there is more than one. */
function commonPrefix(names: readonly string[]): string {
  const firsts = names.filter((name) => name.includes('/')).map((name) => name.slice(0, name.indexOf('/') + 1));
  return firsts.length > 1 && new Set(firsts).size === 1 ? (firsts[0] ?? '') : '';
}
