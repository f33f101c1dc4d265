import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Attribute,
  decodeModel,
  encodeModel,
  float,
  float32Tensor,
  floats,
  graphAttribute,
  int,
  int64Vector,
  ints,
  model,
  node,
  type OnnxGraph,
  type OnnxModel,
  string,
  strings,
  stringTensor,
  tensorAttribute,
  type TrainingInfo,
  value,
} from '@atelier/onnx';
import fc from 'fast-check';
import { ATTRIBUTE, type Field, GRAPH, message, MODEL, NODE, TENSOR, TRAINING, VALUE } from './wire.ts';

const body: OnnxGraph = {
  name: 'body',
  nodes: [node('Identity', ['a'], 'b')],
  inputs: [],
  outputs: [value('b', 'float32', null)],
  initializers: [],
  values: [],
};

const training: TrainingInfo = {
  initialization: { ...body, name: 'initialization' },
  algorithm: { ...body, name: 'algorithm', initializers: [float32Tensor('step', [], [3])] },
  initializationBinding: { w: 'b' },
  updateBinding: { w: 'b', step: 'b' },
};

test('a model with every kind of attribute, value and tensor is the same after writing and reading', () => {
  const original: OnnxModel = {
    ...model({
      name: 'main',
      nodes: [
        node('If', ['c'], ['x', '', 'y'], { then_branch: graphAttribute(body), else_branch: graphAttribute(body) }),
        {
          ...node('Custom', ['', 'x'], 'z', {
            float: float(0.1),
            floats: floats([0.1, -Infinity, 3]),
            int: int(-1),
            largest: int(2n ** 63n - 1n),
            ints: ints([0, -(2n ** 63n)]),
            text: 'naïve',
            empty: string(''),
            texts: strings(['a', '']),
            none: ints([]),
            tensor: tensorAttribute(float32Tensor('', [], [1.5])),
          }),
          domain: 'com.example',
        },
      ],
      inputs: [value('c', 'bool', []), value('w', 'float32', [2, 'batch', null])],
      outputs: [value('z', 'bfloat16', ['batch', 0])],
      initializers: [
        float32Tensor('w', [2, 3], [1, 2, 3, 4, 5, 6]),
        int64Vector('s', [-1, Number.MAX_SAFE_INTEGER]),
        stringTensor('t', [2], ['', 'Größe']),
        float32Tensor('none', [0, 7], []),
      ],
      values: [value('x', 'uint4', [8])],
    }),
    opsetImports: [
      { domain: '', version: 21 },
      { domain: 'com.example', version: 1 },
    ],
    irVersion: 10,
    producerName: 'atelier',
    producerVersion: '0.1.0',
    metadata: { source: 'a test', __proto: 'x' },
    trainingInfo: [training, { initializationBinding: {}, updateBinding: {} }],
  };
  assert.deepEqual(decodeModel(encodeModel(original), 'memory'), original);
});

test('any graph of named nodes, attributes and shapes is the same after writing and reading', () => {
  const attribute = fc.oneof(
    fc.float({ noNaN: true }).map(float),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(int),
    fc.string({ unit: 'grapheme' }).map(string),
    fc.array(fc.maxSafeInteger()).map(ints),
  ) satisfies fc.Arbitrary<Attribute>;
  const name = fc.string({ maxLength: 8 });
  const nodes = fc.array(
    fc
      .tuple(name, fc.array(name), fc.array(name), fc.dictionary(name, attribute, { noNullPrototype: true }))
      .map((parts) => node(...parts)),
  );
  const dimension = fc.oneof(fc.nat(), name, fc.constant(null));
  const values = fc.array(
    fc
      .tuple(name, fc.constantFrom('float32', 'int64', 'string'), fc.option(fc.array(dimension)))
      .map((parts) => value(...(parts as Parameters<typeof value>))),
  );
  fc.assert(
    fc.property(nodes, values, values, name, (graphNodes, inputs, outputs, graphName) => {
      const original = model({ name: graphName, nodes: graphNodes, inputs, outputs, initializers: [], values: [] });
      assert.deepEqual(decodeModel(encodeModel(original), 'memory'), original);
    }),
    { seed: 20_261_120, numRuns: 200 },
  );
});

