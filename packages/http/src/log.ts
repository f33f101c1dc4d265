import { pino, stdTimeFunctions, type Logger } from 'pino';

export type Log = Logger;

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Lines of JSON, on standard output unless told otherwise, times in ISO 8601. Requests are logged without query and body. */
export function createLog(name: string, level: LogLevel, destination?: { write(line: string): void }): Log {
  const options = { level, timestamp: stdTimeFunctions.isoTime, base: { name } };
  return destination === undefined ? pino(options) : pino(options, destination);
}
