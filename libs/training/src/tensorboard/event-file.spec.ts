/** TensorBoard's event files against bytes that TensorBoard writes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from './crc32c';
import type { EventRecord } from './event';
import { encodeRecord, eventFileName } from './event-file';

const fixture = JSON.parse(readFileSync(join(__dirname, '../../fixtures/events.json'), 'utf8')) as Record<
  string,
  string
>;

describe('crc32c', () => {
  it('gives the check value of the Castagnoli polynomial', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(0))).toBe(0);
  });
});

describe('encodeRecord', () => {
  const png = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256));

  it.each<[string, Omit<EventRecord, 'wallTime'>]>([
    ['version', { content: { fileVersion: 'brain.Event:2' } }],
    ['start', { step: 70000, content: { sessionStart: true } }],
    ['scalars', { step: 3_000_000_000, content: { scalars: { 'train/loss': 0.1, lr: 1e-30 } } }],
    ['image', { step: 1, content: { images: { eval: { width: 300, height: 2, png } } } }],
  ])('gives the bytes of TensorBoard itself (fixtures/make_events.py): %s', (name, event) => {
    expect(encodeRecord({ wallTime: 1700000000.125, ...event }).toString('hex')).toBe(fixture[name]);
  });
});

describe('eventFileName', () => {
  it('holds what TensorBoard looks for, in an order that sorts by time', () => {
    expect(eventFileName(new Date(1_700_000_000_999), 'host', 12)).toBe('events.out.tfevents.1700000000.host.12');
  });
});
