import type { HandWrittenTask } from './hand-written-server.ts';
import type { ServerProgram } from './server-process.ts';

const SERVICE = new URL('../../../services/inference/src/main.ts', import.meta.url);
const READY = '/readyz';

/** The service with its default settings, apart from `environment`; nobody sends requests on when it is to stop. */
export function service(modelsDirectory: string, environment: Record<string, string> = {}): ServerProgram {
  return {
    entry: SERVICE,
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
  return { ...service(modelsDirectory), entry: new URL('./two-processes.ts', import.meta.url), processes: 2 };
}

export function handWritten(model: string, intraOpNumThreads: number | null): ServerProgram {
  return {
    entry: new URL('./hand-written-server.ts', import.meta.url),
    words: (port) => [JSON.stringify({ port, model, intraOpNumThreads } satisfies HandWrittenTask)],
    environment: () => ({}),
    readyPath: READY,
  };
}

/** Answers every path. */
export const CONSTANT: ServerProgram = {
  entry: new URL('./constant-server.ts', import.meta.url),
  words: (port) => [String(port)],
  environment: () => ({}),
  readyPath: READY,
};