test('fields that no version of the format knows survive at every level', () => {
  const marks: string[] = [];
  const unknown = (level: string): Field => {
    marks.push(`unknown in ${level}`);
    return [1999, `unknown in ${level}`];
  };
  const dimension = message([2, 'batch'], unknown('dimension'));
  const tensorType = message([1, 1n], [2, message([1, dimension], unknown('shape'))], unknown('tensor type'));
  const bytes = message(
    [MODEL.irVersion, 8n],
    [MODEL.opset, message([2, 17n], unknown('opset import'))],
    [MODEL.metadata, message([1, 'key'], [2, 'value'], unknown('metadata entry'))],
    [
      MODEL.graph,
      message(
        [GRAPH.name, 'g'],
        [
          GRAPH.node,
          message(
            [NODE.opType, 'Relu'],
            [
              NODE.attribute,
              message([ATTRIBUTE.name, 'n'], [ATTRIBUTE.i, 1n], [ATTRIBUTE.type, 2n], unknown('attribute')),
            ],
            unknown('node'),
          ),
        ],
        [GRAPH.initializer, message([TENSOR.type, 1n], [TENSOR.dims, 0n], [TENSOR.name, 'w'], unknown('tensor'))],
        [
          GRAPH.initializer,
          message(
            [TENSOR.type, 1n],
            [TENSOR.dims, 9n],
            [TENSOR.location, 1n],
            [TENSOR.external, message([1, 'location'], [2, 'weights.bin'], unknown('external data entry'))],
          ),
        ],
        [
          GRAPH.input,
          message([VALUE.name, 'x'], [VALUE.type, message([1, tensorType], unknown('type'))], unknown('value')),
        ],
        unknown('graph'),
      ),
    ],
    [
      MODEL.training,
      message(
        [TRAINING.algorithm, message([GRAPH.name, 'a'], unknown('training graph'))],
        [TRAINING.initializationBinding, message([1, 'x'], [2, 'y'], unknown('initialization binding'))],
        [TRAINING.updateBinding, message([1, 'x'], [2, 'y'], unknown('update binding'))],
        unknown('training information'),
      ),
    ],
    unknown('model'),
  );
  const once = decodeModel(bytes, 'memory');
  assert.deepEqual(once.graph.inputs[0]?.shape, ['batch']);
  const again = encodeModel(once);
  const text = Buffer.from(again).toString('latin1');
  assert.deepEqual(
    marks.filter((mark) => !text.includes(mark)),
    [],
  );
  assert.deepEqual(once.trainingInfo?.[0]?.updateBinding, { x: 'y' });
  assert.equal(marks.length, 17);
  assert.deepEqual(decodeModel(again, 'memory'), once);
});

