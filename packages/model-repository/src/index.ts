export * from './golden.ts';
export * from './label-changes.ts';
export * from './labels.ts';
export * from './publish.ts';
export * from './repository.ts';
