/** Every detector there is, by the name that a configuration gives. */
import type { Detector, DetectorParts } from '@pyramidal/boxes';
import { z } from '@pyramidal/config';
import { cascadeMaskRcnn, cascadeRcnn, fasterRcnn, maskRcnn } from '@pyramidal/mask-rcnn';
import { retinaNet } from '@pyramidal/retinanet';

export const DETECTORS = {
  'faster-rcnn': fasterRcnn,
  'mask-rcnn': maskRcnn,
  'cascade-rcnn': cascadeRcnn,
  'cascade-mask-rcnn': cascadeMaskRcnn,
  retinanet: retinaNet,
} as const;

export type DetectorName = keyof typeof DETECTORS;

type Settings = { readonly [N in DetectorName]: z.output<(typeof DETECTORS)[N]['schema']> };
type Config<N extends DetectorName> = { readonly name: N } & Settings[N];

/** A detector's name and its settings. */
export type DetectorConfig = { [N in DetectorName]: Config<N> }[DetectorName];

const [first, ...others] = Object.entries(DETECTORS).map(([name, { schema }]) => {
  return z.strictObject({ name: z.literal(name), ...schema.shape });
});

export const detectorSchema = z.discriminatedUnion('name', [first!, ...others]) as z.ZodType<DetectorConfig>;

type Creators = { readonly [N in DetectorName]: { create(settings: Settings[N], parts: DetectorParts): Detector } };

export function createDetector<N extends DetectorName>(config: Config<N>, parts: DetectorParts): Detector {
  const creators: Creators = DETECTORS;
  return creators[config.name].create(config, parts);
}
