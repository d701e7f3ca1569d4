/** What a checkpoint tells of its model, so that it can be used without the data set and the configuration's file. */
import type { TensorFile } from '@pyramidal/checkpoints';
import { FileError, parseRecord } from '@pyramidal/files';
import { version_core } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { metric } from './run/records';

/** Counts the changes that older programs cannot read. */
const FORMAT = 1;

/** More than any data set has; the header of a file has its own limit. */
const MAX_CLASSES = 100_000;

/** Of a name. */
const MAX_CHARACTERS = 1000;

const text = z.string().max(MAX_CHARACTERS);
const channel = z.int().min(0).max(255);

const modelClass = z.object({
  id: z.union([z.int(), text]).describe('As the data set names it: of a category, a label, or a folder.'),
  name: text,
  colour: z.tuple([channel, channel, channel]).readonly().describe('What it is drawn in.'),
});

/** @throws Issue naming an id that two classes share. */
function requireOwnIds(classes: readonly { readonly id: unknown }[], context: z.RefinementCtx): void {
  const seen = new Set<unknown>();
  const index = classes.findIndex(({ id }) => seen.size === seen.add(id).size);
  if (index < 0) return;
  const message = `expected an id of its own, received ${String(classes[index]!.id)} for another class too`;
  context.addIssue({ code: 'custom', path: [index, 'id'], message });
}

const rgb = z.tuple([z.number(), z.number(), z.number()]).readonly();
const deviation = z.number().positive();

const description = z.object({
  task: text.describe('Whose program uses it: detection, segmentation, classification.'),
  classes: z.array(modelClass).min(1).max(MAX_CLASSES).superRefine(requireOwnIds).readonly().describe('By label.'),
  input: z
    .record(z.string(), z.number())
    .describe("What images are resized to, as the configuration's `input` says it."),
  normalisation: z
    .object({ mean: rgb, std: z.tuple([deviation, deviation, deviation]).readonly() })
    .describe('Of 8-bit RGB values.'),
});

const record = description.extend({
  format: z.literal(FORMAT, {
    error: ({ input }) => `expected ${FORMAT}, received ${String(input)}: a newer program wrote it`,
  }),
  metrics: z.record(z.string(), metric).optional(),
});

const versions = z.record(z.string(), text);

/** A class that a model tells apart. */
export type ModelClass = z.output<typeof modelClass>;

/** What a task knows of its model, whatever becomes of the weights. */
export type ModelDescription = z.output<typeof description>;

/** All that a file tells of the model whose weights it holds. */
export interface ModelCard extends ModelDescription {
  /** The resolved configuration, as YAML. */
  readonly config: string;
  /** Of the evaluation that the weights were kept for. */
  readonly metrics?: Readonly<Record<string, number>> | undefined;
  /** Of what wrote the file. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The card as a file's metadata, which `modelCardOf` reads. */
export function cardTexts({ config, ...model }: Omit<ModelCard, 'versions'>): Record<string, string> {
  const writer = { node: process.versions.node, tfjs: version_core };
  return { model: JSON.stringify({ format: FORMAT, ...model }), config, versions: JSON.stringify(writer) };
}

/**
 * What a file tells of its model; undefined where it tells nothing: of another program, or of an older one.
 * @throws FileError that names the field if it is damaged.
 */
export function modelCardOf(path: string, { metadata }: Pick<TensorFile, 'metadata'>): ModelCard | undefined {
  const { model, config, versions: writer = '{}' } = metadata;
  if (model === undefined) return undefined;
  const { format: _, ...card } = parseRecord(`${path}: its model`, model, record);
  if (config === undefined) throw new FileError(path, 'tells of its model, but has no configuration');
  return { ...card, config, versions: parseRecord(`${path}: its versions`, writer, versions) };
}
