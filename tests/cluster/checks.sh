# shellcheck shell=bash
# How tests that are scripts say what they have seen, for scripts that source it. They have $program, `failed`, and
#   show_failure     what helps to understand a check that failed

# passes WHAT COMMAND...
passes() {
  local what=$1
  shift
  if "$@"; then
    echo "ok      $what"
  else
    echo "FAILED  $what"
    failed=$((failed + 1))
    show_failure
  fi
}
# inspected CHECKPOINT NAME: a line of `inspect`.
inspected() { "$program" inspect "$1" 2> /dev/null | sed -n "s/^$2: //p"; }
digest() { inspected "$1" weights_digest; }
# same_bits CHECKPOINT EXPECTED: where the second is not there, nothing is the same.
same_bits() { [[ -n $(digest "$2") && $(digest "$1") == "$(digest "$2")" ]]; }
