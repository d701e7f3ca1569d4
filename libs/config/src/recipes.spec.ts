import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, openRecipe, type RecipeBook, trainingsOf, UsageError, z } from './index';
import { publishedOf } from './recipes';

const schema = z.strictObject({
  model: z.strictObject({
    backbone: z.strictObject({
      name: z.enum(['smt_small', 'smt_large', 'coat_tiny']),
      dropPath: z.number().optional(),
    }),
  }),
  lr: z.number(),
  flip: z.number().min(0).max(1).default(0.5),
});

const TABLE = `sources:
  smt: SMT, 2023
trainings:
  detection:
    mask-rcnn_3x:
      - source: smt
        set: { lr: 2 }
        backbones:
          smt_small: { boxAP: 49.0, maskAP: 43.4 }
          smt_large: { set: { lr: 3, flip: 0 } }
`;

let folder: string;
let book: RecipeBook;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recipes-'));
  mkdirSync(join(folder, 'detection'));
  write('published.yaml', TABLE);
  write('detection/mask-rcnn_3x.yaml', 'lr: 1\nflip: 0.25\n');
  write('detection/sample.yaml', 'lr: 1\nmodel: { backbone: { name: coat_tiny, dropPath: 0 } }\n');
  book = { task: 'detection', folders: [join(folder, 'not-here'), folder] };
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

const load = (recipe: string, backbone?: string, ...set: string[]) =>
  loadConfig(schema, openRecipe(book, { recipe, backbone }), { set });

function complaint(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
  throw new Error('expected an error');
}

describe('openRecipe', () => {
  it('lays the settings of the group, of the row, and the backbone over the recipe', () => {
    expect(load('mask-rcnn_3x', 'coat_tiny').config).toMatchObject({ lr: 1, flip: 0.25 });
    const { config, source } = load('mask-rcnn_3x', 'smt_small');
    expect(config).toEqual({ lr: 2, flip: 0.25, model: { backbone: { name: 'smt_small' } } });
    expect(source).toEqual({ file: join(folder, 'detection/mask-rcnn_3x.yaml'), backbone: 'smt_small', set: [] });
    expect(load('mask-rcnn_3x', 'smt_large').config).toMatchObject({ lr: 3, flip: 0 });
    expect(load('mask-rcnn_3x', 'smt_large', 'lr=4').config).toMatchObject({ lr: 4, flip: 0 });
  });

  it('says what is published for the pair', () => {
    const note = (backbone: string) => openRecipe(book, { recipe: 'mask-rcnn_3x', backbone }).note;
    expect(note('smt_small')).toBe('mask-rcnn_3x on smt_small: published box AP 49.0, mask AP 43.4 (SMT, 2023)');
    expect(note('smt_large')).toBe('mask-rcnn_3x on smt_large: no score to compare with; settings: SMT, 2023');
    expect(note('coat_tiny')).toBe("mask-rcnn_3x on coat_tiny: not a published pair, the recipe's own settings");
  });

  it('takes a recipe that brings its backbone as it is, or on another one', () => {
    expect(load('sample').config.model.backbone).toEqual({ name: 'coat_tiny', dropPath: 0 });
    expect(openRecipe(book, { recipe: 'sample' }).note).toBe('');
    expect(load('sample', 'smt_small').config.model.backbone).toEqual({ name: 'smt_small' });
  });

  it('names what is wrong, and where', () => {
    expect(trainingsOf(book)).toEqual([
      { recipe: 'mask-rcnn_3x', backbone: 'smt_small' },
      { recipe: 'mask-rcnn_3x', backbone: 'smt_large' },
      { recipe: 'sample' },
    ]);
    expect(complaint(() => load('mask-rcnn-3x', 'smt_small'))).toBe(
      "--recipe mask-rcnn-3x: expected one of mask-rcnn_3x, sample, did you mean 'mask-rcnn_3x'?",
    );
    expect(complaint(() => load('../published', 'smt_small'))).toMatch(/^--recipe \.\.\/published: expected one of/);
    expect(complaint(() => load('mask-rcnn_3x'))).toBe(
      '--recipe mask-rcnn_3x: choose a backbone with --backbone; published are smt_small, smt_large',
    );
    expect(complaint(() => load('mask-rcnn_3x', 'smt_smal'))).toBe(
      "--backbone smt_smal: expected one of smt_small, smt_large, coat_tiny, received 'smt_smal', did you mean 'smt_small'?",
    );
    expect(complaint(() => load('mask-rcnn_3x', '__proto__'))).toMatch(/^--backbone __proto__: expected one of/);
    write('published.yaml', TABLE.replace('flip: 0', 'flip: 2'));
    expect(complaint(() => load('mask-rcnn_3x', 'smt_large'))).toBe(
      'published.yaml:10: flip: expected at most 1, received 2',
    );
    rmSync(join(folder, 'published.yaml'));
    expect(complaint(() => load('sample'))).toMatch(
      /^the recipes of detection are not where this program expects them/,
    );
  });
});

describe('published.yaml', () => {
  it('gives its rows', () => {
    expect(publishedOf(book)).toMatchObject([
      { recipe: 'mask-rcnn_3x', backbone: 'smt_small', source: 'SMT, 2023', score: { boxAP: 49, maskAP: 43.4 } },
      { recipe: 'mask-rcnn_3x', backbone: 'smt_large', source: 'SMT, 2023', score: {} },
    ]);
    expect(publishedOf({ ...book, task: 'segmentation' })).toEqual([]);
  });

  it.each([
    [
      'boxAP: 49.0',
      'boxAP: 490',
      'published.yaml:9: trainings.detection.mask-rcnn_3x.0.backbones.smt_small.boxAP: expected at most 100, received 490',
    ],
    ['boxAP', 'box', /smt_small\.box: unknown key, expected one of .*, did you mean 'boxAP'\?/],
    ['source: smt', 'source: sm', "published.yaml: detection: expected one of smt as source, received 'sm'"],
    [
      'smt_large: { set: { lr: 3, flip: 0 } }',
      'smt_small: {}',
      "published.yaml:10: the key 'smt_small' stands here a second time",
    ],
    [
      '    mask-rcnn_3x:\n',
      `    mask-rcnn_3x:\n      - { source: smt, backbones: { smt_small: {} } }\n`,
      'published.yaml: detection: mask-rcnn_3x on smt_small stands there twice',
    ],
  ])('refuses %s -> %s', (old, changed, message) => {
    write('published.yaml', TABLE.replace(old, changed));
    const found = complaint(() => publishedOf(book));
    if (typeof message === 'string') expect(found).toBe(message);
    else expect(found).toMatch(message);
  });
});
