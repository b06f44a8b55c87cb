# The demo: a content cache under load.

.PHONY: demo demo-picture check-demo demo-graphite check-graphite check-dashboard

SERVER  =
CACHE   = $(BUILD)/demo/content-cache
CACHE_C = $(wildcard examples/content-cache/*.c)

$(CACHE): $(CACHE_C) $(wildcard examples/content-cache/*.h) include/fripp.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -pthread -o $@ $(CACHE_C) $(LINK)

##: demo run a content cache under load, show its metrics live, write a report; SERVER=host:port sends to yours
demo: $(CACHE) $(COMMAND)
ifeq ($(SERVER),)
	$(Q)examples/content-cache/run $(COMMAND) $(CACHE) $(BUILD)/demo
else
	$(Q)FLUX_FRIPP_STATSD='$(SERVER)' $(CACHE)
endif

# the charts of README.md, of the last run
demo-picture:
	$(Q)mkdir -p docs/img
	$(Q)$(COMMAND) report $(BUILD)/demo/recording --force --interval 0.5 -o docs/img/cache.svg \
	    --chart flux.content-cache.0.content-cache-scaled
	$(Q)$(COMMAND) report $(BUILD)/demo/recording --force --interval 0.5 -o docs/img/store.svg \
	    --chart flux.content-cache.percentiles-of-store

check-demo: $(CACHE)
	$(Q)$(CPROG) -shared -fPIC -o $(BUILD)/demo/blob.so examples/content-cache/blob.c
	$(Q)examples/content-cache/check_blob.py $(BUILD)/demo/blob.so

# -- statsd, carbon and graphite-web --------------------------------------

##: demo-graphite show the demo's charts in Graphite, until Ctrl-C (installs statsd, carbon, graphite-web)
demo-graphite: $(CACHE)
	$(Q)examples/content-cache/graphite.py $(BUILD)/servers $(CACHE)

##: check-graphite check that Graphite has what the demo recorded
check-graphite: $(CACHE)
	$(Q)examples/content-cache/graphite.py --check --seconds 20 $(BUILD)/servers $(CACHE)

##: check-dashboard check the dashboard for Grafana by Grafana's schema and the metrics of the demo
check-dashboard: $(CACHE)
	$(Q)$(CACHE) -o $(BUILD)/demo/recorded 1 >/dev/null
	$(Q)examples/content-cache/check_dashboard.py $(BUILD)/dashboard $(BUILD)/demo/recorded
