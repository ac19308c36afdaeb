# check.mk - what looks at the source without running it.

SCRIPTS := .ci/install .ci/root .ci/run .githooks/pre-commit tests/browser/run $(shell find tests -name '*.sh')
PYTHON  := loadtest/bench loadtest/export loadtest/import loadtest/instructions loadtest/restarts loadtest/run loadtest/soak loadtest/train tests/mutants/run \
           $(shell find server loadtest tests -name '*.py' -not -path '*/node_modules/*')

.PHONY: layers headers forgotten structure format lint analyze lint-format lint-tidy lint-cppcheck lint-scripts lint-mutants

##@ Checks
layers:                             ## who includes whom, in which direction, and never in a circle
	$(Q)tests/checks/layers.py
headers:                            ## each header compiled alone, and all of them together
	$(Q)CC='$(CC)' tests/checks/headers.sh
forgotten:                          ## a promise that is not awaited does not compile
	$(Q)CC='$(CC)' DEFINES="$(DEFINES)" tests/checks/forgotten_await.py
structure:                          ## files, functions and what is repeated, counted
	$(Q)tests/checks/structure.py
format: install-lint                ## lays C out as .clang-format has it; columns and the ends of lines stay
	$(Q)tests/checks/format.py --fix
lint: install-lint                  ## what the formatter, clang-tidy, cppcheck, shellcheck and flake8 say; mutants of lines that are gone
	$(remake) lint-format lint-tidy lint-cppcheck lint-scripts lint-mutants
analyze: install-lint               ## what clang's analyzer says, in minutes
	$(Q)DEFINES='$(subst ','\'',$(DEFINES))' tests/checks/tidy.sh --analyze server/main.c $(filter %.c,$(SOURCES))
lint-format:
	$(Q)tests/checks/format.py
lint-tidy:
	$(Q)DEFINES='$(subst ','\'',$(DEFINES))' tests/checks/tidy.sh $(filter %.c,$(ALL))
# POSIX makes NULL a pointer, wherever it stands.
lint-cppcheck:
	$(Q)cppcheck --quiet -j$(shell nproc) --std=c17 --enable=warning,performance,portability --error-exitcode=1 \
	    --inline-suppr --suppress=varFuncNullUB $(DEFINES) $(CPPFLAGS) server db handlers loadtest
lint-scripts:
	$(Q)shellcheck $(SCRIPTS)
	$(Q)flake8 --select F $(PYTHON)
lint-mutants:
	$(Q)tests/mutants/run --stale
