#include "core/build_id.h"

#include <link.h>

#include <cstring>

namespace nntrain {

namespace {

constexpr std::size_t kNoteAlignment = 4;

std::size_t padded(std::size_t bytes) {
  return (bytes + kNoteAlignment - 1) / kNoteAlignment * kNoteAlignment;
}

/// The build id among the notes at `notes`; "" when there is none.
std::string id_among(const char* notes, std::size_t bytes) {
  while (bytes > sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes, sizeof(note));
    const std::size_t size = sizeof(note) + padded(note.n_namesz) + padded(note.n_descsz);
    if (size > bytes) break;
    const char* name = notes + sizeof(note);
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
      std::string hex;
      for (std::size_t i = 0; i < note.n_descsz; ++i) {
        const auto byte = static_cast<unsigned char>(name[padded(note.n_namesz) + i]);
        for (const int digit : {byte / 16, byte % 16}) hex += "0123456789abcdef"[digit];
      }
      return hex;
    }
    notes += size;
    bytes -= size;
  }
  return "";
}

/// Called for the program first, which ends the walk.
int look(dl_phdr_info* object, std::size_t, void* result) {
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    if (part.p_type != PT_NOTE) continue;
    const auto* notes = reinterpret_cast<const char*>(object->dlpi_addr + part.p_vaddr);
    if (std::string id = id_among(notes, part.p_memsz); !id.empty()) *static_cast<std::string*>(result) = id;
  }
  return 1;
}

}  // namespace

std::string build_id() {
  std::string id;
  dl_iterate_phdr(look, &id);
  return id;
}

}  // namespace nntrain
