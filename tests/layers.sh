#!/bin/sh
# layers.sh - includes point one way: async < http < handlers < the server's own files, and
# async < db < handlers. http and db do not know each other. A few base files are for everyone.
cd "$(dirname "$0")/.." || exit 1

grep -Hn '^#include "' server/*.[ch] server/*/*.[ch] db/*.[ch] handlers/*.[ch] handlers/*/*.[ch] 2>/dev/null | awk -F'[:"]' '
BEGIN {
    base     = "base"
    async    = base " async"
    may["base"]     = base
    may["async"]    = async
    may["http"]     = async " http"
    may["db"]       = async " db"
    may["handlers"] = async " http db handlers"
    may["server"]   = may["handlers"] " server"
}
function layer(file) {
    if (file ~ /^server\/(machine|memory|spare_memory|reserve|freelist|block|arena|text|buffer|units|address|throttle|log|log_writer|stopwatch|embed|refusal|secret|transient|uncertain)\.[ch]$|^server\/config\.h$/) return "base"
    if (file ~ /^server\/man\//) return "server"
    if (file ~ /^server\/[a-z]+\//) { split(file, part, "/"); return part[2] }
    return substr(file, 1, index(file, "/") - 1)
}
{
    folder = $1
    sub(/[^\/]*$/, "", folder)
    included = $4
    if (included !~ /\//) included = folder included           # a neighbour
    if (index(" " may[layer($1)] " ", " " layer(included) " ") == 0) {
        printf "%s:%s: %s may not include %s\n", $1, $2, layer($1), included
        wrong = 1
    }
}
END { exit wrong }' || exit 1
