/** Text of a file as it may stand in a message: on one line, without control characters, at most so many of them. */
export function clip(text: string, length = 60): string {
  const start = text.slice(0, length);
  // eslint-disable-next-line no-control-regex
  const line = start.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, escapeCharacter);
  return text.length > length || line.length > length ? `${line.slice(0, length)}...` : line;
}

function escapeCharacter(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
