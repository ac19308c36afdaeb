#!/bin/sh
# install.sh - what make install puts somewhere works from there, its manual is in order and says what
# the program says, and make uninstall takes all of it away again.
set -eu
cd "$(dirname "$0")/../.."
make=${MAKE:-make}
folder=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

echo '  TEST    make install'
there=$folder/root/opt/tenk
quietly() { "$@" > "$folder/said" 2>&1 || { cat "$folder/said"; exit 1; }; }
quietly "$make" install DESTDIR="$folder/root" PREFIX=/opt/tenk
wrong() { echo "install: $1"; exit 1; }
for file in bin/tenk share/tenk/static/style.css share/tenk/tenk-gdb.py share/doc/tenk/config.ini share/man/man1/tenk.1 share/man/man5/tenk.ini.5; do
    test -s "$there/$file" || wrong "there is no $file"
done

# From a folder where there is nothing, and after the whole installation has moved.
mv "$there" "$folder/moved"
there=$folder/moved
mkdir "$folder/empty"
cd "$folder/empty"
"$there/bin/tenk" -l 127.0.0.1:0 > "$folder/said" 2>&1 &
server=$!
tries=0
until url=$(grep -om1 'http://127[0-9.:]*' "$folder/said"); do
    tries=$((tries + 1))
    if test $tries -gt 600 || ! kill -0 $server 2>/dev/null; then
        cat "$folder/said"
        wrong 'it does not start'
    fi
    sleep 0.1
done
curl -sS -f "$url/static/style.css" | cmp -s - "$OLDPWD/static/style.css" || wrong 'it does not serve its static files'
curl -sS -f -o "$folder/page" "$url/users/42" || wrong 'it does not serve a user'
kill $server
wait $server || wrong "it ended with $?"
server=
cd "$OLDPWD"

# Each option of the one is in the other.
"$there/bin/tenk" --help | grep -oE -- '--[a-z-]+[ []' | tr -d ' [' | sort -u > "$folder/help"
sed -n 's/^\.It .*Fl -\([a-z-]*\).*/--\1/p' "$there/share/man/man1/tenk.1" | sort -u > "$folder/manual"
diff "$folder/help" "$folder/manual" || wrong 'tenk(1) has other options than --help'
"$there/bin/tenk" --print-config | grep -c ' = ' > "$folder/settings"
grep -c '^\.It Ic' "$there/share/man/man5/tenk.ini.5" | cmp -s - "$folder/settings" || wrong 'tenk.ini(5) has other settings'
for page in "$there"/share/man/man*/*; do    # what each refers to need not be on this machine
    ! mandoc -T lint -W all "$page" | grep -v 'manual not found: Xr' || wrong "$page is not in order"
done

mkdir -p "$folder/root/opt"
mv "$there" "$folder/root/opt/tenk"
quietly "$make" uninstall DESTDIR="$folder/root" PREFIX=/opt/tenk
left=$(find "$folder/root" ! -type d -o -name tenk ! -path "$folder/root/opt/tenk")
test -z "$left" || wrong "make uninstall leaves $left"
