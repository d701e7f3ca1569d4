import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@pyramidal/config';
import { assembleSegmentor } from './assemble';
import { segmentationSchema } from './config';

const FOLDER = join(__dirname, '../../../configs/segmentation');
const complete = readdirSync(FOLDER).filter((name) => name.includes('groupmixformer') || name === 'sample.yaml');

it.each(complete)('%s describes a network', (name) => {
  const { config } = loadConfig(segmentationSchema, join(FOLDER, name));
  const segmentor = assembleSegmentor(config, 150);
  expect(segmentor.classes).toBe(150);
  expect([...segmentor.state().keys()]).toContain('decode_head.conv_seg.weight');
});
