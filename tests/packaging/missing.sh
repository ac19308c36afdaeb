#!/bin/sh
# missing.sh - where libraries are missing, make names them and the packages that bring them, instead of compiling what
# needs them; what needs none of them is compiled as ever.
set -eu
cd "$(dirname "$0")/../.."
make=${MAKE:-make}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
wrong() { cat "$folder/said"; echo "missing: $1"; exit 1; }

echo '  TEST    make without libraries'
mkdir "$folder/known"
pkg-config --variable pc_path pkg-config | tr : '\n' | while read -r place; do
    find "$place" -maxdepth 1 -name '*.pc' -exec ln -sf -t "$folder/known" {} + 2> /dev/null || true
done
make_there() { PKG_CONFIG_LIBDIR="$folder/known" "$make" --no-print-directory BUILD="$folder/build" "$@" > "$folder/said" 2>&1; }

make_there -n all || wrong 'make all does not even begin where nothing is missing'
rm "$folder/known/jansson.pc" "$folder/known/check.pc"

! make_there all || wrong 'make all passes without jansson'
grep -q 'jansson (libjansson-dev)' "$folder/said" || wrong 'make all does not name the library that is missing, and its package'
! grep -qE 'libuv1-dev|check' "$folder/said" || wrong 'make all names what is not missing, or is for tests alone'
! grep -q 'fatal error' "$folder/said" || wrong 'make all compiles what cannot be compiled'
! make_there "$folder/build/tests/run-unit" || wrong 'the unit tests are built without check'
grep -q 'jansson (libjansson-dev), check$' "$folder/said" || wrong 'make run-unit does not name all that is missing'

make_there "$folder/build/server/async/timing.c.o" || wrong 'what needs no jansson is not compiled'
make_there --print-data-base -n help || wrong 'make help fails without jansson'
grep -q '^LIBS := .*-luv .*-lpq' "$folder/said" || wrong 'the flags of other libraries are lost'
