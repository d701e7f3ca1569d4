import type { Backbone, Classifier } from '@pyramidal/nn';
import { CoaT, COAT_VARIANTS, CoaTClassifier } from './coat';
import { GROUPMIXFORMER_VARIANTS, GroupMixFormer, GroupMixFormerClassifier } from './groupmixformer';
import { MAFORMER_VARIANTS, MaFormer, MaFormerClassifier } from './maformer';
import { Smt, SMT_VARIANTS, SmtClassifier } from './smt';
import type { Stages } from './stages';
import { takeWeights, type WeightsSource } from './weights';

/** Every published size. */
export const VARIANTS = {
  ...GROUPMIXFORMER_VARIANTS,
  ...COAT_VARIANTS,
  ...MAFORMER_VARIANTS,
  ...SMT_VARIANTS,
} as const;

export type VariantName = keyof typeof VARIANTS;

/** What may differ from the published size, for instance to make a smaller one. */
export interface VariantOverrides {
  readonly channels?: Stages | undefined;
  readonly depths?: Stages | undefined;
  readonly mlpRatios?: Stages | undefined;
  readonly dropPath?: number | undefined;
}

export interface BackboneOptions extends VariantOverrides {
  /** A safetensors file or a PyTorch checkpoint by its path (in Node), or the bytes of a safetensors file. */
  readonly weights?: WeightsSource | undefined;
}

/**
 * A four-level pyramid backbone. Without weights it has no values yet: `initialize(seed)` it or load some.
 * @throws Error if the widths do not fit the family; CheckpointError if the weights are damaged or do not fit.
 */
export function createBackbone(name: VariantName, { weights, ...overrides }: BackboneOptions = {}): Backbone {
  const backbone = create(name, overrides);
  if (weights !== undefined) takeWeights(backbone, weights);
  return backbone;
}

/** The backbone with its family's own classification head. */
export function createClassifier(name: VariantName, classes: number, overrides: VariantOverrides = {}): Classifier {
  const backbone = create(name, overrides);
  if (backbone instanceof CoaT) return new CoaTClassifier(backbone, classes);
  if (backbone instanceof MaFormer) return new MaFormerClassifier(backbone, classes);
  if (backbone instanceof Smt) return new SmtClassifier(backbone, classes);
  return new GroupMixFormerClassifier(backbone, classes);
}

function create(name: VariantName, overrides: VariantOverrides): CoaT | MaFormer | Smt | GroupMixFormer {
  if (isIn(COAT_VARIANTS, name)) return new CoaT(changed(COAT_VARIANTS[name], overrides));
  if (isIn(MAFORMER_VARIANTS, name)) return new MaFormer(changed(MAFORMER_VARIANTS[name], overrides));
  if (isIn(SMT_VARIANTS, name)) return new Smt(changed(SMT_VARIANTS[name], overrides));
  return new GroupMixFormer(changed(GROUPMIXFORMER_VARIANTS[name], overrides));
}

function isIn<Family extends object>(family: Family, name: PropertyKey): name is keyof Family {
  return name in family;
}

function changed<Options extends object>(options: Options, overrides: VariantOverrides): Options {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return { ...options, ...Object.fromEntries(given) };
}
