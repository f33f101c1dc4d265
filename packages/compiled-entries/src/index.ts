export { compiledEntries, type Entries } from './compiled-entries.ts';
