import { blankImage } from '@pyramidal/images';
import { contactSheet } from './contact-sheet';
import { tintHeat } from './heat-map';

describe('tintHeat', () => {
  const image = blankImage({ width: 3, height: 1 }, [100, 100, 100]);

  it('mixes blue into the least value and red into the most', () => {
    const { data } = tintHeat(image, Float32Array.of(2, 4, 3), 1);
    expect([...data]).toEqual([0, 0, 143, 128, 0, 0, 128, 255, 128]);
    expect([...tintHeat(image, Float32Array.of(2, 4, 3), 0.5).data.subarray(3, 6)]).toEqual([114, 50, 50]);
    expect([...tintHeat(image, Float32Array.of(1, 1, 1), 1).data.subarray(0, 3)]).toEqual([0, 0, 143]);
  });

  it('names the size that it expects', () => {
    expect(() => tintHeat(image, new Float32Array(2))).toThrow('tintHeat: expected 3x1 values, received 2');
  });
});

describe('contactSheet', () => {
  it('puts three pictures into two rows', () => {
    const shade = (value: number) => blankImage({ width: 2, height: 1 }, [value, value, value]);
    const { data, width, height } = contactSheet([shade(1), shade(2), shade(3)]);
    expect([width, height]).toEqual([8, 6]);
    const reds = Array.from({ length: width * height }, (_, pixel) => data[3 * pixel]);
    expect(reds.slice(0, 8)).toEqual([1, 1, 255, 255, 255, 255, 2, 2]);
    expect(reds.slice(-8)).toEqual([3, 3, 255, 255, 255, 255, 255, 255]);
  });

  it('names the picture of another size', () => {
    const pictures = [blankImage({ width: 2, height: 1 }), blankImage({ width: 1, height: 1 })];
    expect(() => contactSheet(pictures)).toThrow('contactSheet: expected pictures of 2x1, received 1x1 at index 1');
  });
});
