import { BufferedOutput } from './buffered-output.ts';
import { pino, stdTimeFunctions, type Logger } from 'pino';

export type Log = Logger;

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Lines of JSON, to standard output by default (some ms of them together), times in ISO 8601. Requests are logged without query and body. */
export function createLog(name: string, level: LogLevel, destination?: { write(line: string): void }): Log {
  const options = { level, timestamp: stdTimeFunctions.isoTime, base: { name } };
  return pino(options, destination ?? standardOutput());
}

let buffered: BufferedOutput | undefined;

/**
 * Not pino's writer: that, when the reader of a pipe is gone, tries again for ever and never lets the process end. Here
 * the lines are lost and the service goes on.
 */
function standardOutput(): BufferedOutput {
  if (buffered !== undefined) return buffered;
  const { fd } = process.stdout; // Node makes a pipe non-blocking when its stream is first looked at
  const output = new BufferedOutput(fd);
  process.on('exit', () => output.flushSync());
  return (buffered = output);
}
