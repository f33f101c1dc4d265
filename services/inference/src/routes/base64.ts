/**
 * The bytes of a text in base64 (RFC 4648, section 4), or undefined where it is none or empty. Node's decoder passes over
 * what is no base64, so that too little comes out, and takes the URL alphabet too.
 */
export function bytesOfBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const isWhole = text.length > 0 && text.length % 4 === 0 && bytes.length === (text.length / 4) * 3 - padding;
  return isWhole && !text.includes('-') && !text.includes('_') ? bytes : undefined;
}
