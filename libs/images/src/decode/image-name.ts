/** Which files of a folder are taken for pictures. */
import { extname } from 'node:path';

/** Of the formats that are decoded. */
export const IMAGE_EXTENSIONS: readonly string[] = ['.jpg', '.jpeg', '.jfif', '.png', '.webp', '.gif', '.tif', '.tiff'];

/** Whether a file is taken for a picture by its name; what it holds is told when it is decoded. */
export const isImageName = (file: string): boolean => IMAGE_EXTENSIONS.includes(extname(file).toLowerCase());
