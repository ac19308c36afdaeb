#!/bin/sh
# headers.sh [HEADER...] - every header can be included alone, and all of them together, in either order; or those alone.
# shellcheck disable=SC2086 # headers and flags are lists of words
cd "$(dirname "$0")/../.." || exit 1

flags="-std=gnu17 -fsyntax-only -Wall -Wextra -Wno-missing-field-initializers -Werror -I. -D_GNU_SOURCE -x c"
flags="$flags $(pkg-config --cflags-only-I libuv libpq sqlite3 jansson libcurl zlib libbrotlienc libcrypto md4c md4c-html inih 2>/dev/null)"
pkg-config --exists libllhttp 2>/dev/null || flags="$flags -isystem /usr/share/include/llhttp"
headers=${*:-$(find server db handlers -name '*.h' | sort)}
wrong=0

compile() { printf '#include "%s"\n' $2 | ${CC:-cc} $flags - || { echo "headers: $1"; wrong=1; }; }

for header in $headers; do
    compile "$header cannot be included alone" $header
done
[ $# = 0 ] || exit $wrong
compile 'all together, in their order' "$headers"
compile 'all together, the other way round' "$(echo "$headers" | tac)"
exit $wrong
