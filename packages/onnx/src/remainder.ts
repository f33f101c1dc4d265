import { create, type DescMessage, isFieldSet, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';

/**
 * A message of what `message` says beyond the fields named in `held`, unknown fields included; undefined when that is
 * nothing. For messages without oneofs.
 */
export function remainderOf<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
  held: readonly (keyof MessageShape<Schema>)[],
): MessageShape<Schema> | undefined {
  const rest = create(schema);
  let anything = copyUnknown(message, rest);
  for (const field of schema.fields) {
    const name = field.localName as keyof MessageShape<Schema>;
    if (held.includes(name) || !isFieldSet(message, field)) continue;
    rest[name] = message[name];
    anything = true;
  }
  return anything ? rest : undefined;
}

/** A message of our `fields` and, where they are silent, of what came beside them. */
export function completed<Schema extends DescMessage>(
  schema: Schema,
  fields: MessageInitShape<Schema>,
  rest: MessageShape<Schema> | undefined,
): MessageShape<Schema> {
  const message = create(schema, fields);
  if (!rest) return message;
  for (const field of schema.fields) {
    const name = field.localName as keyof MessageShape<Schema>;
    if (isFieldSet(rest, field) && !isFieldSet(message, field)) message[name] = rest[name];
  }
  copyUnknown(rest, message);
  return message;
}

function copyUnknown(from: MessageShape<DescMessage>, to: MessageShape<DescMessage>): boolean {
  if (!from.$unknown?.length) return false;
  to.$unknown = from.$unknown;
  return true;
}
