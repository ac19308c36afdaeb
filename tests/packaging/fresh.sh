#!/bin/sh
# fresh.sh SUITE STEP... - what a newcomer sees: a bare root of Debian SUITE (bookworm, trixie) with
# nothing but a clean checkout of the last commit in it. Installs make, and takes each STEP:
#
#     run     make run, until GET /users/42 is answered, and Ctrl-C
#     test    make test
#     ci      .ci/run, without make
#     ...     any other command
#
# AS=user takes them as a user with sudo instead of as root. Needs root, debootstrap and curl. The root
# is tests/packaging/bare.sh's.
set -eu

if [ "$1" != inside ]; then
    suite=$1
    cd "$(dirname "$0")/../.."
    bare=$(tests/packaging/bare.sh "$suite")
    root=${bare%.bare}.root
    rm -rf "$root"
    cp -a "$bare" "$root"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    git clone --quiet --no-local . "$root/tenk"
    # In namespaces of its own: what is started or mounted in there ends with it.
    exec unshare --mount --pid --fork --kill-child "$0" inside "$root" "$@"
fi

root=$2 suite=$3
shift 3
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777,size=64m tmpfs "$root/dev/shm" # no more than a container has

in_root() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
newcomer=${AS:-root} packages=make home=/root
if [ "$newcomer" != root ]; then
    packages="make sudo" home=/home/$newcomer
    in_root useradd --create-home "$newcomer"
    mkdir -p "$root/etc/sudoers.d"
    echo "$newcomer ALL = NOPASSWD: ALL" > "$root/etc/sudoers.d/$newcomer"
fi
if test -n "${NODE_EXTRA_CA_CERTS:-}"; then    # who stands between this machine and npm's registry
    cp "$NODE_EXTRA_CA_CERTS" "$root/etc/outside.crt"
    echo cafile=/etc/outside.crt > "$root$home/.npmrc"
fi
mv "$root/tenk" "$root$home/tenk"
in_root chown -R "$newcomer:" "$home/tenk"
types() { in_root su - "$newcomer" -c "cd tenk && $1"; }

# The server says where it listens once it does.
make_run() {
    : > "$root.run"
    types "make run ARGS='--listen 127.0.0.1:0'" > "$root.run" 2>&1 &
    make=$!
    until url=$(grep -om1 'http://127[0-9.:]*' "$root.run"); do
        kill -0 $make 2>/dev/null || { cat "$root.run"; return 1; }
        sleep 0.5
    done
    tail -n 4 "$root.run"
    curl -sS -f -o /dev/null -w 'GET /users/42: %{http_code}, %{size_download} bytes\n' "$url/users/42" &&
        in_root sh -c "kill -INT \$(grep -lzx '[b]uild/tenk' /proc/[0-9]*/cmdline | cut -d/ -f3)" &&
        wait $make
}

step() {
    # shellcheck disable=SC2086 # the packages are words
    case $1 in
    make) in_root apt-get install -y $packages ;;
    run)  make_run ;;
    test) types 'make test' ;;
    ci)   types 'CI=true .ci/run' ;;
    *)    types "$1" ;;
    esac
}

[ "$1" = ci ] || set -- make "$@"
for each; do
    began=$(date +%s)
    if step "$each"; then outcome=passed; else outcome=FAILED; fi
    printf '== %s on %s as %s: %s in %ds, root of %s\n' "$each" "$suite" "$newcomer" $outcome \
        $(($(date +%s) - began)) "$(du -shx "$root" | cut -f1)"
    [ $outcome = passed ] || exit 1
done
