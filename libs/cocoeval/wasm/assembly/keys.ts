/** The names of members that are read, compared as whole words of memory. */

/** Any name that is none of those below. */
export const OTHER: u32 = 0;
export const ID: u32 = 1;
export const IMAGE: u32 = 2;
export const CATEGORY: u32 = 3;
export const SCORE: u32 = 4;
export const CROWD: u32 = 5;
export const AREA: u32 = 6;
export const BOX: u32 = 7;
export const MASK: u32 = 8;
export const SIZE: u32 = 9;
export const COUNTS: u32 = 10;
export const WIDTH: u32 = 11;
export const HEIGHT: u32 = 12;
/** Any of LVIS' names for what it says of an image. */
export const FEDERATED: u32 = 13;

const _ID: u32 = 0x6469; // 'id'
const BBOX: u32 = 0x786f6262; // 'bbox'
const _AREA: u32 = 0x61657261; // 'area'
const _SIZE: u32 = 0x657a6973; // 'size'
const SCOR: u32 = 0x726f6373; // 'scor'
const COUN: u32 = 0x6e756f63; // 'coun'
const TS: u32 = 0x7374; // 'ts'
const ISCR: u32 = 0x72637369; // 'iscr'
const ROWD: u32 = 0x64776f72; // 'rowd'
const IMAGE_ID: u64 = 0x64695f6567616d69; // 'image_id'
const CATEGORY_: u64 = 0x79726f6765746163; // 'category'
const Y_ID: u32 = 0x64695f79; // 'y_id'
const SEGMENTA: u64 = 0x61746e656d676573; // 'segmenta'
const TION: u32 = 0x6e6f6974; // 'tion'
const WIDT: u32 = 0x74646977; // 'widt'
const HEIG: u32 = 0x67696568; // 'heig'
const HT: u32 = 0x7468; // 'ht'
const NEG_CATE: u64 = 0x657461635f67656e; // 'neg_cate'
const GORY_IDS: u64 = 0x7364695f79726f67; // 'gory_ids'
const NOT_EXHA: u64 = 0x616878655f746f6e; // 'not_exha'
const USTIVE_C: u64 = 0x635f657669747375; // 'ustive_c'
const LETTER_E: u32 = 0x65;
const LETTER_H: u32 = 0x68;

/** Which name these bytes are. */
export function keyOf(name: usize, length: usize): u32 {
  const four = load<u32>(name);
  if (length === 8) return load<u64>(name) === IMAGE_ID ? IMAGE : OTHER;
  if (length === 5) {
    if (four === SCOR && load<u8>(name, 4) === LETTER_E) return SCORE;
    return four === WIDT && load<u8>(name, 4) === LETTER_H ? WIDTH : OTHER;
  }
  if (length === 4) return four === BBOX ? BOX : four === _AREA ? AREA : four === _SIZE ? SIZE : OTHER;
  if (length === 11) return load<u64>(name) === CATEGORY_ && load<u32>(name, 7) === Y_ID ? CATEGORY : OTHER;
  if (length === 12) return load<u64>(name) === SEGMENTA && load<u32>(name, 8) === TION ? MASK : OTHER;
  if (length === 7) return four === ISCR && load<u32>(name, 3) === ROWD ? CROWD : OTHER;
  if (length === 6) {
    if (four === COUN && load<u16>(name, 4) === TS) return COUNTS;
    return four === HEIG && load<u16>(name, 4) === HT ? HEIGHT : OTHER;
  }
  if (length === 16) return load<u64>(name) === NEG_CATE && load<u64>(name, 8) === GORY_IDS ? FEDERATED : OTHER;
  if (length === 27) return load<u64>(name) === NOT_EXHA && load<u64>(name, 8) === USTIVE_C ? FEDERATED : OTHER;
  return length === 2 && load<u16>(name) === _ID ? ID : OTHER;
}
