import { Writable } from 'node:stream';
import { showProgress } from './progress-bar';

describe('showProgress', () => {
  it('writes plain lines where nobody watches: each step, and each quarter of a large transfer', () => {
    let written = '';
    const stream = new Writable({
      write(chunk: Buffer, _encoding, next) {
        written += chunk.toString();
        next();
      },
    });
    const progress = showProgress(stream as NodeJS.WriteStream);
    progress.step('Downloading x');
    for (let done = 0; done <= 100e6; done += 5e6) progress.bytes(done, 100e6);
    progress.step('Unpacking x');
    for (let done = 0; done <= 1e6; done += 1e5) progress.bytes(done, 1e6);
    progress.bytes(5e6);
    progress.end();
    expect(written.split('\n')).toEqual([
      'Downloading x',
      '  25 of 100 MB',
      '  50 of 100 MB',
      '  75 of 100 MB',
      '  100 of 100 MB',
      'Unpacking x',
      '',
    ]);
  });
});
