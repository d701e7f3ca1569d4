import fc from 'fast-check';
import { edgeErrors } from './edge-errors';

const size = { width: 6, height: 1 };

describe('edgeErrors', () => {
  it('tells errors at an edge from those inside', () => {
    const label = Uint8Array.of(0, 0, 0, 1, 1, 255);
    const prediction = Uint8Array.of(1, 0, 1, 1, 0, 0);
    // Edges are marked at their left pixels, 2 and, towards what does not count, 4.
    expect(edgeErrors(prediction, label, { size, edgeWidth: 0 })).toEqual({ pixels: 5, wrong: 3, wrongAtEdges: 2 });
    expect(edgeErrors(prediction, label, { size, edgeWidth: 2 })).toEqual({ pixels: 5, wrong: 3, wrongAtEdges: 3 });
  });

  it('finds what a search around each pixel finds', () => {
    const cell = fc.constantFrom(0, 1, 255);
    const map = fc
      .record({ width: fc.integer({ min: 1, max: 9 }), height: fc.integer({ min: 1, max: 9 }) })
      .chain((of) =>
        fc.record({
          size: fc.constant(of),
          label: fc.uint8Array({ minLength: of.width * of.height, maxLength: of.width * of.height }),
          cells: fc.array(cell, { minLength: of.width * of.height, maxLength: of.width * of.height }),
        }),
      );
    fc.assert(
      fc.property(map, fc.integer({ min: 0, max: 3 }), ({ size: of, label: noise, cells }, edgeWidth) => {
        const label = Uint8Array.from(cells);
        const prediction = noise.map((value) => value % 2);
        const at = (x: number, y: number): number | undefined => (x < of.width && y < of.height ? label[y * of.width + x] : undefined); // prettier-ignore
        const isEdge = (x: number, y: number): boolean => [at(x + 1, y), at(x, y + 1)].some((other) => other !== undefined && other !== at(x, y)); // prettier-ignore
        let expected = 0;
        for (let y = 0; y < of.height; y++) {
          for (let x = 0; x < of.width; x++) {
            const i = y * of.width + x;
            if (label[i] === 255 || label[i] === prediction[i]) continue;
            const near = [...label.keys()].some((j) => {
              const [u, v] = [j % of.width, Math.floor(j / of.width)];
              return isEdge(u, v) && Math.abs(u - x) <= edgeWidth && Math.abs(v - y) <= edgeWidth;
            });
            if (near) expected++;
          }
        }
        expect(edgeErrors(prediction, label, { size: of, edgeWidth }).wrongAtEdges).toBe(expected);
      }),
    );
  });
});
