// TensorFlow's libraries have some 600 MB of code and tables. While they are loaded and initialised, 300 MB of that come into
// the memory of the process, of which some 60 MB are needed later.
#include "library-pages.h"

#if defined(__linux__)
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#endif

namespace pyramidal {

#if defined(__linux__)
namespace {

// Segments that are never written to are copies of the file. Pages that belong to them in part stay.
int ReleaseSegments(dl_phdr_info *library, size_t, void *) {
  const char *slash = std::strrchr(library->dlpi_name, '/');
  const char *name = slash == nullptr ? library->dlpi_name : slash + 1;
  if (std::strncmp(name, "libtensorflow", std::strlen("libtensorflow")) != 0) return 0;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < library->dlpi_phnum; i++) {
    const ElfW(Phdr) &segment = library->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t start = library->dlpi_addr + segment.p_vaddr;
    const std::uintptr_t first = (start + page - 1) / page * page;
    const std::uintptr_t end = (start + segment.p_filesz) / page * page;
    if (end > first) madvise(reinterpret_cast<void *>(first), end - first, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace
#endif

void ReleaseLibraryPages() {
#if defined(__linux__)
  dl_iterate_phdr(ReleaseSegments, nullptr);
#endif
}

}  // namespace pyramidal
