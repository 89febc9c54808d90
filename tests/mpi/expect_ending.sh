#!/bin/sh
# expect_ending.sh <exit code> <basic regular expression> <command>...: runs the command; succeeds when it ends
# with that code and its output has a line that matches.
code=$1
pattern=$2
shift 2
output=$("$@" 2>&1)
got=$?
printf '%s\n' "$output"
if [ "$got" -ne "$code" ]; then
  echo "expected exit code $code, got $got"
  exit 1
fi
if ! printf '%s\n' "$output" | grep -q -e "$pattern"; then
  echo "expected a line that matches: $pattern"
  exit 1
fi
