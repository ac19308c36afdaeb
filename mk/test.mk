# test.mk - what runs the tests.

# Unit tests are one program; scenarios are another, which starts a server and asks it over sockets:
# all of them once in each mode.
# Both are written with Check, whose log each run keeps; `make test` ends with the totals of all.
export ASAN_OPTIONS  := detect_stack_use_after_return=1:$(ASAN_OPTIONS)
export UBSAN_OPTIONS := print_stacktrace=1:$(UBSAN_OPTIONS)
export TSAN_OPTIONS  := suppressions=$(CURDIR)/tests/support/tsan.supp:$(TSAN_OPTIONS)
UNDER_tsan      = $(shell setarch -R true 2>/dev/null && echo setarch -R)# it needs its fixed addresses free
UNDER_valgrind  = valgrind --quiet --fair-sched=try --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
SLOWER_asan     = 3
SLOWER_tsan     = 5
SLOWER_valgrind = 20
TOTALS ?= build/totals
define run_test
@mkdir -p $(TOTALS); printf '  %-7s %s\n' TEST '$(BUILD): run-$(1)$(if $(3),$(empty) ($(3)))'
$(Q)CK_LOG_FILE_NAME=$(TOTALS)/$(or $(FOLDER),plain)-$(1)$(if $(3),-$(3)) CK_TIMEOUT_MULTIPLIER=$(or $(SLOWER_$(VARIANT)),1) \
    $(2) $(or $(4),$(BUILD))/tests/run-$(1) $(3)
endef
ASK = TENK=$(CURDIR)/$(BUILD)/tests/tenk
asked = MODE=$(word 1,$(1)) HALF=$(word 2,$(1))
# Tests wait most of the time, so that many may run side by side, and what is to be tested next be compiled meanwhile.
# What takes longest comes first.
beside = +$(Q)$(MAKE) --no-print-directory -j$(shell expr 3 \* $$(nproc))

UNIT_PARTS := postgres http db async

.PHONY: test unit $(UNIT_PARTS:%=unit-%) unit-async-alone scenarios order both both-asan programs unit-async-ucontext \
        test-browser test-docs test-loadtest test-failover asan tsan valgrind coverage aarch64 mutants fuzz

##@ Tests
test: install-test                  ## installs what is missing, builds, and runs every test
	@rm -rf build/totals
	$(remake) layers headers forgotten programs $(BUILD)/tests/run-order
	$(beside) both-asan both order unit-async-alone unit-async-ucontext test-install test-docs test-browser test-loadtest
	$(Q)tests/totals.sh
unit: $(UNIT_PARTS:%=unit-%)        ## unit tests: unit-async, unit-http, unit-db, unit-postgres
$(UNIT_PARTS:%=unit-%): unit-%: $(BUILD)/tests/run-unit
	$(call run_test,unit,$(UNDER_$(VARIANT)),$*)
unit-async-alone: $(BUILD)/tests/run-unit-async-alone   ## those of server/base and server/async, built with nothing else
	$(call run_test,unit-async-alone,$(UNDER_$(VARIANT)))
# The longest there are: they run by halves, so that none is left when all else has ended.
scenarios: $(foreach mode,async threads,scenarios-$(mode)-1 scenarios-$(mode)-2)    ## a server, asked from outside, in both modes
scenarios-%: $(ASKING)/tests/run-scenarios $(BUILD)/tests/tenk      ## scenarios-async: in one; scenarios-async-1: half of them
	$(call run_test,scenarios,$(call asked,$(subst -, ,$*)) CK_EXCLUDE_TAGS=failover $(ASK),$*,$(ASKING))
order: $(BUILD)/tests/run-order     ## the order of callbacks, compared with that of Node
	$(call run_test,order,$(UNDER_$(VARIANT)))
both: scenarios unit
both-asan:
	+$(Q)$(MAKE) --no-print-directory VARIANT=asan programs
	+$(Q)$(MAKE) --no-print-directory VARIANT=asan both
unit-async-ucontext: $(BUILD)/tests/run-unit-ucontext
	$(call run_test,unit-ucontext,$(UNDER_$(VARIANT)),async)
test-docs: install-test             ## every command and sample of README.md and docs/
	$(remake) all
	$(Q)tests/docs/docs_test.py
test-browser: install-test          ## the site in a browser: the gallery, the chat, live pages
	$(remake) all
	$(Q)tests/browser/run
test-loadtest: install-test         ## the load test, briefly, and its instruments: whether they work
	$(remake) all
	$(Q)tests/loadtest/loadtest.sh
test-failover: install-test         ## the scenarios in which another PostgreSQL server takes over
	$(remake) $(ASKING)/tests/run-scenarios
	+$(Q)$(MAKE) --no-print-directory failover-async failover-threads
# Each scenario makes its own pair of servers.
failover-%: $(ASKING)/tests/run-scenarios $(BUILD)/tests/tenk
	$(call run_test,scenarios,MODE=$* CK_INCLUDE_TAGS=failover $(ASK),failover-$*,$(ASKING))

asan: install-check                 ## unit tests and scenarios under AddressSanitizer and UBSan, by gcc and by clang
tsan: install-check                 ## the same under ThreadSanitizer
valgrind: install-check             ## the same under valgrind
asan tsan valgrind:
	@rm -rf build/totals
	$(remake) VARIANT=$@ CC=gcc both
	$(remake) VARIANT=$@ CC=clang both
	$(Q)tests/totals.sh
coverage: install-check             ## the lines that they run
	@rm -rf build/coverage
	$(remake) VARIANT=coverage CC=gcc both
	$(Q)gcovr --root . --object-directory build/coverage --exclude 'tests/' --exclude 'server/async/context' \
	    --exclude-unreachable-branches --print-summary
aarch64:                            ## its context switch, cross-compiled, under qemu-user
	@mkdir -p build/aarch64
	$(Q)aarch64-linux-gnu-gcc $(STANDARD) -O2 $(WARN) -I. -D_GNU_SOURCE -DSTANDALONE -static -o build/aarch64/context \
	    tests/unit/async/context_proof.c server/async/context/context_aarch64.c server/async/context/context_aarch64.S
	$(Q)qemu-aarch64 build/aarch64/context
mutants: install-test               ## lines wrong on purpose: which does no test notice? ARGS='async': a folder's; 'task.c': a file's
	$(Q)tests/mutants/run $(ARGS)

# What is found is kept in build/fuzz and makes the target fail.
FUZZ_SECONDS ?= 30
FUZZERS      := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
fuzz:                               ## the parsers and Markdown, fed with anything, each for FUZZ_SECONDS=30
	$(remake) VARIANT=fuzz CC=clang $(FUZZERS:%=fuzz-%)
fuzz-%: $(BUILD)/tests/fuzz/%
	@mkdir -p build/fuzz/corpus/$*
	$(call say,FUZZ,$*)cd build/fuzz && $(CURDIR)/$< -max_total_time=$(FUZZ_SECONDS) -max_len=1024 -timeout=10 \
	    -verbosity=0 -artifact_prefix=$*- corpus/$* $(CURDIR)/tests/fuzz/seeds/$*

programs: $(BUILD)/tests/run-unit $(ASKING)/tests/run-scenarios $(BUILD)/tests/tenk
# The server as scenarios start it.
$(BUILD)/tests/tenk: $(BUILD)/tenk
	@mkdir -p $(@D); printf '#!/bin/sh\nexec %s "$$@"\n' '$(UNDER_$(VARIANT)) $(CURDIR)/$<' > $@; chmod +x $@
