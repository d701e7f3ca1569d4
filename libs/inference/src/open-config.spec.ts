/** A recipe on a backbone: what is published for it is told once the configuration is right. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backboneSchema, openRecipe, z } from '@pyramidal/config';
import { openConfig } from './open-config';

const schema = z.strictObject({
  lr: z.number(),
  model: z.strictObject({ backbone: backboneSchema(['big', 'small']) }),
});

let folder: string;
let told: jest.SpyInstance;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recipes-'));
  mkdirSync(join(folder, 'test'));
  writeFileSync(join(folder, 'test/long.yaml'), 'lr: 1\n');
  const rows = 'test: { long: [{ source: a, backbones: { big: { top1: 80.0 } } }] }';
  writeFileSync(join(folder, 'published.yaml'), `sources: { a: A }\ntrainings: { ${rows} }\n`);
  told = jest.spyOn(console, 'error').mockImplementation();
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  told.mockRestore();
});

const open = (backbone: string, ...set: string[]) =>
  openConfig(schema, { config: openRecipe({ task: 'test', folders: [folder] }, { recipe: 'long', backbone }), set });

it('says in one line what is published for the pair', () => {
  expect(open('big').config.model.backbone.name).toBe('big');
  expect(told.mock.calls).toEqual([['long on big: published top-1 80.0 % (A)']]);
});

it('says nothing of a configuration that is wrong: its error is all there is to read', () => {
  expect(() => open('bog')).toThrow("--backbone bog: expected one of big, small, received 'bog', did you mean 'big'?");
  expect(() => open('big', 'lr=high')).toThrow("--set lr=high: expected a number, received 'high'");
  expect(told).not.toHaveBeenCalled();
});
