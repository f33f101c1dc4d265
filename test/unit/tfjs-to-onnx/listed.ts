import type { OnnxGraph, OnnxNode } from '@atelier/onnx';

/** A graph a line per node: `y = Op(a, b) {axis: 1}`. */
export function listed({ nodes }: OnnxGraph): string[] {
  return nodes.map(({ opType, inputs, outputs, attributes }: OnnxNode) => {
    const settings = Object.entries(attributes).map(([key, attribute]) => {
      const value = 'value' in attribute ? attribute.value : '?';
      return `${key}: ${typeof value === 'number' ? Number(value.toPrecision(6)) : JSON.stringify(value)}`;
    });
    const braces = settings.length > 0 ? ` {${settings.join(', ')}}` : '';
    return `${outputs.join(', ')} = ${opType}(${inputs.join(', ')})${braces}`;
  });
}
