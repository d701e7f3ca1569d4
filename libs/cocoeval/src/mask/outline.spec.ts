import fc from 'fast-check';
import * as mask from './mask';

/** A bitmap drawn with `#`. */
function bitmap(...rows: string[]): mask.Bitmap {
  const data = rows.flatMap((row) => [...row].map((character) => Number(character === '#')));
  return { height: rows.length, width: rows[0]!.length, data };
}

describe('toPolygons', () => {
  it('goes round a region along the edges of its pixels, with a point at each corner', () => {
    expect(mask.toPolygons(mask.encode(bitmap('....', '.##.', '.#..')))).toEqual([
      [1, 1, 3, 1, 3, 2, 2, 2, 2, 3, 1, 3],
    ]);
  });

  it('gives a polygon for each region; those that touch at a corner are two', () => {
    expect(mask.toPolygons(mask.encode(bitmap('#.', '.#')))).toEqual([
      [0, 0, 1, 0, 1, 1, 0, 1],
      [1, 1, 2, 1, 2, 2, 1, 2],
    ]);
  });

  it('fills holes, and gives nothing for an empty mask', () => {
    expect(mask.toPolygons(mask.encode(bitmap('###', '#.#', '###')))).toEqual([[0, 0, 3, 0, 3, 3, 0, 3]]);
    expect(mask.toPolygons(mask.encode(bitmap('..', '..')))).toEqual([]);
  });

  it('rasterises to the same mask, holes filled', () => {
    const drawn = fc
      .record({ height: fc.integer({ min: 1, max: 12 }), width: fc.integer({ min: 1, max: 12 }) })
      .chain(({ height, width }) => {
        const size = { minLength: height * width, maxLength: height * width };
        return fc.record({ height: fc.constant(height), width: fc.constant(width), data: fc.array(fc.nat(1), size) });
      });
    fc.assert(
      fc.property(drawn, ({ height, width, data }) => {
        const polygons = mask.toPolygons(mask.encode({ height, width, data }));
        const again = polygons.length === 0 ? [] : mask.fromPolygons(polygons, height, width);
        const pixels = again.length === 0 ? new Uint8Array(height * width) : mask.decode(mask.merge(again)).data;
        expect([...pixels]).toEqual(withoutHoles(data, width, height));
      }),
    );
  });
});

/** What cannot be reached from outside, through pixels that touch at a side or a corner, is a hole. */
function withoutHoles(data: readonly number[], width: number, height: number): number[] {
  const outside = new Set<string>();
  const waiting = [[-1, -1]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [x, y] = next as [number, number];
    const key = `${x},${y}`;
    const isWithin = x >= -1 && y >= -1 && x <= width && y <= height;
    const isInside = x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === 1;
    if (!isWithin || isInside || outside.has(key)) continue;
    outside.add(key);
    for (const dx of [-1, 0, 1]) for (const dy of [-1, 0, 1]) waiting.push([x + dx, y + dy]);
  }
  return data.map((_, i) => Number(!outside.has(`${i % width},${Math.floor(i / width)}`)));
}
