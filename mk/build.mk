# build.mk - how everything is compiled and linked.

ifeq ($(origin CC),default)
CC := gcc
endif

# A variant is a way of compiling everything: make VARIANT=asan, or CC=clang, or CONTEXT=ucontext,
# or all three. Each is built in a folder of its own; the usual one is build/ itself. "make release" is
# VARIANT=release, for itself and for what is asked for beside it.
ifneq (,$(filter release,$(MAKECMDGOALS)))
export VARIANT := release
endif
VARIANT ?= plain
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1)
NATIVE  := $(if $(filter x86_64 aarch64,$(MACHINE)),$(MACHINE),ucontext)
CONTEXT ?= $(NATIVE)
COMPILER := $(notdir $(firstword $(CC)))
empty :=
folder  = $(subst $(empty) ,-,$(strip $(filter-out plain,$(1)) $(filter-out gcc cc,$(COMPILER)) $(filter-out $(NATIVE),$(CONTEXT))))
FOLDER := $(call folder,$(VARIANT))
BUILD  := build$(if $(FOLDER),/$(FOLDER))

CFLAGS_plain    = -O2 -g -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
CFLAGS_debug    = -O0 -g3 -DMARK_STACKS
CFLAGS_asan     = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan     = -O1 -g -fsanitize=thread -fno-omit-frame-pointer
CFLAGS_fuzz     = -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
CFLAGS_valgrind = -O1 -gdwarf-4 -DUSE_VALGRIND
CFLAGS_coverage = -O0 -g --coverage
LDFLAGS_plain    = -Wl,-z,relro,-z,now
LDFLAGS_valgrind = -Wl,-z,now# to bind a symbol late, on a task's stack, looks to it like an overrun

# The release is optimized as a whole by the linker, and for what runs often: a program that counts that (VARIANT=training) is
# asked for a bit of everything by loadtest/train. gcc knows by -dumpbase which counts are those of an object, and a test has
# none; clang knows by the names of functions, and would take those of the server's main for a test's.
FAMILY   := $(if $(findstring clang,$(COMPILER)),clang,gcc)
TRAINING := build/$(call folder,training)
COUNTS   := $(CURDIR)/$(TRAINING)/counts
LTO_gcc    = -flto=auto
LTO_clang  = -flto
COUNT_gcc   = -fprofile-generate -fprofile-update=prefer-atomic
COUNT_clang = -fprofile-generate=$(COUNTS) -fprofile-update=atomic
CFLAGS_training  = $(CFLAGS_plain) $(LTO_$(FAMILY)) $(COUNT_$(FAMILY))
CFLAGS_release   = $(CFLAGS_plain) $(LTO_$(FAMILY)) -fprofile-use$(if $(filter clang,$(FAMILY)),=$(COUNTS)/merged)
LDFLAGS_training = $(LDFLAGS_plain)$(if $(filter clang,$(FAMILY)), -fuse-ld=lld)
LDFLAGS_release  = $(LDFLAGS_training)
# What only tests is compiled in two thirds of the time so.
OBJECT_FLAGS     = $(if $(filter plain,$(VARIANT)),$(if $(filter tests/%,$<),-O1)) \
                   $(if $(filter gcc-training gcc-release,$(FAMILY)-$(VARIANT)),-dumpbase $(COUNTS)/$< -Wno-missing-profile) \
                   $(if $(filter clang-release,$(FAMILY)-$(VARIANT)),$(if $(filter tests/%,$<),-fno-profile-instr-use))
ARCHIVE          = $(if $(filter training release,$(VARIANT)),$(if $(filter clang,$(FAMILY)),llvm-ar,gcc-ar),ar)

# WERROR= lets a compiler newer than this code complain without stopping, but never of a promise
# that nobody awaits.
WERROR    ?= -Werror
WARN       = -Wall -Wextra -Wstrict-prototypes -Wno-missing-field-initializers $(WERROR) -Werror=unused-result
STANDARD   = -std=gnu17
FLAGS      = $(STANDARD) -pthread $(WARN) $(CFLAGS_$(VARIANT)) $(CFLAGS)
LINK_FLAGS = $(FLAGS) -rdynamic $(LDFLAGS_$(VARIANT)) $(LDFLAGS)

# Of a list in which one is missing pkg-config says nothing at all; so then they are looked for one by one.
LIBRARIES := libdw libuv libpq sqlite3 inih md4c md4c-html jansson libcurl zlib libbrotlienc libcrypto libseccomp
CHECKING  := check libbrotlidec
MISSING   := $(shell exec 2>/dev/null; pkg-config --exists $(LIBRARIES) $(CHECKING) || \
               for each in $(LIBRARIES) $(CHECKING); do pkg-config --exists $$each || echo $$each; done)
