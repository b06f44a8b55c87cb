# The demo.

.PHONY: demo

DEMO = $(BUILD)/demo/listener $(BUILD)/demo/replay $(BUILD)/demo/typed
SERVER =

##: demo play traffic of a real broker through it, and record metrics; SERVER=host:port for yours
demo: $(SO) $(DEMO)
ifeq ($(SERVER),)
	$(Q)$(BUILD)/demo/listener $(if $(ALL),-a) $(BUILD)/demo/replay demo/traffic.txt
	$(Q)$(BUILD)/demo/typed
else
	$(Q)$(BUILD)/demo/replay demo/traffic.txt '$(SERVER)'
	$(Q)$(BUILD)/demo/typed '$(SERVER)'
endif

$(BUILD)/demo/%: demo/%.c demo/tally.c demo/tally.h include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -pthread -o $@ $< demo/tally.c $(LINK)
