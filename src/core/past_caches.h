#pragma once
// Writing to memory that other cores have read: their copies must go before a line can be written. A core
// that stores into such lines waits for that, line by line, since stores become visible in order. Stores past
// the caches (non-temporal ones) do not wait. Which is quicker depends on where the other cores are:
// train/step/store_trial.h.

#include <cstdint>

namespace nntrain {

/// to (count) = from, past the caches where the CPU can (x86-64; elsewhere a copy), for whoever does not read
/// `to` soon. No overlap. Local.
void copy_past_caches(const float* from, std::int64_t count, float* to);
/// After the last of them: other threads that see what this one stores next see the copies too.
void finish_past_caches();

}  // namespace nntrain
