/** What a program reads: one JSON value on standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** What a person reads, on standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What happens meanwhile, on standard error, so that standard output stays the result. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** 0.8934 as 89.34 %. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** 75 as 1 min 15 s. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
