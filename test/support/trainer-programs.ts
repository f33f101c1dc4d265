import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isGone, processGone } from './process-gone.ts';
import { Program } from './programs.ts';
import { startWords } from './start-words.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { until } from './until.ts';

/** What a program may take to say that it is up, or to end, on a busy machine. */
const LIMIT_MS = 30_000;

const SERVICE = [process.execPath, ...startWords('services/trainer/src/main.ts')];
const WORKER = [process.execPath, ...startWords('services/trainer/src/worker.ts')];

export interface StartOptions {
  environment?: Record<string, string>;
  /** What the shell does before it becomes the service, for example `ulimit -f 400`. */
  before?: string;
}

/** The folders of one trainer and every process that was started on them: the service, again after its end, and workers. */
export class TrainerPrograms {
  readonly runsDirectory: string;
  readonly modelsDirectory: string;
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;
  readonly #environment: Record<string, string>;
  readonly #started: Program[] = [];
  #service: { program: Program; url: string } | null = null;

  private constructor(folder: Awaited<ReturnType<typeof temporaryFolder>>, environment: Record<string, string>) {
    this.#folder = folder;
    this.runsDirectory = join(folder.path, 'runs');
    this.modelsDirectory = join(folder.path, 'models');
    this.#environment = {
      TRAINER_PORT: '0',
      RUNS_DIR: this.runsDirectory,
      MODELS_DIR: this.modelsDirectory,
      TRAINER_RECOVERY_MS: '500',
      ...environment,
    };
  }

  static async create(environment: Record<string, string> = {}): Promise<TrainerPrograms> {
    return new TrainerPrograms(await temporaryFolder(), environment);
  }

  get service(): Program {
    if (this.#service === null) throw new Error('No service was started.');
    return this.#service.program;
  }

  /** Of the service that was started last. */
  get url(): string {
    if (this.#service === null) throw new Error('No service was started.');
    return this.#service.url;
  }

  directoryOf(id: string): string {
    return join(this.runsDirectory, id);
  }

  /** Resolves when it listens. */
  async startService({ environment = {}, before = ':' }: StartOptions = {}): Promise<void> {
    const program = this.#start(['bash', '-c', `${before} && exec "$@"`, 'sh', ...SERVICE], environment);
    const [, url = ''] = await within(program.wrote(/"url":"([^"]+)","msg":"Trainer listens"/), program);
    this.#service = { program, url };
  }

  /** Resolves when it waits for runs. */
  async startWorker(environment: Record<string, string> = {}): Promise<Program> {
    const program = this.#start(WORKER, environment);
    await within(program.wrote(/"msg":"Worker waits for runs"/), program);
    return program;
  }

  /** Without a word, as the kernel does where memory runs out; the trainings of `program` have to notice it themselves. */
  async kill(program: Program): Promise<void> {
    program.process.kill('SIGKILL');
    await within(program.finished, program);
  }

  /** SIGTERM; resolves to the exit code. */
  async stop(program: Program): Promise<number | null> {
    program.process.kill('SIGTERM');
    return (await within(program.finished, program)).code;
  }

  /** The process that works on a run, once one other than the service or a worker does. */
  async trainingOf(id: string): Promise<number> {
    let found: number | null = null;
    await until(
      `run ${id} has a process`,
      async () => (found = await this.#ownerOf(id)) !== null && !(await isGone(found)),
      LIMIT_MS,
    );
    assert.ok(found !== null);
    return found;
  }

  /** The training processes of the service, those among them that have just been started and have no run yet. */
  async trainings(): Promise<number[]> {
    const { pid } = this.service.process;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    const found: number[] = [];
    for (const child of children.split(' ').filter((word) => word !== '')) {
      const command = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
      if (command.includes('training-child')) found.push(Number(child));
    }
    return found;
  }

  /** Every process that has a run, whoever started it. */
  async #owners(): Promise<number[]> {
    const ids = await readdir(this.runsDirectory).catch(() => []);
    const found = (await Promise.all(ids.map((id) => this.#ownerOf(id)))).filter((pid) => pid !== null);
    const gone = await Promise.all(found.map(isGone));
    return found.filter((_pid, index) => gone[index] === false);
  }

  /** Ends every process that is left, whatever has become of the test, and removes the folders. */
  async close(): Promise<void> {
    for (const program of this.#started) if (program.process.exitCode === null) program.process.kill('SIGKILL');
    await Promise.all(this.#started.map(({ finished }) => finished));
    const left = await this.#owners();
    for (const pid of left) killIfThere(pid);
    await Promise.all(left.map(processGone));
    await this.#folder.remove();
  }

  #start([command = '', ...words]: string[], environment: Record<string, string>): Program {
    const program = new Program(command, words, { ...this.#environment, ...environment });
    this.#started.push(program);
    return program;
  }

  /** Null where nobody has the run, or a service or worker that only looks at it. */
  async #ownerOf(id: string): Promise<number | null> {
    const text = await readFile(join(this.directoryOf(id), 'lock'), 'utf8').catch(() => '');
    const [, pid] = /"pid":(\d+)/.exec(text) ?? [];
    if (pid === undefined || this.#started.some(({ process }) => process.pid === Number(pid))) return null;
    return Number(pid);
  }
}

/** False where it has ended by itself. */
export function killIfThere(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}

async function within<Result>(promise: Promise<Result>, program: Program): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    const late = () => reject(new Error(`Not within ${LIMIT_MS} ms:\n${program.stdout}\n${program.stderr}`));
    timer = setTimeout(late, LIMIT_MS);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
