// The JPEG decoder that TensorFlow brings, libjpeg-turbo.
#include "jpeg.h"

#include <cstdio>
#include <functional>
#include <limits>

#if __has_include("tensorflow/core/lib/jpeg/jpeg_mem.h") && defined(__GLIBC__)
#include <unistd.h>

#include <mutex>

// TensorFlow's wheels lack libjpeg's own headers, of which the decoder's header needs no more than this.
#define TENSORFLOW_CORE_PLATFORM_JPEG_H_
enum J_DCT_METHOD { JDCT_ISLOW, JDCT_IFAST, JDCT_FLOAT };
constexpr J_DCT_METHOD JDCT_DEFAULT = JDCT_ISLOW;

#include "tensorflow/core/lib/jpeg/jpeg_mem.h"

namespace tensorflow {
namespace jpeg {

// Other builds of TensorFlow may keep it to themselves.
__attribute__((weak)) uint8_t *Uncompress(const void *, int, const UncompressFlags &, int64_t *,
                                          std::function<uint8_t *(int, int, int)>);

}  // namespace jpeg
}  // namespace tensorflow

namespace pyramidal {
namespace {

using Allocate = std::function<uint8_t *(int, int, int)>;
uint8_t *(*const kUncompress)(const void *, int, const tensorflow::jpeg::UncompressFlags &, int64_t *,
                              Allocate) = &tensorflow::jpeg::Uncompress;

// Whether this thread decodes.
thread_local bool decodes = false;

ssize_t WriteUnlessDecoding(void *, const char *text, size_t size) {
  return decodes ? static_cast<ssize_t>(size) : write(STDERR_FILENO, text, size);
}

// The decoder writes to C's standard error what it finds damaged, without the picture's name. Whoever decodes such a picture in
// another way tells what is wrong with it.
void MuteDecoders() {
  static std::once_flag once;
  std::call_once(once, [] {
    FILE *const muted = fopencookie(nullptr, "w", {nullptr, &WriteUnlessDecoding, nullptr, nullptr});
    if (muted == nullptr) return;
    setvbuf(muted, nullptr, _IONBF, 0);
    stderr = muted;
  });
}

struct Decoding {
  Decoding() { decodes = true; }
  ~Decoding() { decodes = false; }
};

// A file that was cut or that goes on behind its picture has no end marker here.
bool HasEnd(const uint8_t *file, size_t bytes) {
  return bytes > 2 && file[bytes - 2] == 0xff && file[bytes - 1] == 0xd9;
}

}  // namespace

bool HasJpegDecoder() { return kUncompress != nullptr; }

bool DecodeJpeg(const uint8_t *file, size_t bytes, uint8_t *pixels, int width, int height) {
  if (!HasEnd(file, bytes) || bytes > static_cast<size_t>(std::numeric_limits<int>::max())) return false;
  MuteDecoders();
  tensorflow::jpeg::UncompressFlags flags;
  flags.components = 3;
  int64_t warnings = 0;
  const Decoding decoding;
  const uint8_t *const decoded =
      kUncompress(file, static_cast<int>(bytes), flags, &warnings, [=](int columns, int rows, int channels) {
        return columns == width && rows == height && channels == 3 ? pixels : nullptr;
      });
  return decoded != nullptr && warnings == 0;
}

}  // namespace pyramidal

#else

namespace pyramidal {

bool HasJpegDecoder() { return false; }

bool DecodeJpeg(const uint8_t *, size_t, uint8_t *, int, int) { return false; }

}  // namespace pyramidal

#endif
