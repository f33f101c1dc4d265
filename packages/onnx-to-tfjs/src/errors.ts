import { DomainError } from '@atelier/domain';
import type { OnnxNode } from '@atelier/onnx';

/** A graph that contradicts itself. The message says what was expected, what came and where. */
export function malformed(message: string, cause?: unknown): DomainError {
  return new DomainError('malformed-onnx', message, cause === undefined ? undefined : { cause });
}

/** A sound graph with something in it that no layer computes. The message says the reason and the nearest way out. */
export function unsupported(message: string): DomainError {
  return new DomainError('unsupported-operator', message);
}

/** The same of one node, by its name and operator. */
export function unsupportedNode(node: OnnxNode, reason: string): DomainError {
  return unsupported(`${nodeLabel(node)}: ${reason}`);
}

export function nodeLabel({ name, opType, outputs }: OnnxNode): string {
  return `Node "${name || (outputs[0] ?? '')}" (${opType})`;
}