FOUND     := $(filter-out $(MISSING),$(LIBRARIES))
DEFINES   := -I. -D_GNU_SOURCE -DTENK_VERSION='"$(VERSION)"' $(shell pkg-config --cflags-only-I $(FOUND) 2>/dev/null)
LIBS      := $(shell pkg-config --libs $(FOUND) 2>/dev/null) -lwslay# which has no file for pkg-config

# llhttp: the library where there is one (Debian 13), else the generated C of Debian 12's node-llhttp.
ifeq (yes,$(shell pkg-config --exists libllhttp 2>/dev/null && echo yes))
LIBS    += $(shell pkg-config --libs libllhttp)
else
LLHTTP  := /usr/share/llhttp
DEFINES += -isystem /usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1
PARSER  := $(patsubst %,$(BUILD)/llhttp/%.o,$(if $(wildcard $(LLHTTP)/llhttp.c),api http llhttp))
MISSING += $(if $(PARSER),,libllhttp)
endif

# The context switch is the one machine-dependent thing.
in = $(sort $(shell find $(1) -name '*.c'))
SOURCES := $(filter-out server/main.c server/config/man/% server/async/context/context_%,$(call in,server db handlers)) \
           $(wildcard server/async/context/context_$(CONTEXT).c server/async/context/context_$(CONTEXT).S)
