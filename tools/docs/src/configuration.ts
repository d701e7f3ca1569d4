/** docs/configuration.md, made of the schemas that check configurations. */
import { backboneSchema, evaluationSchema, runtimeSchema, trainSchema, z } from '@pyramidal/config';
import { VARIANTS } from '@pyramidal/backbones';
import { classificationSchema } from '@pyramidal/classification';
import { detectionSchema } from '@pyramidal/detection';
import { segmentationSchema } from '@pyramidal/segmentation';
import { type Row, schemaRows } from './schema-rows';

const BACKBONE_NAMES = Object.keys(VARIANTS);

/** Told once, for every task. */
const SHARED = z.strictObject({
  model: z
    .strictObject({ backbone: backboneSchema(BACKBONE_NAMES).describe('The pyramid that everything stands on.') })
    .describe('The network.'),
  train: trainSchema.describe('How the network learns.'),
  evaluation: evaluationSchema.describe('When and how the network is measured.'),
  runtime: runtimeSchema.describe('How the engine is opened.'),
});

const TASKS = [
  { title: 'Classification', program: 'classify', schema: classificationSchema },
  { title: 'Detection and instance segmentation', program: 'detect', schema: detectionSchema },
  { title: 'Semantic segmentation', program: 'segment', schema: segmentationSchema },
] as const;

const OPENING = `# Configuration

<!-- Made by \`npm run docs:configuration\` of the schemas that check configurations. -->

One YAML file tells a whole run. Every key that there is stands below, with its type, what it is when it is left out, and its meaning. What a
file holds besides is an error that names file, line and key.

- \`extends: other.yaml\` lays a file over another one, key by key, at most one level deep; a list is replaced as a whole, and so is a mapping of
  another \`name\`.
- \`--set train.epochs=1\` overrides a value; the value is YAML.
- \`--recipe mask-rcnn_3x --backbone smt_small\` takes a published training in place of a file (\`configs/published.yaml\`).
- \`info --resolved\` prints the whole configuration, as do \`config.yaml\` in a run's folder and its checkpoints.

A key \`optimizer(adamw).lr\` belongs to the mapping \`optimizer\` when its \`name\` is \`adamw\`. A run is counted in epochs or in iterations
(updates); lengths such as \`saveEvery\` and \`milestones\` count the same. Sizes are in pixels, shares from 0 to 1.
`;

export function configurationPage(): string {
  const shared = schemaRows(SHARED);
  const known = new Set(shared.map(({ key }) => key));
  const sections = TASKS.map(({ title, program, schema }) => {
    const own = schemaRows(schema).filter(({ key }) => !known.has(key));
    return `## ${title}\n\nWhat \`${program}\` knows besides.\n\n${table(own)}`;
  });
  return [OPENING, `## Every task\n\n${table(shared)}`, ...sections].join('\n');
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ key, type, value, meaning }) => {
    const cells = [`\`${key}\``, type, value === '' || value === 'required' ? value : `\`${value}\``, meaning];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| key | type | default | meaning |', '| --- | --- | --- | --- |', ...lines, ''].join('\n');
}
