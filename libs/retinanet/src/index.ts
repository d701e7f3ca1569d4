export { RETINANET_DEFAULTS, RetinaNet, type RetinaNetOptions } from './retinanet';
export {
  RetinaHead,
  type RetinaDetectionOptions,
  type RetinaHeadOptions,
  type RetinaLevel,
  type RetinaLosses,
} from './retina-head';
