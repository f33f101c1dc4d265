// A process that does one errand, which its parent sends, answers, and ends; also when its parent goes away.
import { ERRANDS } from './errands.ts';
import type { ErrandMessage, ErrandReply } from './errand-process.ts';
import { sentError } from './messages.ts';

process.once('disconnect', () => process.exit(1));
process.once('message', ({ name, task }: ErrandMessage) => {
  const errand = ERRANDS[name] as (task: unknown) => Promise<unknown>;
  void errand(task)
    .then(
      (result): ErrandReply => ({ result }),
      (error: unknown): ErrandReply => ({ error: sentError(error) }),
    )
    .then((reply) => process.send?.(reply, undefined, {}, () => process.exit(0)));
});
