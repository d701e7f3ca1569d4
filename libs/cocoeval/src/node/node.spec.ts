import { transformFileSync } from '@swc/core';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { evaluateDetections } from '../evaluator';
import { goldenCases, loadCase } from '../testing/golden';
import { CocoFormatError } from '../format/errors';
import type * as node from '.';
import { withoutWasm } from '../testing/without-wasm';
import { evaluateFiles, evaluateFilesInThreads, readCategories, readCoco, readResults } from '.';

const folder = mkdtempSync(join(tmpdir(), 'cocoeval-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

const { gt, dt, expected } = loadCase(goldenCases().find(({ name }) => name === 'tiny_segm')!);
const gtFile = file('gt.json', gt);
const dtFile = file('dt.json', dt);
const options = { iouType: 'segm' } as const;

describe('files', () => {
  it('are evaluated as values are', () => {
    const found = evaluateFiles(gtFile, dtFile, options);
    expect([...found.stats]).toEqual(expected.stats);
    expect(found.accumulated).toEqual(evaluateDetections(gt, dt, options).accumulated);
  });

  it('may list annotations before images', () => {
    const turned = file('turned.json', { annotations: gt.annotations, categories: gt.categories, images: gt.images });
    expect([...evaluateFiles(turned, dtFile, options).stats]).toEqual(expected.stats);
  });

  it('are read as datasets and results', () => {
    const coco = readCoco(gtFile);
    expect(coco.dataset).toEqual(gt);
    expect(readResults(coco, dtFile).annotations).toHaveLength(dt.length);
  });

  it('tell of results whose categories the dataset does not list', async () => {
    const strangers = file(
      'strangers.json',
      dt.map((result, i) => (i % 2 === 0 ? { ...result, category_id: 900 + i } : result)),
    );
    const line = `${strangers}: ${Math.ceil(dt.length / 2)} of ${dt.length} results are of categories that are not listed, such as 900`;
    const say = jest.fn();
    evaluateFiles(gtFile, dtFile, { ...options, say });
    evaluateFiles(gtFile, strangers, { ...options, useCategories: false, say });
    expect(say).not.toHaveBeenCalled();
    evaluateFiles(gtFile, strangers, { ...options, say });
    await evaluateFilesInThreads(gtFile, strangers, { ...options, threads: 2, say });
    expect(say.mock.calls).toEqual([[line], [line]]);
  });

  it('name the record that is wrong', () => {
    const broken = file('broken.json', [...dt.slice(0, 2), { ...dt[2], score: 'high' }]);
    const message = `${broken}[2] (image_id ${dt[2]!.image_id}): score: expected a finite number, received "high"`;
    expect(() => evaluateFiles(gtFile, broken, options)).toThrow(message);
    expect(() => evaluateFiles(dtFile, dtFile)).toThrow(`${dtFile}: expected an object with images and annotations`);
    expect(() => evaluateFiles(gtFile, gtFile)).toThrow(`${gtFile}: expected a list of results, received an object`);
    expect(() => evaluateFiles(file('few.json', { annotations: [] }), dtFile)).toThrow('images: expected a list');
    expect(() => evaluateFiles(gtFile, file('cut.json', '[{"image_id": 1'), options)).toThrow(
      'the text ends too early',
    );
  });

  it('are named where they cannot be read', () => {
    const absent = join(folder, 'absent.json');
    for (const read of [readCoco, readCategories, (path: string) => evaluateFiles(path, dtFile)]) {
      expect(() => read(absent)).toThrow(new RegExp(`^${absent}: no such file$`));
      expect(() => read(folder)).toThrow(`${folder}: expected a file, received a folder`);
      expect(() => read('/dev/null')).toThrow('/dev/null: expected a file, received a pipe or device');
    }
    expect(() => evaluateFiles(gtFile, absent)).toThrow(`${absent}: no such file`);
  });

  it('give their categories alone, with names as text', () => {
    const names = file(
      'names.json',
      `\ufeff{"categories": [{"id": 4, "name": 8}, {"id": 2}], "annotations": [{"id": 1}]}`,
    );
    expect(readCategories(names)).toEqual([
      { id: 4, name: '8' },
      { id: 2, name: '2' },
    ]);
    const twice = file('twice.json', { categories: [{ id: 4 }, { id: 4 }] });
    expect(() => readCategories(twice)).toThrow(
      `${twice}: categories[1]: id: expected an id that no other category has, received 4`,
    );
    expect(() => readCategories(file('none.json', { images: [] }))).toThrow(
      'categories: expected a list, received nothing',
    );
  });

  it('say which record and field is wrong, with numbers as they are written', () => {
    const ids = file('ids.json', '{"images": [{"id": 1}, {"name": "a", "id": 1234567890123456790}], "categories": []}');
    const wide = `${ids}: images[1]: id: expected an integer of at most 53 bits, received 1234567890123456790`;
    for (const read of [readCoco, (path: string) => evaluateFiles(path, dtFile)]) expect(() => read(ids)).toThrow(wide);
    const results = file(
      'wide.json',
      '[{"image_id": 9223372036854775807, "category_id": 1, "score": 1, "bbox": [0, 0, 1, 1]}]',
    );
    const label = `${results}[0] (image_id 9223372036854775807): image_id: expected the id of an image`;
    expect(() => evaluateFiles(gtFile, results)).toThrow(label);
    expect(() => readResults(readCoco(gtFile), results)).toThrow('received 9223372036854775807');
    const text = JSON.stringify(dt).replace(/"score":[^,}]+/, '"score":NaN');
    const at = text.indexOf('NaN');
    const nan = file('not-a-number.json', text);
    const label2 = `${nan}[0] (image_id ${dt[0]!.image_id}): score: expected a JSON value, received NaN at byte ${at}`;
    expect(() => evaluateFiles(gtFile, nan, options)).toThrow(new CocoFormatError(label2));
    expect(() => readResults(readCoco(gtFile), nan)).toThrow(new CocoFormatError(label2));
    const twice = file('lists.json', '{"images": [], "images": [], "categories": []}');
    for (const read of [readCoco, (path: string) => evaluateFiles(path, dtFile)]) {
      expect(() => read(twice)).toThrow(`${twice}: images: expected one list, received a second`);
    }
  });

  it('are evaluated without WebAssembly too', () => {
    const { evaluateFiles: evaluate } = withoutWasm(() => jest.requireActual<typeof node>('.'));
    expect([...evaluate(gtFile, dtFile, options).stats]).toEqual(expected.stats);
  });

  it('are evaluated by a few threads, however many are asked for', async () => {
    expect((await evaluateFilesInThreads(gtFile, dtFile, { threads: 1e6 })).text).toBe(
      evaluateFiles(gtFile, dtFile).text,
    );
  });

  it('refuse a number of threads that is none', async () => {
    await expect(evaluateFilesInThreads(gtFile, dtFile, { threads: 0 })).rejects.toThrow(
      'threads: expected a whole number',
    );
  });
});

interface Run {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** The package as JavaScript, for threads start from files that Node can run. */
function build(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) build(join(from, entry.name), join(to, entry.name));
    else if (!entry.name.endsWith('.spec.ts')) {
      const options = {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
      } as const;
      const { code } = transformFileSync(join(from, entry.name), options);
      writeFileSync(join(to, entry.name.replace(/ts$/, 'js')), code);
    }
  }
}

