// Decodes JPEGs that have no fault.
#ifndef PYRAMIDAL_JPEG_H_
#define PYRAMIDAL_JPEG_H_

#include <cstddef>
#include <cstdint>

namespace pyramidal {

// Whether the TensorFlow in this process has a decoder that keeps its remarks to itself.
bool HasJpegDecoder();

// Decodes a file to 8-bit RGB, as libjpeg does with its usual settings. Any thread may call it.
// @returns whether `pixels` hold the picture: false if it has another size, is damaged or cut, or is not known to be whole.
bool DecodeJpeg(const uint8_t *file, size_t bytes, uint8_t *pixels, int width, int height);

}  // namespace pyramidal

#endif  // PYRAMIDAL_JPEG_H_
