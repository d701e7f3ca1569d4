// Calls from JavaScript: their arguments, and errors.
#ifndef PYRAMIDAL_CALL_H_
#define PYRAMIDAL_CALL_H_

#include <node_api.h>

#include <stdexcept>
#include <vector>

namespace pyramidal {

inline void Require(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  const napi_extended_error_info *info = nullptr;
  napi_get_last_error_info(env, &info);
  const char *message = info == nullptr ? nullptr : info->error_message;
  throw std::runtime_error(message == nullptr ? "Node.js refused a value" : message);
}

inline int IntegerOf(napi_env env, napi_value value) {
  int32_t number = 0;
  Require(env, napi_get_value_int32(env, value, &number));
  return number;
}

struct Bytes {
  const char *data;
  size_t size;
};

inline Bytes BytesOf(napi_env env, napi_value array) {
  napi_typedarray_type type;
  size_t length = 0;
  void *data = nullptr;
  Require(env, napi_get_typedarray_info(env, array, &type, &length, &data, nullptr, nullptr));
  const bool isWide = type == napi_float32_array || type == napi_int32_array;
  if (!isWide && type != napi_uint8_array) throw std::runtime_error("expected a Float32Array, Int32Array or Uint8Array");
  return {static_cast<const char *>(data), length * (isWide ? 4 : 1)};
}

using Arguments = std::vector<napi_value>;

struct Call {
  napi_env env;
  napi_value self;
  Arguments arguments;
};

// Runs a method; whatever it throws becomes an error of JavaScript.
template <napi_value (*method)(const Call &)>
napi_value Guarded(napi_env env, napi_callback_info info) {
  try {
    size_t count = 4;
    Call call{env, nullptr, Arguments(count)};
    Require(env, napi_get_cb_info(env, info, &count, call.arguments.data(), &call.self, nullptr));
    return method(call);
  } catch (const std::exception &error) {
    bool isPending = false;
    napi_is_exception_pending(env, &isPending);
    if (!isPending) napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

}  // namespace pyramidal

#endif  // PYRAMIDAL_CALL_H_
