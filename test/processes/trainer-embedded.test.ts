import { describeTrainer } from '../support/trainer-contract.ts';
import { TrainerPrograms } from '../support/trainer-programs.ts';

const CONCURRENCY = 2;

describeTrainer('the trainer of one process (real data)', async () => {
  const programs = await TrainerPrograms.create({ TRAINER_CONCURRENCY: String(CONCURRENCY) });
  await programs.startService();
  return {
    programs,
    concurrency: CONCURRENCY,
    victim: programs.service,
    afterKill: () => programs.startService(),
    close: () => programs.close(),
  };
});
