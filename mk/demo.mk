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

CACHE   = $(BUILD)/demo/content-cache
CACHE_C = $(patsubst %,demo/%.c,content-cache kvs cache entry backing module blob metrics)

$(CACHE): $(CACHE_C) $(wildcard demo/*.h) include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -pthread -o $@ $(CACHE_C) $(LINK)

# -- the servers of the document that this began with ---------------------

.PHONY: demo-graphite check-graphite check-dashboard

##: demo-graphite the demo's charts in Graphite, until Ctrl-C (installs statsd, carbon, graphite-web)
demo-graphite: $(CACHE)
	$(Q)demo/graphite.py $(BUILD)/servers $(CACHE)

##: check-graphite whether Graphite has what the demo recorded
check-graphite: $(CACHE)
	$(Q)demo/graphite.py --check --seconds 20 $(BUILD)/servers $(CACHE)

##: check-dashboard the dashboard for Grafana: by Grafana's schema, and by the metrics of the demo
check-dashboard: $(CACHE)
	$(Q)$(CACHE) -o $(BUILD)/demo/recorded 1 >/dev/null
	$(Q)demo/check_dashboard.py $(BUILD)/dashboard $(BUILD)/demo/recorded
