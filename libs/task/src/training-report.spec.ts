import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileError } from '@pyramidal/files';
import { renewTrainingReport, writeTrainingReport } from './training-report';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'training-report-'));
  mkdirSync(join(folder, 'a'));
  writeFileSync(join(folder, 'a/metrics.jsonl'), '{"kind":"evaluation","step":3,"top1":0.625}\n');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('draws what a run has logged', () => {
  renewTrainingReport(join(folder, 'a'));
  expect(readFileSync(join(folder, 'a/report.html'), 'utf8')).toContain('data-value="0.625"');
});

it('leaves a run in peace whose page cannot be written', () => {
  mkdirSync(join(folder, 'a/report.html'));
  const say = jest.spyOn(console, 'error').mockImplementation();
  renewTrainingReport(join(folder, 'a'));
  expect(say.mock.calls).toEqual([[expect.stringMatching(/report\.html.*; training goes on without its report$/)]]);
  say.mockRestore();
});

it('refuses to compare what is no run', () => {
  const out = join(folder, 'both.html');
  expect(() => writeTrainingReport([join(folder, 'a'), join(folder, 'b')], out)).toThrow(FileError);
  expect(() => writeTrainingReport([join(folder, 'b')], out)).toThrow(
    /b.*expected the folder of a run, with its metrics.jsonl/,
  );
  writeTrainingReport([join(folder, 'a'), join(folder, 'a')], out);
  expect(readFileSync(out, 'utf8')).toContain('<title>Training of a, a</title>');
});

it.each([
  ['bytes', Buffer.alloc(1000), /a\/metrics\.jsonl: expected the log of a training, received no record of one$/],
  [
    'thousands of numbers',
    `${JSON.stringify({ kind: 'train', step: 1, ...Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`m${i}`, i])) })}\n`,
    /a\/metrics\.jsonl: expected the log of a training, received 2002 different numbers$/,
  ],
])('refuses %s as a log', (_, text, expected) => {
  writeFileSync(join(folder, 'a/metrics.jsonl'), text);
  expect(() => writeTrainingReport([join(folder, 'a')], join(folder, 'x.html'))).toThrow(expected);
});
