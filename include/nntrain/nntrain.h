#pragma once
// The library: models in Keras' words, trained by the ranks of an MPI program. docs/library.md shows three
// programs.

#include "nntrain/array.h"
#include "nntrain/error.h"
#include "nntrain/extension.h"
#include "nntrain/history.h"
#include "nntrain/model.h"
#include "nntrain/session.h"
#include "nntrain/settings.h"
#include "nntrain/stop_token.h"
