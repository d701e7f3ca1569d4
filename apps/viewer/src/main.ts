/** The page of features: files and choices in, feature maps and timings out. Steps wait for each other; the last choice wins. */
import { VARIANTS, type VariantName } from '@pyramidal/backbones';
import type { RgbImage } from '@pyramidal/images/portable';
import type { Backbone } from '@pyramidal/nn';
import { ENGINES, openEngine, type Engine } from './engines';
import { acceptFiles } from './accept-files';
import { extractFeatures, timed, type FeatureMaps } from './features';
import { MapCards, showPicture, type ViewKind } from './map-cards';
import { announce, download, duration, element, enqueue, nameOfAddress, offer, showFigures, tell } from './page';
import { decodePicture, networkView, normalised, toImageData } from './picture';
import { saveMaps } from './save-maps';
import { loadBackbone, readWeights, type Weights } from './weights';

const choices = {
  model: element<HTMLSelectElement>('model'),
  engine: element<HTMLSelectElement>('engine'),
  size: element<HTMLInputElement>('size'),
  view: element<HTMLSelectElement>('view'),
};
const saveButton = element<HTMLButtonElement>('save');
const cards = new MapCards(element('maps'), element<HTMLTemplateElement>('map'));

let weights: Weights | undefined;
let picture: RgbImage | undefined;
let maps: FeatureMaps | undefined;
/** The backbone with its values on an engine, kept until weights, model or engine change. */
let loaded: { readonly key: string; readonly backbone: Backbone; readonly milliseconds: number } | undefined;

async function takeWeights(file: Blob, name: string): Promise<void> {
  await announce(`Reading ${name}`);
  weights = await readWeights(file, name);
  loaded?.backbone.dispose();
  loaded = undefined;
  element('weights-name').textContent = name;
  const { identified } = weights;
  choices.model.options[0]!.text = identified ? nameOf(weights) : 'unknown';
  await update();
}

function nameOf({ identified }: Weights): string {
  if (!identified) return 'unknown';
  return identified.sizes === undefined ? identified.variant : `${identified.variant}, own sizes`;
}

async function takePicture(file: Blob, name: string): Promise<void> {
  await announce(`Decoding ${name}`);
  picture = await decodePicture(file, name);
  element('picture-name').textContent = `${name}, ${picture.width} × ${picture.height}`;
  await update();
}

/** Runs the backbone as the page now stands. */
async function update(): Promise<void> {
  if (!weights || !picture) {
    tell('idle', weights ? 'Drop a picture to begin.' : 'Drop weights to begin.');
    return;
  }
  if (!choices.size.checkValidity()) throw new Error('pixels a side: expected a multiple of 32 from 32 to 1024');
  const size = choices.size.valueAsNumber;
  const view = networkView(picture, size);
  showPicture(element('input'), toImageData(view));

  await announce('Opening the engine');
  const { engine, detail } = await openEngine(choices.engine.value as Engine | 'auto');
  await announce(`Loading ${weights.name}`);
  const { backbone, milliseconds } = await backboneOn(engine, weights);
  await announce(`Running on ${engine}`);
  const extraction = await extractFeatures(backbone, normalised(view), size);

  maps = extraction.maps;
  cards.show(maps, backbone.levels);
  saveButton.disabled = false;
  const model = choices.model.value === 'auto' ? nameOf(weights) : choices.model.value;
  showFigures({
    Parameters: `${(backbone.parameterCount() / 1e6).toFixed(2)} M`,
    Engine: `${engine}, ${detail}`,
    'Loading the weights': duration(milliseconds),
    'First run': duration(extraction.first),
    'Warm run': duration(extraction.warm),
  });
  tell('ready', `${model} on ${engine}: ${duration(extraction.warm)} a picture`);
}

async function backboneOn(engine: Engine, from: Weights): Promise<NonNullable<typeof loaded>> {
  const key = `${engine} ${choices.model.value}`;
  if (loaded?.key === key) return loaded;
  loaded?.backbone.dispose();
  loaded = undefined;
  const { result, milliseconds } = await timed(() => loadBackbone(from, choices.model.value as VariantName | 'auto'));
  return (loaded = { key, backbone: result, milliseconds });
}

function setView(): void {
  document.body.dataset['view'] = choices.view.value;
  cards.look(choices.view.value as ViewKind);
}

/** `?weights=URL&image=URL&model=NAME&engine=NAME&size=PIXELS` */
function followAddress(): void {
  const asked = new URLSearchParams(location.search);
  for (const key of ['model', 'engine', 'size'] as const) {
    const value = asked.get(key);
    if (value !== null) choices[key].value = value;
  }
  const sources = { weights: takeWeights, image: takePicture };
  for (const [key, take] of Object.entries(sources)) {
    const address = asked.get(key);
    if (address !== null) enqueue(async () => take(await download(address), nameOfAddress(address)));
  }
}

offer(choices.model, Object.keys(VARIANTS));
offer(choices.engine, ENGINES);
acceptFiles(element('weights-drop'), ([file]) => enqueue(() => takeWeights(file, file.name)));
acceptFiles(element('picture-drop'), ([file]) => enqueue(() => takePicture(file, file.name)));
for (const choice of [choices.model, choices.engine, choices.size]) {
  choice.addEventListener('change', () => enqueue(update));
}
choices.view.addEventListener('change', setView);
saveButton.addEventListener('click', () => maps && saveMaps(maps));
setView();
followAddress();
