#include "server.h"

#include "kernel.h"
#include "tensorflow/c/c_api.h"

namespace pyramidal {

std::string StartServer(const std::string &definition) {
  const Status status;
  TF_Server *const server = TF_NewServer(definition.data(), definition.size(), status.it);
  status.Check();
  TF_ServerStart(server, status.it);
  status.Check();
  return TF_ServerTarget(server);
}

}  // namespace pyramidal
