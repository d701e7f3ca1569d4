import { PassThrough } from 'node:stream';
import { showProgress } from './progress-bar';

describe('showProgress', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => jest.restoreAllMocks());

  it('writes plain lines where nobody watches: each step, and now and then how far a long transfer is', () => {
    let written = '';
    const stream = new PassThrough().on('data', (chunk) => (written += String(chunk)));
    const progress = showProgress(stream);
    progress.step('Downloading x');
    for (let done = 0; done <= 100e6; done += 5e6, now += 2000) progress.bytes(done, 100e6);
    progress.step('Unpacking x');
    for (let done = 0; done <= 1e6; done += 1e5) progress.bytes(done, 1e6);
    progress.bytes(5e6);
    progress.end();
    expect(written.split('\n')).toEqual([
      'Downloading x',
      '  25 of 100 MB, 30 s left',
      '  50 of 100 MB, 20 s left',
      '  75 of 100 MB, 10 s left',
      '  100 of 100 MB, 0 s left',
      'Unpacking x',
      '',
    ]);
  });

  it('draws a bar where people watch, and takes it away', () => {
    let written = '';
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    stream.on('data', (chunk) => (written += String(chunk)));
    const progress = showProgress(stream);
    for (let done = 0; done <= 10e6; done += 5e6, now += 1000) progress.bytes(done, 20e6);
    expect(written).toContain(`${'█'.repeat(15)}${'░'.repeat(15)} 10 of 20 MB, 2 s left\n`);
    progress.end();
    expect(written.endsWith('\x1b[1A\r\x1b[J')).toBe(true);
  });
});
