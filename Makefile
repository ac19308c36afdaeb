# make            build/tenk
# make run        installs what is missing, builds, and serves
# make test       installs what is missing, builds, and runs every test
# make help       the rest

CC      ?= gcc
PREFIX  ?= /usr/local
Q        = $(if $(V),,@)
say      = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)';)

VERSION := 0.1.0

# A variant is a way of compiling everything, in a folder of its own: make VARIANT=asan
VARIANT  ?= release
CFLAGS_release  = -O2
CFLAGS_asan     = -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan     = -O1 -fsanitize=thread -fno-omit-frame-pointer
CFLAGS_valgrind = -O1 -DUSE_VALGRIND
CFLAGS_coverage = -O0 --coverage
COMPILER := $(notdir $(firstword $(CC)))
SUFFIX   := $(if $(filter clang%,$(COMPILER)),-clang)$(if $(filter ucontext,$(CONTEXT)),-ucontext)
BUILD    := build$(if $(filter release,$(VARIANT)),,/$(VARIANT))$(if $(SUFFIX),/other$(SUFFIX))

PACKAGES := libuv libpq sqlite3 inih md4c md4c-html jansson
CPPFLAGS += -I. -D_GNU_SOURCE -DTENK_VERSION='"$(VERSION)"' $(shell pkg-config --cflags-only-I $(PACKAGES) 2>/dev/null)
CFLAGS   ?= -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
ifneq (,$(filter asan tsan valgrind coverage,$(VARIANT)))
CFLAGS   := -g
endif
WARN      = -std=gnu17 -Wall -Wextra -Wstrict-prototypes -Wno-missing-field-initializers \
            -Werror -pthread
FLAGS     = $(WARN) $(CFLAGS) $(CFLAGS_$(VARIANT))
LDFLAGS  += -pthread -rdynamic $(filter -f% --coverage,$(CFLAGS_$(VARIANT)))
LDLIBS   += $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)

# llhttp: the library where there is one (Debian 13), else the generated C of Debian 12's package.
ifeq (yes,$(shell pkg-config --exists libllhttp 2>/dev/null && echo yes))
LDLIBS   += $(shell pkg-config --libs libllhttp)
else
LLHTTP   := /usr/share/llhttp
CPPFLAGS += -isystem /usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1
LLHTTP_OBJECTS := $(patsubst %,$(BUILD)/llhttp/%.o,api http llhttp)
endif

# The context switch is the one machine-dependent thing.
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1)
CONTEXT ?= $(if $(filter x86_64 aarch64,$(MACHINE)),$(MACHINE),ucontext)

SOURCES := $(filter-out server/async/context_%,$(wildcard server/*.c server/async/*.c server/http/*.c db/*.c handlers/*.c)) \
           $(wildcard server/async/context_$(CONTEXT).c server/async/context_$(CONTEXT).S)
OBJECTS := $(addprefix $(BUILD)/,$(addsuffix .o,$(basename $(SOURCES)))) $(LLHTTP_OBJECTS)
# a .c and a .S of the same name would share an object file
OBJECTS := $(patsubst $(BUILD)/server/async/context_$(CONTEXT).o,,$(OBJECTS)) \
           $(patsubst server/async/context_%,$(BUILD)/server/async/context_%.o,$(filter server/async/context_%,$(SOURCES)))

all: $(BUILD)/tenk

$(BUILD)/tenk: $(OBJECTS)
	$(call say,LINK,$@)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $(OBJECTS) $(LDLIBS)

$(BUILD)/%.o: %.c
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/%.c.o: %.c
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/%.S.o: %.S
	$(call say,AS,$<)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(FLAGS) -c -o $@ $<
$(BUILD)/llhttp/%.o: $(LLHTTP)/%.c
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -O3 $(filter -f%,$(CFLAGS_$(VARIANT))) -w -c -o $@ $<

# Tests: one Check program of unit tests, one of scenarios against the built server.
UNIT      := $(wildcard tests/*.c)
SCENARIOS := $(wildcard tests/http/*.c)
CHECK_LIBS = $(shell pkg-config --libs check)
TESTED    := $(filter-out $(BUILD)/server/main.o,$(OBJECTS))

$(BUILD)/tests/unit: $(patsubst %.c,$(BUILD)/%.o,$(UNIT)) $(TESTED)
	$(call say,LINK,$@)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(CHECK_LIBS)
$(BUILD)/tests/scenarios: $(patsubst %.c,$(BUILD)/%.o,$(SCENARIOS))
	$(call say,LINK,$@)$(CC) $(FLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs libpq sqlite3 jansson) $(CHECK_LIBS)

unit: $(BUILD)/tests/unit
	$(Q)$(BUILD)/tests/unit
scenarios: $(BUILD)/tests/scenarios $(BUILD)/tenk
	$(Q)TENK=$(BUILD)/tenk $(BUILD)/tests/scenarios

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all unit scenarios clean
