import { askChild, type Check, type Finding } from '@atelier/doctor';
import { messageOf } from '@atelier/domain';
import { z } from 'zod';
import { computeEntries } from '../compute/entries.ts';
import { IMAGE_FORMATS } from '../image/formats.ts';

const Answer = z.strictObject({
  sharp: z.string(),
  libvips: z.string(),
  read: z.array(z.string()),
  refused: z.array(z.string()),
});

/** sharp and libvips, and the loaders in force, tried in a process of its own; `entry` is another program for it, for tests. */
export function decodersCheck(entry?: string): Check {
  return { group: 'inference', name: 'pictures', examine: () => examineDecoders(entry) };
}

const INSTALL = "Install sharp anew for this system: npm ci, with npm's optional dependencies (no --omit=optional).";

async function examineDecoders(entry: string | undefined): Promise<Finding> {
  const path = entry ?? (await computeEntries())['decoders-main'];
  let found: z.infer<typeof Answer>;
  try {
    found = Answer.parse(await askChild([path]));
  } catch (error) {
    return { status: 'fault', summary: `sharp does not work: ${messageOf(error)}`, remedy: INSTALL };
  }
  const { sharp, libvips, read, refused } = found;
  const summary = `sharp ${sharp}, libvips ${libvips}; reads ${read.join(', ')}; refuses ${refused.join(', ') || 'nothing'}`;
  const missing = IMAGE_FORMATS.filter((format) => !read.includes(format));
  const tooMany = read.filter((format) => !(IMAGE_FORMATS as readonly string[]).includes(format));
  const facts = { sharp, libvips, read, refused };
  if (missing.length > 0) {
    return { status: 'fault', summary: `${summary}; not ${missing.join(', ')}`, remedy: INSTALL, facts };
  }
  if (tooMany.length > 0) {
    const remedy = 'Do not serve: it reads what no client may send. Report it, please.';
    return { status: 'fault', summary, remedy, facts };
  }
  return { status: 'ok', summary, facts };
}
