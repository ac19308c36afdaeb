# load.mk - what measures.

.PHONY: bench bench-core loadtest

##@ Measures
bench: all $(BUILD)/loadtest/core   ## the server, beside what it would cost at least; then tasks and promises
	$(Q)loadtest/bench
	$(Q)$(BUILD)/loadtest/core
bench-core: $(BUILD)/loadtest/core  ## tasks and promises
	$(Q)$<
loadtest: install-loadtest          ## both modes and their peers, and a report; QUICK=1; ARGS: see loadtest/run --help
	$(remake) all
	$(Q)loadtest/run $(if $(QUICK),--quick) $(ARGS)
