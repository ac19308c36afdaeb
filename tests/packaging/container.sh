#!/bin/sh
# container.sh - builds the image of the Dockerfile without a container engine, and tests it: buildah, in a
# chroot, on a base made by debootstrap; container_test.py starts it in namespaces of its own. Then what
# compose.yaml says. Needs root. Keeps the base and the images in build/container.
set -eu
cd "$(dirname "$0")/../.."
if [ "$(id -u)" != 0 ]; then
    echo 'tests/packaging/container.sh makes roots and namespaces: run it as root' >&2
    exit 1
fi
if [ -z "${OWN:-}" ]; then                   # what runs or is mounted from here on ends with this, however that ends
    OWN=yes exec unshare --mount --pid --fork --kill-child --mount-proc tests/packaging/container.sh
fi
here=$PWD/build/container
rm -rf "$here/run"                           # buildah's notes on what is mounted
mkdir -p "$here"
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > "$here/policy.json"
images() { buildah --root "$here/images" --runroot "$here/run" "$@"; }
containers=
images rm --all > "$here/said"               # of a run that was killed
trap 'test -z "$containers" || images rm $containers > "$here/said"' EXIT
trap 'exit 1' INT TERM
quietly() { "$@" > "$here/said" 2>&1 || { tail -n 40 "$here/said"; echo "$* failed"; exit 1; }; }

python3 tests/packaging/compose_test.py

base=localhost/tenk-base
if ! images inspect --type image $base > "$here/said" 2>&1; then
    bare=$(tests/packaging/bare.sh trixie)
    containers=$(images from scratch)
    quietly images add --quiet "$containers" "$bare" /
    quietly images commit --rm "$containers" $base
    containers=
fi
began=$(date +%s)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
for target in load tenk; do
    quietly images build-using-dockerfile --isolation=chroot --format=docker --layers=false --pull=false \
        --signature-policy "$here/policy.json" --build-arg BASE=$base --build-arg REVISION="$revision" \
        --target $target --tag localhost/$target .
done
images rmi --prune > "$here/said"             # those of the run before
printf '  image   built in %ds\n' $(($(date +%s) - began))

for target in tenk load; do
    images inspect --type image localhost/$target > "$here/$target.json"
    container=$(images from --pull=false localhost/$target)
    containers="$containers $container"
    images mount "$container" > "$here/$target.root"
done
root=$(cat "$here/tenk.root")
printf '  image   %s in files, %s as a compressed layer\n' "$(du -sh --apparent-size "$root" | cut -f1)" \
    "$(tar -C "$root" -c . | gzip -c | wc -c | numfmt --to=iec)"
python3 tests/packaging/container_test.py "$root" "$here/tenk.json" "$(cat "$here/load.root")" "$here/load.json"
