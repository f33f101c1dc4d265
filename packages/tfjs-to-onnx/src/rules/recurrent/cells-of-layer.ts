import { malformed, unsupported } from '../../errors.ts';
import type { Value } from '../../graph/value.ts';
import type { LayerCall } from '../../rule.ts';
import { expectArray } from '../../settings.ts';
import { readLayer } from '../../topology/read-model.ts';
import type { LayerEntry } from '../../topology/topology.ts';
import type { Cell } from './cell.ts';
import type { DenseCellClass } from './cell-parts.ts';
import { convCell } from './conv-cell.ts';
import { denseCell } from './dense-cells.ts';

export interface CellMaker {
  readonly stateCount: number;
  /** The cell, over sequences like the one given. */
  make(sequence: Value): Cell;
}

/** What the layers that have their cell's settings as their own are made of. */
const CELL_OF_LAYER: Readonly<Record<string, CellClass>> = {
  SimpleRNN: 'SimpleRNNCell',
  GRU: 'GRUCell',
  LSTM: 'LSTMCell',
  ConvLSTM2D: 'ConvLSTM2DCell',
};

type CellClass = DenseCellClass | 'ConvLSTM2DCell';

export const CELL_CLASSES = ['SimpleRNNCell', 'GRUCell', 'LSTMCell', 'ConvLSTM2DCell'] as const satisfies CellClass[];

/** The cells of a recurrent layer, from its input on. */
export function cellsOfLayer(call: LayerCall): CellMaker[] {
  const own = CELL_OF_LAYER[call.className];
  if (own) return [maker(own, call)];
  const written = call.settings.get('cell');
  const place = `The cell of layer "${call.name}"`;
  if (Array.isArray(written)) return stack(call, written, '', place);
  const entry = readLayer(written, place);
  if (entry.className === 'StackedRNNCells') return stack(call, entry.settings.get('cells'), entry.name, place);
  return [cell(call, entry, [...call.paths, ...call.paths.map((path) => `${path}/${entry.name}`)])];
}

/** The cell that is a layer by itself. */
export function cellItself(call: LayerCall): CellMaker[] {
  if (call.className === 'StackedRNNCells') {
    return stack(call, call.settings.get('cells'), call.name, `Layer "${call.name}"`);
  }
  const className = CELL_CLASSES.find((known) => known === call.className);
  return className ? [maker(className, call)] : [];
}

/** TensorFlow.js calls the weights of a stack after the places of its cells, Keras after their names. */
function stack(call: LayerCall, source: unknown, stackName: string, place: string): CellMaker[] {
  const entries = flat(expectArray(source, `The list of cells of ${place}`), place);
  if (entries.length === 0) throw malformed(`${place} is a stack without cells; expected one or more.`);
  return entries.map((entry, index) => {
    const names = [`RNNCell_${index}`, `${stackName}/${entry.name}`, `stacked_rnn_cells/${entry.name}`, entry.name];
    const paths = call.paths.flatMap((path) => names.map((name) => `${path}/${name}`.replace('//', '/')));
    return cell(call, entry, paths, entries.length === 1 ? call.scope : call.scope.within(`cell_${index}`));
  });
}

/** The cells of stacks in a stack, in their order. */
function flat(sources: readonly unknown[], place: string): LayerEntry[] {
  return sources.flatMap((source, index) => {
    const entry = readLayer(source, `${place}, number ${index},`);
    if (entry.className !== 'StackedRNNCells') return [entry];
    const inner = entry.settings.get('cells');
    return flat(expectArray(inner, `The list of cells of "${entry.name}"`), place);
  });
}

function cell(call: LayerCall, entry: LayerEntry, paths: readonly string[], scope = call.scope): CellMaker {
  const className = CELL_CLASSES.find((known) => known === entry.className);
  if (className) return maker(className, call.inner(entry, { inputs: [], scope, paths }));
  throw unsupported(
    `Layer "${call.name}" (${call.className}) has a cell of class ${entry.className}; supported: ${CELL_CLASSES.join(', ')}, ` +
      'and StackedRNNCells of them. Build the layer from these.',
  );
}

function maker(className: CellClass, call: LayerCall): CellMaker {
  if (className === 'ConvLSTM2DCell') return { stateCount: 2, make: (sequence) => convCell(call, sequence) };
  return {
    stateCount: className === 'LSTMCell' ? 2 : 1,
    make: (sequence) => denseCell(className, call, sequence),
  };
}
