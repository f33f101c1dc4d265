import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';

/** The machine that an ELF file is for, by `process.arch`: e_machine of the System V ABI. */
const MACHINES: Partial<Record<string, number>> = { x64: 62, arm64: 183 };

const HEADER_BYTES = 64;

/**
 * Rejects where a file is no shared library for this processor, or is not whole: the table of its sections, which the header
 * places at the end, lies beyond what there is (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html).
 */
export async function requireSharedLibrary(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const { size } = await file.stat();
    const refuse = (reason: string): never => {
      throw new Error(`${basename(path)} is no library that can be used: ${reason}.`);
    };
    if (bytesRead < HEADER_BYTES || buffer.toString('latin1', 0, 4) !== '\u007fELF') refuse('it is no ELF file');
    if (buffer[4] !== 2 || buffer.readUInt16LE(18) !== MACHINES[process.arch]) refuse(`it is not for ${process.arch}`);
    const end = Number(buffer.readBigUInt64LE(40)) + buffer.readUInt16LE(58) * buffer.readUInt16LE(60);
    if (end > size) refuse(`it has ${size} bytes of at least ${end}`);
  } finally {
    await file.close();
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
