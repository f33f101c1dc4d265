export * from './convert.ts';
export { SUPPORTED_OPERATORS } from './operator-rules.ts';
