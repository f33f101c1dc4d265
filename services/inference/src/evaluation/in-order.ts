/**
 * What `task` makes of each item, in their order and as soon as it is there, with at most `width` of them in work at a time.
 * Nothing is taken from the source that has no place. Fails with the first failure, of the source or of a task; what is in work
 * then goes on unheard, and so does a source that has been asked for its next item.
 */
export async function* inOrder<Item, Result>(
  source: AsyncIterable<Item>,
  width: number,
  task: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const items = source[Symbol.asyncIterator]();
  const inWork: Promise<Result>[] = [];
  let isOver = false;
  /** The source, while it has been asked. */
  let asked: Promise<void> | undefined;
  const ask = async () => {
    const next = await items.next();
    asked = undefined;
    if (next.done) isOver = true;
    else inWork.push(heard(task(next.value)));
  };
  try {
    for (;;) {
      if (!isOver && asked === undefined && inWork.length < width) asked = heard(ask());
      const [first] = inWork;
      if (first === undefined && asked === undefined) return;
      if (first === undefined) await asked;
      else if (await isFirst(first, asked)) {
        void inWork.shift(); // the same that is awaited here
        yield await first;
      }
    }
  } finally {
    if (asked === undefined) await items.return?.();
    else void heard(Promise.resolve(items.return?.()));
  }
}

/** Whether `first` is there before `other`; rejects as the one does that is. */
function isFirst(first: Promise<unknown>, other: Promise<void> | undefined): Promise<boolean> {
  const there = first.then(() => true);
  return other === undefined ? there : Promise.race([there, other.then(() => false)]);
}

/** The same promise, whose failure is no surprise to the process: whoever waits for it hears of it. */
function heard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
