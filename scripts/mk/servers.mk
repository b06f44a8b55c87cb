# Tests against real servers, see docs/servers.md.

.PHONY: check-servers check-servers-mutants

##: check-servers compare what real servers count: statsd, collectd, netdata (installs them)
# '-mutants' sends wrong lines, which have to be found
check-servers check-servers-mutants: $(BUILD)/servers/record
	$(Q)c-tests/servers/check.py $(if $(findstring mutants,$@),--wrong) $(BUILD)/servers $<

$(BUILD)/servers/record: c-tests/servers/record.c include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -o $@ $< $(LINK) -pthread
