import { DomainError } from '@atelier/domain';

/**
 * The elements of a tensor's `data`, row-major: as they are where they are flat; else nested as `shape` is, checked at
 * every level (section "Tensor Data"). What the elements are, the caller checks.
 */
export function flatten(data: unknown[], shape: readonly number[], place: string): unknown[] {
  if (!Array.isArray(data[0])) return data;
  const elements: unknown[] = [];
  collect(data, shape, 0, place, elements);
  return elements;
}

function collect(list: unknown[], shape: readonly number[], level: number, place: string, elements: unknown[]): void {
  if (list.length !== shape[level]) {
    throw nestedOtherwise(
      place,
      shape,
      `an array of ${list.length} stands where one of ${shape[level] ?? 'none'} belongs`,
    );
  }
  if (level === shape.length - 1) {
    for (const element of list) elements.push(element);
    return;
  }
  for (const part of list) {
    if (!Array.isArray(part)) throw nestedOtherwise(place, shape, `no array stands at level ${level + 1}`);
    collect(part, shape, level + 1, place, elements);
  }
}

function nestedOtherwise(place: string, shape: readonly number[], how: string): DomainError {
  return new DomainError(
    'invalid-request',
    `${place}: nested otherwise than its shape [${shape.join(', ')}] (${how}); expected that, or all elements in one array.`,
  );
}