UNIT      := $(filter-out tests/unit/main_async.c,$(call in,tests/unit tests/support))
SCENARIOS := $(call in,tests/scenarios) $(patsubst %,tests/support/%.c,cluster collector granted guardian loopback mark_point quick_folder skipped)
ORDER     := $(call in,tests/order) tests/support/mark_point.c
ALL       := server/main.c $(SOURCES) $(UNIT) tests/unit/main_async.c $(SCENARIOS) $(ORDER) \
             $(wildcard server/async/context/context_ucontext.c server/config/man/*.c loadtest/*.c tests/fuzz/*.c)

# tests/support/mark_point.c
MARK  := -Wl,--wrap=_mark_point
CHECK = $(MARK) $(shell pkg-config --libs $(CHECKING))
link  = $(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(LINK_FLAGS) -o $@ $^ $(LIBS) $(1) $(LDLIBS)
$(BUILD)/tenk: $(BUILD)/server/main.c.o $(BUILD)/libtenk.a
	$(call link)
$(BUILD)/libtenk.a: $(SOURCES:%=$(BUILD)/%.o) $(PARSER)
	$(call say,AR,$@)rm -f $@ && $(ARCHIVE) qcs $@ $^
$(BUILD)/tests/run-unit: $(UNIT:%=$(BUILD)/%.o) $(BUILD)/libtenk.a
	$(call link,$(CHECK))
# The same, but that tasks switch by ucontext: the object that comes first is taken, and not the library's.
$(BUILD)/tests/run-unit-ucontext: $(UNIT:%=$(BUILD)/%.o) $(BUILD)/server/async/context/context_ucontext.c.o $(BUILD)/libtenk.a
	$(call link,$(CHECK))
# server/base and server/async alone, and their tests: with no library but libuv.
ASYNC      := $(filter server/base/% server/async/%,$(SOURCES))
ASYNC_UNIT := $(filter tests/unit/base/% tests/unit/async/%,$(UNIT)) tests/unit/main_async.c tests/unit/suites.c \
              $(patsubst %,tests/support/%.c,failing_watch mark_point skipped support)
$(BUILD)/libasync.a: $(ASYNC:%=$(BUILD)/%.o)
	$(call say,AR,$@)rm -f $@ && $(ARCHIVE) qcs $@ $^
$(BUILD)/tests/run-unit-async-alone: $(ASYNC_UNIT:%=$(BUILD)/%.o) $(BUILD)/libasync.a
	$(call say,LINK,$@)$(CC) $(LINK_FLAGS) -o $@ $^ $(MARK) $(shell pkg-config --libs libuv check) $(LDLIBS)
# What needs a library that is missing is not tried: instead its package is named.
ifneq (,$(strip $(MISSING)))
$(patsubst %,$(BUILD)/%.o,$(filter-out $(ASYNC) tests/%,$(ALL))): | missing-run
$(patsubst %,$(BUILD)/%.o,$(filter-out $(ASYNC_UNIT),$(UNIT) $(SCENARIOS) $(ORDER))): | missing-unit
missing-%:
	$(Q).ci/install --tell $*
endif
# Who asks a server is built the plain way, whatever that is.
ASKING := build$(addprefix /,$(call folder,plain))
ifeq ($(BUILD),$(ASKING))
$(ASKING)/tests/run-scenarios: $(SCENARIOS:%=$(BUILD)/%.o)
	$(call link,$(CHECK))
else
$(ASKING)/tests/run-scenarios: force
	+$(Q)$(MAKE) --no-print-directory VARIANT=plain $@
endif
$(BUILD)/tests/run-order: $(ORDER:%=$(BUILD)/%.o) $(BUILD)/libtenk.a
	$(call link,$(CHECK))
$(BUILD)/tests/fuzz/request: $(BUILD)/tests/support/plain_head.c.o
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.c.o $(BUILD)/libtenk.a
	$(call link,-fsanitize=fuzzer)
$(BUILD)/loadtest/%: $(BUILD)/loadtest/%.c.o $(BUILD)/libtenk.a
	$(call link)
$(BUILD)/man/settings: $(BUILD)/server/config/man/settings.c.o $(BUILD)/libtenk.a
	$(call link)

$(BUILD)/db/schema.c.o: db/schema.sql db/seed.sql db/boards.sql db/outbox.sql
$(BUILD)/handlers/boards/dataset.c.o: handlers/boards/dataset.json
$(BUILD)/handlers/gallery/workload_page.c.o: $(addprefix handlers/gallery/workload_table,.html .json)
$(BUILD)/server/config/version.c.o: DEFINES += $(foreach p,md4c inih,-D$(shell echo $p | tr a-z A-Z)_VERSION='"$(shell pkg-config --modversion $p)"')
$(BUILD)/handlers/requests/places.c.o: $(shell sed -n 's/^ *source..*, "\([a-z_/]*\.[ch]\)".*/\1/p' handlers/requests/places.c)
$(BUILD)/handlers/gallery/sources.c.o: $(shell sed -n 's/^ *source..*, "\([a-z_/]*\.[ch]\)".*/\1/p' handlers/gallery/sources.c)
# What is embedded is the assembler's, and local to its object: the linker must not take that apart.
$(patsubst %,$(BUILD)/%.o,$(shell grep -lrE '^(EMBED|SHOW_FROM|EACH_SOURCE.EMBED)' db handlers)): FLAGS += -fno-lto
$(BUILD)/%.c.o: %.c $(BUILD)/flags
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(DEFINES) $(CPPFLAGS) $(FLAGS) $(OBJECT_FLAGS) -MMD -MF $(@:.o=.d) -MP -c -o $@ $<
$(BUILD)/%.S.o: %.S $(BUILD)/flags
	$(call say,AS,$<)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(FLAGS) -c -o $@ $<
$(BUILD)/llhttp/%.o: $(LLHTTP)/%.c $(BUILD)/flags
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(DEFINES) $(CPPFLAGS) $(FLAGS) $(OBJECT_FLAGS) -O3 -w -c -o $@ $<

# Holds the command line of the last build: when that changes, everything is compiled anew.
COMMAND := $(subst ','\'',$(shell $(CC) --version 2>/dev/null | head -n 1) $(DEFINES) $(CPPFLAGS) $(LINK_FLAGS) $(LIBS) $(LDLIBS))
.PHONY: force
$(BUILD)/flags: force
	@mkdir -p $(@D); echo '$(COMMAND)' | cmp -s - $@ || echo '$(COMMAND)' > $@

ifeq ($(VARIANT),release)
export CCACHE_DISABLE := 1# it does not know which counts gcc reads
$(patsubst %,$(BUILD)/%.o,$(ALL)) $(PARSER): $(COUNTS)/done
$(COUNTS)/done: $(TRAINING)/tenk loadtest/train
	$(call say,TRAIN,$<)$(if $(filter clang,$(FAMILY)),command -v llvm-profdata > /dev/null || \
	    { echo 'clang needs llvm-profdata (package llvm) for a release; make VARIANT=plain needs nothing' >&2; exit 1; };) \
	rm -rf '$(@D)' && mkdir -p '$(@D)' && loadtest/train $< \
	    $(if $(filter clang,$(FAMILY)),&& llvm-profdata merge -o $(@D)/merged $(@D)/*.profraw) && touch $@
$(TRAINING)/tenk: force
	+$(Q)$(MAKE) --no-print-directory VARIANT=training $@
endif

-include $(patsubst %.c,$(BUILD)/%.c.d,$(filter %.c,$(ALL)))
