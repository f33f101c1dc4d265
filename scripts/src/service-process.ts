import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { StopSignal } from '@atelier/http';
import { program, type ProgramName } from './programs.ts';

export const SERVICE_NAMES = ['inference', 'trainer', 'worker'] as const satisfies readonly ProgramName[];
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** What a service tells whoever started it, once it listens. */
interface Address {
  listening: string;
  /** Whether it can do its work; the log says why not. */
  ready: boolean;
}

interface Exit {
  name: ServiceName;
  /** Null after a signal. */
  code: number | null;
}

/** One service in a process of its own, so that a crash of its native libraries is its own. */
export class ServiceProcess {
  readonly name: ServiceName;
  /** Resolves when the service listens; rejects when the process ends before. */
  readonly listening: Promise<void>;
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  address: Address = { listening: '', ready: false };

  static async start(name: ServiceName, root: string, environment: NodeJS.ProcessEnv): Promise<ServiceProcess> {
    return new ServiceProcess(name, fork(await program(name), { cwd: root, env: environment, execArgv: [] }));
  }

  private constructor(name: ServiceName, process: ChildProcess) {
    this.name = name;
    this.#process = process;
    this.exited = once(this.#process, 'exit').then(([code]) => ({ name, code: code as number | null }));
    this.listening = Promise.race([this.#announced(), this.#failed()]);
    this.listening.catch(() => undefined); // awaited later, together with the other service's
  }

  /**
   * Told as a message, since a terminal or a supervisor may have sent the same signal to every process of the group, and
   * a second SIGTERM ends a service at once.
   */
  stop(signal: StopSignal): void {
    if (this.#process.connected) this.#process.send({ stop: signal });
  }

  async #announced(): Promise<void> {
    const [message] = (await once(this.#process, 'message')) as [Address];
    this.address = message;
  }

  async #failed(): Promise<never> {
    const { code } = await this.exited;
    throw new Error(`The ${this.name} service did not start (exit ${code ?? 'by a signal'}); its log is above.`);
  }
}
