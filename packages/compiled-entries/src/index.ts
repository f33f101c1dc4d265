export { bundle, type Bundle, type BundledFile, type Bundling } from './bundle.ts';
export { bundleCache, compiledEntries, type Entries, modulesOf } from './compiled-entries.ts';