const built = join(folder, 'built');
beforeAll(() => build(join(__dirname, '..'), built));

const cli = (...args: string[]): Promise<Run> => start(join(built, 'node/cli.js'), ...args);

function start(...args: string[]): Promise<Run> {
  return new Promise((done) =>
    execFile(process.execPath, args, (error, out, err) =>
      done({ code: error ? Number(error.code) : 0, out, error: err }),
    ),
  );
}

describe('cocoeval', () => {
  it('prints the official table and writes JSON', async () => {
    const json = join(folder, 'out.json');
    const { code, out } = await cli(gtFile, dtFile, '--type', 'segm', '--per-category', '--json', json);
    const { text, stats } = evaluateDetections(gt, dt, options);
    expect(code).toBe(0);
    expect(out.startsWith(`${text}\n\ncategory`)).toBe(true);
    expect(out).toMatch(/\nx +0\.\d{3} +0\.\d{3}/);
    const written = JSON.parse(readFileSync(json, 'utf8')) as { stats: number[]; perCategory: unknown[] };
    expect(written.stats).toEqual([...stats]);
    expect(written.perCategory).toHaveLength(3);
  });

  it('shows names as a terminal may have them', async () => {
    const categories = gt.categories.map((category) => ({ ...category, name: `\u001b[2J${'x'.repeat(1e6)}` }));
    const { code, out } = await cli(file('names.json', { ...gt, categories }), dtFile, '--per-category');
    expect([code, out.length < 5000]).toEqual([0, true]);
    expect(out).toContain('\\u001b[2Jxxx');
  });

  it('refuses more categories than their curves have room for', async () => {
    const more = Array.from({ length: 30_000 }, (_, i) => ({ id: 1000 + i, name: `${i}` }));
    const crowded = file('crowded.json', { ...gt, categories: [...gt.categories, ...more] });
    const { code, error } = await cli(crowded, dtFile, '--images', String(gt.images[0]!.id));
    expect(code).toBe(1);
    expect(error).toMatch(
      /^cocoeval: expected at most 268435456 values of precision, received \d+: 10 thresholds, .*\n$/,
    );
  });

  it('gives names that are numbers as text', async () => {
    const categories = gt.categories.map((category, i) => ({ ...category, name: 10 ** i }));
    const numeric = file('numeric.json', { ...gt, categories });
    const { code, out } = await cli(numeric, dtFile, '--type', 'segm', '--per-category', '--errors');
    expect(code).toBe(0);
    expect(out).toMatch(/\n10 .*\n1 .*\n100 /);
  });

  it('runs from the sources, with threads', async () => {
    const source = join(__dirname, 'cli.ts');
    const { code, out, error } = await start(
      '-C',
      '@pyramidal/source',
      '--import',
      'tsx',
      source,
      gtFile,
      dtFile,
      '--type=segm',
      '--threads=2',
    );
    expect(error).toBe('');
    expect(code).toBe(0);
    expect(out.trimEnd()).toBe(evaluateDetections(gt, dt, options).text);
    expect((await evaluateFilesInThreads(gtFile, dtFile, { ...options, threads: 2 })).stats).toEqual(
      Float64Array.from(expected.stats!),
    );
  });

  it('says the same in three threads', async () => {
    const { out } = await cli(gtFile, dtFile, '--type', 'segm', '--threads', '3');
    expect(out.trimEnd()).toBe(evaluateDetections(gt, dt, options).text);
  });

  it('ends with 2 on wrong usage, with 1 on wrong input, with one line', async () => {
    const usage = await cli(gtFile, dtFile, '--type', 'polygon');
    expect(usage).toMatchObject({ code: 2, out: '' });
    expect(usage.error).toBe(
      'cocoeval: --type: expected bbox, segm or keypoints, received polygon (see cocoeval --help)\n',
    );
    const broken = file('nan.json', [{ ...dt[0], score: null }]);
    const input = await cli(gtFile, broken, '--type', 'segm', '--threads', '2');
    expect(input.code).toBe(1);
    expect(input.error).toBe(
      `cocoeval: ${broken}[0] (image_id ${dt[0]!.image_id}): score: expected a finite number, received null\n`,
    );
    const folderless = await cli(gtFile, dtFile, '--json', join(folder, 'absent/out.json'));
    expect(folderless).toMatchObject({ code: 2, out: '' });
    expect(folderless.error).toContain(`cocoeval: --json: ${join(folder, 'absent')}: no such folder`);
    const absent = await cli(gtFile, join(folder, 'absent.json'), '--threads', '2');
    expect(absent).toEqual({ code: 1, out: '', error: `cocoeval: ${join(folder, 'absent.json')}: no such file\n` });
    expect((await cli('--help')).out).toContain('cocoeval GT.json DT.json [options]');
  });
});

const IMPORTED = /(?:^(?:import|export)\b[^;]*?\bfrom |\b(?:import|require)\()'([^']+)'/gm;

describe('the main entry', () => {
  it('imports nothing of Node, so that browsers can load it', () => {
    const seen = new Set<string>();
    const outside = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const [, target] of readFileSync(path, 'utf8').matchAll(IMPORTED)) {
        if (target!.startsWith('.')) visit(`${resolve(dirname(path), target!)}.ts`);
        else outside.add(target!);
      }
    };
    visit(join(__dirname, '../index.ts'));
    expect(seen.size).toBeGreaterThan(20);
    expect([...outside]).toEqual([]);
    expect([...seen].filter((path) => /\b(Buffer|process)\b\./.test(readFileSync(path, 'utf8')))).toEqual([]);
  });
});
