#!/bin/bash
# clang-tidy over all sources, or over those given; not a default test (it takes about as long as a build).
# Needs clang-tidy-14 (Debian) and a configured build/release.
#   tests/style/tidy.sh [FILE.cpp ...]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
command -v clang-tidy-14 > /dev/null || { echo "tidy.sh: install clang-tidy-14" >&2; exit 2; }
cmake --preset release -DCMAKE_EXPORT_COMPILE_COMMANDS=ON > /dev/null
[ $# -gt 0 ] || mapfile -t -d '' files < <(find src -name '*.cpp' -print0 | sort -z)
printf '%s\0' "${@:-${files[@]}}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 --quiet -p build/release --extra-arg=-Wno-unknown-warning-option
echo "clang-tidy: no findings"
