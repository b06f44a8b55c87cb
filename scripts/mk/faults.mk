# Faults put to the library, and to other clients beside it.

.PHONY: check-faults

FAULTS   := $(BUILD)/faults/faults
FAULTS_C := $(wildcard c-tests/faults/*.c) \
            $(patsubst %,c-tests/%.c,tap listener stream proc resolver statsd-reader clock translator)

# cadence 1.8.0, ...: what was built
FAULTS_PEERS = $(shell awk '/^name = "(cadence|metrics-exporter-dogstatsd)"/ { \
    name = $$3; getline; gsub (/"/, "", name); gsub (/"/, "", $$3); \
    printf "%s%s %s", comma, name, $$3; comma = ", " }' benches/peers/Cargo.lock)

##: check-faults measure what is lost, and which calls wait, when servers die, hang and move, processes fork, descriptors go
check-faults: $(FAULTS) bench-peers
	$(Q)FRIPP_PEERS='$(wildcard $(PEERS))' FAULTS_PEERS='$(FAULTS_PEERS)' $(FAULTS)

$(FAULTS): $(FAULTS_C) $(wildcard c-tests/faults/*.h c-tests/*.h) include/fripp.h $(SO)
	$(say) CC 'faults'
	$(Q)mkdir -p $(@D)
	$(Q)$(CPROG) -D_GNU_SOURCE -Ic-tests -rdynamic -pthread -o $@ $(FAULTS_C) $(LINK) -ldl
