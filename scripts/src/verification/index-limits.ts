type Json = Readonly<Record<string, unknown>>;

/** A layer as this page needs it: whom it takes something from, and how many indices it knows where it takes indices. */
interface IndexedLayer {
  name: string;
  isInput: boolean;
  sources: readonly string[];
  limit: number;
}

/** Layers that take indices, with the setting that says how many there are. */
const LIMIT_SETTINGS: Readonly<Record<string, string>> = { Embedding: 'input_dim', CategoryEncoding: 'num_tokens' };

/**
 * For each input of a `modelTopology` that reaches an Embedding or a CategoryEncoding, on whatever way, the number of indices
 * that all of those know: any whole number from 0 up to it, excluded, is a valid element. A topology of a form that is not
 * known has none.
 */
export function indexLimits(modelTopology: unknown): Readonly<Record<string, number>> {
  const layers = new Map(layersOf(modelOf(modelTopology)).map((layer) => [layer.name, layer]));
  const limits = new Map<string, number>();
  for (const { name, limit } of layers.values()) {
    if (limit === Infinity) continue;
    for (const input of inputsBehind(name, layers)) limits.set(input, Math.min(limit, limits.get(input) ?? Infinity));
  }
  return Object.fromEntries(limits);
}

/** Names of the inputs of a `modelTopology`; none where its form is not known. */
export function inputNames(modelTopology: unknown): string[] {
  const inputs = layersOf(modelOf(modelTopology)).filter(({ isInput }) => isInput);
  return inputs.map(({ name }) => name);
}

function inputsBehind(name: string, layers: ReadonlyMap<string, IndexedLayer>): string[] {
  const reached = new Set([name]);
  for (const each of reached) for (const source of layers.get(each)?.sources ?? []) reached.add(source);
  return [...reached].filter((each) => layers.get(each)?.isInput);
}

/** Keras' converter wraps the model in `model_config`. */
function modelOf(topology: unknown): Json {
  const top = asObject(topology);
  return 'model_config' in top ? asObject(top['model_config']) : top;
}

function layersOf(model: Json): IndexedLayer[] {
  const config = model['config'];
  const list = Array.isArray(config) ? config : asObject(config)['layers'];
  const entries = (Array.isArray(list) ? list : []).map(asObject);
  const named = entries.map((entry) => ({ entry, name: nameOf(entry) }));
  if (model['class_name'] !== 'Sequential') {
    const names = new Set(named.map(({ name }) => name));
    return named.map(({ entry, name }) => layer(entry, name, [...namesIn(entry['inbound_nodes'], names)]));
  }
  const chain = named.map(({ entry, name }, index) => layer(entry, name, [named[index - 1]?.name ?? `${name}_input`]));
  const [first] = chain;
  // A first layer that says its own input's shape: its input is named after it.
  return !first || first.isInput ? chain : [layer({ class_name: 'InputLayer' }, `${first.name}_input`, []), ...chain];
}

function layer(entry: Json, name: string, sources: readonly string[]): IndexedLayer {
  return { name, sources, isInput: entry['class_name'] === 'InputLayer', limit: limitOf(entry) };
}

/** Infinity where a layer takes no indices; of a model or a wrapper, the least of what is in it. */
function limitOf(entry: Json): number {
  const config = asObject(entry['config']);
  const setting = config[LIMIT_SETTINGS[String(entry['class_name'])] ?? ''];
  if (typeof setting === 'number') return setting;
  if ('layer' in config) return limitOf(asObject(config['layer']));
  return layersOf(entry).reduce((least, { limit }) => Math.min(least, limit), Infinity);
}

/** The layers named anywhere in `inbound_nodes`: Keras 2 and 3 write them at different depths. */
function namesIn(source: unknown, names: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  const rest: unknown[] = [source];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next === 'string' && names.has(next)) found.add(next);
    else if (typeof next === 'object' && next !== null) for (const value of Object.values(next)) rest.push(value);
  }
  return found;
}

function nameOf(entry: Json): string {
  return String(entry['name'] ?? asObject(entry['config'])['name']);
}

function asObject(source: unknown): Json {
  return typeof source === 'object' && source !== null ? (source as Json) : {};
}
