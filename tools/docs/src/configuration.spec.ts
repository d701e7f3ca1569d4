import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { classificationSchema } from '@pyramidal/classification';
import { z } from '@pyramidal/config';
import { detectionSchema } from '@pyramidal/detection';
import { segmentationSchema } from '@pyramidal/segmentation';
import { configurationPage } from './configuration';
import { schemaRows } from './schema-rows';

describe('schemaRows', () => {
  it('tells key, type, default and meaning', () => {
    const schema = z.strictObject({
      size: z.int().min(32).default(224).describe('Side of an image.'),
      root: z.string(),
      scale: z.tuple([z.number(), z.number()]).optional(),
      ema: z.strictObject({ decay: z.number().gt(0).max(1) }).optional(),
      head: z.discriminatedUnion('name', [
        z.strictObject({ name: z.literal('a'), width: z.int().default(8) }),
        z.strictObject({ name: z.literal('b') }),
      ]),
    });
    expect(schemaRows(schema)).toEqual([
      { key: 'size', type: 'whole number from 32', value: '224', meaning: 'Side of an image.' },
      { key: 'root', type: 'text', value: 'required', meaning: '' },
      { key: 'scale', type: 'list of 2, each a number', value: '', meaning: '' },
      { key: 'ema', type: 'mapping', value: '', meaning: '' },
      { key: 'ema.decay', type: 'number above 0 to 1', value: 'required', meaning: '' },
      { key: 'head', type: 'mapping, `name` one of a, b', value: 'required', meaning: '' },
      { key: 'head(a).width', type: 'whole number', value: '8', meaning: '' },
    ]);
  });
});

it.each([
  ['classification', classificationSchema],
  ['detection', detectionSchema],
  ['segmentation', segmentationSchema],
])('every key of %s has a meaning', (_, schema) => {
  const silent = schemaRows(schema).filter(({ meaning }) => meaning === '');
  expect(silent.map(({ key }) => key)).toEqual([]);
});

it('docs/configuration.md is as the schemas are: npm run docs:configuration', () => {
  const page = readFileSync(join(__dirname, '../../../docs/configuration.md'), 'utf8');
  expect(page).toBe(configurationPage());
});
