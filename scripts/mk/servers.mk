# Tests against real servers, see docs/servers.md.

.PHONY: check-servers check-servers-mutants check-streams

##: check-servers compare what real servers count: statsd, collectd, netdata (installs them)
# '-mutants' sends wrong lines, which have to be found
check-servers check-servers-mutants: $(BUILD)/servers/record
	$(Q)c-tests/servers/check.py $(if $(findstring mutants,$@),--wrong) $(BUILD)/servers $<

$(BUILD)/servers/record: c-tests/servers/record.c include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -o $@ $< $(LINK) -pthread

.PHONY: check-scale

##: check-scale 10,000 brokers against statsd and a receiver: what is lost (as root, 2 min)
check-scale: PROCESSES = 100
check-scale: CONTEXTS = 100
check-scale: SECONDS = 60
check-scale: $(BUILD)/servers/brokers $(BUILD)/servers/receiver
	$(Q)c-tests/servers/scale.py --processes $(PROCESSES) --contexts $(CONTEXTS) --seconds $(SECONDS) \
	    $(BUILD)/servers $(BUILD)/servers

$(BUILD)/servers/brokers $(BUILD)/servers/receiver: $(BUILD)/servers/%: c-tests/servers/%.c include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -o $@ $< $(LINK) -pthread

##: check-streams restart a real statsd under load over TCP, and send by each environment variable
check-streams: $(BUILD)/servers/load
	$(Q)c-tests/servers/streams.py $(BUILD)/servers $<

$(BUILD)/servers/load: c-tests/servers/load.c include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -o $@ $< $(LINK) -pthread
