// `decodeJpeg` for JavaScript.
#ifndef PYRAMIDAL_JPEG_WORK_H_
#define PYRAMIDAL_JPEG_WORK_H_

#include "call.h"
#include "jpeg.h"

namespace pyramidal {

// `decodeJpeg(file, pixels, width, height)` decodes in a thread of libuv's, and promises whether `pixels` hold the picture.
napi_value StartJpegWork(const Call &call);

}  // namespace pyramidal

#endif  // PYRAMIDAL_JPEG_WORK_H_
