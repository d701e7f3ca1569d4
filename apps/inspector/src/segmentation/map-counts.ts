/** Pixels by label and prediction of image after image, those that are not 0. */
import type { ConfusionCell } from '../protocol';

/** Takes the images in their order. */
export class MapCounts {
  private readonly starts = [0];
  /** Label times the number of classes, plus prediction. */
  private readonly places: number[] = [];
  private readonly pixels: number[] = [];

  constructor(private readonly classes: number) {}

  /** @param confusion [K, K] row-major: rows labelled, columns predicted. */
  add(confusion: ArrayLike<number>): void {
    for (let cell = 0; cell < confusion.length; cell++) {
      if (confusion[cell] === 0) continue;
      this.places.push(cell);
      this.pixels.push(confusion[cell]!);
    }
    this.starts.push(this.places.length);
  }

  cells(image: number): ConfusionCell[] {
    return this.range(image).map((i) => {
      const place = this.places[i]!;
      return [Math.floor(place / this.classes), place % this.classes, this.pixels[i]!];
    });
  }

  total(image: number): { readonly wrong: number; readonly pixels: number } {
    let [wrong, pixels] = [0, 0];
    for (const [row, column, count] of this.cells(image)) {
      pixels += count;
      if (row !== column) wrong += count;
    }
    return { wrong, pixels };
  }

  private range(image: number): number[] {
    const [from, to] = [this.starts[image]!, this.starts[image + 1]!];
    return Array.from({ length: to - from }, (_, i) => from + i);
  }
}
