import { pino, stdTimeFunctions, type Logger } from 'pino';

export type Log = Logger;

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Lines of JSON on standard output, times in ISO 8601. Requests are logged without query, headers or body. */
export function createLog(name: string, level: LogLevel): Log {
  return pino({ name, level, timestamp: stdTimeFunctions.isoTime, base: { name } });
}
