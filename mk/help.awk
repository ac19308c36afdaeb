# help.awk - prints what stands after ## beside each target, under the ##@ of its group.
/^##@ / { printf "%s%s\n", groups++ ? "\n" : "", substr($0, 5) }
/^[a-zA-Z0-9_. -]+:.*## / {
    target = text = $0
    sub(/:.*/, "", target)
    sub(/.*## */, "", text)
    printf "  %-21s %s\n", target, text
}
END {
    print "\nV=1 shows commands. VARIANT=release|debug|asan|tsan|fuzz|valgrind|coverage, CC=clang and CONTEXT=ucontext"
    print "build in folders of their own: make CC=clang unit"
}
