/**
 * What `task` makes of each item, in their order, with at most `width` of them in work at a time. Nothing is taken from the
 * source that is not asked for. Fails with the first failure; what is in work then goes on unheard.
 */
export async function* inOrder<Item, Result>(
  source: AsyncIterable<Item>,
  width: number,
  task: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const items = source[Symbol.asyncIterator]();
  const inWork: Promise<Result>[] = [];
  let isOver = false;
  try {
    for (;;) {
      while (!isOver && inWork.length < width) {
        const next = await items.next();
        if (next.done) isOver = true;
        else {
          const started = task(next.value);
          started.catch(() => undefined); // whoever asks for it hears of it
          inWork.push(started);
        }
      }
      const first = inWork.shift();
      if (first === undefined) return;
      yield await first;
    }
  } finally {
    await items.return?.();
  }
}
