import { createLog, type Log } from '@atelier/http';

export interface RecordedLog {
  log: Log;
  /** The lines so far, parsed. */
  lines: { msg: string; level: number; [field: string]: unknown }[];
  /** All of them as they would have been printed. */
  text: () => string;
}

/** A log that keeps its lines for a test to read. */
export function recordedLog(): RecordedLog {
  const printed: string[] = [];
  const lines: RecordedLog['lines'] = [];
  const destination = {
    write(line: string) {
      printed.push(line);
      lines.push(JSON.parse(line) as RecordedLog['lines'][number]);
    },
  };
  return { log: createLog('test', 'debug', destination), lines, text: () => printed.join('') };
}
