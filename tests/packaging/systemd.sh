#!/bin/sh
# systemd.sh - the units are in order, and the service is as shut in as systemd-analyze can tell; where that is installed.
set -eu
cd "$(dirname "$0")/../.."
command -v systemd-analyze > /dev/null || { echo '  SKIP    systemd units: there is no systemd-analyze'; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
wrong() { cat "$folder/said"; echo "systemd: $1"; exit 1; }

echo '  TEST    systemd units'
for unit in tenk.service tenk.socket; do
    sed "s|@BINDIR@|$PWD/build|" "packaging/systemd/$unit" > "$folder/$unit"
done
# Documentation that is not installed here, and units of others, are no matter of theirs.
systemd-analyze verify --man=no "$folder/tenk.service" "$folder/tenk.socket" > "$folder/said" 2>&1 || wrong 'a unit is not in order'
! grep -E "$folder|tenk\.(service|socket)" "$folder/said" || wrong 'a unit is not in order'
# The threshold is ten times the exposure.
systemd-analyze security --offline=true --threshold=19 "$folder/tenk.service" > "$folder/said" 2>&1 || wrong 'the service is exposed by 2.0 or more'
