/**
 * Runs `task` one at a time. A call while it runs is answered by one further run, which all such calls share: whoever calls
 * gets a run that began afterwards. `task` never rejects.
 */
export function coalesced(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  function run(): Promise<void> {
    const started = task().finally(() => {
      if (running === started) running = undefined;
    });
    running = started;
    return started;
  }
  return () => {
    if (running === undefined) return run();
    next ??= running.then(() => {
      next = undefined;
      return run();
    });
    return next;
  };
}
