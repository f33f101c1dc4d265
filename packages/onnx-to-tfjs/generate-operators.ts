// `npm run generate:onnx-operators`: writes the table of operators in the README anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { withOperators } from './operator-table.ts';

const readme = new URL('README.md', import.meta.url);
writeFileSync(readme, withOperators(readFileSync(readme, 'utf8')));
