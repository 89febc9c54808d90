#include "io/read_ahead.h"

namespace nntrain::io {

void ReadAhead::before_read(System& system, int descriptor, std::int64_t at, std::int64_t bytes) {
  in_a_row_ = at == next_ ? in_a_row_ + bytes : 0;
  const bool may = at == next_ && (may_ || in_a_row_ > kInARow);
  if (may != may_) system.read_ahead(descriptor, may);
  may_ = may;
  next_ = at + bytes;
}

}  // namespace nntrain::io