test('parts of the format that have no place in our types survive', () => {
  const marks: string[] = [];
  const mark = (part: string): string => {
    marks.push(`mark of ${part}`);
    return `mark of ${part}`;
  };
  const entry = (part: string) => message([1, mark(`${part} key`)], [2, mark(`${part} value`)]);
  const bytes = message(
    [MODEL.irVersion, 13n],
    [MODEL.docString, mark('model documentation')],
    [MODEL.training, message([TRAINING.algorithm, message([GRAPH.docString, mark('training graph documentation')])])],
    [MODEL.functions, message([1, mark('function')], [14, entry('function metadata')])],
    [MODEL.configuration, message([1, mark('device configuration')])],
    [
      MODEL.graph,
      message(
        [GRAPH.docString, mark('graph documentation')],
        [GRAPH.quantization, message([1, mark('quantisation annotation')])],
        [GRAPH.sparse, message([1, message([TENSOR.name, mark('sparse initializer')])])],
        [GRAPH.metadata, entry('graph metadata')],
        [
          GRAPH.node,
          message(
            [NODE.docString, mark('node documentation')],
            [NODE.overload, mark('overload')],
            [NODE.metadata, entry('node metadata')],
            [NODE.devices, message([1, mark('node device configuration')])],
            [
              NODE.attribute,
              message([ATTRIBUTE.name, 'r'], [ATTRIBUTE.reference, mark('reference')], [ATTRIBUTE.type, 2n]),
            ],
            [
              NODE.attribute,
              message(
                [ATTRIBUTE.name, 'p'],
                [ATTRIBUTE.type, 13n],
                [ATTRIBUTE.tp, message([6, mark('type attribute')])],
              ),
            ],
            [
              NODE.attribute,
              message([ATTRIBUTE.name, 'b'], [ATTRIBUTE.type, 3n], [ATTRIBUTE.s, Buffer.from([0xff, 0xfe])]),
            ],
          ),
        ],
        [
          GRAPH.initializer,
          message(
            [TENSOR.type, 1n],
            [TENSOR.dims, 0n],
            [TENSOR.docString, mark('tensor documentation')],
            [TENSOR.metadata, entry('tensor metadata')],
          ),
        ],
        [GRAPH.input, message([VALUE.type, message([4, message([1, message([6, mark('sequence denotation')])])])])],
        [
          GRAPH.output,
          message([VALUE.docString, mark('value documentation')], [VALUE.metadata, entry('value metadata')]),
        ],
      ),
    ],
  );
  const once = decodeModel(bytes, 'memory');
  assert.equal(once.graph.inputs[0]?.type, 'other');
  const { r, p, b } = once.graph.nodes[0]?.attributes ?? {};
  assert.deepEqual([r?.type, p?.type, b?.type], ['other', 'other', 'other']);
  const again = encodeModel(once);
  const text = Buffer.from(again).toString('latin1');
  assert.deepEqual(
    marks.filter((part) => !text.includes(part)),
    [],
  );
  assert.ok(Buffer.from(again).includes(Buffer.from([0xff, 0xfe])));
  assert.deepEqual(decodeModel(again, 'memory'), once);
});

test('a change to what was read is what is written, beside what was kept', () => {
  const tensorType = message([1, 1n], [2, message([1, message([2, 'batch'], [3, 'DATA_BATCH'])])]);
  const bytes = message(
    [MODEL.metadata, message([1, 'author'], [2, 'one'])],
    [MODEL.metadata, message([1, 'author'], [2, 'two'])],
    [
      MODEL.training,
      message(
        [TRAINING.updateBinding, message([1, 'w'], [2, 'one'])],
        [TRAINING.updateBinding, message([1, 'w'], [2, 'two'])],
      ),
    ],
    [
      MODEL.graph,
      message(
        [GRAPH.docString, 'kept'],
        [GRAPH.input, message([VALUE.name, 'x'], [VALUE.type, message([1, tensorType])])],
      ),
    ],
  );
  const read = decodeModel(bytes, 'memory');
  const changed: OnnxModel = {
    ...read,
    metadata: {},
    trainingInfo: (read.trainingInfo ?? []).map((info) => ({ ...info, updateBinding: { w: 'three' } })),
    graph: { ...read.graph, inputs: read.graph.inputs.map((input) => ({ ...input, shape: [3] })) },
  };
  const written = encodeModel(changed);
  const again = decodeModel(written, 'memory');
  assert.deepEqual(again.metadata, {});
  assert.deepEqual(again.trainingInfo, [{ initializationBinding: {}, updateBinding: { w: 'three' } }]);
  assert.deepEqual(again.graph.inputs, [value('x', 'float32', [3])]);
  assert.ok(Buffer.from(written).includes('kept'));
  assert.ok(!Buffer.from(written).includes('DATA_BATCH'));
  assert.ok(Buffer.from(encodeModel(read)).includes('DATA_BATCH'), 'an unchanged type keeps its denotations');
});
