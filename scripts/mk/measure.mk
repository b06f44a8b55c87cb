# What a broker sends: docs/scale.md.

.PHONY: measure-load check-load

##: measure-load measure lines, datagrams and bytes of a broker, by the calls that it makes
measure-load: $(BUILD)/measure/load
	$(say) MEASURE benches/traffic/load.txt
	$(Q)$< benches/traffic/traffic.txt >benches/traffic/load.txt
	$(Q)cat benches/traffic/load.txt

# the figures are of calls and not of time: they are the same everywhere
check-load: $(BUILD)/measure/load
	$(Q)$< benches/traffic/traffic.txt | diff -u benches/traffic/load.txt - || { \
	    echo 'a broker sends something else now. Where it is right: make measure-load'; exit 1; }

$(BUILD)/measure/load: benches/traffic/load.c include/fripp.h include/fripp-test.h $(SO)
	$(say) CC $(@F)
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -o $@ $< $(LINK)
