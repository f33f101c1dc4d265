import { malformed, unsupported } from '../../errors.ts';
import type { Value } from '../../graph/value.ts';
import type { LayerCall } from '../../rule.ts';
import { type Cell, mapped, type States } from './cell.ts';
import type { CellMaker } from './cells-of-layer.ts';

/** Names of the states of one cell. */
const STATE_NAMES = ['h', 'c'];

/** Where the states of a layer come from, and where they go. */
export class LayerStates {
  readonly #call: LayerCall;
  readonly #makers: readonly CellMaker[];
  /** What the caller handed over, by cell. */
  readonly #given: readonly States[] | undefined;
  /** From one run to the next: what the caller hands over wins over it. */
  readonly isKept: boolean;
  readonly #last: States[] = [];

  constructor(call: LayerCall, makers: readonly CellMaker[], given: readonly Value[]) {
    this.#call = call;
    this.#makers = makers;
    this.#given = given.length === 0 ? undefined : this.#byCell(given);
    this.isKept = call.settings.boolean('stateful', false) && given.length === 0;
  }

  /** Before the first step; undefined where they are zeros. */
  before(index: number, cell: Cell): States | undefined {
    if (!this.isKept) return this.#given?.[index];
    return mapped(cell.stateShapes, (shape, state) => {
      const name = this.#named('initial', index, state);
      if (this.#call.scope.builder.has(name)) {
        throw unsupported(
          `Layer "${this.#call.name}" (${this.#call.className}) is stateful and called more than once; supported: once. Use two layers.`,
        );
      }
      return this.#call.scope.stateInput(name, shape);
    });
  }

  after(states: States): void {
    this.#last.push(states);
  }

  /** After the last step, as the layer gives them. Called once, when every cell has run. */
  all(): Value[] {
    if (this.isKept) this.#keep();
    return this.#order().flatMap((index) => this.#last[index] ?? []);
  }

  #keep(): void {
    const call = this.#call;
    const pairs = this.#last.flatMap((states, index) =>
      states.map((state, place) => {
        const initial = call.scope.builder.known(this.#named('initial', index, place));
        const last = this.#called(this.#named('last', index, place), state, index, place);
        if (initial) call.keepState({ initial, last });
        return `"${initial?.name}" takes what "${last.name}" gave`;
      }),
    );
    call.warn(`It is stateful: ${pairs.join(', ')} in the run before, zeros in the first.`);
    if (call.settings.boolean('return_state', false)) {
      call.warn(
        'TensorFlow.js computes it once for each of its outputs that is used, so that its state goes on as often; the ONNX model, like Keras, computes it once.',
      );
    }
  }

  /** What the layer gives has the name of the layer: as a state it is copied. */
  #called(name: string, state: Value, index: number, place: number): Value {
    const { settings, scope } = this.#call;
    const isOutput = place === 0 && index === this.#makers.length - 1 && !settings.boolean('return_sequences', false);
    if (!isOutput && !settings.boolean('return_state', false)) return scope.builder.rename(state, name, 0);
    const [copy] = scope.builder.add('Identity', [state], [name], {});
    return copy ?? state;
  }

  #named(when: 'initial' | 'last', index: number, state: number): string {
    const [path = this.#call.name] = this.#call.paths;
    const cell = this.#makers.length === 1 ? '' : `cell_${index}/`;
    return `${path}/${cell}${when}_${STATE_NAMES[state]}`;
  }

  #byCell(given: readonly Value[]): States[] {
    const expected = this.#makers.reduce((total, { stateCount }) => total + stateCount, 0);
    if (given.length !== expected) {
      const { name, className } = this.#call;
      throw malformed(`Layer "${name}" (${className}) takes ${given.length} initial states; expected ${expected}.`);
    }
    const result: States[] = [];
    let from = 0;
    for (const index of this.#order()) {
      const count = this.#makers[index]?.stateCount ?? 0;
      const [first, ...others] = given.slice(from, from + count);
      if (first) result[index] = [first, ...others];
      from += count;
    }
    return result;
  }

  /** TensorFlow.js has the states of the last cell of a stack first, as Keras once had; Keras now has them in order. */
  #order(): number[] {
    const order = [...this.#makers.keys()];
    const { semantics, isChosen } = this.#call.dialect;
    if (order.length === 1) return order;
    const isVisible = this.#given !== undefined || this.#call.settings.boolean('return_state', false);
    if (isVisible && !(isChosen && semantics === 'keras')) {
      const [ours, theirs] = semantics === 'tfjs' ? ['last', 'first'] : ['first', 'last'];
      const them = semantics === 'tfjs' ? 'Keras' : 'TensorFlow.js';
      this.#call.warn(`The states of its ${ours} cell come first; ${them} begins with its ${theirs} cell.`);
    }
    return semantics === 'tfjs' ? order.reverse() : order;
  }
}
