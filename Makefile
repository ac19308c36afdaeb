# make            builds build/tenk
# make run        installs what is missing, builds, and serves (ARGS='--listen 0.0.0.0:8080')
# make test       installs what is missing, builds, and runs every test
# make help       the rest: what stands after ## beside each target, here and in mk/

VERSION := 0.1.0
PREFIX  ?= /usr/local
Q        = $(if $(V),,@)
say      = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)';)
remake   = +$(Q)$(MAKE) --no-print-directory -j$(shell nproc)

.DEFAULT_GOAL := all
include mk/build.mk
include mk/test.mk
include mk/check.mk
include mk/load.mk
include mk/install.mk

.PHONY: all release run help clean

##@ First
all: $(BUILD)/tenk                  ## what make does by itself: builds build/tenk
release: all                        ## build/release/tenk, optimized as a whole for what runs often; make release install, release unit
run: install-run                    ## installs what is missing, builds, and serves: ARGS='--listen 0.0.0.0:8080'
	$(remake) all
	$(Q)exec $(BUILD)/tenk $(ARGS)
help:                               ## this list
	@awk -f mk/help.awk $(filter Makefile %.mk,$(MAKEFILE_LIST))
clean:                              ## removes all that was built
	rm -rf build compile_commands.json
compile_commands.json:              ## for editors and clangd; needs bear
	bear -- $(MAKE) --always-make all $(BUILD)/tests/run-unit
.PHONY: compile_commands.json

# What Debian's packages have and this machine has not.
install-%:
	$(Q).ci/install $*
