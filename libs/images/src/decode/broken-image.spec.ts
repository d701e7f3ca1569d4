import { FileError } from '@pyramidal/files';
import { naming } from './broken-image';

it.each([
  [new Error('Input buffer has corrupt header:'), 'Input buffer has corrupt header'],
  [new Error('Input buffer has corrupt header: \nmore'), 'Input buffer has corrupt header'],
  [new FileError('a\n\n\u001bb.png', 'is a folder, expected a file'), 'is a folder, expected a file'],
])('names a picture and what is wrong with it in one line, whatever its name holds: %s', async (error, reason) => {
  const fails = (): Promise<never> => Promise.reject(error);
  await expect(naming('a\n\n\u001bb.png', fails)).rejects.toThrow(
    expect.objectContaining({ message: `a b.png: cannot be decoded: ${reason}`, image: 'a\n\n\u001bb.png' }),
  );
});
