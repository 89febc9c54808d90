#pragma once
// A run as a checkpoint's contents, and back. Collective.

#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "train/run/run.h"

namespace nntrain::train {

/// Everything that decides what comes next, gathered on rank 0 (empty elsewhere). Says in `all_finite`, if
/// given, whether no weight is NaN or infinite; true on other ranks. `old`: a state of this run that is
/// spent; its memory is taken, since new memory costs more than the copy into it.
checkpoint::Contents take(Run& run, bool* all_finite = nullptr, checkpoint::Contents old = {});

/// Goes on from `previous` (read_contents). Throws InputError, all ranks alike, naming both values, when the
/// run that it holds is another one; what may change is changed, and noted in run.notes.
void restore(Run& run, const checkpoint::Contents& previous);

/// `weights` (on rank 0) in the flat order of the values; empty elsewhere. Throws InputError, beginning with
/// `where`, when they do not fit the model.
std::vector<float> values_on_root(Run& run, const std::vector<checkpoint::WeightArray>& weights,
                                  const std::string& where);

/// Throws InputError when model, loss, optimizer, seed or data are not those of `previous`. Local, pure.
void check_compatible(const Run& run, const checkpoint::Contents& previous);
/// What the configuration changes in a run that goes on, one line each with both values. Local, pure.
std::vector<std::string> changed_settings(const Run& run, const checkpoint::Contents& previous);
/// The data that this run starts on with weights of another training (`then`: its Contents::data, or null)
/// and what they meant there: a line for each difference. Throws InputError where the same input columns come
/// in another order. Local, pure.
std::vector<std::string> changed_meanings(const Json& then, const DataSets& now);

}  // namespace nntrain::train
