// TensorFlow's errors as exceptions of one line.
#ifndef PYRAMIDAL_CHECK_H_
#define PYRAMIDAL_CHECK_H_

#include <stdexcept>
#include <string>

#include "absl/status/status.h"

namespace pyramidal {

inline void Check(const absl::Status &status) {
  if (status.ok()) return;
  // TensorFlow adds the nodes around an error on lines of their own; of a server, the first line says whose it is.
  const std::string message(status.message());
  const size_t end = message.find('\n');
  const bool isHeading = end != std::string::npos && end > 0 && message[end - 1] == ':';
  const size_t start = isHeading ? end + 1 : 0;
  throw std::runtime_error(message.substr(start, message.find('\n', start) - start));
}

}  // namespace pyramidal

#endif  // PYRAMIDAL_CHECK_H_
