#!/bin/sh
# bare.sh SUITE - prints the folder of a bare root of Debian SUITE (bookworm, trixie), which it makes with
# debootstrap once and keeps in $FRESH (build/fresh): not to be changed, but copied. Packages come from
# $MIRROR, or from where this machine's come, and how to get there is in it.
set -eu
suite=$1
cd "$(dirname "$0")/../.."
mkdir -p "${FRESH:=build/fresh}"
bare=$FRESH/$suite.bare
if ! test -d "$bare"; then
    # shellcheck disable=SC2016 # the fields are apt's
    : "${MIRROR:=$(apt-get indextargets --format '$(REPO_URI)' 'ORIGIN: Debian' 'LABEL: Debian' | head -n 1)}"
    rm -rf "$bare.part"
    debootstrap --variant=minbase "$suite" "$bare.part" "$MIRROR" > "$FRESH/$suite.log"
    apt-config dump | grep -iE '^Acquire::(https?::Proxy|Check)' > "$bare.part/etc/apt/apt.conf.d/50outside" || true
    mv "$bare.part" "$bare"
fi
echo "$bare"
