# install.mk - the program installed, and its image; and the tests of both.

# An installed tenk finds its static files beside its own folder, wherever that is.
UNITS     := lib/systemd/system/tenk.service lib/systemd/system/tenk.socket
INSTALLED := bin/tenk share/tenk share/doc/tenk share/man/man1/tenk.1 share/man/man5/tenk.ini.5 $(UNITS)
TO         = $(DESTDIR)$(PREFIX)

.PHONY: install uninstall manual test-install test-container test-proxies test-fresh

##@ Installation
install: all manual                 ## this build to PREFIX=/usr/local, below DESTDIR; make release install: that one
	$(call say,INSTALL,$(BUILD)/tenk ($(VARIANT)) to $(TO))true
	install -D $(BUILD)/tenk '$(TO)/bin/tenk'
	find static -type f -exec install -D -m 644 {} '$(TO)/share/tenk/{}' ';'
	install -D -m 644 config.ini '$(TO)/share/doc/tenk/config.ini'
	install -D -m 644 server/diagnose/tenk-gdb.py '$(TO)/share/tenk/tenk-gdb.py'
	install -D -m 644 server/config/man/tenk.1 '$(TO)/share/man/man1/tenk.1'
	install -D -m 644 $(BUILD)/man/tenk.ini.5 '$(TO)/share/man/man5/tenk.ini.5'
	install -d '$(TO)/lib/systemd/system'
	$(Q)for unit in $(notdir $(UNITS)); do \
	    sed 's|@BINDIR@|$(PREFIX)/bin|' packaging/systemd/$$unit > '$(TO)/lib/systemd/system/'$$unit || exit 1; done
uninstall:                          ## removes all of that
	rm -rf $(INSTALLED:%='$(TO)/%')
manual: $(BUILD)/man/tenk.ini.5     ## tenk.ini(5), whose list of settings is that of the program
$(BUILD)/man/tenk.ini.5: server/config/man/tenk.ini.5.in $(BUILD)/man/settings
	$(call say,MAN,$@)$(BUILD)/man/settings < $< > $@.new && mv $@.new $@
test-install: all                   ## installed elsewhere and moved, it serves; uninstalled, nothing is left; what make says of missing libraries
	$(Q)tests/packaging/missing.sh
	$(Q)tests/packaging/install.sh
	$(Q)tests/packaging/systemd.sh
	$(Q)python3 tests/packaging/httparena_test.py
test-container: install-container   ## the image built, run and stopped, and three servers behind a proxy; as root
	$(remake) all
	$(Q)tests/packaging/container.sh
	$(Q)python3 tests/packaging/topology_test.py
test-proxies: install-proxies       ## HAProxy, nginx and Caddy in front, as docs/operations.md shows them
	$(remake) all
	$(Q)python3 tests/packaging/proxies_test.py
test-fresh: install-container       ## make run and make test in bare Debian 12 and 13 roots; as root
	$(Q)tests/packaging/fresh.sh bookworm run test
	$(Q)tests/packaging/fresh.sh trixie run test
