import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { requireSize, surveyPictures } from './size-check';

describe('sizes of labelled pictures', () => {
  let folder: string;
  let turned: string;
  let plain: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sizes-'));
    [turned, plain] = [join(folder, 'turned.jpg'), join(folder, 'plain.jpg')];
    const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: '#123456' } });
    await writeFile(turned, await picture.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer());
    await writeFile(plain, await picture.jpeg().toBuffer());
  });
  afterAll(() => rm(folder, { recursive: true }));

  const tall = () => ({ file: turned, width: 48, height: 64 });
  const wide = () => ({ file: turned, width: 64, height: 48 });

  it('name EXIF where the other way to read a picture would fit', async () => {
    await expect(requireSize({ width: 64, height: 48 }, tall(), 'stored')).rejects.toMatchObject({
      name: 'BrokenImageError',
      message:
        `${turned}: expected 48x64 pixels as its labels have, received 64x48; ` +
        'its EXIF orientation is 6, and with data.orientation: exif the size is right',
    });
    await expect(surveyPictures([wide()], { orientation: 'exif', onBroken: 'fail' })).rejects.toThrow(
      'received 48x64; its EXIF orientation is 6, and with data.orientation: stored the size is right',
    );
  });

  it('do not speak of EXIF where neither fits', async () => {
    const other = { file: plain, width: 48, height: 64 };
    await expect(requireSize({ width: 64, height: 48 }, other, 'stored')).rejects.toThrow(
      /expected 48x64 pixels as its labels have, received 64x48$/,
    );
  });

  it('are right as they are turned, and a note counts tags that are not followed', async () => {
    expect(await surveyPictures([tall()], { orientation: 'exif', onBroken: 'fail' })).toEqual([]);
    const notes = await surveyPictures([wide(), { ...wide(), file: plain }], {
      orientation: 'stored',
      onBroken: 'fail',
    });
    expect(notes).toEqual([
      expect.stringMatching(
        /^1 of 2 images have an EXIF orientation that is not followed; with data\.orientation: exif/,
      ),
    ]);
  });

  it('are not more than what may be decoded, also where no label tells them', async () => {
    const survey = { orientation: 'exif', maxPixels: 64 * 48 - 1, onBroken: 'fail' } as const;
    const reason = `${turned}: cannot be decoded: expected at most 3071 pixels (maxPixels), received 64x48`;
    for (const picture of [tall(), { file: turned }]) {
      await expect(surveyPictures([picture], survey)).rejects.toThrow(reason);
      expect(await surveyPictures([picture], { ...survey, maxPixels: 64 * 48 })).toEqual([]);
      expect(await surveyPictures([picture], { ...survey, onBroken: 'skip' })).toEqual([]);
    }
  });

  it('pass over broken pictures where such are skipped', async () => {
    const gone = { file: join(folder, 'gone.jpg'), width: 1, height: 1 };
    await expect(surveyPictures([gone], { orientation: 'exif', onBroken: 'fail' })).rejects.toThrow('gone.jpg');
    expect(await surveyPictures([gone, wide()], { orientation: 'exif', onBroken: 'skip' })).toEqual([]);
  });
});
