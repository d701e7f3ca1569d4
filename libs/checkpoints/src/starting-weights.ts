/**
 * Weights to start a training from, by one rule for every task: the backbone must be in the file, whole and in its
 * shapes; heads and neck are taken where they fit and stay as drawn where they do not; all of it is reported.
 */
import type { Module } from '@pyramidal/nn';
import { loadWeights, type LoadReport, MisfitError, type Misshaped } from './load-weights';
import type { StoredTensor } from './dtype';
import { isClassifierOnly, modelKind } from './names';

/**
 * Loads what fits into a module that has values already.
 * @param tensors of an open checkpoint: of the same model, of one with other classes, of a classifier or another task's
 * model with the same backbone, or of a backbone alone.
 * @throws MisfitError if the backbone is not in the file, or is of another variant; nothing was changed then.
 */
export function startFromWeights(module: Module, tensors: ReadonlyMap<string, StoredTensor>): LoadReport {
  const names = [...module.state().keys()];
  const isHead = headTest(names);
  const backboneWords = new Set(names.filter((name) => !isHead(name)).map(backboneWord));
  const report = loadWeights(module, tensors, {
    resizePositions: true,
    allowMissing: isHead,
    allowMisshaped: isHead,
    // Another depth of the same family would fit in part: its blocks are in the stages, and not strays.
    allowUnexpected: (name) => isHead(name) || !backboneWords.has(backboneWord(name)),
  });
  const backbone = [...report.loaded, ...report.resized].filter((name) => !isHead(name));
  if (backbone.length === 0) throw new MisfitError('no tensor of the backbone is among them');
  return report;
}

/** What need not come from the file: all but the backbone. */
function headTest(names: readonly string[]): (name: string) => boolean {
  return modelKind(names) === 'classifier' ? isClassifierOnly : (name) => !name.startsWith('backbone.');
}

/** `block3` of `backbone.block3.0.attn.qkv.weight` */
const backboneWord = (name: string): string => firstWord(name.replace(/^backbone\./, ''));

const firstWord = (name: string): string => name.split('.', 1)[0] ?? name;

/**
 * Says what became of the weights in a file, one line each: `loaded`, `drawn anew` with the reason, `left out`.
 * @param path of the file, for the first line.
 * @param module tells how many classes a layer is for where its own size does not.
 */
export function describeStart(path: string, report: LoadReport, module?: Module): string[] {
  const { loaded, resized, kept, misfits, ignored } = report;
  const lines = [`${path}: ${loaded.length + resized.length} tensors loaded`];
  if (resized.length > 0) lines.push(`  ${resized.length} of them resized to this image size: ${some(resized)}`);
  const misfit = new Set(misfits.map(({ name }) => name));
  const absent = kept.filter((name) => !misfit.has(name));
  if (absent.length > 0) lines.push(`  drawn anew, not in the file: ${some(partsOf(absent))}`);
  for (const line of new Set(misfits.map((one) => describeMisfit(one, module))))
    lines.push(`  drawn anew, of another size: ${line}`);
  if (ignored.length > 0) lines.push(`  left out, no place for them here: ${some(partsOf(ignored))}`);
  return lines;
}

/** Layers with one output a class; those of box heads have one more for the background. */
const ONE_A_CLASS =
  /^(head|class_embed\.\d+|(decode_head|auxiliary_head)\.conv_seg|roi_head\.mask_head\.(\d+\.)?conv_logits)\.\w+$/;
const WITH_BACKGROUND = /(^|\.)fc_cls\.\w+$/;
/** Four outputs a class: the box deltas of heads that refine boxes class by class. */
const BOX_A_CLASS = /(^|\.)fc_reg\.\w+$/;
/** One output for each class and anchor; the layer beside it has four for each anchor. */
const ONE_AN_ANCHOR = /(^|\.)retina_cls\.\w+$/;

/** `head: 80 classes in the file, 3 here` */
function describeMisfit({ name, expected, received }: Misshaped, module: Module | undefined): string {
  const layer = name.slice(0, name.lastIndexOf('.'));
  const [there, here] = [received, expected].map((shape) =>
    classesOf(name, Number(/\[(\d+)/.exec(shape)?.[1]), module),
  );
  if (!Number.isInteger(there) || !Number.isInteger(here)) return `${name}: ${received} in the file, ${expected} here`;
  return `${layer}: ${there} classes in the file, ${here} here`;
}

/** How many classes so many outputs are for; not a whole number where the layer does not tell. */
function classesOf(name: string, outputs: number, module: Module | undefined): number {
  if (ONE_A_CLASS.test(name)) return outputs;
  if (WITH_BACKGROUND.test(name)) return outputs - 1;
  if (BOX_A_CLASS.test(name)) return outputs > 4 ? outputs / 4 : NaN;
  if (!ONE_AN_ANCHOR.test(name)) return NaN;
  const boxes = module?.state().get(name.replace('retina_cls', 'retina_reg'))?.torchShape[0] ?? NaN;
  return outputs / (boxes / 4);
}

/** `rpn_head (6), roi_head (14)`: names by their first word, or the one behind `backbone.`. */
function partsOf(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(backboneWord(name), (counts.get(backboneWord(name)) ?? 0) + 1);
  return [...counts].map(([part, count]) => (count === 1 ? part : `${part} (${count})`));
}

const SHOWN = 6;

const some = (items: readonly string[]): string =>
  items.length > SHOWN ? `${items.slice(0, SHOWN).join(', ')}, and ${items.length - SHOWN} more` : items.join(', ');
