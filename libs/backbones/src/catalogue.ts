/** The backbones of a program by name: those of this package, and those of families of the program's own. */
import type { Backbone, Classifier } from '@pyramidal/nn';
import * as FAMILIES from './families';
import type { BackboneFamily, VariantOf } from './family';
import { MeanClassifier } from './mean-classifier';
import { type BackboneSizes, SizeError } from './stages';

/** The names of the published sizes in this package, such as `smt_small`. */
export type VariantName = VariantOf<(typeof FAMILIES)[keyof typeof FAMILIES]>;

/** What may differ from a published size, for instance to make a smaller one. */
export type VariantOverrides = { readonly [Key in keyof BackboneSizes]?: BackboneSizes[Key] | undefined };

export interface BackboneCatalogue<Name extends string = string> {
  readonly names: readonly Name[];
  /** @throws SizeError in one line where a size is impossible, or where the family has nothing of the kind to change. */
  create(name: Name, overrides?: VariantOverrides): Backbone;
  /** With its family's own classification head. @throws SizeError as `create` does. */
  createClassifier(name: Name, classes: number, overrides?: VariantOverrides): Classifier;
  /** What `create` would throw, for checks of a configuration. */
  readonly faultOf: (backbone: { readonly name: string } & VariantOverrides) => SizeError | undefined;
}

/**
 * The backbones of this package, and those of further families.
 * @throws Error if two families have a size of one name.
 */
export function backboneCatalogue<const Own extends readonly BackboneFamily[] = readonly []>(
  own?: Own,
): BackboneCatalogue<VariantName | VariantOf<Own[number]>> {
  type Name = VariantName | VariantOf<Own[number]>;
  const families = byVariant([...Object.values<BackboneFamily>(FAMILIES), ...(own ?? [])]);
  const find = (name: string, overrides: VariantOverrides = {}) => {
    const family = families.get(name);
    if (family !== undefined) return { family, options: changed(name, family.variants[name]!, overrides) };
    throw new Error(`backbones: expected one of ${[...families.keys()].join(', ')}, received ${JSON.stringify(name)}`);
  };
  const create = (name: string, overrides?: VariantOverrides): Backbone => {
    const { family, options } = find(name, overrides);
    return family.create(options);
  };
  return {
    names: [...families.keys()] as Name[],
    create,
    createClassifier(name, classes, overrides) {
      const { family, options } = find(name, overrides);
      return family.createClassifier?.(options, classes) ?? new MeanClassifier(family.create(options), classes);
    },
    faultOf({ name, ...overrides }) {
      try {
        create(name, overrides);
        return undefined;
      } catch (error) {
        if (error instanceof SizeError) return error;
        throw error;
      }
    },
  };
}

function byVariant(families: readonly BackboneFamily[]): ReadonlyMap<string, BackboneFamily> {
  const table = new Map<string, BackboneFamily>();
  for (const family of families) {
    for (const name of Object.keys(family.variants)) {
      if (table.has(name)) throw new Error(`backbones: expected every name once, received '${name}' twice`);
      table.set(name, family);
    }
  }
  return table;
}

function changed(name: string, options: BackboneSizes, overrides: VariantOverrides): BackboneSizes {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  const unknown = given.find(([key]) => !(key in options));
  if (unknown === undefined) return { ...options, ...Object.fromEntries(given) };
  throw new SizeError(
    unknown[0],
    `${name}: expected changes of ${Object.keys(options).join(', ')}, received ${unknown[0]}`,
  );
}
