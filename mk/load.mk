# load.mk - what measures.

.PHONY: bench bench-core bench-outbox loadtest

##@ Measures
bench: all $(BUILD)/loadtest/core   ## the server, beside its floors; then tasks and promises; BASE=REVISION: and beside that one
	$(Q)loadtest/bench $(if $(BASE),--base '$(BASE)') $(ARGS); status=$$?; $(BUILD)/loadtest/core && exit $$status
bench-core: $(BUILD)/loadtest/core  ## tasks and promises
	$(Q)$<
bench-outbox: $(BUILD)/loadtest/outbox      ## what two processes publish: URL=postgresql://... of a database made for it; ARGS: seconds ...
	$(Q)$< '$(URL)' $(ARGS)
loadtest: install-loadtest          ## both modes and their peers, and a report; QUICK=1; ARGS: see loadtest/run --help
	$(remake) all
	$(Q)loadtest/run $(if $(QUICK),--quick) $(ARGS)
