/** The keys and kinds of a schema, read off zod's own description. */
import type { z } from 'zod';
import type { Path } from './located';

/** zod's own description of a schema; the parts of it that are walked here. */
interface Definition {
  readonly type: string;
  readonly shape?: Record<string, z.ZodType>;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly items?: readonly z.ZodType[];
  readonly options?: readonly z.ZodType[];
  readonly discriminator?: string;
  readonly format?: string;
}

const definition = (schema: z.ZodType): Definition => schema.def as unknown as Definition;

/**
 * The schemas that may apply to the value at a path: none where the path leads nowhere, several where unions leave it
 * open. A union told apart by a key is settled by what `value` holds there.
 */
export function schemasAt(schema: z.ZodType, path: Path, value: unknown): z.ZodType[] {
  const here = settle(schema, value);
  const [key, ...rest] = path;
  if (key === undefined) return here;
  const child = childValue(value, key);
  return here.flatMap((option) => childSchemas(option, key)).flatMap((next) => schemasAt(next, rest, child));
}

/** The schemas, with their wrappers, that may apply to what a value holds at a key. */
export function schemasBelow(schema: z.ZodType, key: PropertyKey, value: unknown): z.ZodType[] {
  return settle(schema, value).flatMap((option) => childSchemas(option, key));
}

/** The keys a mapping may have at a path. */
export function keysAt(schema: z.ZodType, path: Path, value: unknown): string[] {
  const keys = schemasAt(schema, path, value).flatMap((option) => Object.keys(definition(option).shape ?? {}));
  return [...new Set(keys)];
}

/** Whether the value at a path has to be a whole number. */
export function isWhole(schema: z.ZodType, path: Path, value: unknown): boolean {
  const schemas = schemasAt(schema, path, value);
  return schemas.length > 0 && schemas.every((option) => definition(option).format === 'safeint');
}

/** A schema without its wrappers (optional, default, ...), unions opened. */
function settle(schema: z.ZodType, value: unknown): z.ZodType[] {
  const { innerType, in: input, options, discriminator } = definition(schema);
  if (innerType !== undefined) return settle(innerType, value);
  if (input !== undefined) return settle(input, value);
  if (options === undefined) return [schema];
  const chosen =
    discriminator !== undefined && isRecord(value) && value[discriminator] !== undefined
      ? options.filter((option) => accepts(definition(option).shape?.[discriminator], value[discriminator]))
      : [];
  return (chosen.length > 0 ? chosen : options).flatMap((option) => settle(option, value));
}

const accepts = (schema: z.ZodType | undefined, value: unknown): boolean => schema?.safeParse(value).success ?? false;

function childSchemas(schema: z.ZodType, key: PropertyKey): z.ZodType[] {
  const { shape, element, valueType, items } = definition(schema);
  const named = shape !== undefined && Object.hasOwn(shape, key) ? shape[String(key)] : undefined;
  const child = named ?? items?.[Number(key)] ?? element ?? valueType;
  return child === undefined ? [] : [child];
}

/** What a list or a mapping itself holds at a key; `constructor` and `__proto__` of every object do not count. */
export function childValue(value: unknown, key: PropertyKey): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  return isRecord(value) && Object.hasOwn(value, key) ? value[String(key)] : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
