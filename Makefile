# make            builds build/tenk
# make run        installs what is missing, builds, and serves (ARGS='--listen 0.0.0.0:8080')
# make test       installs what is missing, builds, and runs every test
# make help       the rest

ifeq ($(origin CC),default)
CC := gcc
endif
VERSION := 0.1.0
PREFIX  ?= /usr/local
Q        = $(if $(V),,@)
say      = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)';)

# A variant is a way of compiling everything: make VARIANT=asan, or CC=clang, or CONTEXT=ucontext,
# or all three. Each is built in a folder of its own; the usual one is build/ itself.
VARIANT ?= release
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1)
NATIVE  := $(if $(filter x86_64 aarch64,$(MACHINE)),$(MACHINE),ucontext)
CONTEXT ?= $(NATIVE)
COMPILER := $(notdir $(firstword $(CC)))
empty :=
FOLDER := $(subst $(empty) ,-,$(strip $(filter-out release,$(VARIANT)) $(filter-out gcc cc,$(COMPILER)) \
                                      $(filter-out $(NATIVE),$(CONTEXT))))
BUILD  := build$(if $(FOLDER),/$(FOLDER))

CFLAGS_release  = -O2 -g -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
CFLAGS_debug    = -O0 -g3 -DMARK_STACKS
CFLAGS_asan     = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan     = -O1 -g -fsanitize=thread -fno-omit-frame-pointer
CFLAGS_fuzz     = -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
CFLAGS_valgrind = -O1 -gdwarf-4 -DUSE_VALGRIND
CFLAGS_coverage = -O0 -g --coverage
LDFLAGS_release  = -Wl,-z,relro,-z,now
LDFLAGS_valgrind = -Wl,-z,now# to bind a symbol late, on a task's stack, looks to it like an overrun

# WERROR= lets a compiler newer than this code complain without stopping, but never of a promise
# that nobody awaits.
WERROR    ?= -Werror
WARN       = -Wall -Wextra -Wstrict-prototypes -Wno-missing-field-initializers $(WERROR) -Werror=unused-result
FLAGS      = -std=gnu17 -pthread $(WARN) $(CFLAGS_$(VARIANT)) $(CFLAGS)
LINK_FLAGS = $(FLAGS) -rdynamic $(LDFLAGS_$(VARIANT)) $(LDFLAGS)

LIBRARIES := libdw libuv libpq sqlite3 inih md4c md4c-html jansson libcurl
DEFINES   := -I. -D_GNU_SOURCE -DTENK_VERSION='"$(VERSION)"' $(shell pkg-config --cflags-only-I $(LIBRARIES) 2>/dev/null)
LIBS      := $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null)

# llhttp: the library where there is one (Debian 13), else the generated C of Debian 12's node-llhttp.
ifeq (yes,$(shell pkg-config --exists libllhttp 2>/dev/null && echo yes))
LIBS    += $(shell pkg-config --libs libllhttp)
else
LLHTTP  := /usr/share/llhttp
DEFINES += -isystem /usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1
PARSER  := $(patsubst %,$(BUILD)/llhttp/%.o,api http llhttp)
endif

# The context switch is the one machine-dependent thing.
in = $(sort $(shell find $(1) -name '*.c'))
SOURCES := $(filter-out server/main.c server/config/man/% server/async/context/context_%,$(call in,server db handlers)) \
           $(wildcard server/async/context/context_$(CONTEXT).c server/async/context/context_$(CONTEXT).S)
