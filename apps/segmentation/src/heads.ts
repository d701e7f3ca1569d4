/** Every head there is, with the segmentor that it makes, by the name that a configuration gives. */
import { z } from '@pyramidal/config';
import {
  type SegmentorDefinition,
  type Segmentor,
  type SegmentorParts,
  semanticFpn,
  upernet,
} from '@pyramidal/upernet';

export const HEADS = {
  upernet,
  'semantic-fpn': semanticFpn,
} as const;

/** A definition whatever its settings are: its own schema has read what it is given. */
export interface AnyHead extends Pick<SegmentorDefinition, 'schema'> {
  create(settings: never, parts: SegmentorParts): Segmentor;
}

/** Heads by name. */
export type HeadTable = Readonly<Record<string, AnyHead>>;

type Settings = { readonly [N in keyof typeof HEADS]: z.output<(typeof HEADS)[N]['schema']> };

/** A head's name and its settings; those of a project's own stand beside these. */
export type HeadConfig = { [N in keyof Settings]: { readonly name: N } & Settings[N] }[keyof Settings];

/** Ours, and those of a project's own. @throws Error if one has the name of ours. */
export function headTable(own: HeadTable = {}): HeadTable {
  const taken = Object.keys(own).find((name) => name in HEADS);
  if (taken === undefined) return { ...HEADS, ...own };
  throw new Error(`heads: expected every name once, received '${taken}' twice`);
}

export function headSchemaOf(heads: HeadTable): z.ZodType<HeadConfig> {
  const [first, ...others] = Object.entries(heads).map(([name, { schema }]) => {
    return z.strictObject({ name: z.literal(name), ...schema.shape });
  });
  return z.discriminatedUnion('name', [first!, ...others]) as z.ZodType as z.ZodType<HeadConfig>;
}

export const headSchema = headSchemaOf(HEADS);

export function createSegmentor(config: HeadConfig, parts: SegmentorParts, heads: HeadTable = HEADS): Segmentor {
  return heads[config.name]!.create(config as never, parts);
}
