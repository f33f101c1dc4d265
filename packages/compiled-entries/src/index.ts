export { bundle, type Bundle, type BundledFile, type Bundling } from './bundle.ts';
export { compiledEntries, type Entries, modulesOf } from './compiled-entries.ts';
