/** Parameters of a request, checked. */
import { RequestError } from './request-error';
import type { Ask } from './served-model';

/** A number from 0 to 1. @throws RequestError */
export function readShare(query: Ask['query'], name: string, otherwise: number): number {
  const text = query[name];
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new RequestError(`${name}: expected a number from 0 to 1, received '${text}'`);
}

/** One of some words, the first of them by default. @throws RequestError */
export function readChoice<Word extends string>(query: Ask['query'], name: string, words: readonly Word[]): Word {
  const text = query[name] ?? words[0];
  const word = words.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  throw new RequestError(`${name}: expected ${words.join(', ')}, received '${text}'`);
}
