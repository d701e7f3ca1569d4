import { contentProblems } from './page-contents';

const PROMISED = { sections: ['Loss', 'Rates'], charts: ['Loss'], tables: ['Evaluations: step, boxAP'], controls: [] };

it('has nothing to say of a page that shows what it promised', () => {
  expect(contentProblems('training', PROMISED, PROMISED)).toEqual([]);
});

it('names what a page lost, and what it gained', () => {
  const shown = {
    sections: ['Loss'],
    charts: ['Loss', 'Throughput'],
    tables: ['Evaluations: step, maskAP'],
    controls: [],
  };
  expect(contentProblems('training', PROMISED, shown)).toEqual([
    "training, sections: the page no longer has 'Rates'",
    "training, charts: the page now has 'Throughput'",
    "training, tables: the page no longer has 'Evaluations: step, boxAP'",
    "training, tables: the page now has 'Evaluations: step, maskAP'",
  ]);
});
