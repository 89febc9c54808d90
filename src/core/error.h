#pragma once
// Errors: the same for the floors and for embedding programs.

#include "nntrain/error.h"
