#pragma once
// Whose is a table of results by epoch? A header alone could be anybody's (epoch,ra,dec).

#include <string_view>

namespace nntrain::checkpoint {

/// Where numbers are looked at that nobody types.
enum class LongNumbers { kExpected, kNotLookedAt };

/// Does a file that begins so (64 KiB of it) hold a history as this program writes them: lines end in \n; the
/// columns "epoch" first, then "loss" and `another` somewhere; as many cells in each row, whole epochs, and
/// numbers in their shortest form, a missing one empty or NA? With kExpected, half of the losses have eight
/// digits or more. A header without a row is one: nothing would be lost.
bool is_history_table(std::string_view start, std::string_view separator, std::string_view another,
                      LongNumbers numbers);

}  // namespace nntrain::checkpoint
