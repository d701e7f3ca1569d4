/** COCO's numbers for a results file: `npm start instances_val2017.json results.json segm`. */
import { CocoFormatError } from '@cocoeval/ts';
import { evaluateFiles } from '@cocoeval/ts/node';

const [annotations, results, iouType = 'bbox'] = process.argv.slice(2);
if (annotations === undefined || results === undefined || (iouType !== 'bbox' && iouType !== 'segm')) {
  console.error('usage: npm start ANNOTATIONS RESULTS [bbox|segm]');
  process.exit(2);
}
try {
  const report = evaluateFiles(annotations, results, { iouType });
  console.log(report.text); // the twelve lines of pycocotools
  for (const { name, AP } of report.perCategory()) console.log(name.padEnd(20), AP.toFixed(3));
} catch (error) {
  if (!(error instanceof CocoFormatError)) throw error;
  console.error(error.message); // names the record and the field
  process.exitCode = 1;
}
