/** Backbones and classifiers of this package, by the name of their published size. */
import type { Backbone, Classifier } from '@pyramidal/nn';
import { backboneCatalogue, type VariantName, type VariantOverrides } from './catalogue';
import * as FAMILIES from './families';
import { takeWeights, type WeightsSource } from './weights';

type Both<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;
type Published = Both<(typeof FAMILIES)[keyof typeof FAMILIES]['variants']>;

/** Every published size. */
export const VARIANTS: Published = /* @__PURE__ */ publishedSizes();

export interface BackboneOptions extends VariantOverrides {
  /** A safetensors file or a PyTorch checkpoint by its path (in Node), or the bytes of a safetensors file. */
  readonly weights?: WeightsSource | undefined;
}

/**
 * A four-level pyramid backbone. Without weights it has no values yet: `initialize(seed)` it or load some.
 * @throws Error if the sizes do not fit the family; CheckpointError if the weights are damaged or do not fit.
 */
export function createBackbone(name: VariantName, { weights, ...overrides }: BackboneOptions = {}): Backbone {
  const backbone = backboneCatalogue().create(name, overrides);
  if (weights !== undefined) takeWeights(backbone, weights);
  return backbone;
}

/** The backbone with its family's own classification head. */
export function createClassifier(name: VariantName, classes: number, overrides: VariantOverrides = {}): Classifier {
  return backboneCatalogue().createClassifier(name, classes, overrides);
}

function publishedSizes(): Published {
  return Object.assign({}, ...Object.values(FAMILIES).map(({ variants }) => variants));
}
