/** Results by key, those used last, of so many bytes at most. */
export class ByteCache {
  private readonly kept = new Map<string, Uint8Array>();
  private bytes = 0;

  constructor(private readonly mostBytes: number) {}

  get(key: string): Uint8Array | undefined {
    const found = this.kept.get(key);
    if (found === undefined) return undefined;
    this.kept.delete(key);
    this.kept.set(key, found); // the last one again
    return found;
  }

  add(key: string, value: Uint8Array): void {
    if (value.length > this.mostBytes) return;
    this.bytes += value.length - (this.kept.get(key)?.length ?? 0);
    this.kept.delete(key);
    this.kept.set(key, value);
    for (const [oldest, { length }] of this.kept) {
      if (this.bytes <= this.mostBytes) break;
      this.kept.delete(oldest);
      this.bytes -= length;
    }
  }
}
