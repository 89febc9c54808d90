#pragma once
// Wishes from outside a run: the same for the floors and for embedding programs.

#include "nntrain/stop_token.h"
