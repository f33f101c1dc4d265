import { node, type OnnxGraph, type OnnxValue } from '@atelier/onnx';
import { renameValues } from './rename.ts';
import type { Reference } from './topology/topology.ts';

/**
 * Gives the first outputs of a graph the names of the layers that give them. A value that has another name is renamed, where
 * it is an output once; an input, or what is an output under another name already, is copied: ONNX needs a node for that.
 */
export function nameOutputs(graph: OnnxGraph, references: readonly Reference[]): OnnxGraph {
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const sources = graph.outputs.map(({ name }) => name);
  const taken = new Set([
    ...inputs,
    ...graph.initializers.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const names = new Map<string, string>();
  const copies: [source: string, name: string][] = [];
  const outputs = graph.outputs.map((output, index): OnnxValue => {
    const reference = references[index];
    if (!reference) return output;
    const wanted = outputName(reference);
    const isOnlyUse = sources.indexOf(output.name) === index && sources.lastIndexOf(output.name) === index;
    if (wanted === output.name && !inputs.has(wanted) && sources.indexOf(wanted) === index) return output;
    const name = taken.has(wanted) ? unused(wanted, taken) : wanted;
    taken.add(name);
    if (isOnlyUse && !inputs.has(output.name)) names.set(output.name, name);
    else copies.push([output.name, name]);
    return { ...output, name };
  });
  const identities = copies.map(([source, name]) => node('Identity', [source], name));
  return renameValues({ ...graph, nodes: [...graph.nodes, ...identities], outputs }, names);
}

function outputName({ layer, call, output }: Reference): string {
  return `${layer}${call === 0 ? '' : `/call_${call}`}${output === 0 ? '' : `/output_${output}`}`;
}

function unused(name: string, taken: ReadonlySet<string>): string {
  for (let count = 0; ; count++) {
    const free = count === 0 ? `${name}/output` : `${name}/output_${count + 1}`;
    if (!taken.has(free)) return free;
  }
}
