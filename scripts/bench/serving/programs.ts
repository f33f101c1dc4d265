import { program } from '../../src/programs.ts';
import { benchProgram } from '../programs.ts';
import type { HandWrittenTask } from './hand-written-server.ts';
import type { ServerProgram } from './server-process.ts';

const READY = '/readyz';

/** The service with its default settings, apart from `environment`; nobody sends requests on when it is to stop. */
export function service(modelsDirectory: string, environment: Record<string, string> = {}): ServerProgram {
  return {
    entry: () => program('inference'),
    words: () => [],
    environment: (port) => ({
      MODELS_DIR: modelsDirectory,
      INFERENCE_PORT: String(port),
      INFERENCE_GRACE_MS: '0',
      ...environment,
    }),
    readyPath: READY,
  };
}

export function serviceInTwoProcesses(modelsDirectory: string): ServerProgram {
  return {
    ...service(modelsDirectory),
    entry: () => benchProgram('serving/two-processes'),
    words: async () => [await program('inference')],
    processes: 2,
  };
}

export function handWritten(model: string, intraOpNumThreads: number | null): ServerProgram {
  return {
    entry: () => benchProgram('serving/hand-written-server'),
    words: (port) => [JSON.stringify({ port, model, intraOpNumThreads } satisfies HandWrittenTask)],
    environment: () => ({}),
    readyPath: READY,
  };
}

/** Answers every path. */
export const CONSTANT: ServerProgram = {
  entry: () => benchProgram('serving/constant-server'),
  words: (port) => [String(port)],
  environment: () => ({}),
  readyPath: READY,
};