UNIT      := $(call in,tests/unit tests/support)
SCENARIOS := $(call in,tests/scenarios) tests/support/cluster.c tests/support/guardian.c tests/support/skipped.c
ORDER     := $(call in,tests/order)
ALL       := server/main.c $(SOURCES) $(UNIT) $(SCENARIOS) $(ORDER) $(wildcard server/config/man/*.c loadtest/*.c tests/fuzz/*.c)

all: $(BUILD)/tenk

$(BUILD)/tenk: $(BUILD)/server/main.c.o $(BUILD)/libtenk.a
	$(call say,LINK,$@)$(CC) $(LINK_FLAGS) -o $@ $^ $(LIBS) $(LDLIBS)
$(BUILD)/libtenk.a: $(SOURCES:%=$(BUILD)/%.o) $(PARSER)
	$(call say,AR,$@)rm -f $@ && ar qcs $@ $^
$(BUILD)/tests/run-unit: $(UNIT:%=$(BUILD)/%.o) $(BUILD)/libtenk.a
	$(call say,LINK,$@)$(CC) $(LINK_FLAGS) -o $@ $^ $(LIBS) $(LDLIBS) $(shell pkg-config --libs check)
$(BUILD)/tests/run-scenarios: $(SCENARIOS:%=$(BUILD)/%.o)
	$(call say,LINK,$@)$(CC) $(LINK_FLAGS) -o $@ $^ $(LIBS) $(LDLIBS) $(shell pkg-config --libs check)
$(BUILD)/tests/run-order: $(ORDER:%=$(BUILD)/%.o) $(BUILD)/libtenk.a
	$(call say,LINK,$@)$(CC) $(LINK_FLAGS) -o $@ $^ $(LIBS) $(LDLIBS) $(shell pkg-config --libs check)
$(BUILD)/loadtest/%: $(BUILD)/loadtest/%.c.o $(BUILD)/libtenk.a
	$(call say,LINK,$@)$(CC) $(LINK_FLAGS) -o $@ $^ $(LIBS) $(LDLIBS)

$(BUILD)/db/schema.c.o: db/schema.sql db/seed.sql
$(BUILD)/server/config/version.c.o: DEFINES += $(foreach p,md4c inih,-D$(shell echo $p | tr a-z A-Z)_VERSION='"$(shell pkg-config --modversion $p)"')
$(BUILD)/%.c.o: %.c $(BUILD)/flags
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(DEFINES) $(CPPFLAGS) $(FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/%.S.o: %.S $(BUILD)/flags
	$(call say,AS,$<)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(FLAGS) -c -o $@ $<
$(BUILD)/llhttp/%.o: $(LLHTTP)/%.c $(BUILD)/flags
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(DEFINES) $(CPPFLAGS) $(FLAGS) -O3 -w -c -o $@ $<

# Holds the command line of the last build: when that changes, everything is compiled anew.
COMMAND := $(subst ','\'',$(shell $(CC) --version 2>/dev/null | head -n 1) $(DEFINES) $(CPPFLAGS) $(LINK_FLAGS) $(LIBS) $(LDLIBS))
$(BUILD)/flags: force
	@mkdir -p $(@D); echo '$(COMMAND)' | cmp -s - $@ || echo '$(COMMAND)' > $@

-include $(patsubst %.c,$(BUILD)/%.c.d,$(filter %.c,$(ALL)))

remake = +$(Q)$(MAKE) --no-print-directory -j$(shell nproc)
# Tests wait most of the time, so that many may run side by side, and what is to be tested next be compiled meanwhile.
beside = +$(Q)$(MAKE) --no-print-directory -j$(shell expr 2 \* $$(nproc))
run: install-run
	$(remake) all
	$(Q)exec $(BUILD)/tenk $(ARGS)

# Unit tests are one program; scenarios are another, which starts a server and asks it over sockets:
# all of them once in each mode.
# Both are written with Check, whose log each run keeps; `make test` ends with the totals of all.
export ASAN_OPTIONS  := detect_stack_use_after_return=1:$(ASAN_OPTIONS)
export UBSAN_OPTIONS := print_stacktrace=1:$(UBSAN_OPTIONS)
UNDER_tsan      = $(shell setarch -R true 2>/dev/null && echo setarch -R)# it needs its fixed addresses free
UNDER_valgrind  = valgrind --quiet --fair-sched=try --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
SLOWER_asan     = 3
SLOWER_tsan     = 5
SLOWER_valgrind = 20
define run_test
@mkdir -p build/totals; printf '  %-7s %s\n' TEST '$(BUILD)/tests/run-$(1)$(if $(3),$(empty) ($(3)))'
$(Q)CK_LOG_FILE_NAME=build/totals/$(or $(FOLDER),release)-$(1)$(if $(3),-$(3)) CK_TIMEOUT_MULTIPLIER=$(or $(SLOWER_$(VARIANT)),1) \
    $(2) $(BUILD)/tests/run-$(1) $(3)
endef
ASK           = TENK=$(CURDIR)/$(BUILD)/tests/tenk $(if $(filter tsan,$(VARIANT)),$(UNDER_tsan))

unit: $(BUILD)/tests/run-unit
	$(call run_test,unit,$(UNDER_$(VARIANT)))
unit-async: $(BUILD)/tests/run-unit
	$(call run_test,unit,$(UNDER_$(VARIANT)),async)
scenarios: scenarios-async scenarios-threads
scenarios-%: $(BUILD)/tests/run-scenarios $(BUILD)/tests/tenk
	$(call run_test,scenarios,MODE=$* CK_EXCLUDE_TAGS=failover $(ASK),$*)
# Two PostgreSQL servers, one of which takes over: each scenario makes its own pair.
failover-%: $(BUILD)/tests/run-scenarios $(BUILD)/tests/tenk
	$(call run_test,scenarios,MODE=$* CK_INCLUDE_TAGS=failover $(ASK),failover-$*)
# The same scenarios in Node and here: the order of callbacks must be equal.
order: $(BUILD)/tests/run-order
	$(call run_test,order,$(UNDER_$(VARIANT)))
both: unit scenarios
$(BUILD)/tests/tenk: $(BUILD)/tenk
	@mkdir -p $(@D); printf '#!/bin/sh\nexec %s "$$@"\n' '$(UNDER_$(VARIANT)) $(CURDIR)/$<' > $@; chmod +x $@

programs: $(BUILD)/tests/run-unit $(BUILD)/tests/run-scenarios $(BUILD)/tests/tenk
programs-%:
	+$(Q)nice $(MAKE) --no-print-directory VARIANT=$* programs

layers:
	$(Q)tests/checks/layers.py
headers:
	$(Q)CC='$(CC)' tests/checks/headers.sh
forgotten:
	$(Q)CC='$(CC)' DEFINES="$(DEFINES)" tests/checks/forgotten_await.py

aarch64:
	@mkdir -p build/aarch64
	$(Q)aarch64-linux-gnu-gcc -std=gnu17 -O2 $(WARN) -I. -D_GNU_SOURCE -DSTANDALONE -static -o build/aarch64/context \
	    tests/unit/async/context_proof.c server/async/context/context_aarch64.c server/async/context/context_aarch64.S
	$(Q)qemu-aarch64 build/aarch64/context

test: install-test
	@rm -rf build/totals
	$(remake) layers headers forgotten
	$(remake) programs $(BUILD)/tests/run-order
	$(beside) both order programs-asan
	$(beside) VARIANT=asan both
	$(remake) CONTEXT=ucontext unit-async
	$(remake) test-install
	$(Q)tests/loadtest/loadtest.sh
	$(Q)tests/browser/run
	$(Q)tests/totals.sh
test-failover: install-test
	$(remake) $(BUILD)/tests/run-scenarios
	+$(Q)$(MAKE) --no-print-directory failover-async failover-threads
asan tsan valgrind: install-check
	@rm -rf build/totals
	$(remake) VARIANT=$@ CC=gcc both
	$(remake) VARIANT=$@ CC=clang both
	$(Q)tests/totals.sh
coverage: install-check
	@rm -rf build/coverage
	$(remake) VARIANT=coverage CC=gcc both
	$(Q)gcovr --root . --object-directory build/coverage --exclude 'tests/' --exclude 'server/async/context' \
	    --exclude-unreachable-branches --print-summary

# Lines that are wrong on purpose: which of them does no test notice? ARGS='async': of that folder; ARGS='semaphore.c': of
# that file.
mutants: install-test
	$(Q)tests/mutants/run $(ARGS)

# Any bytes, for a while: what is found is kept in build/fuzz and makes the target fail.
FUZZ_SECONDS ?= 30
FUZZERS      := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
fuzz:
	$(remake) VARIANT=fuzz CC=clang $(FUZZERS:%=fuzz-%)
fuzz-%: $(BUILD)/tests/fuzz/%
	@mkdir -p build/fuzz/corpus/$*
	$(call say,FUZZ,$*)cd build/fuzz && $(CURDIR)/$< -max_total_time=$(FUZZ_SECONDS) -max_len=1024 -timeout=10 \
	    -verbosity=0 -artifact_prefix=$*- corpus/$* $(CURDIR)/tests/fuzz/seeds/$*
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.c.o $(BUILD)/libtenk.a
	$(call say,LINK,$@)$(CC) $(LINK_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS) $(LDLIBS)

bench: all $(BUILD)/loadtest/core
	$(Q)loadtest/bench
	$(Q)$(BUILD)/loadtest/core
# make loadtest QUICK=1, or ARGS='--only sleep': loadtest/run --help
loadtest: install-loadtest
	$(remake) all
	$(Q)loadtest/run $(if $(QUICK),--quick) $(ARGS)
bench-core: $(BUILD)/loadtest/core
	$(Q)$<

install-%:
	$(Q).ci/install $*

# An installed tenk finds its static files beside its own folder, wherever that is.
INSTALLED := bin/tenk share/tenk share/doc/tenk share/man/man1/tenk.1 share/man/man5/tenk.ini.5
TO         = $(DESTDIR)$(PREFIX)
install: all manual
	install -D $(BUILD)/tenk '$(TO)/bin/tenk'
	find static -type f -exec install -D -m 644 {} '$(TO)/share/tenk/{}' ';'
	install -D -m 644 config.ini '$(TO)/share/doc/tenk/config.ini'
	install -D -m 644 server/diagnose/tenk-gdb.py '$(TO)/share/tenk/tenk-gdb.py'
	install -D -m 644 server/config/man/tenk.1 '$(TO)/share/man/man1/tenk.1'
	install -D -m 644 $(BUILD)/man/tenk.ini.5 '$(TO)/share/man/man5/tenk.ini.5'
uninstall:
	rm -rf $(INSTALLED:%='$(TO)/%')
manual: $(BUILD)/man/tenk.ini.5
$(BUILD)/man/tenk.ini.5: server/config/man/tenk.ini.5.in $(BUILD)/man/settings
	$(call say,MAN,$@)$(BUILD)/man/settings < $< > $@.new && mv $@.new $@
$(BUILD)/man/settings: $(BUILD)/server/config/man/settings.c.o $(BUILD)/libtenk.a
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(LINK_FLAGS) -o $@ $^ $(LIBS) $(LDLIBS)
test-install: all
	$(Q)tests/packaging/install.sh
test-container: install-container
	$(remake) all
	$(Q)tests/packaging/container.sh
	$(Q)python3 tests/packaging/topology_test.py
test-fresh: install-container
	$(Q)tests/packaging/fresh.sh bookworm run test
	$(Q)tests/packaging/fresh.sh trixie run test
lint: $(BUILD)/flags
	cppcheck --quiet --std=c17 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	    $(DEFINES) $(CPPFLAGS) server db handlers
compile_commands.json:
	bear -- $(MAKE) --always-make all $(BUILD)/tests/run-unit
clean:
	rm -rf build compile_commands.json
help:
	@sed -n 's/^# make/make/p' Makefile
	@printf '%s\n' \
	    'make unit       unit tests            make scenarios    a server, asked from outside' \
	    'make order      the order of callbacks, compared with that of Node' \
	    'make test-failover   the scenarios in which another PostgreSQL server takes over' \
    'make asan       both under AddressSanitizer and UBSan, with gcc and with clang' \
	    'make tsan       both under ThreadSanitizer      make valgrind    both under valgrind' \
	    'make fuzz       the parsers and Markdown, fed with anything, for FUZZ_SECONDS=$(FUZZ_SECONDS) each' \
	    'make coverage   lines that the tests run        make layers      who may include whom' \
	    'make headers    each header compiled alone, and all of them together' \
	    'make mutants    wrong lines, one by one: which does no test notice?' \
	    'make aarch64    its context switch, cross-compiled, under qemu-user' \
	    'make bench      measures the server             make bench-core  measures tasks and promises' \
	    'make loadtest   both modes and their peers, and a report' \
	    'make lint       cppcheck                        make clean' \
	    'make install    to PREFIX ($(PREFIX))            make uninstall' \
	    'make test-container  the image built, run and stopped, and three servers behind a proxy' \
	    'make test-fresh      the first two commands, in bare Debian 12 and 13 roots; both as root' \
	    'V=1 shows commands. VARIANT=debug|asan|tsan|valgrind|coverage, CC=clang and CONTEXT=ucontext' \
	    'build in folders of their own: make CC=clang unit'

.PHONY: all run unit unit-async scenarios order both programs fuzz layers headers forgotten aarch64 test test-failover asan tsan valgrind coverage mutants bench bench-core loadtest \
        install uninstall manual test-install test-container test-fresh lint clean help force compile_commands.json
