// Decodes JPEGs in libuv's threads, straight into the memory that JavaScript gives.
#include "jpeg-work.h"

#include <memory>
#include <string>

namespace pyramidal {
namespace {

struct JpegWork {
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  // Keep the bytes of both until the work is done.
  napi_ref arrays[2] = {nullptr, nullptr};
  Bytes file;
  uint8_t *pixels;
  int width;
  int height;
  bool isDecoded = false;
};

void DecodeInThread(napi_env, void *data) {
  auto &work = *static_cast<JpegWork *>(data);
  const auto *file = reinterpret_cast<const uint8_t *>(work.file.data);
  work.isDecoded = DecodeJpeg(file, work.file.size, work.pixels, work.width, work.height);
}

// When the environment ends meanwhile, nobody waits for the promise any more and what is refused here does not matter.
void Settle(napi_env env, napi_status, void *data) {
  const std::unique_ptr<JpegWork> work(static_cast<JpegWork *>(data));
  napi_value isDecoded = nullptr;
  napi_get_boolean(env, work->isDecoded, &isDecoded);
  napi_resolve_deferred(env, work->deferred, isDecoded);
  for (const napi_ref array : work->arrays) napi_delete_reference(env, array);
  napi_delete_async_work(env, work->work);
}

}  // namespace

napi_value StartJpegWork(const Call &call) {
  const auto &[env, self, arguments] = call;
  const Bytes pixels = BytesOf(env, arguments[1]);
  auto work = std::make_unique<JpegWork>();
  work->file = BytesOf(env, arguments[0]);
  work->pixels = reinterpret_cast<uint8_t *>(const_cast<char *>(pixels.data));
  work->width = IntegerOf(env, arguments[2]);
  work->height = IntegerOf(env, arguments[3]);
  const int64_t expected = int64_t{3} * work->width * work->height;
  if (static_cast<int64_t>(pixels.size) != expected) {
    throw std::runtime_error("decodeJpeg: expected " + std::to_string(expected) + " bytes, received " +
                             std::to_string(pixels.size));
  }
  napi_value name, promise;
  Require(env, napi_create_string_utf8(env, "decodeJpeg", NAPI_AUTO_LENGTH, &name));
  Require(env, napi_create_async_work(env, nullptr, name, &DecodeInThread, &Settle, work.get(), &work->work));
  for (int i = 0; i < 2; i++) Require(env, napi_create_reference(env, arguments[i], 1, &work->arrays[i]));
  Require(env, napi_create_promise(env, &work->deferred, &promise));
  Require(env, napi_queue_async_work(env, work->work));
  work.release();
  return promise;
}

}  // namespace pyramidal
