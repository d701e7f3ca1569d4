/** A schema as rows of a table: one for each key, those of a chosen kind (`optimizer` by its `name`) under the kind's name. */
import { z } from '@pyramidal/config';

export interface Row {
  /** Dotted; `optimizer(adamw).lr` for a key that only one kind has. */
  readonly key: string;
  readonly type: string;
  /** As YAML; 'required', or '' where the value may be left out. */
  readonly value: string;
  readonly meaning: string;
}

type Json = z.core.JSONSchema.JSONSchema;

/** @param without keys of the first level that are told elsewhere. */
export function schemaRows(schema: z.ZodType, without: readonly string[] = []): Row[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rowsOf(json, '').filter(({ key }) => !without.some((one) => key === one || key.startsWith(`${one}.`)));
}

function rowsOf(json: Json, prefix: string): Row[] {
  const required = new Set(json.required ?? []);
  return Object.entries(json.properties ?? {}).flatMap(([key, value]) => {
    const child = asSchema(value);
    const row: Row = {
      key: `${prefix}${key}`,
      type: typeOf(child),
      value: defaultOf(child, required.has(key)),
      meaning: child.description ?? '',
    };
    return [row, ...inside(child, row.key)];
  });
}

/** Rows of what a mapping or a list of mappings holds; of each kind where a key tells kinds apart. */
function inside(json: Json, key: string): Row[] {
  if (json.type === 'array') return rowsOf(asSchema(json.items as Json | undefined), `${key}[].`);
  const kinds = kindsOf(json);
  if (kinds.length === 0) {
    const options = (json.anyOf ?? []).map(asSchema);
    return [json, ...options].flatMap((option) => rowsOf(option, `${key}.`));
  }
  return kinds.flatMap(({ name, schema }) => {
    const { [name.key]: _name, ...properties } = schema.properties ?? {};
    return rowsOf({ ...schema, properties }, `${key}(${name.value}).`);
  });
}

interface Kind {
  readonly name: { readonly key: string; readonly value: string };
  readonly schema: Json;
}

/** The mappings of a union that one constant key tells apart. */
function kindsOf({ oneOf, anyOf }: Json): Kind[] {
  return (oneOf ?? anyOf ?? []).flatMap((option) => {
    const schema = asSchema(option);
    const entries = Object.entries(schema.properties ?? {}).map(
      ([key, value]) => [key, asSchema(value).const] as const,
    );
    const constant = entries.find(([, value]) => typeof value === 'string');
    return constant === undefined ? [] : [{ name: { key: constant[0], value: String(constant[1]) }, schema }];
  });
}

function defaultOf(json: Json, isRequired: boolean): string {
  if (json.default === undefined) return isRequired ? 'required' : '';
  // A mapping that is empty by default shows its defaults key by key.
  return isEmptyMapping(json.default) ? '' : flow(json.default);
}

const isEmptyMapping = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

/** YAML in one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return typeof value === 'number' ? number(value) : String(value);
  return `{ ${Object.entries(value)
    .map(([key, one]) => `${key}: ${flow(one)}`)
    .join(', ')} }`;
}

/** Thirds are told as such digits as a reader wants. */
const number = (value: number): string => String(Number(value.toPrecision(6)));

function typeOf(json: Json): string {
  const kinds = kindsOf(json);
  if (kinds.length > 0)
    return `mapping, \`${kinds[0]!.name.key}\` one of ${kinds.map(({ name }) => name.value).join(', ')}`;
  if (json.enum !== undefined) return `one of ${json.enum.map(String).join(', ')}`;
  if (json.const !== undefined) return String(json.const);
  const options = json.anyOf ?? json.oneOf;
  if (options !== undefined) return options.map((option) => typeOf(asSchema(option))).join(' or ');
  switch (json.type) {
    case 'array':
      return listType(json);
    case 'object':
      return 'mapping';
    case 'integer':
      return `whole number${range(json)}`;
    case 'number':
      return `number${range(json)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'text';
    default:
      return 'any';
  }
}

function listType({ prefixItems, items }: Json): string {
  const places = prefixItems as readonly Json[] | undefined;
  if (places !== undefined) return `list of ${places.length}, each a ${typeOf(places[0]!)}`;
  return `list, each a ${typeOf(asSchema(items as Json | undefined))}`;
}

/** Bounds that the schema sets; JavaScript's own of whole numbers are none. */
function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Json): string {
  const parts = [
    bound('from', minimum),
    bound('above', exclusiveMinimum),
    bound('to', maximum),
    bound('below', exclusiveMaximum),
    multipleOf === undefined ? '' : `a multiple of ${multipleOf}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` ${parts.join(' ')}`;
}

/** The oldest JSON Schema had `true` for bounds that exclude; there is none here. */
function bound(word: string, value: number | boolean | undefined): string {
  return typeof value !== 'number' || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? '' : `${word} ${value}`;
}

/** JSON Schema allows `true` for anything. */
function asSchema(value: Json | boolean | undefined): Json {
  return typeof value === 'object' ? value : {};
}
