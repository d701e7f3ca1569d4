import type { Backbone, Classifier } from '@pyramidal/nn';
import { CoaT, COAT_VARIANTS, CoaTClassifier } from './coat';
import { GROUPMIXFORMER_VARIANTS, GroupMixFormer, GroupMixFormerClassifier } from './groupmixformer';
import { MAFORMER_VARIANTS, MaFormer, MaFormerClassifier } from './maformer';
import { Smt, SMT_VARIANTS, SmtClassifier } from './smt';
import type { Stages } from './stages';

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

/**
 * A four-level pyramid backbone, without values yet: `initialize(seed)` it or load weights.
 * @throws Error if the widths do not fit the family.
 */
export function createBackbone(name: VariantName, overrides: VariantOverrides = {}): Backbone {
  return create(name, overrides);
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
