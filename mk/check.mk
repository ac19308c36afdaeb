# check.mk - what looks at the source without running it.

.PHONY: layers headers forgotten structure lint

##@ Checks
layers:                             ## who includes whom, in which direction, and never in a circle
	$(Q)tests/checks/layers.py
headers:                            ## each header compiled alone, and all of them together
	$(Q)CC='$(CC)' tests/checks/headers.sh
forgotten:                          ## a promise that is not awaited does not compile
	$(Q)CC='$(CC)' DEFINES="$(DEFINES)" tests/checks/forgotten_await.py
structure:                          ## files, functions and what is repeated, counted
	$(Q)tests/checks/structure.py
lint:                               ## cppcheck
	cppcheck --quiet --std=c17 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	    $(DEFINES) $(CPPFLAGS) server db handlers
