# Faults put to the library, and to other clients beside it.

.PHONY: check-faults

FAULTS   := $(BUILD)/faults/faults
FAULTS_C := $(wildcard faults/*.c) \
            $(patsubst %,c-tests/%.c,tap listener proc resolver statsd-reader)

##: check-faults servers that die, hang and move, forks, lost descriptors: what is lost, and who waits
check-faults: $(FAULTS) bench-peers
	$(Q)FRIPP_PEERS='$(wildcard $(PEERS))' $(FAULTS)

$(FAULTS): $(FAULTS_C) $(wildcard faults/*.h c-tests/*.h) include/fripp.h $(SO)
	$(say) CC 'faults'
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -D_GNU_SOURCE -Ic-tests -rdynamic -pthread -o $@ $(FAULTS_C) $(LINK) -ldl
