#!/bin/bash
# The API page of the library with Doxygen (Debian), which must have nothing to complain about. Not a default test.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
command -v doxygen > /dev/null || { echo "api_page.sh: install doxygen" >&2; exit 2; }
mkdir -p build
doxygen docs/Doxyfile
echo "build/api/html/index.html"
