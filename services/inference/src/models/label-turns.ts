interface Turn {
  isRollback: boolean;
  done: Promise<void>;
}

/**
 * Changes of labels, those of a model one after the other: each reads what the one before has written. Only a rollback that
 * comes while another one is carried out is that one: two people who want to go back at the same moment want the same, and
 * a second rollback would take the first one back.
 */
export class LabelTurns {
  /** The last turn of each model that has one. */
  readonly #last = new Map<string, Turn>();

  change(name: string, change: () => Promise<void>): Promise<void> {
    return this.#take(name, false, change);
  }

  rollBack(name: string, rollBack: () => Promise<void>): Promise<void> {
    const last = this.#last.get(name);
    return last?.isRollback === true ? last.done : this.#take(name, true, rollBack);
  }

  #take(name: string, isRollback: boolean, change: () => Promise<void>): Promise<void> {
    const before = this.#last.get(name)?.done ?? Promise.resolve();
    const done = before.then(change, change); // whoever asked for the one before is told of its failure
    const turn = { isRollback, done };
    this.#last.set(name, turn);
    const leave = () => {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    };
    done.then(leave, leave);
    return done;
  }
}
