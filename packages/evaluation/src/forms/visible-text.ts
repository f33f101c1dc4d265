/**
 * Characters that a reader does not see, or that make others stand where they are not: controls (C0, C1), line and
 * paragraph separators, what turns the direction of writing (Trojan Source, CVE-2021-42574), the byte order mark, and
 * halves of surrogate pairs. Joiners stay: scripts and emoji are written with them.
 */
const INVISIBLE = /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** A stranger's text as one can see what it is: `photo\u{202e}gpj.exe`. */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
