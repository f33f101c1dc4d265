// One trial on one device, in a process of its own: what it measures and computes is the last line that it prints.
import { messageOf } from '@atelier/domain';
import { tryInference } from './try-inference.ts';
import { tryTraining } from './try-training.ts';
import type { TrialTask } from './trial.ts';

const task = JSON.parse(process.argv[2] ?? '{}') as TrialTask;
try {
  const result = await (task.subject.task === 'inference' ? tryInference(task) : tryTraining(task));
  process.stdout.write(`\n${JSON.stringify(result)}\n`);
} catch (error) {
  process.stderr.write(`\nError: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
