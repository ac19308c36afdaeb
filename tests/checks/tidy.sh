#!/bin/sh
# tidy.sh [--analyze] FILE... - what clang-tidy says of C, as .clang-tidy asks it; with --analyze what its analyzer says,
# which takes minutes and not seconds. $DEFINES says where the headers of others are.
cd "$(dirname "$0")/../.." || exit 1
checks='-clang-analyzer-*'
if [ "$1" = --analyze ]; then
    checks='-bugprone-*,-misc-*,-performance-*,-portability-*,-readability-*'
    shift
fi
flags="-std=gnu17 -I. -D_GNU_SOURCE $(echo "$DEFINES" | tr -d "'") -DMD4C_VERSION=0 -DINIH_VERSION=0"
export checks flags
# As many at once as there are processors; each looks at several files, and says how many warnings it has suppressed.
# shellcheck disable=SC2016 # that shell expands it, and the flags are words
printf '%s\n' "$@" | xargs -P"$(nproc)" -n8 \
    sh -c 'clang-tidy-19 --quiet --checks="$checks" "$@" -- $flags 2>/dev/null' clang-tidy
