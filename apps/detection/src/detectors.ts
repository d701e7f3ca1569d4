/** Every detector there is, by the name that a configuration gives. */
import { atss } from '@pyramidal/atss';
import type { Detector, DetectorDefinition, DetectorParts } from '@pyramidal/detector';
import { z } from '@pyramidal/config';
import { deformableDetr, dino } from '@pyramidal/detr';
import { cascadeMaskRcnn, cascadeRcnn, fasterRcnn, maskRcnn } from '@pyramidal/mask-rcnn';
import { retinaNet } from '@pyramidal/retinanet';
import { sparseRcnn } from '@pyramidal/sparse-rcnn';

export const DETECTORS = {
  'faster-rcnn': fasterRcnn,
  'mask-rcnn': maskRcnn,
  'cascade-rcnn': cascadeRcnn,
  'cascade-mask-rcnn': cascadeMaskRcnn,
  retinanet: retinaNet,
  atss,
  'sparse-rcnn': sparseRcnn,
  'deformable-detr': deformableDetr,
  dino,
} as const;

/** A definition whatever its settings are: its own schema has read what it is given. */
export interface AnyDetector extends Pick<DetectorDefinition, 'predictsMasks' | 'schema'> {
  create(settings: never, parts: DetectorParts): Detector;
}

/** Detectors by name. */
export type DetectorTable = Readonly<Record<string, AnyDetector>>;

type Settings = { readonly [N in keyof typeof DETECTORS]: z.output<(typeof DETECTORS)[N]['schema']> };

/** A detector's name and its settings; those of a project's own stand beside these. */
export type DetectorConfig = { [N in keyof Settings]: { readonly name: N } & Settings[N] }[keyof Settings];

/** Ours, and those of a project's own. @throws Error if one has the name of ours. */
export function detectorTable(own: DetectorTable = {}): DetectorTable {
  const taken = Object.keys(own).find((name) => name in DETECTORS);
  if (taken === undefined) return { ...DETECTORS, ...own };
  throw new Error(`detectors: expected every name once, received '${taken}' twice`);
}

export function detectorSchemaOf(detectors: DetectorTable): z.ZodType<DetectorConfig> {
  const [first, ...others] = Object.entries(detectors).map(([name, { schema }]) => {
    return z.strictObject({ name: z.literal(name), ...schema.shape });
  });
  return z.discriminatedUnion('name', [first!, ...others]) as z.ZodType as z.ZodType<DetectorConfig>;
}

export const detectorSchema = detectorSchemaOf(DETECTORS);

export function createDetector(
  config: DetectorConfig,
  parts: DetectorParts,
  detectors: DetectorTable = DETECTORS,
): Detector {
  return detectors[config.name]!.create(config as never, parts);
}
