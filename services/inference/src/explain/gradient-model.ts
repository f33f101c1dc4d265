import { CLASS_COUNT, DomainError, IMAGE_HEIGHT, IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';
import {
  dataTypeCode,
  decodeModel,
  encodeModel,
  float32Tensor,
  int,
  int64Vector,
  model,
  node,
  type OnnxGraph,
  type OnnxNode,
  value,
} from '@atelier/onnx';
import { differentiate, subgraph } from '@atelier/onnx-training';

/** What the model below gives for its one image. */
export const GRADIENTS = { name: 'gradients', width: CLASS_COUNT * PIXELS_PER_IMAGE } as const;

/** A copy of the image for each class: one run gives the gradients of all logits, and ten rows cost little more than one. */
const COPIES = [CLASS_COUNT, IMAGE_HEIGHT, IMAGE_WIDTH];
const PIXELS = 'gradients/pixels';
const SHAPE = 'gradients/shape';
const CLASSES = 'gradients/classes';
const CHOSEN = 'gradients/chosen';
const LOSS = 'gradients/loss';

/**
 * The exact gradients of a published graph, as another ONNX model: `image` uint8 [1, 28, 28] in, `gradients` float32
 * [1, 10, 28, 28] out, of each logit by each pixel, in logits per grey level. Made by reverse-mode differentiation, in
 * which batch normalisation keeps its running statistics; what a graph has behind its logits is left out. `bytes` are
 * those of the published file, which `place` names in messages. `not-differentiable` names a node without a rule,
 * `malformed-onnx` says why the file is no model.
 */
export function gradientModel(bytes: Uint8Array, place: string): Uint8Array {
  const { graph: published, irVersion, opsetImports } = decodeModel(bytes, place);
  const network = subgraph(published, ['logits']);
  const casts = castsOfImage(network.nodes);
  const copies = casts.flatMap(({ outputs }) => outputs);
  const { builder, gradients } = differentiate(chosenLogits(network, casts), { loss: LOSS, withRespectTo: copies });
  // A graph may cast its image more than once; what flows to each of them flows to the image.
  const sum = [...gradients.values()].reduce((first, second) => builder.plus(first, second));
  const result = builder.add('Reshape', [sum, builder.ints([1, ...COPIES])]);
  builder.rename(result, GRADIENTS.name);
  const graph = builder.graph('gradients', [GRADIENTS.name]);
  const whole = {
    ...graph,
    inputs: [value('image', 'uint8', [1, IMAGE_HEIGHT, IMAGE_WIDTH])],
    initializers: [...graph.initializers, int64Vector(SHAPE, COPIES)],
    nodes: [
      node('Cast', ['image'], PIXELS, { to: int(dataTypeCode('float32')) }),
      ...copies.map((copy) => node('Expand', [PIXELS, SHAPE], copy)),
      ...graph.nodes,
    ],
  };
  return encodeModel(model(whole, { irVersion, opsetImports }));
}

/**
 * The nodes that take the image: where bytes become floats, which is where gradients end. Whatever else took the bytes
 * would be part of the way, and there is no derivative by a byte.
 */
function castsOfImage(nodes: readonly OnnxNode[]): OnnxNode[] {
  const takers = nodes.filter(({ inputs }) => inputs.includes('image'));
  const other = takers.find(({ opType, attributes: { to } }) => {
    return opType !== 'Cast' || to?.type !== 'int' || Number(to.value) !== dataTypeCode('float32');
  });
  if (other === undefined && takers.length > 0) return takers;
  const came =
    other === undefined ? 'no node takes it' : `${other.opType} "${other.name || other.outputs[0]}" takes it`;
  throw new DomainError('not-differentiable', `The image must go through a Cast to float32 and nothing else; ${came}.`);
}

/**
 * The network over ten copies of an image, in place of what the casts give, and the sum over the classes of the logit that
 * copy c has for class c: its gradient by copy c is that of logit c, because the rows of a batch do not see each other.
 */
function chosenLogits(network: OnnxGraph, casts: readonly OnnxNode[]): OnnxGraph {
  const identity = Array.from({ length: CLASS_COUNT ** 2 }, (_, place) => (place % (CLASS_COUNT + 1) === 0 ? 1 : 0));
  return {
    ...network,
    inputs: casts.flatMap(({ outputs }) => outputs).map((copies) => value(copies, 'float32', COPIES)),
    outputs: [value(LOSS, 'float32', [])],
    initializers: [...network.initializers, float32Tensor(CLASSES, [CLASS_COUNT, CLASS_COUNT], identity)],
    nodes: [
      ...network.nodes.filter((each) => !casts.includes(each)),
      node('Mul', ['logits', CLASSES], CHOSEN),
      node('ReduceSum', [CHOSEN], LOSS, { keepdims: int(0) }),
    ],
  };
}
