import { startInferenceProcess } from '../inference-process.ts';
import { publishTiny } from '../published-version.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { TrainerPrograms } from '../trainer-programs.ts';
import { trustOf } from '../trust.ts';

export interface RunningServices {
  /** Addresses, for example http://127.0.0.1:8080. */
  inference: string;
  trainer: string;
  token: string;
  runsDirectory: string;
  close(): Promise<void>;
}

/** Both services as programs of their own, with a small model that knows when not to believe itself; whatever becomes of the test, `close` ends them. */
export async function startServices(environment: Record<string, string> = {}): Promise<RunningServices> {
  const folder = await temporaryFolder();
  await publishTiny(folder.path, { trust: trustOf() });
  const token = 'a-token-of-a-test-and-no-other';
  const programs = await TrainerPrograms.create({ TRAINER_TOKEN: token });
  const untilClose = { after: () => undefined };
  const program = startInferenceProcess(untilClose, { MODELS_DIR: folder.path, ...environment });
  const close = async () => {
    program.child.kill('SIGKILL');
    await Promise.all([program.ended, programs.close()]);
    await folder.remove();
  };
  try {
    const [inference] = await Promise.all([program.serving(), programs.startService()]);
    return { inference, trainer: programs.url, token, runsDirectory: programs.runsDirectory, close };
  } catch (error) {
    await close();
    throw error;
  }
}
