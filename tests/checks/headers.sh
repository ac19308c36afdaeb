#!/bin/sh
# headers.sh [HEADER...] - every header can be included alone, and all of them together, in either order; or those alone.
# A source includes its own header first, so whoever compiles that has tried it already.
# shellcheck disable=SC2086 # headers and flags are lists of words
cd "$(dirname "$0")/../.." || exit 1

flags="-std=gnu17 -fsyntax-only -Wall -Wextra -Wno-missing-field-initializers -Werror -I. -D_GNU_SOURCE -x c"
flags="$flags $(pkg-config --cflags-only-I libuv libpq sqlite3 jansson libcurl zlib libbrotlienc libcrypto md4c md4c-html inih 2>/dev/null)"
pkg-config --exists libllhttp 2>/dev/null || flags="$flags -isystem /usr/share/include/llhttp"
all=$(find server db handlers -name '*.h' | sort)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
wrong=0 alone=$*

compile() { printf '#include "%s"\n' $2 | ${CC:-cc} $flags - || { echo "headers: $1"; wrong=1; }; }

# Those that the source beside them, if there is one, does not include before all else.
untried() {
    find server db handlers -name '*.c' -exec awk '
        FNR == 1 { first = 1 }
        first && /^#include/ {
            first = 0
            own = FILENAME
            sub(/c$/, "h", own)
            gsub(/"/, "", $2)
            if (("/" own) ~ ("/" $2 "$"))
                print own
        }' {} + | sort >"$folder/tried"
    echo "$all" | comm -23 - "$folder/tried"
}

for header in ${alone:-$(untried)}; do
    compile "$header cannot be included alone" $header
done
[ -z "$alone" ] || exit $wrong
compile 'all together, in their order' "$all"
compile 'all together, the other way round' "$(echo "$all" | tac)"
exit $wrong
