/** Between a number and its unit: no line break. */
const SPACE = '\u00a0';

/** 0.8934 as 89.34 %. */
export function percent(share: number, digits = 2): string {
  return `${(share * 100).toFixed(digits)}${SPACE}%`;
}

/** 75 as 1 min 15 s, 7.25 as 7.3 s, 7500 as 2 h 5 min. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)}${SPACE}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${SPACE}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}${SPACE}min ${whole % 60}${SPACE}s`;
  return `${Math.floor(minutes / 60)}${SPACE}h ${minutes % 60}${SPACE}min`;
}

/** 1234567 bytes as 1.23 MB, 45678 as 45.7 kB. */
export function fileSize(bytes: number): string {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(2)}${SPACE}MB` : `${(bytes / 1e3).toFixed(1)}${SPACE}kB`;
}

/** 60000 as 60,000. */
export function wholeNumber(count: number): string {
  return Math.round(count).toLocaleString('en');
}

/** Four significant digits, without trailing zeros: 0.001, 0.0003162, 1.5e-7. */
export function decimal(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** 2026-01-31T12:34:56.789Z as 2026-01-31 12:34:56 UTC. */
export function instant(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}
