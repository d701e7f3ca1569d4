/** A trained model behind HTTP: images in, JSON out. */
export { readChoice, readShare } from './query';
export { RequestError } from './request-error';
export { openService, type Service, type ServiceOptions } from './service';
export { serveUntilStopped, stopSignal } from './serve-until-stopped';
export type { Ask, ServedModel } from './served-model';
