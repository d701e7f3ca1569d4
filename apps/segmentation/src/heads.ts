/** Every head there is, with the segmentor that it makes, by the name that a configuration gives. */
import { z } from '@pyramidal/config';
import { type Segmentor, type SegmentorParts, semanticFpn, upernet } from '@pyramidal/upernet';

export const HEADS = {
  upernet,
  'semantic-fpn': semanticFpn,
} as const;

type HeadName = keyof typeof HEADS;
type Settings = { readonly [N in HeadName]: z.output<(typeof HEADS)[N]['schema']> };
type Config<N extends HeadName> = { readonly name: N } & Settings[N];

/** A head's name and its settings. */
export type HeadConfig = { [N in HeadName]: Config<N> }[HeadName];

const [first, ...others] = Object.entries(HEADS).map(([name, { schema }]) => {
  return z.strictObject({ name: z.literal(name), ...schema.shape });
});

export const headSchema = z.discriminatedUnion('name', [first!, ...others]) as z.ZodType<HeadConfig>;

type Creators = { readonly [N in HeadName]: { create(settings: Settings[N], parts: SegmentorParts): Segmentor } };

export function createSegmentor<N extends HeadName>(config: Config<N>, parts: SegmentorParts): Segmentor {
  const creators: Creators = HEADS;
  return creators[config.name].create(config, parts);
}
